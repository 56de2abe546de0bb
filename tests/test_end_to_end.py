"""The main job on real parts: vLLM, SMAC, Hydra, W&B and the tables of HPOBench, as a user runs them."""

from __future__ import annotations

import csv
import json

import pytest

from tests.support.command import command, rows
from tests.support.wandb_files import read_offline

pytestmark = pytest.mark.timeout(900)

PROPOSALS = 5
FREE = "llm_chat+decoding.temperature=0.8"
HELD = "llm_chat+decoding=json_schema+decoding.temperature=0.8"


@pytest.fixture(scope="module")
def quickstart(vllm_server, tmp_path_factory):
    """The quickstart experiment, reduced to one seed and five proposals, on the shared server."""
    folder = tmp_path_factory.mktemp("quickstart")
    overrides = [f"budget.proposals={PROPOSALS}", "seed=0", f"llm.port={vllm_server.port}", "hydra.launcher.n_jobs=4"]
    done = command("harness.run", "-m", "experiment=quickstart", *overrides, cwd=folder)
    assert done.returncode == 0, done.stderr
    done = command("analysis", "runs/quickstart", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "runs/quickstart", done.stdout


def test_every_method_ran_on_every_task(quickstart):
    folder, _ = quickstart
    runs = [json.loads(path.read_text()) for path in folder.rglob("run.json")]
    methods = {"random_search", "smac", FREE, HELD}
    assert {(run["method"], run["task"]) for run in runs} == {(m, t) for m in methods for t in ("credit_g", "vehicle")}
    assert len(runs) == 8
    assert {run["status"] for run in runs} == {"complete"}


def test_a_schema_holds_the_model_to_the_space_and_free_text_does_not(quickstart):
    folder, _ = quickstart
    free = [row for path in folder.glob(f"*/{FREE}/0") for row in rows(path)]
    held = [row for path in folder.glob(f"*/{HELD}/0") for row in rows(path)]
    assert len(free) == len(held) == 2 * PROPOSALS
    assert sum(bool(row["violations"]) for row in free) > 0
    assert [row for row in held if row["violations"]] == []


def test_every_row_leads_back_to_the_raw_reply_and_its_cost(quickstart):
    folder, _ = quickstart
    for path in folder.glob("*/llm_chat*/0"):
        calls = {call["id"]: call for call in map(json.loads, (path / "calls.jsonl").read_text().splitlines())}
        for row in rows(path):
            (call,) = (calls[number] for number in row["calls"])
            assert row["usage"] == call["usage"]
            assert call["model"] == "smollm2-135m-instruct"
            if row["proposed"] is not None:
                assert next(iter(row["proposed"])) in call["reply"]
        later = list(calls.values())[1:]
        assert all(call["usage"]["cached_tokens"] > 0 for call in later), "the prefix cache serves the history"


def test_a_replay_without_a_server_gives_the_same_trials(quickstart):
    folder, _ = quickstart
    done = command("harness.replay", str(folder), cwd=folder)
    assert (done.returncode, done.stdout) == (0, "8 of 8 runs replayed to the same trials.\n"), done.stderr


def test_wandb_holds_what_the_disk_holds(quickstart):
    folder, _ = quickstart
    for path in folder.glob("*/*/0"):
        (offline,) = read_offline(path)
        run = json.loads((path / "run.json").read_text())
        assert (offline.run.run_group, offline.run.job_type) == ("quickstart", run["optimizer"])
        history = [row for row in offline.history if "trial" in row]
        logged = rows(path)
        assert [row["trial"] for row in history] == list(range(PROPOSALS))
        assert [row.get("loss") for row in history] == [
            row["losses"] and row["losses"]["balanced_accuracy"] for row in logged
        ]
        invalid = [row for row in logged if row["violations"]]
        assert offline.summary["invalid"] == len(invalid)
        if invalid:
            table = offline.table("invalid_proposals")
            calls = [json.loads(line)["reply"] for line in (path / "calls.jsonl").read_text().splitlines()]
            replies = [entry[table["columns"].index("reply")] for entry in table["data"]]
            assert replies == [calls[row["calls"][0]] for row in invalid]


def test_the_tables_and_the_report_say_what_the_rows_say(quickstart):
    folder, printed = quickstart
    with (folder / "tables/hallucination.csv").open() as file:
        table = {row["method"]: row for row in csv.DictReader(file)}
    assert float(table["smac"]["invalid"]) == 0
    invalid = [row for path in folder.glob(f"*/{FREE}/0") for row in rows(path) if row["violations"]]
    assert float(table[FREE]["invalid"]) == pytest.approx(len(invalid) / (2 * PROPOSALS))
    assert "SmolLM2 135M, schema" in printed
    report = (folder / "report/index.html").read_text()
    assert report.count("<pre") >= len(invalid)
    assert list((folder / "figures").glob("*.svg"))


def test_a_second_start_does_nothing(quickstart, vllm_server):
    folder, _ = quickstart
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.json*")}
    overrides = [f"budget.proposals={PROPOSALS}", "seed=0", f"llm.port={vllm_server.port}", "hydra.launcher.n_jobs=2"]
    done = command("harness.run", "-m", "experiment=quickstart", *overrides, cwd=folder.parents[1])
    assert done.returncode == 0, done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*.json*")}
