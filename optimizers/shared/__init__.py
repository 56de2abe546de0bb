"""Shared by methods, except chat: history, draws, the unit cube, ask-and-tell wrappers of Optuna and SMAC.

Any method, and chat, may import it.
"""
