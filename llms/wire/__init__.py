"""One request over an OpenAI-compatible URL: sent, retried, timed, read.

Only `llms.client` and `llms.server` import it.
"""
