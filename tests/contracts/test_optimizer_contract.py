"""What every optimizer must do. A new one is picked up by its YAML in conf/optimizer; nothing here names any.

The example of CONTRIBUTING.md is one of them, from a folder outside the repository.
"""

from __future__ import annotations

import copy
import functools
import itertools
import json
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_class
from omegaconf import OmegaConf

from benchmarks.toy import Toy
from harness.build import build_budget, build_optimizer, build_repair
from harness.choices import loggable
from harness.errors import SettingError
from harness.experiment import CONF, resolve
from harness.loop import run_loop
from harness.method import used_groups
from harness.problem import EvaluationError, Outcome
from harness.validity import Checker
from tests.contributing import SECTIONS, write_examples
from tests.fakes import Line, Mixed, SeededChat

OUTSIDE = Path(tempfile.mkdtemp(prefix="hyperbole-contributing-"))
write_examples(SECTIONS[0], OUTSIDE)
sys.path.append(str(OUTSIDE))
FILES = {
    path.stem: path for folder in (CONF, OUTSIDE / "conf") for path in sorted((folder / "optimizer").glob("*.yaml"))
}
OPTIMIZERS = list(FILES)
CLASSES = {name: get_class(OmegaConf.load(path)._target_) for name, path in FILES.items()}
NEEDS_FIDELITY = {name: getattr(CLASSES[name], "needs_fidelity", False) for name in OPTIMIZERS}
BENCHMARKS = {
    "branin": functools.partial(Toy, task="branin"),
    "peak": functools.partial(Toy, task="peak"),
    "line": Line,
    "failing": functools.partial(Line, fail_above=0.6, nan_above=0.4),
    "mixed": Mixed,
}
WITH_FIDELITY = {"branin", "peak"}
TRIALS = 8


@functools.cache
def configuration(optimizer, repair, *start):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(
            "config",
            overrides=[
                f"optimizer={optimizer}",
                f"repair={repair}",
                *start,
                f"hydra.searchpath=[{OUTSIDE}/conf]",
                f"budget.proposals={TRIALS}",
                "llm=smollm2_135m",
            ],
            return_hydra_config=True,
        )
    HydraConfig.instance().set_config(config)
    used = used_groups(OmegaConf.to_container(config.optimizer, resolve=False))
    OmegaConf.set_struct(config, False)
    config.pop("hydra")
    config.llm = {"_target_": "tests.fakes.SeededChat", "space": None}
    settings = resolve(config, used, ".")
    return settings, "chat" in settings["optimizer"]


def play(optimizer, benchmark, seed=0, repair="none", logged=(), start=("start=none",)):
    settings, is_llm = configuration(optimizer, repair, *start)
    settings = copy.deepcopy(settings) | {"seed": seed}
    chat = SeededChat(benchmark.problem.space)
    if is_llm:
        settings["optimizer"]["chat"] = chat
    optimizer = build_optimizer(settings, benchmark.problem, build_budget(settings))
    rows = []

    budget = build_budget(settings)
    run_loop(benchmark, optimizer, build_repair(settings, benchmark.problem), budget, seed, rows.append, logged)
    return rows, is_llm


@functools.cache
def played(optimizer, benchmark):
    """A run that several tests look at: its rows, whether a model is asked, and the space afterwards and before."""
    judge = BENCHMARKS[benchmark]()
    before = copy.deepcopy(judge.problem.space)
    return *play(optimizer, judge), judge.problem.space, before


def decided(rows):
    return [(row["proposed"], row["executed"], row["violations"]) for row in rows]


PAIRS = [
    (optimizer, benchmark)
    for optimizer in OPTIMIZERS
    for benchmark in sorted(BENCHMARKS)
    if not NEEDS_FIDELITY[optimizer] or benchmark in WITH_FIDELITY
]


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def pair(request):
    return request.param


@pytest.fixture
def optimizer(pair):
    return pair[0]


@pytest.fixture
def benchmark_(pair):
    return BENCHMARKS[pair[1]]()


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if NEEDS_FIDELITY[name]])
def test_a_method_that_needs_a_fidelity_says_so(optimizer):
    with pytest.raises(SettingError, match="fidelity"):
        play(optimizer, Line())


def test_it_spends_its_budget_with_builtin_scalars_and_leaves_the_space_alone(optimizer, pair):
    rows, is_llm, space, before = played(*pair)
    assert len(rows) == TRIALS
    assert space == before or (pair[1] == "mixed" and str(space) == str(before))  # its orders never equal themselves
    assert any(row["fidelity"] for row in rows) == NEEDS_FIDELITY[optimizer]
    assert space.random.get_state()[2] == before.random.get_state()[2]
    for row in rows:
        if not is_llm:
            assert row["violations"] == [], "a classical method proposes no invalid configuration"
        if not row["violations"]:
            assert loggable(Checker(space).check(row["proposed"])[0]) == row["proposed"]
            assert pair[1] == "mixed" or {type(value) for value in row["proposed"].values()} <= {bool, int, float, str}
            assert json.loads(json.dumps(row["proposed"], allow_nan=False)) == row["proposed"]


def test_each_row_says_who_proposed_it(pair):
    rows, is_llm, *_ = played(*pair)
    proposers = {row["proposer"] for row in rows}
    assert proposers <= {"model", "classical", "random"}
    # Centaur's model is not asked in its warm-up of ten trials, longer than this run.
    assert ("model" in proposers) == (is_llm and pair[0] != "centaur")
    for row in rows:
        assert row["proposer"] == "model" or not row["calls"] or "GP" in row["note"]


def test_the_same_seed_proposes_the_same_and_another_one_something_else(pair, benchmark_):
    first = decided(played(*pair)[0])
    assert first == decided(play(pair[0], benchmark_)[0])
    assert first != decided(play(pair[0], benchmark_, seed=1)[0])


def played_first():
    """The second seed of every optimizer, before any other run of its process."""
    return {name: decided(play(name, Toy(task="branin"), seed=1)[0]) for name in reversed(OPTIMIZERS)}


@functools.cache
def in_a_fresh_process():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(played_first).result()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_nothing_of_one_run_is_left_for_the_next_of_its_process(optimizer):
    played(optimizer, "branin")
    assert decided(play(optimizer, Toy(task="branin"), seed=1)[0]) == in_a_fresh_process()[optimizer]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("repair", ["clamp", "nearest", "random"])
def test_it_takes_repaired_trials(optimizer, repair):
    rows, is_llm = play(optimizer, Toy(task="branin"), repair=repair)
    assert len(rows) == TRIALS
    if is_llm and repair == "random":
        assert all(row["losses"] is not None for row in rows)


def test_killed_and_resumed_it_arrives_at_the_same_log(pair, benchmark_):
    whole = played(*pair)[0]
    rest, _ = play(pair[0], benchmark_, logged=whole[:5])
    assert decided(whole[:5] + rest) == decided(whole)


class Hopeless(Toy):
    """Every evaluation goes wrong, each in another way."""

    def __init__(self):
        super().__init__(task="branin")
        ways = (EvaluationError(""), None, 0.5, {"value": None}, {}, SystemExit(1), {"value": float("nan")})
        self.ways = itertools.cycle(ways)

    def evaluate(self, params, fidelity, seed):
        way = next(self.ways)
        if isinstance(way, BaseException):
            raise way
        return Outcome(way) if isinstance(way, dict) else way


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_goes_on_where_every_evaluation_fails(optimizer):
    rows, _ = play(optimizer, Hopeless())
    assert len(rows) == TRIALS
    assert all(row["losses"] is None for row in rows)
    assert all(row["error"] for row in rows if row["executed"])


class OtherSpeed(Toy):
    """As the toy, but that the second objective is another one."""

    def evaluate(self, params, fidelity, seed):
        outcome = super().evaluate(params, fidelity, seed)
        return replace(outcome, losses=outcome.losses | {"speed": -outcome.losses["speed"]})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_takes_several_objectives_and_minimizes_the_first_or_says_that_it_minimizes_all(optimizer):
    rows, _ = play(optimizer, Toy(task="front"))
    assert len(rows) == TRIALS
    assert all(set(row["losses"]) == {"error", "speed"} for row in rows if row["executed"])
    rest, _ = play(optimizer, Toy(task="front"), logged=rows[:5])
    assert decided(rows[:5] + rest) == decided(rows)
    if not getattr(CLASSES[optimizer], "multi_objective", False):
        assert decided(play(optimizer, OtherSpeed(task="front"))[0]) == decided(rows)


GIVEN = [{"x": 0.9, "units": 1}, {"x": 0.2, "units": 2}]
STARTS = {
    "default": (("start=default",), Line, [{"x": 0.5, "units": 4}]),
    "given": (
        ("start=given", "start.configurations=[{x: 0.9, units: 1}, {x: 0.2, units: 2}]"),
        functools.partial(Line, fail_above=0.6),
        GIVEN,
    ),
}


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if not NEEDS_FIDELITY[name]])
@pytest.mark.parametrize("name", STARTS)
def test_told_of_a_start_it_did_not_ask_for_it_goes_on(optimizer, name):
    """The start is the first rows, also where its evaluation failed; seed and resume hold as without."""
    settings, benchmark, start = STARTS[name]
    rows, _ = play(optimizer, benchmark(), start=settings)
    assert len(rows) == TRIALS
    assert [row["executed"] for row in rows[: len(start)]] == start
    assert {row["note"] for row in rows[: len(start)]} == {f"start: {name}"}
    assert [row["proposer"] == "start" for row in rows] == [index < len(start) for index in range(TRIALS)]
    assert (rows[0]["error"] is not None) == (name == "given")
    rest, _ = play(optimizer, benchmark(), start=settings, logged=rows[:5])
    assert decided(rows[:5] + rest) == decided(rows)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_started_from_the_default_of_a_richer_space_it_goes_on(optimizer):
    """With a fidelity, forbidden combinations, a constant and an ordinal."""
    benchmark = Toy(task="peak")
    rows, _ = play(optimizer, benchmark, start=("start=default",))
    assert len(rows) == TRIALS
    assert rows[0]["executed"] == benchmark.problem.default
    assert rows[0]["note"] == "start: default"
    rest, _ = play(optimizer, benchmark, start=("start=default",), logged=rows[:5])
    assert decided(rows[:5] + rest) == decided(rows)
