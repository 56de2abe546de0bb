"""Optimization methods, one file or one package each."""
