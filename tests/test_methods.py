"""Every language-model method on the real vLLM server: it finishes, its calls go out together, its costs add up."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from analysis.runs.calls import most_at_once, read_spans
from harness.choice_files import CONF
from harness.trial import USAGE
from tests.support.chosen import chosen
from tests.support.command import command, rows

pytestmark = pytest.mark.timeout(900)

PROPOSALS = dict.fromkeys(("llm_chat", "opro", "llambo_small", "llm_tpe", "hollm", "llinbo", "recitation"), 9)
PROPOSALS["centaur"] = 14  # the model's first turn, after the warm-up of 10, is the 14th trial
SETTINGS = {name: chosen("optimizer", name) for name in ("opro", "llambo_small", "hollm")}
TOGETHER = {
    "llm_chat": 1,
    "opro": PROPOSALS["opro"] - SETTINGS["opro"].initial,
    "llambo_small": SETTINGS["llambo_small"].candidates,
    "llm_tpe": 1,
    "centaur": 1,
    "hollm": 2,
    "llinbo": 5,
    "recitation": PROPOSALS["recitation"],
}
"""Requests that must be in flight at once, at least."""


@pytest.fixture(scope="module")
def methods(vllm_server, tmp_path_factory):
    """The experiment of all methods on one task, reduced to a few proposals, on the shared server."""
    folder = tmp_path_factory.mktemp("methods")
    for proposals in sorted(set(PROPOSALS.values())):
        overrides = [
            f"optimizer={','.join(name for name in PROPOSALS if PROPOSALS[name] == proposals)}",
            "benchmark.task=credit_g",
            f"budget.proposals={proposals}",
            f"llm.port={vllm_server.port}",
            "start=none",
            "hydra.launcher.n_jobs=4",
        ]
        done = command("harness.run", "-m", "experiment=methods", *overrides, cwd=folder, timeout_seconds=800)
        assert done.returncode == 0, done.stderr
    return {json.loads(path.read_text())["optimizer"]: path.parent for path in folder.rglob("run.json")}


def calls_of(folder):
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


def test_every_method_with_a_model_is_here():
    files = {
        path.stem for path in (CONF / "optimizer").glob("*.yaml") if "${llm}" in str(chosen("optimizer", path.stem))
    }
    assert files == {*TOGETHER, "llambo"}, "llambo runs as llambo_small"


@pytest.mark.parametrize("method", TOGETHER)
def test_it_finishes_and_proposes_configurations(methods, method):
    found = rows(methods[method])
    assert json.loads((methods[method] / "run.json").read_text())["status"] == "complete"
    assert len(found) == PROPOSALS[method]
    assert sum(row["losses"] is not None for row in found) > len(found) // 2, "a schema holds the model to the space"


@pytest.mark.parametrize("method", TOGETHER)
def test_its_calls_go_out_together(methods, method):
    assert most_at_once(read_spans(methods[method] / "calls.jsonl")) >= TOGETHER[method]


@pytest.mark.parametrize("method", TOGETHER)
def test_its_costs_add_up_and_each_reply_is_found(methods, method):
    calls, spent, recorded = calls_of(methods[method]), Counter(), Counter()
    counted = [each.name for each in USAGE if each.whole]
    for row in rows(methods[method]):
        spent.update({key: row["usage"][key] for key in counted})
        drawn = [candidate["call"] for candidate in row["candidates"] or ()]
        assert set(row["calls"]) | {number for number in drawn if number is not None} <= {call["id"] for call in calls}
    for call in calls:
        recorded.update({key: call["usage"][key] for key in counted})
    assert spent == recorded


def test_they_replay_without_a_server(methods):
    folder = methods["opro"].parents[2]
    done = command("harness.replay", str(folder), cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
