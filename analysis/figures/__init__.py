"""One file per figure.

Imports runs, stats, present and, for results of a table, tables.
"""
