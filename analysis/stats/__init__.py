"""From rows to numbers: metrics with intervals, fronts, costs.

Imports runs.
"""
