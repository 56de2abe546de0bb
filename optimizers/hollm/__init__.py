"""HOLLM (Schwanke et al. 2026): a partition of the space as a bandit, sampled by a chat model.

Not imported by other modules: found by `_target_`.
"""
