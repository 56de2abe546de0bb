"""One request over an OpenAI-compatible URL: sent, retried, timed, read.

The client and the server's room import it.
"""
