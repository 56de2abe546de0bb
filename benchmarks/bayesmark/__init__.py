"""Bayesmark's nine scikit-learn models on its own data sets, trained live.

`conditional` imports its data sets and split.
"""
