"""YAHPO Gym's surrogates and the spaces of its scenarios.

Imported by nobody: reached by `_target_`.
"""
