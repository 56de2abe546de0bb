"""Sweeps that are killed, starved and damaged, and must end with the log of an undisturbed one: ``make torture``.

Imported by ``tests/test_torture.py`` alone.
"""
