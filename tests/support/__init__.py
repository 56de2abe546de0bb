"""Shared by tests: fakes, made-up data and runs, local servers in place of remote ones, the one real vLLM server."""
