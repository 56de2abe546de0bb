"""LLINBO (Chang et al. 2025): a Gaussian process checks the suggestions of a chat model.

Not imported by other modules: found by `_target_`.
"""
