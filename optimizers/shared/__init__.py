"""What methods share that is not about chat models: history, draws, the unit cube, ask and tell of Optuna and SMAC.

Any method, and chat, may import it.
"""
