"""Benchmarks: the tasks that are optimized, one file or room per family."""
