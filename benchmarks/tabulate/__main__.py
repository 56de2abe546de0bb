"""The command ``python -m benchmarks.tabulate``."""

from benchmarks.tabulate.tabulate import main

main()
