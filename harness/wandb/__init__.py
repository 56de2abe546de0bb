"""Weights & Biases: one W&B run per run, live.

Built by its `_target_`, and used by harness.publish only.
"""
