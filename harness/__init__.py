"""The vocabulary, the check, the loop, the logs, the tracker and the Hydra entry."""
