"""Short versions of the ladder with five columns, one table per kind of task."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis.present.table import Column, Entry, Findings, Table, frame_of
from analysis.stats.material import Material
from analysis.tables.ladder import Rung, rungs, without_result
from analysis.tables.paired import REGRET
from analysis.tables.shares import INTERVALS
from harness.faults import Group

_NOTES = (
    "Hallucination rate: share of proposals with an invented fault. Invalid rate: share of proposals with any "
    "fault; these are charged and not evaluated.",
    "Final {measure} after the same number of proposals, invalid ones included; lower is better{scale}. In brackets: "
    "95 % bootstrap intervals.",
)
_SCALE = "; 0 is the optimum, 1 the expectation of one random configuration"


def short_ladder_findings(of: Material) -> Findings:
    """One table per kind of task with rows of ``analysis.tables.ladder``; none without a ladder."""
    experiment, comparison = of.experiment, of.comparison
    found = rungs(experiment, comparison)
    kinds = dict.fromkeys(rung.tasks for rung in found)
    of_kind = {kind: [rung for rung in found if rung.tasks == kind] for kind in kinds}
    without = {kind: tuple(without_result(experiment, comparison, rungs)) for kind, rungs in of_kind.items()}
    return Findings(tuple(_table(kind, found, without[kind]) for kind, found in of_kind.items()))


def _table(kind: str, of_kind: Sequence[Rung], without: tuple[str, ...]) -> Table:
    measure = next((str(rung.cells["measure"]) for rung in of_kind if rung.cells.get("measure")), REGRET)
    columns = (
        Column("method", ("method",), "text"),
        Column("hallucination rate (%)", _interval(Group.INVENTED), "percent"),
        Column("invalid rate (%)", _interval("invalid"), "percent"),
        Column(f"final {measure}", _interval("score")),
        Column("tokens per proposal", ("tokens",)),
    )
    absent = frozenset((number, "tokens") for number, rung in enumerate(of_kind) if rung.parameters is None)
    notes = tuple(note.format(measure=measure, scale=_SCALE if measure == REGRET else "") for note in _NOTES)
    name = f"ladder_{re.sub(r'[^a-z0-9]+', '_', kind.lower())}"
    frame = frame_of([rung.cells for rung in of_kind], columns)
    return Table(name, f"Models by size on {kind}", frame, columns, (*notes, INTERVALS, *without), absent)


def _interval(key: str) -> tuple[str, str, str]:
    return key, f"{key}_lower", f"{key}_upper"


TABLE = Entry(50, short_ladder_findings)
