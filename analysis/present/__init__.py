"""From numbers to text: tables as data, and their renderers.

Imports runs and stats.
"""
