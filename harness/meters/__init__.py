"""Joules of processor and GPU, read from their counters.

Used by records of sweeps and by the benchmarks' energy objective.
"""
