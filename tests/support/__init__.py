"""What tests share: fakes, made-up data and runs, servers that stand in for the network's, the one real vLLM server."""
