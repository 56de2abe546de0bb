"""What benchmarks share that look results up: tables on disk, levels and ranges over them, exact random search.

Any family may import it.
"""
