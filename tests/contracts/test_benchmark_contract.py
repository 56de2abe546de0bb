"""What every benchmark must be. A new one is picked up by its file in conf/benchmark/ and its class's ``tasks``.

A class says what else the tests should know: ``examples``, settings to test it with where its tasks cannot be listed;
``live``, that it trains (then fewer configurations are tried, and seconds may differ); ``data``, the folder below
``tests.shared_data.FOLDER`` that its setting ``folder`` is to name (one for all tasks, or by task), without which its
tests are skipped.
"""

from __future__ import annotations

import copy
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from harness.problem import Benchmark, Objective, Outcome, Params
from harness.validity import Checker
from tests import shared_data

FILES = sorted((Path(__file__).parents[2] / "conf" / "benchmark").glob("*.yaml"))
TARGETS: dict[Path, Any] = {file: get_class(OmegaConf.to_object(OmegaConf.load(file))["_target_"]) for file in FILES}  # type: ignore[index, call-overload]
Case = tuple[Path, dict[str, Any]]
CASES: list[Case] = [
    (file, settings)
    for file, target in TARGETS.items()
    for settings in getattr(target, "examples", None) or [{"task": task} for task in target.tasks]
]
CASES += [
    (file, {**next(settings for other, settings in CASES if other == file), "space": "nearest"})
    for file, target in TARGETS.items()
    if "nearest" in get_args(get_type_hints(target.__init__).get("space")) and file.stem != "nasbench201"
    if any(other == file for other, _ in CASES)
]
NAMES = [f"{file.stem}.{'+'.join(str(value) for value in settings.values())}" for file, settings in CASES]
RANDOM_CONFIGURATIONS = 50
RANDOM_TRAININGS = 3


def build(file: Path, settings: dict[str, Any], cache: bool | str = False) -> Benchmark:
    target = TARGETS[file]
    given = dict(settings)
    data = getattr(target, "data", None)
    data = data.get(settings["task"]) if isinstance(data, dict) else data
    if data is not None:
        if not shared_data.FOLDER.is_dir():
            pytest.skip(shared_data.REASON)
        given["folder"] = str(shared_data.openml_folder() if data == "openml-cache" else shared_data.FOLDER / data)
    if is_live(target):
        given["cache"] = cache
    benchmark: Benchmark = instantiate(OmegaConf.merge(OmegaConf.load(file), given))
    return benchmark


def is_live(benchmark: Any) -> bool:
    return bool(getattr(benchmark, "live", False))


def measured(outcome: Outcome) -> tuple[dict[str, float], dict[str, float]]:
    """What must be the same whenever the same is trained."""
    untimed = {name: value for name, value in outcome.metrics.items() if not name.endswith(("_seconds", "_joules"))}
    return outcome.losses, untimed


@pytest.fixture(scope="module", params=CASES, ids=NAMES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Benchmark, str]:
    """The benchmark as Hydra builds it, and the name it should have; what it trains is kept from test to test."""
    file, settings = request.param
    kept = str(tmp_path_factory.mktemp("evaluations") / "kept.sqlite")
    return build(file, settings, kept), f"{file.stem}.{settings['task']}"


@pytest.fixture
def benchmark_(case: tuple[Benchmark, str]) -> Benchmark:
    return case[0]


def random_configurations(benchmark: Benchmark, count: int = RANDOM_CONFIGURATIONS) -> list[Params]:
    problem = benchmark.problem
    count = min(count, RANDOM_TRAININGS) if is_live(benchmark) else count
    space = copy.deepcopy(problem.space)
    space.seed(0)
    checker = Checker(problem.space)
    found = []
    for sample in space.sample_configuration(count):
        params, violations = checker.check(dict(sample))
        assert violations == ()
        assert params is not None
        found.append(params)
    return found


def losses_of(benchmark: Benchmark, params: Params) -> dict[str, float]:
    return benchmark.evaluate(params, None, 0).losses


def is_scalar(value: Any) -> bool:
    return type(value) in (bool, int, float, str)


def test_the_problem_is_well_formed(case: tuple[Benchmark, str]) -> None:
    problem = case[0].problem
    assert problem.name == case[1]
    assert len(problem.space) > 0
    assert len({objective.name for objective in problem.objectives}) == len(problem.objectives) >= 1
    assert problem.objectives[0].direction in ("minimize", "maximize")
    for fidelity in problem.fidelities:
        assert fidelity.lower < fidelity.upper


def test_optimum_and_worst_are_in_order(benchmark_: Benchmark) -> None:
    for objective in benchmark_.problem.objectives:
        known = [value for value in (objective.optimum, objective.worst) if value is not None]
        assert all(type(value) is float and math.isfinite(value) for value in known)
        if len(known) == 2:
            assert objective.loss(known[0]) < objective.loss(known[1])


def test_the_default_is_legal_and_the_spaces_own(benchmark_: Benchmark) -> None:
    problem = benchmark_.problem
    params, violations = Checker(problem.space).check(problem.default)
    assert violations == ()
    assert params == problem.default == dict(problem.space.get_default_configuration())
    assert all(is_scalar(value) for value in problem.default.values())


def test_descriptions_say_something_and_hold_no_scores(benchmark_: Benchmark) -> None:
    problem = benchmark_.problem
    texts = [problem.description, *(hp.meta["description"] for hp in problem.space.values() if hp.meta)]
    assert all(text and text == text.strip() for text in texts)
    assert not any(re.search(r"\d\.\d", text) for text in texts)
    assert not any(word in text.lower() for text in texts for word in ("optimum", "best score"))


def test_evaluation_is_deterministic_and_plain(benchmark_: Benchmark) -> None:
    problem = benchmark_.problem
    names = {objective.name for objective in problem.objectives}
    for params in (problem.default, *random_configurations(benchmark_, 5)):
        given = dict(params)
        outcome = benchmark_.evaluate(params, None, 3)
        again = benchmark_.evaluate(dict(params), {}, 3)
        assert measured(outcome) == measured(again) if is_live(benchmark_) else outcome == again
        assert params == given
        assert set(outcome.losses) == names
        assert not names & set(outcome.metrics)
        assert all(type(value) is float for value in [*outcome.losses.values(), *outcome.metrics.values()])
        assert outcome.evaluation_seconds is None or type(outcome.evaluation_seconds) is float
        assert outcome.evaluation_seconds is None or outcome.evaluation_seconds >= 0


def test_outcomes_are_not_shared(benchmark_: Benchmark) -> None:
    default = benchmark_.problem.default
    first = benchmark_.evaluate(default, None, 0)
    first.losses.clear()
    first.metrics["made up"] = 1.0
    second = benchmark_.evaluate(default, None, 0)
    assert second.losses
    assert "made up" not in second.metrics


def test_two_instances_agree(case: tuple[Benchmark, str], request: pytest.FixtureRequest) -> None:
    """Those that train do it again, in another process."""
    other = build(*request.node.callspec.params["case"])
    for params in random_configurations(case[0], 5):
        assert measured(case[0].evaluate(params, None, 0)) == measured(other.evaluate(params, None, 0))


def test_every_loss_lies_between_optimum_and_worst(benchmark_: Benchmark) -> None:
    losses = [losses_of(benchmark_, params) for params in random_configurations(benchmark_)]
    for objective in benchmark_.problem.objectives:
        low, high = limits(objective)
        seen = [loss[objective.name] for loss in losses]
        assert low <= min(seen) <= max(seen) <= high
        assert len(set(seen)) > 1


def limits(objective: Objective) -> tuple[float, float]:
    low = -math.inf if objective.optimum is None else objective.loss(objective.optimum)
    high = math.inf if objective.worst is None else objective.loss(objective.worst)
    return low, high


def test_the_space_is_left_alone(benchmark_: Benchmark) -> None:
    space = benchmark_.problem.space
    before = space.to_serialized_dict()
    for params in random_configurations(benchmark_, 5):
        benchmark_.evaluate(params, None, 0)
    benchmark_.random_search_curve(3)
    assert benchmark_.problem.space is space
    assert space.to_serialized_dict() == before


def test_the_random_search_curve(benchmark_: Benchmark) -> None:
    curve = benchmark_.random_search_curve(25)
    if curve is None:
        return
    low, high = limits(benchmark_.problem.objectives[0])
    assert len(curve) == 25
    assert all(type(value) is float for value in curve)
    assert all(later <= earlier for earlier, later in pairwise(curve))
    assert low <= curve[-1] <= curve[0] <= high
    assert list(benchmark_.random_search_curve(5) or ()) == pytest.approx(list(curve[:5]), rel=1e-12)


def test_the_curve_is_what_random_search_finds(benchmark_: Benchmark) -> None:
    """The best of 10 over 40 runs; single losses would not do, since a few diverged networks carry their mean."""
    curve = benchmark_.random_search_curve(10)
    if curve is None:
        return
    name = benchmark_.problem.objectives[0].name
    losses = [losses_of(benchmark_, params)[name] for params in random_configurations(benchmark_, 400)]
    best = np.reshape(losses, (40, 10)).min(axis=1)
    error = np.std(best, ddof=1) / math.sqrt(len(best))
    assert abs(np.mean(best) - curve[9]) < 5 * error
