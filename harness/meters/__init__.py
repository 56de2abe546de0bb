"""Joules of processor and GPU, read from their counters.

Records of sweeps and the benchmarks' energy objective read them.
"""
