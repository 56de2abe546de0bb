"""Multi-fidelity methods: successive halving, Hyperband, SMAC with fidelities.

Not imported by other modules: found by `_target_`.
"""
