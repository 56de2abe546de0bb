"""Logs of ordinary runs, decoded as typed rows: no violation, no candidates, no language model.

Nearly all rows of a large experiment are of this kind, and reading them one by one takes minutes. A log with anything
else in it is left to ``analysis.runs.load``, which also says what is wrong with it, if anything is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from analysis.runs.columns import TRIALS, schema_of
from analysis.runs.trial_rows import LARGEST, level_text
from harness.budget import Spent
from harness.choices import text_of
from harness.errors import HyperboleError
from harness.incumbent import counts
from harness.levels import SNAP_STEPS, SNAP_STEPS_MAX
from harness.packed import TRIALS as LOG
from harness.scalars import LARGEST as LARGEST_LOSS
from harness.scalars import finite
from harness.trial import USAGE, Proposer, Quantity
from harness.visible import visible
from harness.whole import budget_of

Columns = dict[str, list[Any]]

_Count = Annotated[int, msgspec.Meta(ge=0, lt=LARGEST)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, lt=LARGEST)]
_Loss = Annotated[float, msgspec.Meta(ge=-LARGEST_LOSS, le=LARGEST_LOSS)]
_None = Annotated[list[Any], msgspec.Meta(max_length=0)]
_CONSTANT: dict[str, Any] = {
    "invalid": False,
    "faults": [],
    "off_steps": [],
    "outside": 0,
    "confused": 0,
    "invented": False,
    "imprecise": False,
    "redundant": False,
    "unreadable": False,
    "filed": None,
    "replies": 0,
    "copy": None,
    "refusal": None,
    "cut_off": None,
    "candidates": 0,
    "candidates_invalid": 0,
}
"""Columns that are equal in all rows of this kind."""


class _Object(msgspec.Struct, gc=False):
    """Any object; its contents are skipped."""


def _field(each: Quantity) -> tuple[Any, ...]:
    kind: Any = _Count if each.whole else _Seconds
    kind = kind if each.null is None else kind | None
    return (each.name, kind) if each.older == "needed" else (each.name, kind, each.older)


_Usage = msgspec.defstruct("_Usage", list(map(_field, USAGE)), gc=False)


@cache
def _decoder(objective: str) -> msgspec.json.Decoder[Any]:
    """Decodes rows of a task with this first objective."""
    own = {"test": f"test_{objective}", "snap_steps": SNAP_STEPS, "snap_steps_max": SNAP_STEPS_MAX}
    metrics = msgspec.defstruct("_Metrics", [(name, Any, None) for name in own], rename=own, gc=False)
    fields: list[Any] = [
        ("index", _Count),
        ("proposed", _Object | None),
        ("violations", _None),
        ("duplicate_of", _Count | None),
        ("repair", str | None),
        ("executed", dict[str, Any] | None),
        ("fidelity", Any),
        ("losses", dict[str, _Loss] | None),
        ("metrics", metrics | None),
        ("evaluation_seconds", _Seconds | None),
        ("ask_seconds", _Seconds),
        ("usage", _Usage),
        ("calls", _None),
        ("error", str | None),
        ("near_duplicate_of", _Count | None | msgspec.UnsetType, msgspec.UNSET),
        ("evaluated", dict[str, Any] | None, None),
        ("candidates", None, None),
        ("left_out", _Count | None, None),
        ("reason", str | None, None),
        ("predicted", _Loss | None, None),
        ("proposer", Literal[tuple(map(str, Proposer))] | None, None),
    ]
    return msgspec.json.Decoder(msgspec.defstruct("_Row", fields, gc=False))


def plain_columns(content: bytes, run: Mapping[str, Any]) -> Columns | None:
    """The columns of a log that vary, as ``analysis.runs.trial_rows.flatten`` and ``harness.repeats`` have them.

    Args:
        content: The bytes of ``trials.jsonl``.
        run: The run.json of a complete run without a recording.

    Returns:
        Column -> values; None if the log has anything that rows of this kind have not, or is not the whole log of
        the run (``harness.whole``).
    """
    names = [objective["name"] for objective in run["objectives"]]
    try:
        if not _is_as_recorded(content, run):
            return None
        rows = _decoder(names[0]).decode_lines(content)
        whole = len(rows) == content.count(b"\n") and [row.index for row in rows] == list(range(len(rows)))
        return _columns(rows, names) if whole and _ends_with_budget(rows, run) else None
    except (ValueError, LookupError, TypeError, RecursionError, HyperboleError):
        return None


def _is_as_recorded(content: bytes, run: Mapping[str, Any]) -> bool:
    """Whether the log is the run's only one, and its bytes are those at its end."""
    files = run.get("files") or {}
    known = files.get(LOG) or {}
    if set(files) != {LOG} or known.get("lines") != content.count(b"\n") or not content.endswith(b"\n"):
        return False
    return content.isascii() and bool(hashlib.sha256(content).hexdigest() == known.get("sha256"))


def _ends_with_budget(rows: Sequence[Any], run: Mapping[str, Any]) -> bool:
    budget, spent = budget_of(run), Spent()
    for row in rows:
        if spent.exhausts(budget):
            return False
        usage = row.usage
        tokens = usage.prompt_tokens + usage.completion_tokens
        spent.charge(tokens, row.executed is not None, row.ask_seconds, row.evaluation_seconds)
    return spent.exhausts(budget)


_AS_THEY_ARE = {
    **{name: name for name in ("index", "proposer", "predicted", "ask_seconds", "evaluation_seconds")},
    **{each.column: f"usage.{each.name}" for each in USAGE},
}
"""Column -> attribute of a row."""
_VALUES = attrgetter(*_AS_THEY_ARE.values())
_PRESENT = {"executed": "executed", "failed": "error", "duplicate": "duplicate_of", "repaired": "repair"}
"""Column -> attribute that is not null where it is true."""


def _columns(rows: Sequence[Any], names: Sequence[str]) -> Columns:
    """Raises ValueError for a row that contradicts itself, KeyError for losses without an objective."""
    if any(row.losses is not None and (row.error is not None or row.executed is None) for row in rows):
        raise ValueError
    found: Columns = dict(zip(_AS_THEY_ARE, map(list, zip(*map(_VALUES, rows), strict=True)), strict=True))
    found |= {name: [getattr(row, what) is not None for row in rows] for name, what in _PRESENT.items()}
    levels = [row.fidelity for row in rows]
    measured = [row.losses if counts(row.fidelity) else None for row in rows]
    below = [None if row.losses is None or counts(row.fidelity) else row.losses[names[0]] for row in rows]
    metrics = [row.metrics for row in rows]
    near = [row.near_duplicate_of for row in rows]
    return found | {
        "loss": [None if losses is None else losses[names[0]] for losses in measured],
        "losses": [None if losses is None else [losses[name] for name in names] for losses in measured],
        "below": [loss is not None for loss in below],
        "fidelity": [None if level is None else level_text(level) for level in levels],
        "loss_below": below,
        "test": _finite(
            [
                None if each is None or not counts(level) else each.test
                for each, level in zip(metrics, levels, strict=True)
            ]
        ),
        "error": [None if row.error is None else visible(row.error) for row in rows],
        "near_duplicate": [None if each is msgspec.UNSET else each is not None for each in near],
        "repeated": _repeated(rows, levels),
        "snap_steps": _finite([None if each is None else each.snap_steps for each in metrics]),
        "snap_steps_max": _finite([None if each is None else each.snap_steps_max for each in metrics]),
    }


def _finite(values: list[Any]) -> list[float | None]:
    return list(map(finite, values)) if any(value is not None for value in values) else values


def _repeated(rows: Sequence[Any], levels: Sequence[Any]) -> list[bool]:
    """For each row whether an earlier one evaluated the same at the same fidelity, as ``harness.repeats`` says."""
    executed, evaluated = (_keys([getattr(row, what) for row in rows]) for what in ("executed", "evaluated"))
    if None not in executed and set(evaluated) == {None} and len(set(executed)) == len(rows):
        return [False] * len(rows)
    seen: set[Hashable] = set()
    found = []
    for one, other, level in zip(executed, evaluated, levels, strict=True):
        keys: list[Hashable] = []
        if one is not None:
            at = None if level is None else text_of(level)
            keys = [(one, at)] if other is None else [(one, at), (other, at, "evaluated")]
        found.append(not seen.isdisjoint(keys))
        seen.update(keys)
    return found


def _keys(configurations: Sequence[dict[str, Any] | None]) -> list[Hashable]:
    """Keys that are equal where ``harness.choices.text_of`` is."""
    known = [each for each in configurations if each is not None]
    key: Callable[[dict[str, Any]], Hashable] = text_of
    if set(map(type, chain.from_iterable(map(dict.values, known)))) <= _COMPARABLE:
        one_order = len(set(map(tuple, known))) == 1
        key = (lambda each: tuple(each.values())) if one_order else (lambda each: frozenset(each.items()))
    return [None if each is None else key(each) for each in configurations]


_COMPARABLE = {int, float, str, type(None)}
"""Types whose values are equal in Python where they are in JSON: true is 1 in Python, and lists have no hash."""


class PlainRuns:
    """Collects the columns of such runs, and makes one frame of them."""

    def __init__(self) -> None:
        self._columns: list[Columns] = []
        self._places: list[tuple[str, str, str, int]] = []
        self._rows = 0

    @property
    def rows(self) -> int:
        """Number of rows since the last frame."""
        return self._rows

    def add(self, place: tuple[str, str, str, int], columns: Columns) -> None:
        """Add a run: its id, method, task and seed."""
        self._places.append(place)
        self._columns.append(columns)
        self._rows += len(columns["index"])

    def frame(self) -> pl.DataFrame:
        """All runs added since the last time, in order, with the columns of ``TRIALS``."""
        schema = schema_of(TRIALS)
        places = zip(*self._places, strict=True)
        each = dict(zip(("run", "method", "task", "seed"), map(list, places), strict=True))
        lengths = [len(columns["index"]) for columns in self._columns]
        of_runs = pl.DataFrame(each, schema={name: schema[name] for name in each})
        varied: dict[str, Any] = {
            name: list(chain.from_iterable(one[name] for one in self._columns)) for name in self._columns[0]
        }
        varied["losses"] = pl.from_arrow(pa.array(varied["losses"], pa.large_list(pa.float64())))  # ten times as quick
        frame = pl.DataFrame(varied, schema={name: schema[name] for name in varied})
        repeated = of_runs[np.repeat(np.arange(len(lengths)), lengths)]
        constant = [pl.lit(value, dtype=schema[name]).alias(name) for name, value in _CONSTANT.items()]
        self._columns, self._places, self._rows = [], [], 0
        return pl.concat([frame, repeated], how="horizontal").with_columns(constant).select(list(schema))
