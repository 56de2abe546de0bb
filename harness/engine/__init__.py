"""Sweeps: the jobs of a command are composed once per combination of files, and run by worker processes that stay.

Imported by ``hydra_plugins.hyperbole``, which Hydra finds.
"""
