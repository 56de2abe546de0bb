"""Numbers in any type that says so."""

from __future__ import annotations

import math
import numbers
from typing import Any

LARGEST = 1e150
"""No measured quantity is larger in size: squares, sums and the spans of axes stay numbers. Penalties are (1.8e308)."""


def is_quantity(value: float) -> bool:
    """Whether a float can be a value of an objective: finite, and not beyond what can be added up and drawn."""
    return math.isfinite(value) and abs(value) <= LARGEST


def number(value: Any) -> float | None:
    """The number that a value is, NaN and infinities included; None for what is none: truth values, text, arrays."""
    try:
        if getattr(value, "shape", ()) != () or _is_time(value) or _is_masked(value):
            return None
        if callable(item := getattr(value, "item", None)):  # NumPy's and PyTorch's scalars, arrays of no dimension
            value = item()
        imaginary = isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real)
        if imaginary or isinstance(value, bool) or not hasattr(type(value), "__float__"):
            return None
        return float(value)
    except Exception:  # an integer of four hundred digits, a tensor without data
        return None


def finite(value: Any) -> float | None:
    """The finite number that a value is; None for anything else, NaN and infinities included."""
    found = value if type(value) is float else number(value)
    return found if found is not None and math.isfinite(found) else None


def whole(value: Any) -> Any:
    """A float without a fraction as the integer that it is in JSON (3.0, 1e3); anything else as it is."""
    return int(value) if type(value) is float and value.is_integer() else value


def _is_time(value: Any) -> bool:
    """Whether it is NumPy's time: its ``item`` is a bare number of some unit."""
    return getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")


def _is_masked(value: Any) -> bool:
    """Whether it is NumPy's masked value, the mean of nothing: its ``item`` is 0."""
    return bool(getattr(value, "mask", False))
