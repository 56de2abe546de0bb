"""Hydra's entry to ``harness.engine``: the default sweeper and launcher of ``-m``."""
