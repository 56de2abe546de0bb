"""HOLLM (Schwanke et al. 2026): a partition of the space as a bandit, sampled by a chat model.

Imported by nobody: reached by `_target_`.
"""
