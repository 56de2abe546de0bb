"""The contract of every benchmark (``harness.checks``). A new one is found by its file in conf/benchmark/ and the
``tasks`` of its class; further options of a class for these tests are in ``harness.problem.BenchmarkOptions``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from harness.checks.benchmark_checks import breaches
from harness.checks.evaluations import SEED, Bench
from harness.problem import Benchmark
from tests.support import shared_data

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


def build(file: Path, settings: dict[str, Any], cache: str = "none") -> Benchmark:
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


@pytest.fixture(scope="module", params=CASES, ids=NAMES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str]:
    """The benchmark as built by Hydra, and its expected name; what it trains is kept between tests.

    Another instance of it trains again, in another process.
    """
    file, settings = request.param
    kept = str(tmp_path_factory.mktemp("evaluations") / "kept.sqlite")
    bench = Bench(lambda: build(file, settings), build(file, settings, kept))
    return bench, f"{file.stem}.{settings['task']}"


def test_it_keeps_the_contract(case: tuple[Bench, str]) -> None:
    assert breaches(case[0]) == []


def test_the_problem_is_named_after_family_and_task(case: tuple[Bench, str]) -> None:
    problem = case[0].benchmark.problem
    assert problem.name == case[1]
    assert len(problem.space) > 0
    assert all(type(value) in (bool, int, float, str) for value in problem.default.values())


def test_descriptions_say_something_and_hold_no_scores(case: tuple[Bench, str]) -> None:
    problem = case[0].benchmark.problem
    description = problem.description
    texts = [
        description.model,
        description.data or "none",
        *(hp.meta["description"] for hp in problem.space.values() if hp.meta),
    ]
    assert all(text and text == text.strip() for text in texts)
    assert not any(re.search(r"\d\.\d", text) for text in texts)
    assert not any(word in text.lower() for text in texts for word in ("optimum", "best score"))


def test_numbers_are_builtin_and_seconds_are_tabulated(case: tuple[Bench, str]) -> None:
    bench = case[0]
    for params in bench.configurations[:3]:
        outcome = bench.benchmark.evaluate(params, None, SEED)
        assert all(type(value) is float for value in [*outcome.losses.values(), *outcome.metrics.values()])
        assert outcome.evaluation_seconds is None or type(outcome.evaluation_seconds) is float
        assert is_live(bench.benchmark) or outcome == bench.benchmark.evaluate(params, {}, SEED)
