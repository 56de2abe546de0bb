"""YAHPO Gym's surrogates and the spaces of its scenarios.

Built by `_target_`; no other room imports it.
"""
