"""The price table: prices of tokens or machine hours, with date and source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import SettingError, unknown

Floats = npt.NDArray[np.float64]

OURS = Path(__file__).with_name("prices.yaml")
"""The default table."""

_TABLE = ("models", "machine_hours")
_MODEL = ("parameters", "tokens", "machine")
_DATED = ("currency", "as_of", "source")
_TOKENS = ("prompt", "cached_prompt", "completion", *_DATED)
_HOUR = ("price", *_DATED)


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """Prices per million tokens.

    Attributes:
        prompt: Price of prompt tokens.
        cached_prompt: Price of cached prompt tokens.
        completion: Price of completion tokens.
        currency: Currency of all three.
        as_of: Date of the prices.
        source: Source of the prices.
    """

    prompt: float
    cached_prompt: float
    completion: float
    currency: str
    as_of: str
    source: str

    def amounts(self, prompt: Floats, cached: Floats, completion: Floats) -> Floats:
        """Prices of numbers of tokens; NaN where those from a cache are not known, unless they cost the same."""
        if self.cached_prompt == self.prompt:
            cached = np.zeros_like(prompt)
        return ((prompt - cached) * self.prompt + cached * self.cached_prompt + completion * self.completion) / 1e6


@dataclass(frozen=True, slots=True)
class HourPrice:
    """The price of a machine hour."""

    price: float
    currency: str
    as_of: str
    source: str


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One model: number of parameters (None if unknown), and price or None."""

    parameters: int | None
    price: TokenPrice | HourPrice | None


@dataclass(frozen=True, slots=True)
class Prices:
    """A price table: its file's name, and its models by name."""

    name: str
    models: Mapping[str, ModelPrice]


def read_prices(path: Path = OURS) -> Prices:
    """Read and check a price table.

    Raises:
        SettingError: There is no such file, or its contents are invalid.
    """
    import yaml

    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(f"The price table {str(path)!r} cannot be read: {reason}; see {OURS} for one.") from None
    except yaml.YAMLError as error:
        line = getattr(error, "problem_mark", None)
        where = f" (line {line.line + 1})" if line is not None else ""
        raise SettingError(f"The price table {str(path)!r} is not YAML{where}; see {OURS} for one.") from None
    found = _entries(table, _TABLE, "the price table")
    machines = _named(found["machine_hours"], "machine_hours")
    hours = {name: _hour(entry, f"machine_hours.{name}") for name, entry in machines.items()}
    models = _named(found["models"], "models")
    return Prices(path.name, {name: _model(entry, f"models.{name}", hours) for name, entry in models.items()})


def _model(entry: Any, place: str, hours: Mapping[str, HourPrice]) -> ModelPrice:
    found = _entries(entry, _MODEL, place)
    parameters, tokens, machine = (found[key] for key in _MODEL)
    if parameters is not None and (isinstance(parameters, bool) or not isinstance(parameters, int) or parameters < 1):
        raise SettingError(f"{place}.parameters is {parameters!r}; give a whole number, or null if unknown.")
    if machine is not None and str(machine) not in hours:
        raise unknown(f"machine of {place}", machine, hours)
    price = _tokens(tokens, f"{place}.tokens") if tokens is not None else hours.get(str(machine))
    return ModelPrice(parameters, price)


def _tokens(entry: Any, place: str) -> TokenPrice:
    found = _entries(entry, _TOKENS, place)
    prompt = _price(found["prompt"], f"{place}.prompt")
    cached = found["cached_prompt"]
    return TokenPrice(
        prompt,
        prompt if cached is None else _price(cached, f"{place}.cached_prompt"),
        _price(found["completion"], f"{place}.completion"),
        *_dated(found, place),
    )


def _hour(entry: Any, place: str) -> HourPrice:
    found = _entries(entry, _HOUR, place)
    return HourPrice(_price(found["price"], f"{place}.price"), *_dated(found, place))


def _dated(found: Mapping[str, Any], place: str) -> tuple[str, str, str]:
    for key in _DATED:
        if found[key] is None or not str(found[key]).strip():
            raise SettingError(f"{place} lacks {key}; a price needs {', '.join(_DATED)}.")
    currency, as_of, source = (str(found[key]) for key in _DATED)
    return currency, as_of, source


def _price(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise SettingError(f"{place} is {value!r}; give a number, 0 or more.")
    return float(value)


def _entries(entry: Any, known: tuple[str, ...], place: str) -> dict[str, Any]:
    """The entry with every known key, None if not given."""
    for key in _named(entry, place):
        if key not in known:
            raise unknown(f"key of {place}", key, known)
    return {key: (entry or {}).get(key) for key in known}


def _named(entry: Any, place: str) -> dict[str, Any]:
    if entry is not None and not isinstance(entry, dict):
        raise SettingError(f"{place[0].upper()}{place[1:]} is {entry!r:.60}; give a mapping of names to entries.")
    return {str(name): item for name, item in (entry or {}).items()}
