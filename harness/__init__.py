"""The vocabulary, the search-space check, the loop, the logs, the tracker and the Hydra entry."""
