"""Check of the whole pipeline: observed random search versus its exact expectation."""

from __future__ import annotations

import numpy as np

from analysis.present.render import number_text
from analysis.runs.comparison import Comparison, compare_task
from analysis.runs.load import Experiment, Run
from analysis.stats.statistics import mean, mean_interval_by_task


def random_search_check(experiment: Experiment, comparison: Comparison) -> tuple[str, ...]:
    """One sentence per random search: whether its mean agrees with the exact expectation.

    All tasks are pooled as strata, then each is tested alone. The difference has Student's interval, because the
    bootstrap of the tables is too narrow for a test with few seeds. Tasks without an exact curve (live training) are
    skipped. About one sentence in twenty says "OUTSIDE" by chance.
    """
    names = {run.method for run in experiment.runs if run.info["optimizer"] == "random_search" and _unstarted(run)}
    sentences = []
    for method in (name for name in experiment.methods if name in names):
        blocks = [comparison] if len(comparison.regret_tasks) > 1 else []
        known = [task for task in experiment.tasks.values() if task.regret_known]
        own = [task for task in known if (method, task.name) in comparison.curves]
        blocks += [compare_task(experiment, comparison, task) for task in own]
        sentences += [_sentence(method, block) for block in blocks]
    return tuple(sentences)


def _unstarted(run: Run) -> bool:
    """Whether all trials are random draws; a start from the default is not part of the exact curve."""
    return "start" not in run.identity.varied


def _sentence(method: str, block: Comparison) -> str:
    place = block.regret_tasks[0].name if len(block.regret_tasks) == 1 else f"all {len(block.regret_tasks)} tasks"
    if not block.regret_tasks or not block.seeds:
        name = ", ".join(task.name for task in block.tasks)
        return f"Check of {method} on {name}: not measured (no shared seed)."
    lengths = [block.random_evaluations(task) for task in block.regret_tasks]
    curves = [task.random_curve[: length or 0] for task, length in zip(block.regret_tasks, lengths, strict=True)]
    if any(not curve or len(curve) != length for curve, length in zip(curves, lengths, strict=True)):
        return f"Check of {method} on {place}: not measured (the exact curve is shorter than the runs)."
    expected = float(np.mean([t.random_regret[len(c) - 1] for t, c in zip(block.regret_tasks, curves, strict=True)]))
    observed = block.final_regrets(method)
    interval = None if np.isnan(observed).any() else mean_interval_by_task(observed)
    if interval is None:
        return f"Check of {method} on {place}: not measured (one seed, or a run without any valid configuration)."
    lower, upper = (end - expected for end in interval)
    centre, verdict = float(mean(observed)), "agrees" if lower <= 0 <= upper else "DOES NOT AGREE"
    return (
        f"Check of {method} on {place}: it {verdict} with its exact expectation; expected regret "
        f"{number_text(expected)}, observed mean {number_text(centre)} over {observed.size} runs (difference "
        f"{number_text(centre - expected)}, Student's 95 % interval [{number_text(lower)}, {number_text(upper)}])."
    )
