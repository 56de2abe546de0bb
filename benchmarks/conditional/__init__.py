"""A support vector machine with a conditional space, trained live.

Built by `_target_`; no other room imports it.
"""
