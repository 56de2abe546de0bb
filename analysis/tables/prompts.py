"""Effect of the prompt: hints, contexts, reasoning and other choices of the prompt group versus the plain prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison
from analysis.runs.load import Experiment
from analysis.runs.variants import families
from analysis.stats.material import Material
from analysis.stats.statistics import mean
from analysis.tables.paired import charge_notes, final_scores, paired, pairs, run_means

GROUP = "prompt"
CORRECT, MISLEADING = "hint_correct", "hint_misleading"

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("prompt", ("prompt",), "text"),
    Column("runs", ("runs",), "count"),
    Column("measure", ("measure",), "text"),
    Column("plain", ("base",)),
    Column("with prompt", ("variant",)),
    Column("difference", ("difference",)),
    Column(INTERVAL, ("difference_lower", "difference_upper")),
    Column("invalid (%), plain", ("invalid_base",), "percent"),
    Column("invalid (%), with prompt", ("invalid_variant",), "percent"),
    Column("more invalid (points)", ("invalid_difference",), "percent"),
    Column(INTERVAL, ("invalid_difference_lower", "invalid_difference_upper"), "percent"),
    Column("prompt tokens, plain", ("tokens_base",)),
    Column("prompt tokens, with prompt", ("tokens_variant",)),
)

Choices = Mapping[str, str]
"""Choice of the group -> method, for one family without the plain prompt."""


def prompt_findings(of: Material) -> Findings:
    """Effect of each prompt, for every method that was also run with the plain prompt."""
    experiment, comparison = of.experiment, of.comparison
    found = _families(experiment)
    if not found:
        return Findings()
    rows = [
        {"method": base, "prompt": choice, **_row(experiment, comparison, base, method)}
        for base, choices in found.items()
        for choice, method in choices.items()
    ]
    compared = [(base, method) for base, choices in found.items() for method in choices.values()]
    shared = [(pairs(experiment, comparison, *methods), methods) for methods in compared]
    notes = (
        "Final regret, or loss if no task's regret is known (lower is better), over the common seeds and tasks; "
        "difference: with the prompt minus plain, paired by run. Prompt tokens are per proposal. "
        "Intervals: stratified bootstrap of the differences over seeds.",
        *charge_notes(comparison, shared),
    )
    table = Table("prompts", "Effect of the prompt", frame_of(rows, COLUMNS), COLUMNS, notes)
    said = [_hints(experiment, comparison, base, choices) for base, choices in found.items()]
    said += [_contexts(base, [row for row in rows if row["method"] == base]) for base in found]
    return Findings((table,), tuple(sentence for sentence in said if sentence))


def _families(experiment: Experiment) -> dict[str, Choices]:
    """Families that include the plain prompt."""
    found: dict[str, Choices] = {}
    for base, variants in families(experiment, GROUP).items():
        if variants[0].choice is None:
            found[base] = {variant.choice: variant.method for variant in variants if variant.choice is not None}
    return found


def _row(experiment: Experiment, comparison: Comparison, base: str, method: str) -> Cells:
    cells = paired(experiment, comparison, base, method)
    shared = pairs(experiment, comparison, base, method)
    if shared.seeds:
        for key, one in {"tokens_base": base, "tokens_variant": method}.items():
            tokens = metric_cells(key, mean, run_means(experiment, one, shared, pl.col("prompt_tokens")))
            cells |= {key: tokens.get(key)}
    return cells


def _hints(experiment: Experiment, comparison: Comparison, base: str, choices: Choices) -> str | None:
    """Whether the misleading hint hurts as much as the correct one helps, over the runs of all three prompts."""
    if not {CORRECT, MISLEADING} <= choices.keys():
        return None
    methods = (base, choices[CORRECT], choices[MISLEADING])
    shared = pairs(experiment, comparison, *methods)
    if not shared.seeds:
        return None
    plain, correct, misleading = (final_scores(comparison, method, shared) for method in methods)
    cells = metric_cells("correct", mean, correct - plain) | metric_cells("misleading", mean, misleading - plain)
    cells |= metric_cells("both", mean, correct + misleading - 2 * plain)
    if "both" not in cells:
        return None
    return (
        f"{base}: the correct hint changes its final {shared.measure} by {with_interval(cells, 'correct')}, the "
        f"misleading one by {with_interval(cells, 'misleading')} (negative: it helps); the sum is "
        f"{with_interval(cells, 'both')}, 0 if one hurts as much as the other helps."
    )


def _contexts(base: str, rows: Sequence[Cells]) -> str | None:
    """Effect of each level of context."""
    known = [row for row in rows if "context" in str(row["prompt"]) and "difference" in row]
    if not known:
        return None
    changes = ", ".join(f"{with_interval(row, 'difference')} with {row['prompt']}" for row in known)
    measures = " or ".join(dict.fromkeys(str(row["measure"]) for row in known))
    return f"{base}: compared with the plain prompt, context on the task changes its final {measures} by {changes}."


TABLE = Entry(150, prompt_findings)
