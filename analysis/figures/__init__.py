"""One file per figure.

Imports runs, stats, present and, for what a table has worked out, tables.
"""
