"""Effect of memory and names: each method on the plain tasks and on the same tasks with a probe."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.present.cells import Cells
from analysis.present.render import with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison
from analysis.runs.load import Experiment
from analysis.runs.variants import Variant, families
from analysis.stats.material import Material
from analysis.tables.paired import charge_notes, paired, pairs

GROUP = "probe"

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("probe", ("probe",), "text"),
    Column("tasks", ("tasks",), "count"),
    Column("runs", ("runs",), "count"),
    Column("measure", ("measure",), "text"),
    Column("plain", ("base",)),
    Column("probed", ("variant",)),
    Column("difference", ("difference",)),
    Column(INTERVAL, ("difference_lower", "difference_upper")),
    Column("invalid (%), plain", ("invalid_base",), "percent"),
    Column("invalid (%), probed", ("invalid_variant",), "percent"),
    Column("more invalid (points)", ("invalid_difference",), "percent"),
    Column(INTERVAL, ("invalid_difference_lower", "invalid_difference_upper"), "percent"),
)

MORE = {
    "permuted": "permuted: losses are assigned at random, so nothing can be learned; methods that learn become worse, "
    "with or without memory.",
    "shifted": "shifted: ranges are rotated, which leaves a seam in each; methods that learn may become worse.",
}
"""Side effects of probes."""


def memory_findings(of: Material) -> Findings:
    """Every method that was run with and without a probe; one sentence per method with a language model."""
    experiment, comparison = of.experiment, of.comparison
    compared = [
        (base, probed)
        for base, (plain, *others) in families(experiment, GROUP).items()
        for probed in others
        if plain.choice is None
    ]
    rows = [_row(experiment, comparison, base, probed) for base, probed in compared]
    if not rows:
        return Findings()
    shared = [(pairs(experiment, comparison, base, each.method), (base, each.method)) for base, each in compared]
    notes: tuple[str, ...] = (
        "Final regret, or loss if no task's regret is known (lower is better), over the common seeds and tasks; "
        "difference: probed minus plain, paired by run.",
        "Positive: worse without the information that the probe hides, i.e. the part of the performance due to memory "
        "and names. Every run draws its own probe; methods without a language model show the variation without any "
        "memory. Intervals: stratified bootstrap of the differences over seeds.",
    )
    notes += tuple(charge_notes(comparison, shared))
    notes += tuple(text for probe, text in MORE.items() if any(row["probe"] == probe for row in rows))
    table = Table("memory", "Effect of memory: plain versus probed tasks", frame_of(rows, COLUMNS), COLUMNS, notes)
    with_llm = dict.fromkeys(run.method for run in experiment.runs if run.info["llm"] is not None)
    said = (_sentence(method, [row for row in rows if row["method"] == method]) for method in with_llm)
    return Findings((table,), tuple(sentence for sentence in said if sentence))


def _row(experiment: Experiment, comparison: Comparison, base: str, probed: Variant) -> Cells:
    """One probe of a method that was also run without one."""
    shared = pairs(experiment, comparison, base, probed.method)
    row: Cells = {"method": base, "probe": probed.choice, "tasks": len(shared.tasks)}
    return row | paired(experiment, comparison, base, probed.method)


def _sentence(method: str, rows: Sequence[Cells]) -> str | None:
    """The change by each probe, and the changes whose interval excludes 0."""
    known = [row for row in rows if "difference" in row]
    if not known:
        return None
    measures = " or ".join(dict.fromkeys(str(row["measure"]) for row in known))
    changes = ", ".join(f"{with_interval(row, 'difference')} with probe={row['probe']}" for row in known)
    sentence = f"{method}: hiding what could be remembered changes its final {measures} by {changes}"
    if not all("difference_lower" in row for row in known):
        return f"{sentence} (positive: worse)."
    clear = [str(row["probe"]) for row in known if _end(row, "lower") > 0 or _end(row, "upper") < 0]
    verdict = f"the interval excludes 0 with {', '.join(clear)}" if clear else "no interval excludes 0"
    return f"{sentence} (positive: worse); {verdict}."


def _end(row: Cells, which: str) -> float:
    end = row[f"difference_{which}"]
    assert isinstance(end, float)
    return end


TABLE = Entry(160, memory_findings)
