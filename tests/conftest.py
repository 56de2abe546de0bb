"""Shared by all tests: the real vLLM server, started once and only when a test asks for it."""

pytest_plugins = ["tests.vllm_server"]
