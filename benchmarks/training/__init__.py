"""Shared by benchmarks that train models: the training process, its cache of evaluations, hold-out rows.

Any family may import it.
"""
