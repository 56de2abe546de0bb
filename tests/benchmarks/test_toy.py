"""The closed-form functions: their optima are what they say, and their spaces have what tests need."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Configuration
from ConfigSpace.exceptions import ForbiddenValueError

from benchmarks.toy import Toy, branin, front_error, front_speed, peak
from harness.errors import SettingError
from harness.problem import Params


def samples(toy: Toy, count: int) -> list[Params]:
    toy.problem.space.seed(0)
    return [
        {name: value.item() if isinstance(value, np.generic) else value for name, value in sample.items()}
        for sample in toy.problem.space.sample_configuration(count)
    ]


def test_branins_extremes_by_dense_search() -> None:
    (objective,) = Toy("branin").problem.objectives
    optimum, worst = objective.optimum, objective.worst
    assert optimum is not None
    assert worst is not None
    plane = [{"x1": x1, "x2": x2} for x1 in np.linspace(-5, 10, 301) for x2 in np.linspace(0, 15, 301)]
    smooth = [branin({**point, "surface": "smooth"}) for point in plane]
    lowest, highest = plane[int(np.argmin(smooth))], plane[int(np.argmax(smooth))]
    rough = []
    for corner, bumps in product((lowest, highest), range(6)):
        cell = {**corner, "surface": "rough", "bumps": bumps}
        amplitudes = np.geomspace(1e-4, 1, 401) if bumps in (1, 2, 3) else [None]
        rough += [branin(cell if a is None else {**cell, "amplitude": a}) for a in amplitudes]
    assert optimum <= min(*smooth, *rough) < optimum + 0.01
    assert worst - 1e-9 <= max(*smooth, *rough) <= worst
    best: Params = {"x1": math.pi, "x2": 2.275, "surface": "rough", "bumps": 2, "amplitude": 0.01}
    assert Toy("branin").evaluate(best, None, 0).losses["value"] == pytest.approx(optimum, abs=1e-12)


def test_peaks_extremes_by_dense_search() -> None:
    toy = Toy("peak")
    (objective,) = toy.problem.objectives
    choices = (range(1, 13), np.geomspace(1e-3, 1, 31), (16, 32, 64, 128), ("adam", "sgd", "lbfgs"), (True, False))
    names = ("width", "rate", "batch", "solver", "momentum")
    cells = [dict(zip(names, values, strict=True)) for values in product(*choices)]
    legal = [c for c in cells if c["width"] != 7 and not (c["solver"] == "lbfgs" and c["momentum"])]
    scores = [peak(cell) for cell in legal]
    assert max(scores) == pytest.approx(objective.optimum, abs=1e-12)
    assert min(scores) == pytest.approx(objective.worst, abs=1e-12)
    assert max(map(peak, cells)) > max(scores)  # the forbidden clauses bind
    best = legal[int(np.argmax(scores))]
    assert toy.evaluate({**best, "version": 1}, None, 0).losses["score"] == pytest.approx(-11.68)


def test_fronts_extremes_and_its_front_by_dense_search() -> None:
    toy = Toy("front")
    error, speed = toy.problem.objectives
    choices = (np.linspace(0, 1, 41), np.geomspace(1e-4, 1, 41), ("sgd", "adam"))
    cells = [dict(zip(("share", "rate", "solver"), values, strict=True)) for values in product(*choices)]
    errors, speeds = (np.array([function(cell) for cell in cells]) for function in (front_error, front_speed))
    assert (errors.min(), errors.max()) == pytest.approx((error.optimum, error.worst), abs=1e-12)
    assert (speeds.max(), speeds.min()) == pytest.approx((speed.optimum, speed.worst), abs=1e-12)
    # Scaled, the front is where the roots add up to 1; nothing lies below it, and slack keeps a cell off it.
    roots = np.sqrt(errors / 10) + np.sqrt((20 - speeds) / 10)
    assert roots.min() == pytest.approx(1, abs=1e-12)
    on_front = [cell for cell, root in zip(cells, roots, strict=True) if root < 1 + 1e-9]
    assert {cell["share"] for cell in on_front} == set(choices[0])
    assert {(round(cell["rate"], 9), cell["solver"]) for cell in on_front} == {(0.01, "adam")}
    losses = toy.evaluate({"share": 0.8, "rate": 0.01, "solver": "adam"}, None, 0).losses
    assert losses == pytest.approx({"error": 0.4, "speed": -13.6})


def test_conditions_hide_what_does_not_apply() -> None:
    seen = set()
    for params in samples(Toy("branin"), 300):
        seen.add(tuple(params))
        assert ("bumps" in params) == (params["surface"] == "rough")
        assert ("amplitude" in params) == (params.get("bumps") in (1, 2, 3))
    assert len(seen) == 3


def test_forbidden_configurations_are_forbidden() -> None:
    toy = Toy("peak")
    assert all(p["width"] != 7 and not (p["solver"] == "lbfgs" and p["momentum"]) for p in samples(toy, 300))
    for change in ({"width": 7}, {"solver": "lbfgs", "momentum": True}):
        with pytest.raises(ForbiddenValueError):
            _configuration(toy, {**toy.problem.default, **change})
    _configuration(toy, {**toy.problem.default, "solver": "lbfgs"})


def _configuration(toy: Toy, values: dict[str, Any]) -> None:
    Configuration(toy.problem.space, values=values).check_valid_configuration()


@pytest.mark.parametrize("task", Toy.tasks)
def test_the_default_is_the_spaces(task: str) -> None:
    problem = Toy(task).problem
    assert problem.default == dict(problem.space.get_default_configuration())


def fates(toy: Toy, cells: list[Params]) -> list[str]:
    """What becomes of each evaluation: raised, nan or ok."""
    found = []
    for cell in cells:
        try:
            losses = toy.evaluate(cell, None, 0).losses.values()
            found.append("nan" if all(map(math.isnan, losses)) else "ok")
        except ArithmeticError:
            found.append("raised")
    return found


@pytest.mark.parametrize("task", Toy.tasks)
def test_failures_come_at_the_asked_rate_and_at_the_same_places(task: str) -> None:
    cells = list({repr(cell): cell for cell in samples(Toy(task), 1000)}.values())
    seen = fates(Toy(task, 0.4), cells)
    assert set(fates(Toy(task), cells)) == {"ok"}
    assert set(fates(Toy(task, 1.0), cells)) == {"raised", "nan"}
    assert fates(Toy(task, 0.4), [dict(reversed(cell.items())) for cell in cells]) == seen
    for kind in ("raised", "nan"):
        assert abs(seen.count(kind) / len(seen) - 0.2) < 4.5 * math.sqrt(0.2 * 0.8 / len(seen))


@pytest.mark.parametrize("value", [-0.1, 1.1, True, "0.5", None])
def test_an_impossible_failure_rate(value: Any) -> None:
    with pytest.raises(SettingError, match=r"failure_rate is .*; give a number from 0 to 1"):
        Toy(failure_rate=value)


def test_nobody_knows_the_curve() -> None:
    assert Toy().random_search_curve(10) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("task", Toy.tasks)
def test_fewer_steps_cost_quality_and_all_of_them_nothing(task: str) -> None:
    toy = Toy(task)
    params = toy.problem.default
    losses = [sum(toy.evaluate(params, {"steps": steps}, 0).losses.values()) for steps in (1, 3, 9, 27)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[-1]
    assert losses[-1] == sum(toy.evaluate(params, None, 0).losses.values())


@pytest.mark.parametrize("fidelity", [{"steps": 0}, {"steps": 28}, {"steps": 2.5}, {"epochs": 3}])
def test_another_fidelity_is_refused(fidelity: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="steps, a whole number from 1 to 27"):
        Toy().evaluate(Toy().problem.default, fidelity, 0)
