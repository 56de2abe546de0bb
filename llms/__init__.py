"""Access to language models: the client, the vLLM server, the recorder."""
