"""The fairness experiment from the command to the tables: SMAC's multi-objective mode, random search, a real model."""

from __future__ import annotations

import json

import polars as pl
import pytest

from harness.call_log import read_calls
from tests.support import shared_data
from tests.support.command import command, rows

pytestmark = [pytest.mark.timeout(900), shared_data.needs_data]

OBJECTIVES = ("balanced_accuracy", "demographic_parity_difference")
PROPOSALS = 8


SETTINGS = (
    "benchmark.task=compas",
    "benchmark.model=logistic_regression",
    f"benchmark.folder={shared_data.FOLDER / 'compas'}",
)


@pytest.fixture(scope="module")
def fairness(vllm_server, tmp_path_factory):
    """The experiment with one seed, a fast model and few proposals; COMPAS, since the other data sets are larger."""
    folder = tmp_path_factory.mktemp("fairness")
    overrides = [
        *SETTINGS,
        f"benchmark.cache={folder / 'evaluations.sqlite'}",
        f"budget.proposals={PROPOSALS}",
        f"llm.port={vllm_server.port}",
        "seed=range(2)",
    ]
    done = command("harness.run", "-m", "experiment=fairness", *overrides, cwd=folder, timeout_seconds=800)
    assert done.returncode == 0, done.stderr
    done = command("analysis", "runs/fairness", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "fairness", done.stdout


def test_every_run_is_complete_and_measured_both_objectives(fairness):
    runs = sorted(fairness[0].rglob("run.json"))
    assert len(runs) == 6
    for path in runs:
        info = json.loads(path.read_text())
        assert (info["status"], info["task"]) == ("complete", "compas+model=logistic_regression")
        assert tuple(objective["name"] for objective in info["objectives"]) == OBJECTIVES
        found = rows(path.parent)
        assert len(found) == PROPOSALS
        evaluated = [row for row in found if row["losses"] is not None]
        assert evaluated
        for row in evaluated:
            assert tuple(row["losses"]) == OBJECTIVES
            assert -1 <= row["losses"]["balanced_accuracy"] <= 0 <= row["losses"]["demographic_parity_difference"] <= 1
            assert "test_demographic_parity_difference" in row["metrics"]


def test_the_default_is_everybodys_first_trial_and_trained_once(fairness):
    firsts = [rows(path.parent)[0] for path in sorted(fairness[0].rglob("trials.jsonl"))]
    assert len(firsts) == 6
    assert len({json.dumps(row["executed"], sort_keys=True) for row in firsts}) == 1
    assert len({row["evaluation_seconds"] for row in firsts}) == 2, "one training a seed, the rest from the cache"


def test_the_model_is_told_of_both_objectives_and_never_of_test_scores(fairness):
    (calls, *_) = sorted(fairness[0].rglob("calls.jsonl"))
    last = read_calls(calls)[-1]
    said = json.dumps(last["messages"])
    evaluated = sum(row["losses"] is not None for row in rows(calls.parent)[: PROPOSALS - 1])
    assert evaluated >= 1
    assert all(said.count(f"{name} = ") == evaluated for name in OBJECTIVES)
    assert "test_" not in said


def test_there_is_a_front_and_a_hypervolume(fairness):
    folder, printed = fairness
    table = pl.read_csv(folder / "tables" / "pareto.csv")
    assert "hypervolume" in printed.lower()
    assert table.height == 3
    assert (folder / "figures" / "attainment.svg").exists()


def test_they_replay(fairness):
    folder = next(setting for setting in SETTINGS if setting.startswith("benchmark.folder="))
    done = command("harness.replay", str(fairness[0]), folder, cwd=fairness[0])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_real_model_is_asked_for_a_fidelity(vllm_server, tmp_path):
    """With a schema its fidelities are in range, and its evaluations are cheaper; the trial records it."""
    overrides = ["benchmark=fairness", *SETTINGS, "optimizer=llm_chat", "prompt=fidelity", "decoding=json_schema"]
    numbers = ["budget.proposals=5", "decoding.temperature=1.0", f"llm.port={vllm_server.port}", "tracker=none"]
    done = command("harness.run", *overrides, *numbers, f"benchmark.cache={tmp_path / 'kept'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path)
    named = [row["fidelity"] for row in found if row["fidelity"] is not None]
    assert named, "five answers at temperature 1, and every one at the highest"
    assert all(set(fidelity) <= {"subsample", "epochs"} for fidelity in named)
    faults = [violation["name"] for row in found for violation in row["violations"]]
    assert not [name for name in faults if name and name.startswith("fidelity")]
