"""Convert a benchmark's return value to an outcome of builtin numbers, or to the reason why it is not one.

Numbers of any numeric type are accepted (NumPy's and PyTorch's scalars, fractions). Everything else is the trial's
error, as a text that a log, a prompt and a terminal can hold.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.contract import named
from harness.errors import ContractError
from harness.masking import without_secrets
from harness.problem import Benchmark, EvaluationError, Objective, Outcome
from harness.scalars import LARGEST, is_quantity, number

TIMED = ("_seconds", "_joules")
"""Suffixes of metrics that are not reproducible if a model is trained."""
LONGEST_ERROR = 2000
"""Longest error of a trial, in characters; some exceptions contain a whole array."""


def plain_outcome(returned: Any, objectives: Collection[Objective], said: str) -> Outcome:
    """The outcome with builtin numbers, in new containers.

    Args:
        returned: Return value of ``evaluate``; untrusted.
        objectives: Objectives of the problem: each must have a loss, and nothing else may.
        said: Beginning of the error: ``Ridge.evaluate returned``.

    Raises:
        EvaluationError: Not an outcome of these objectives; includes its cost if measured.
    """
    if not isinstance(returned, Outcome):
        raise EvaluationError(f"{said} {_what(returned)}; it must return an Outcome (harness.problem).")
    seconds = _seconds(returned.evaluation_seconds)
    if seconds is None and returned.evaluation_seconds is not None:
        given = _what(returned.evaluation_seconds)
        raise EvaluationError(f"{said} {given} as evaluation_seconds; seconds are a finite number from 0, or None.")
    for part, values in (("losses", returned.losses), ("metrics", returned.metrics)):
        if not isinstance(values, Mapping) or not all(isinstance(key, str) for key in values):
            raise EvaluationError(f"{said} {_what(values)} as {part}; give a mapping of names to numbers.", seconds)
    losses = _losses(returned.losses, [objective.name for objective in objectives], said, seconds)
    metrics: dict[str, Any] = {}
    for name, value in returned.metrics.items():
        # NaN and None are kept: an undefined test score must not fail the trial, or the optimizer would learn of it.
        metrics[name] = None if value is None else number(value)
        if value is not None and metrics[name] is None:
            raise EvaluationError(f"{said} {_what(value)} as metric {name}; a metric is a number, or None.", seconds)
    return Outcome(losses, metrics, seconds, returned.evaluated)


def _losses(given: Mapping[str, Any], names: Sequence[str], said: str, seconds: float | None) -> dict[str, float]:
    """The losses in the order of the objectives."""
    if set(given) != set(names):
        found = f"losses for {', '.join(given)}" if given else "no losses"
        raise EvaluationError(f"{said} {found}; the problem's objectives are {', '.join(names)}.", seconds)
    losses = {}
    for name in names:
        loss = number(given[name])
        if loss is None:
            raise EvaluationError(f"{said} {_what(given[name])} for {name}; a loss is a finite number.", seconds)
        if not math.isfinite(loss):
            raise EvaluationError(f"The evaluation returned {loss} for {name}.", seconds)
        if not is_quantity(loss):
            raise EvaluationError(
                f"The evaluation returned {loss} for {name}, beyond {LARGEST:g}; say that it failed by an exception "
                "(EvaluationError), not by a penalty.",
                seconds,
            )
        losses[name] = loss
    return losses


def said(benchmark: Benchmark) -> str:
    """Beginning of every error about a wrong return value."""
    return f"{named(benchmark)}.evaluate returned"


class Breaches:
    """Counts the evaluations of a run that did not return an outcome of its objectives.

    One such evaluation is a failed trial. A run with no other evaluations has measured nothing.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        self._said = said(benchmark)
        self._first: str | None = None
        self._evaluated = self._breaches = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        self._evaluated += row["executed"] is not None
        if (row["error"] or "").startswith(self._said):
            self._breaches += 1
            self._first = self._first or row["error"]

    def refuse(self, folder: Path) -> None:
        """Refuse a run in which no evaluation returned an outcome.

        Raises:
            ContractError: No evaluation did; names the benchmark's class, what it returned, and what to do.
        """
        if self._first is not None and self._breaches == self._evaluated:
            raise ContractError(
                f"{self._first.rstrip('.')} (so did all {self._evaluated} evaluations); correct it, remove {folder} "
                "and run it again."
            )


def reason(error: BaseException) -> str:
    """Why an evaluation failed: never empty, of limited length, and valid UTF-8."""
    try:
        text = "" if len(error.args) == 1 and error.args[0] is None else str(error)
    except Exception as again:
        text = f"(no message: str() of it raised {type(again).__name__})"
    length, text = len(text), _printable(without_secrets(text[: 2 * LONGEST_ERROR])[:LONGEST_ERROR])
    if length > LONGEST_ERROR:
        text = f"{text} ... ({length} characters)"
    if not isinstance(error, EvaluationError):
        return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}, without a message"
    seconds = getattr(error, "seconds", None)
    unsaid = "" if seconds is None or _seconds(seconds) is not None else f" (after {_what(seconds)}, no seconds)"
    return (text or "The evaluation failed; the benchmark gave no reason.") + unsaid


def cost(error: BaseException) -> float | None:
    """Seconds that a failed evaluation took, if the error has them."""
    return _seconds(getattr(error, "seconds", None)) if isinstance(error, EvaluationError) else None


def _seconds(value: Any) -> float | None:
    seconds = number(value)
    return seconds if seconds is not None and 0 <= seconds < math.inf else None


def _what(value: Any) -> str:
    """A value and its type, shortened."""
    if value is None:
        return "None"
    try:
        text = repr(value)
    except Exception:
        return f"a {type(value).__name__}"
    return f"{_printable(text[:80])}{'...' if len(text) > 80 else ''} ({type(value).__name__})"


def _printable(text: str) -> str:
    """The text, stripped; control characters and lone surrogates are escaped."""
    kept = (
        character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1] for character in text
    )
    return "".join(kept).strip()
