"""Find out which of XGBoost's two distributions is installed."""

from __future__ import annotations

from importlib import metadata

from harness.errors import SettingError


def xgboost_distribution() -> str:
    """``xgboost-cpu``, the smaller one that this project requires, or ``xgboost``.

    Raises:
        SettingError: Neither is installed.
    """
    for name in ("xgboost-cpu", "xgboost"):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        return name
    raise SettingError("XGBoost is not installed; install xgboost-cpu, or choose another model.")
