"""Rows -> numbers: metrics with intervals, fronts, costs.

Imports runs.
"""
