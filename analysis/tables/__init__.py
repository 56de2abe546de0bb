"""One file per table: which rows it has and what its notes say.

Imports runs, stats and present.
"""
