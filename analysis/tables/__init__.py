"""One file per table, with its rows and notes.

Imports runs, stats and present.
"""
