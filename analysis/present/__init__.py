"""Numbers -> text: tables as data, and how they are rendered.

Imports runs and stats.
"""
