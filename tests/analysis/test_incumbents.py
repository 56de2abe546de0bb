"""Whoever speaks of the incumbent means the same one: progress, W&B, methods that keep a history, and analysis."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.runs.frames import load, runs
from analysis.runs.regret import incumbent_curve
from harness.jsonl import plain
from harness.problem import Objective, Outcome
from harness.progress import Count
from harness.trial import Proposal, Trial
from harness.trial_metrics import TrialMetrics
from optimizers.shared.history import History
from tests.support.run_folders import OBJECTIVE, trial, write_run

NAME = OBJECTIVE["name"]
ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from([0.5, 0.625, 0.75]) | st.floats(0.0, 1.0),
        st.sampled_from([None, None, {"epochs": 1}, {"epochs": 9}]),
    ),
    min_size=1,
    max_size=8,
)


def told(row):
    """The trial that an optimizer is told of a row."""
    outcome = None if row["losses"] is None else Outcome(row["losses"])
    return Trial(row["index"], Proposal({}, row["fidelity"]), params=row["executed"], outcome=outcome)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_all_mean_one_incumbent(values):
    rows = [trial(index, value, fidelity=level) for index, (value, level) in enumerate(values)]
    count, metrics, history = (
        Count(NAME),
        TrialMetrics({"objectives": [OBJECTIVE]}),
        History(Objective(NAME, "maximize")),
    )
    for row in rows:
        count.add(row)
        metrics.add(row)
        history.add(told(row))
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder), "tpe", 0, rows)
        experiment = load(folder)
    best = count.incumbent.loss
    assert runs(experiment)["incumbent"].to_list() == [best]
    assert metrics.running().get("incumbent") == best
    assert [seen.loss for seen in history.best(1)] == ([] if best is None else [best])
    assert count.incumbent.below == experiment.trials["below"].sum()
    last = incumbent_curve(experiment.trials["loss"].to_list())[-1]
    assert plain(float(last)) == ("NaN" if best is None else best)
