"""The local vLLM server: found, started, supervised, measured.

The client, `llms.serve` and `llms.models` import it.
"""
