"""LLAMBO (Liu et al. 2024): warm start, candidates and surrogates from a chat model.

Not imported by other modules: found by `_target_`.
"""
