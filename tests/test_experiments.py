"""The experiments on invention, cost and memory, cut down, on the real server: they run, and have their table."""

from __future__ import annotations

import json

import pytest
from omegaconf import OmegaConf

from analysis.report.contents import contents
from analysis.runs.load import load
from analysis.stats.prices import read_prices
from harness.choice_files import CONF
from tests.support.command import command

pytestmark = pytest.mark.timeout(900)

SMALL = {
    "decoding": ("decodings", ["optimizer=llm_chat", "decoding=free,json_schema"]),
    "repair": ("repairs", ["prompt=plain", "repair=none,nearest"]),
    "probes": ("memory", ["optimizer=llm_chat", "probe=none,blind,permuted"]),
    "contexts": ("prompts", ["optimizer=llm_chat", "prompt=plain,context_full"]),
    "hints": ("prompts", ["optimizer=llm_chat", "prompt=plain,hint_misleading"]),
    "reasoning": ("consistency", ["optimizer=llm_chat", "prompt=reasoning", "budget.proposals=2"]),
    "recitation": ("recitation", ["optimizer=recitation"]),
}
"""Experiment -> its table, and the test's reduction besides one seed and one proposal."""


@pytest.fixture(scope="module", params=SMALL)
def experiment(request, vllm_server, tmp_path_factory):
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    small = ["budget.proposals=1", *SMALL[name][1], "seed=0", "hydra.launcher.n_jobs=3", f"llm.port={vllm_server.port}"]
    done = command("harness.run", "-m", f"experiment={name}", *small, cwd=folder, timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    return name, folder / "runs" / name


def test_two_tasks_are_run_with_the_real_model_and_the_table_is_in_the_report(experiment):
    name, folder = experiment
    found = load(folder)
    assert not found.incomplete
    assert len(found.tasks) == 2
    for run in found.runs:
        first = json.loads((run.folder / "calls.jsonl").read_text().splitlines()[0])
        assert first["model"] == "smollm2-135m-instruct"
        assert first["usage"]["prompt_tokens"] > 0
    findings = [each for _, each in contents(found, read_prices()).findings()]
    tables = {table.name: table for each in findings for table in each.tables}
    assert SMALL[name][0] in tables
    assert tables[SMALL[name][0]].frame.height
    assert tables["sweeps"].frame["unrecorded_tokens"].to_list() == [0]  # no other client was on the server


@pytest.mark.parametrize("name", SMALL)
def test_an_experiment_is_one_file_of_the_small_model_on_two_tasks(name):
    config = OmegaConf.load(CONF / "experiment" / f"{name}.yaml")
    swept = config.hydra.sweeper.params
    tasks = swept.get("benchmark.task") or swept["benchmark"]
    assert len(str(tasks).split(",")) == 2
    assert not any("llm" in str(entry) for entry in config.defaults)
