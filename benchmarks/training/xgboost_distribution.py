"""XGBoost comes in two distributions: which of them is installed."""

from __future__ import annotations

from importlib import metadata

from harness.errors import SettingError


def xgboost_distribution() -> str:
    """``xgboost-cpu``, the smaller one that this project asks for, or ``xgboost``.

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
