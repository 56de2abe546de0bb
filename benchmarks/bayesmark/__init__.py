"""Bayesmark's nine scikit-learn models on its own data sets, trained live.

conditional splits its data as this family does.
"""
