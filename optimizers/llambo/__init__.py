"""LLAMBO (Liu et al. 2024): warm start, candidates and surrogates from a chat model.

Imported by nobody: reached by `_target_`.
"""
