"""The accounting is consistent on the real server: calls, trials, tables, the server's counters, the sweep's line."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter

import pytest

from harness.chat import ChatRequest, Message
from harness.errors import ServerError
from harness.trial_metrics import TrialMetrics
from llms.client import Client
from llms.recorder import Recorder
from llms.server.counters import difference, read_counters
from tests.support.command import command

pytestmark = pytest.mark.timeout(900)

TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
COUNTED = ("calls", *TOKENS)
COUNTERS = ("requests", "prompt_tokens", "prefix_cache_hits", "generation_tokens")
"""The server's names of the same quantities."""

METHODS = {
    "llm_chat": ["optimizer=llm_chat"],
    "llambo_small": [  # its calls are sent in batches: candidates, then predictions for all of them
        "optimizer=llambo_small",
        "optimizer.warm_start=random",
        "optimizer.initial=2",
        "optimizer.candidates=2",
        "optimizer.predictions=1",
    ],
}
PROPOSALS = 4


def settled(server):
    """The counters once the server has finished requests whose clients gave up."""
    Client(server.url, server.name).complete([ChatRequest((Message("user", "Hi"),), max_tokens=1)])
    return calm(server)


def calm(server):
    """The counters, which are updated shortly after a reply is sent."""
    before, after = None, read_counters(server.url)
    while before != after:
        time.sleep(0.2)
        before, after = after, read_counters(server.url)
    return after


def run(settings, server, folder, *more):
    fixed = ["benchmark.task=credit_g", "decoding=json_schema", f"budget.proposals={PROPOSALS}", "tracker=none"]
    overrides = [*settings, *fixed, f"llm.port={server.port}", "name=accounting", *more]
    return command("harness.run", *overrides, cwd=folder)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def total(usages):
    found = Counter()
    for usage in usages:
        found.update({key: usage[key] for key in COUNTED})
    return found


@pytest.fixture(scope="module")
def accounts(vllm_server, tmp_path_factory):
    """Each method alone on the server; llm_chat's first start has a time-out of almost zero, and fails."""
    folder = tmp_path_factory.mktemp("accounting")
    patience = ["llm.timeout_seconds=0.15", "llm.max_attempts=2"]
    failed = run(METHODS["llm_chat"], vllm_server, folder, *patience)
    assert failed.returncode == 2, failed.stderr
    counted = {}
    for name, settings in METHODS.items():
        before = settled(vllm_server)
        done = run(settings, vllm_server, folder)
        assert done.returncode == 0, done.stderr
        counted[name], _ = difference(before, calm(vllm_server))
    done = command("analysis", "runs/accounting", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "runs/accounting", counted


def run_folder(folder, method):
    (path,) = folder.glob(f"*/{method}*/0")
    return path


@pytest.mark.parametrize("method", METHODS)
def test_calls_trials_tables_server_and_sweep_agree(accounts, method):
    folder, counted = accounts
    path = run_folder(folder, method)
    trials = lines(path / "trials.jsonl")
    calls = total(call["usage"] for call in lines(path / "calls.jsonl") if call["reply"] is not None)
    assert calls["calls"] >= PROPOSALS
    assert calls["cached_tokens"] > 0, "else the comparison of cached tokens says nothing"
    assert total(trial["usage"] for trial in trials) == calls

    metrics = TrialMetrics(json.loads((path / "run.json").read_text()))
    for trial in trials:
        metrics.add(trial)
    assert {key: metrics.running()[f"total/{key}"] for key in COUNTED} == calls

    with (folder / "tables/cost.csv").open() as file:
        (row,) = (row for row in csv.DictReader(file) if row["method"] == path.parent.name)
    assert {key: int(row["runs"]) * float(row[key]) for key in COUNTED} == calls

    assert [counted[method][key] for key in COUNTERS] == [calls[key] for key in COUNTED]
    line = lines(folder / "sweeps.jsonl")[1 + list(METHODS).index(method)]
    assert line["runs"] == [path.relative_to(folder).as_posix()]
    assert (line["server"]["reason"], line["server"]["counters"]) == (None, counted[method])


def test_calls_that_were_given_up_are_on_record_and_belong_to_no_trial(accounts):
    folder, _ = accounts
    path = run_folder(folder, "llm_chat")
    lost, *answered = lines(path / "calls.jsonl")
    assert (lost["id"], lost["reply"], lost["attempts"], len(lost["failures"])) == (None, None, 2, 2)
    assert all(failure.startswith("time-out after ") for failure in lost["failures"])
    assert "did not finish a reply within 0.15 s (2 attempts)" in lost["error"]
    assert [call["id"] for call in answered] == [
        number for trial in lines(path / "trials.jsonl") for number in trial["calls"]
    ]
    first = lines(folder / "sweeps.jsonl")[0]
    assert (first["runs"], first["server"]["counters"]["requests"]) == ([path.relative_to(folder).as_posix()], 0)


def test_the_table_of_sweeps_shows_what_is_on_no_record(accounts):
    folder, counted = accounts
    with (folder / "tables/sweeps.csv").open() as file:
        failed, *alone = csv.DictReader(file)
    assert int(failed["recorded_tokens"]) == 0
    assert int(failed["unrecorded_tokens"]) == int(failed["prompt_tokens"]) + int(failed["generation_tokens"])
    assert [int(row["unrecorded_tokens"]) for row in alone] == [0, 0]
    for row, counters in zip(alone, counted.values(), strict=True):
        share = counters["prefix_cache_hits"] / counters["prefix_cache_queries"]
        assert float(row["cached_share"]) == pytest.approx(share)


def test_they_replay_without_the_calls_that_were_given_up(accounts):
    done = command("harness.replay", str(accounts[0]), cwd=accounts[0])
    assert (done.returncode, done.stdout) == (0, "2 of 2 runs replayed to the same trials.\n"), done.stderr


def test_the_server_counts_tokens_of_attempts_that_timed_out_and_no_client_can(vllm_server, tmp_path):
    """vLLM aborts a request whose client disconnected: its tokens until then are counted, the request is not."""
    before = settled(vllm_server)
    model = Client(vllm_server.url, vllm_server.name, timeout_seconds=1.5, max_attempts=2, backoff_seconds=0.1)
    story = ChatRequest((Message("user", "Tell a very long story about the sea."),), max_tokens=2000)
    with pytest.raises(ServerError):
        Recorder(lambda: model, tmp_path / "calls.jsonl").complete([story])
    counted, _ = difference(before, calm(vllm_server))
    (row,) = lines(tmp_path / "calls.jsonl")
    assert [failure.rpartition(" after ")[0] for failure in row["failures"]] == ["time-out"] * 2
    assert (row["usage"]["calls"], row["usage"]["prompt_tokens"], row["usage"]["completion_tokens"]) == (2, 0, 0)
    assert counted["prompt_tokens"] > 0
    assert 0 < counted["generation_tokens"] < 2 * 2000
    assert counted["requests"] == 0
