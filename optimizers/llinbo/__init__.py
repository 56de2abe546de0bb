"""LLINBO (Chang et al. 2025): a Gaussian process judges what a chat model suggests.

Imported by nobody: reached by `_target_`.
"""
