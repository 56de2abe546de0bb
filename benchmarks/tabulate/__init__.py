"""`python -m benchmarks.tabulate`: evaluate every configuration of a finite space and write a table.

Only its own command imports it.
"""
