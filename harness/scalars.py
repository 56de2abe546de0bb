"""Convert numbers of any numeric type."""

from __future__ import annotations

import math
import numbers
from typing import Any

LARGEST = 1e150
"""Largest absolute value of a measured quantity, so that sums of squares stay finite; penalties (1.8e308) exceed it."""


def is_quantity(value: float) -> bool:
    """Whether a float can be a value of an objective: finite and not too large to be summed or plotted."""
    return math.isfinite(value) and abs(value) <= LARGEST


def number(value: Any) -> float | None:
    """The value as a number, NaN and infinities included; None for non-numbers: booleans, text, arrays."""
    try:
        if getattr(value, "shape", ()) != () or _is_time(value) or _is_masked(value):
            return None
        if callable(item := getattr(value, "item", None)):  # NumPy's and PyTorch's scalars, 0-dimensional arrays
            value = item()
        imaginary = isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real)
        if imaginary or isinstance(value, bool) or not hasattr(type(value), "__float__"):
            return None
        return float(value)
    except Exception:  # an integer of 400 digits, a tensor without data
        return None


def finite(value: Any) -> float | None:
    """The value as a finite number; None for anything else, NaN and infinities included."""
    found = value if value is None or type(value) is float else number(value)
    return found if found is not None and math.isfinite(found) else None


def whole(value: Any) -> Any:
    """A float without a fraction as an integer (3.0, 1e3); anything else unchanged."""
    return int(value) if type(value) is float and value.is_integer() else value


def _is_time(value: Any) -> bool:
    """Whether the value is a NumPy time, whose ``item`` is a number without its unit."""
    return getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")


def _is_masked(value: Any) -> bool:
    """Whether the value is NumPy's masked value, e.g. the mean of nothing, whose ``item`` is 0."""
    return bool(getattr(value, "mask", False))
