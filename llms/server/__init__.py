"""The vLLM server of this machine: found, started, watched, measured.

The client, `llms.serve` and `llms.models` import it.
"""
