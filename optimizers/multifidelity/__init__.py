"""Methods that evaluate cheaply first: successive halving, Hyperband, SMAC with fidelities.

Imported by nobody: reached by `_target_`.
"""
