"""`python -m benchmarks.tabulate`: every configuration of a finite space evaluated and written as a table.

Imported by nobody but its own command.
"""
