"""Seeds of a run's parts: different draws on different tasks; records keep their own seeds."""

from __future__ import annotations

import copy
import itertools
import json

import pytest

from harness.budget import Budget
from harness.build import build_benchmark, build_optimizer, build_repair
from harness.composed import resolve
from harness.experiment import compose_with
from harness.folder import RunFolder
from harness.loop import run_loop
from harness.perform import perform
from harness.seeds import PARTS, derived_seeds, recorded_seeds

USED = {"repair", "probe", "start"}
TASK = ("benchmark=toy", "benchmark.task=branin")


def config_of(*overrides):
    return resolve(compose_with(list(overrides), {})[0], USED, ".")


def proposals(settings, count=4):
    benchmark, rows = build_benchmark(settings), []
    optimizer = build_optimizer(settings, benchmark.problem, Budget(proposals=count))
    repair = build_repair(settings, benchmark.problem)
    run_loop(benchmark, optimizer, repair, Budget(proposals=count), 0, rows.append)
    return rows


@pytest.mark.parametrize("optimizer", ["random_search", "sobol", "tpe", "smac"])
def test_one_seed_opens_with_other_draws_on_another_task_of_the_same_space(optimizer):
    opened = [
        proposals(config_of(f"optimizer={optimizer}", f"benchmark.task={task}"), count=2)[0]["proposed"]
        for task in ("kc1", "vehicle", "credit_g")
    ]
    assert all(one != other for one, other in itertools.combinations(opened, 2))


def test_a_disguised_task_opens_as_the_true_one_and_so_it_does_under_every_repair():
    true = proposals(config_of("benchmark.task=kc1"))
    disguised = proposals(config_of("benchmark.task=kc1", "probe=anonymous", "repair=random"))
    assert [row["evaluated"] for row in disguised] == [row["executed"] for row in true]


@pytest.mark.parametrize(
    "overrides",
    [
        ("probe=anonymous",),
        ("repair=random",),
        ("optimizer=sobol",),
        ("start=default",),
        ("budget.proposals=99",),
        ("name=other",),
        ('benchmark.task="branin"',),
    ],
)
def test_what_is_no_part_of_the_task_changes_no_seed(overrides):
    assert derived_seeds(config_of(*TASK, *overrides)) == derived_seeds(config_of(*TASK))


def test_where_a_benchmarks_files_are_changes_no_seed_and_every_other_setting_of_it_does():
    plain = config_of("benchmark=openml", "benchmark.task=31")
    elsewhere, spelt, other = copy.deepcopy(plain), copy.deepcopy(plain), copy.deepcopy(plain)
    elsewhere["benchmark"]["cache"] = "/elsewhere"
    spelt["benchmark"]["task"] = "31"
    other["benchmark"]["fold"] = 1
    assert derived_seeds(plain) == derived_seeds(elsewhere) == derived_seeds(spelt)
    assert not set(derived_seeds(plain).values()) & set(derived_seeds(other).values())


def test_parts_and_seeds_have_streams_of_their_own():
    found = [derived_seeds(config_of(*TASK, f"seed={seed}")) for seed in range(20)]
    assert all(tuple(seeds) == PARTS for seeds in found)
    assert len({seed for seeds in found for seed in seeds.values()}) == 60
    assert all(0 <= seed < 2**31 for seeds in found for seed in seeds.values())
    # The same on every machine, if the task is spelt the same.
    assert derived_seeds({"seed": 3, "benchmark": {"_target_": "a.B", "task": "c"}}) == {
        "optimizer": 88403378,
        "repair": 423916539,
        "probe": 1811700913,
    }


def test_a_random_repair_opens_with_other_draws_than_random_search():
    seeds = derived_seeds(config_of(*TASK))
    assert len(set(seeds.values())) == 3


def test_a_run_recorded_before_there_were_derived_seeds_had_its_own_for_every_part():
    assert recorded_seeds({"seed": 7}) == {"optimizer": 7, "repair": 7, "probe": 7}
    assert recorded_seeds({"seed": 7, "seeds": {"optimizer": 5}}) == {"optimizer": 5, "repair": 7, "probe": 7}


IDENTITY = {
    "experiment": "e",
    "benchmark": "toy",
    "task": "branin",
    "method": "random_search",
    "optimizer": "random_search",
    "llm": None,
    "choices": {},
    "settings": {},
    "seed": 0,
}


def test_such_a_run_is_resumed_with_its_own_seeds(tmp_path):
    settings = config_of(*TASK, "tracker=none", "budget.proposals=6")
    identity = IDENTITY | {"config": settings, "seeds": recorded_seeds({"seed": 0})}
    perform(settings, RunFolder(tmp_path), identity, live=False)
    whole = (tmp_path / "trials.jsonl").read_text().splitlines()
    run = json.loads((tmp_path / "run.json").read_text())
    assert run.pop("seeds") == {"optimizer": 0, "repair": 0, "probe": 0}
    run |= {"status": "running", "finished_at": None}
    run.pop("files")

    def without(line):  # as rows were before they said who proposed
        return json.dumps({key: value for key, value in json.loads(line).items() if key != "proposer"})

    (tmp_path / "run.json").write_text(json.dumps(run))
    (tmp_path / "trials.jsonl").write_text("".join(without(line) + "\n" for line in whole[:3]))
    perform(settings, RunFolder(tmp_path), IDENTITY | {"config": settings}, live=False)
    again = [json.loads(line)["proposed"] for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    assert again == [json.loads(line)["proposed"] for line in whole]
    assert json.loads((tmp_path / "run.json").read_text())["seeds"] == {"optimizer": 0, "repair": 0, "probe": 0}


def test_a_new_run_says_which_seeds_its_parts_had(tmp_path):
    settings = config_of(*TASK, "tracker=none", "budget.proposals=3")
    perform(settings, RunFolder(tmp_path), IDENTITY | {"config": settings}, live=False)
    assert json.loads((tmp_path / "run.json").read_text())["seeds"] == derived_seeds(settings)
