"""From runs on disk to rows: reading, checks, labels, and comparable runs.

Imports no other room of analysis.
"""
