"""Shared by tabular benchmarks: tables on disk, levels and ranges over them, exact random search.

Any family may import it.
"""
