"""Runs on disk -> rows: read, checked, labelled, and which of them can be compared.

Imports nothing else of analysis.
"""
