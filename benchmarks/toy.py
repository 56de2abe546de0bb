"""Three closed-form functions with known optima, for tests and examples; they need no data.

``branin`` has conditions (one on a conditional hyperparameter) and is minimized; ``peak`` has forbidden clauses, a
constant, an ordinal and a boolean hyperparameter, and is maximized; ``front`` has two objectives, one to minimize and
one to maximize, and a known Pareto front. All have one fidelity, ``steps``: fewer steps add to the losses, by an amount
that depends on the configuration.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar

from ConfigSpace import ConfigurationSpace, EqualsCondition, InCondition
from ConfigSpace.forbidden import ForbiddenAndConjunction, ForbiddenEqualsClause
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from benchmarks.shared.hints import hints
from benchmarks.shared.setting_checks import one_of
from harness.errors import SettingError
from harness.problem import Description, Fidelity, Objective, Outcome, Params, Problem


def branin(params: Mapping[str, Any]) -> float:
    """Branin's function (Dixon and Szego, 1978) of ``x1`` and ``x2``, plus an optional rough surface.

    A rough surface is 0.25 lower with two bumps, and another 0.1 with an amplitude of 0.01: the optimum depends on two
    conditions.
    """
    x1, x2 = params["x1"], params["x2"]
    value = (x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6) ** 2
    value += 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10
    if params["surface"] == "rough":
        value += 0.5 * (params["bumps"] - 2) ** 2 - 0.25
        if "amplitude" in params:
            value += math.log10(params["amplitude"] / 0.01) ** 2 - 0.1
    return float(value)


def peak(params: Mapping[str, Any]) -> float:
    """A single peak; the space forbids its highest points, at width 7 and with lbfgs and momentum."""
    score = 10 - 0.5 * (params["width"] - 6.8) ** 2 - math.log10(params["rate"] / 0.01) ** 2
    score -= 0.5 * abs(math.log2(params["batch"] / 64))
    score += {"adam": 1.0, "sgd": 0.0, "lbfgs": 1.5}[params["solver"]]
    return float(score + (1.0 if params["momentum"] else 0.0))


def front_error(params: Mapping[str, Any]) -> float:
    """The error in percent: low if ``share`` is high, and lower without slack."""
    return float(10 * (1 - params["share"]) ** 2 + slack(params))


def front_speed(params: Mapping[str, Any]) -> float:
    """The speed in batches per second: high if ``share`` is low, and higher without slack.

    Without slack, speed and error lie on the Pareto front: sqrt(error / 10) + sqrt((20 - speed) / 10) = 1. This is
    Schaffer's first function (1985), scaled.
    """
    return float(20 - 10 * params["share"] ** 2 - slack(params))


def slack(params: Mapping[str, Any]) -> float:
    """Penalty in both objectives for a rate other than 0.01 (at most 7.5) and for the solver sgd (2.5)."""
    return 7.5 * math.log10(params["rate"] / 0.01) ** 2 / 4 + (2.5 if params["solver"] == "sgd" else 0.0)


def branin_problem() -> Problem:
    """Minimum: Branin's 10 / (8 pi), less 0.25 and 0.1. Maximum: Branin's at (-5, 0), with five bumps."""
    space = ConfigurationSpace(name="toy.branin")
    surface = CategoricalHyperparameter("surface", ("smooth", "rough"), default_value="smooth", meta=_say("surface"))
    bumps = UniformIntegerHyperparameter("bumps", 0, 5, 1, meta=_say("bumps of a rough surface"))
    amplitude = UniformFloatHyperparameter("amplitude", 1e-4, 1.0, 0.1, log=True, meta=_say("height of the bumps"))
    space.add(
        UniformFloatHyperparameter("x1", -5.0, 10.0, 0.0, meta=_say("first coordinate")),
        UniformFloatHyperparameter("x2", 0.0, 15.0, 5.0, meta=_say("second coordinate")),
        surface,
        bumps,
        amplitude,
        EqualsCondition(bumps, surface, "rough"),
        InCondition(amplitude, bumps, [1, 2, 3]),
    )
    worst = branin({"x1": -5.0, "x2": 0.0, "surface": "rough", "bumps": 5})
    return Problem(
        name="toy.branin",
        space=space,
        objectives=(Objective("value", "minimize", 10 / (8 * math.pi) - 0.25 - 0.1, worst),),
        default={"x1": 0.0, "x2": 5.0, "surface": "smooth"},
        fidelities=(STEPS,),
        description=Description("A smooth function of two coordinates, to which a rough surface may add bumps."),
        hints=hints("toy", "branin"),
    )


def peak_problem() -> Problem:
    """Maximum: width 6, rate 0.01, batch 64, adam with momentum; minimum: width 1, rate 1, batch 16, sgd without."""
    space = ConfigurationSpace(name="toy.peak")
    width = UniformIntegerHyperparameter("width", 1, 12, 4, meta=_say("width of the model"))
    solver = CategoricalHyperparameter("solver", ("adam", "sgd", "lbfgs"), default_value="adam", meta=_say("solver"))
    momentum = CategoricalHyperparameter("momentum", (True, False), default_value=False, meta=_say("use momentum"))
    space.add(
        width,
        UniformFloatHyperparameter("rate", 1e-3, 1.0, 0.1, log=True, meta=_say("learning rate")),
        OrdinalHyperparameter("batch", (16, 32, 64, 128), default_value=32, meta=_say("batch size")),
        solver,
        momentum,
        Constant("version", 1, meta=_say("always 1")),
        ForbiddenEqualsClause(width, 7),
        ForbiddenAndConjunction(ForbiddenEqualsClause(solver, "lbfgs"), ForbiddenEqualsClause(momentum, True)),
    )
    return Problem(
        name="toy.peak",
        space=space,
        objectives=(Objective("score", "maximize", 10 - 0.5 * 0.8**2 + 2, 10 - 0.5 * 5.8**2 - 4 - 1),),
        default={"width": 4, "rate": 0.1, "batch": 32, "solver": "adam", "momentum": False, "version": 1},
        fidelities=(STEPS,),
        description=Description(
            "A score with a single peak. Width 7 is forbidden, and so is momentum with the solver lbfgs."
        ),
        hints=hints("toy", "peak"),
    )


def front_problem() -> Problem:
    """Best error and best speed are at the two ends of ``share``; the worst of each too, with the most slack."""
    space = ConfigurationSpace(name="toy.front")
    space.add(
        UniformFloatHyperparameter("share", 0.0, 1.0, 0.5, meta=_say("share of the model that is kept")),
        UniformFloatHyperparameter("rate", 1e-4, 1.0, 0.1, log=True, meta=_say("learning rate")),
        CategoricalHyperparameter("solver", ("sgd", "adam"), default_value="sgd", meta=_say("solver")),
    )
    return Problem(
        name="toy.front",
        space=space,
        objectives=(Objective("error", "minimize", 0.0, 20.0), Objective("speed", "maximize", 20.0, 0.0)),
        default={"share": 0.5, "rate": 0.1, "solver": "sgd"},
        fidelities=(STEPS,),
        description=Description("The error and the speed of a model of which a share is kept; they are at odds."),
        hints=hints("toy", "front"),
    )


STEPS = Fidelity("steps", 1, 27, integer=True)
BIAS_OF_ONE_STEP = 4.0
"""Largest amount that a single step adds to a loss; it decreases with the number of steps, to 0 at the highest."""

Function = Callable[[Mapping[str, Any]], float]
FUNCTIONS: dict[str, tuple[Callable[[], Problem], tuple[Function, ...]]] = {
    "branin": (branin_problem, (branin,)),
    "peak": (peak_problem, (peak,)),
    "front": (front_problem, (front_error, front_speed)),
}
"""Each task's problem, and one function per objective."""


class Toy:
    """One of the functions.

    Args:
        task: One of ``Toy.tasks``.
        failure_rate: Share of the configurations whose evaluation fails, always the same ones: half raise
            ArithmeticError, half return NaN. For tests of failures.

    Raises:
        SettingError: A setting is invalid.
    """

    tasks: ClassVar[tuple[str, ...]] = tuple(FUNCTIONS)

    def __init__(self, task: str = "branin", failure_rate: float = 0.0) -> None:
        build, self._functions = FUNCTIONS[one_of("toy task", task, self.tasks)]
        number = isinstance(failure_rate, int | float) and not isinstance(failure_rate, bool)
        if not number or not 0 <= failure_rate <= 1:
            raise SettingError(f"failure_rate is {failure_rate!r}; give a number from 0 to 1.")
        self._failure_rate = failure_rate
        self.problem = build()

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Compute the functions; the seed is not used, and evaluation_seconds is not measured.

        Raises:
            ArithmeticError: The configuration is one of those that fail.
            ValueError: The fidelity is not ``steps`` from 1 to 27.
        """
        steps = steps_of(fidelity)
        objectives = self.problem.objectives
        # Uniform in [0, 1); depends only on the configuration.
        fate = zlib.crc32(repr(sorted(params.items())).encode()) / 2**32
        if fate < self._failure_rate / 2:
            raise ArithmeticError(f"{self.problem.name} fails at this configuration because of failure_rate.")
        if fate < self._failure_rate:
            return Outcome({objective.name: math.nan for objective in objectives})
        bias = BIAS_OF_ONE_STEP * fate * (STEPS.upper / steps - 1) / (STEPS.upper - 1)
        pairs = zip(objectives, self._functions, strict=True)
        return Outcome({objective.name: objective.loss(function(params)) + bias for objective, function in pairs})

    def random_search_curve(self, evaluations: int) -> None:
        """None: the curve of a continuous space is not known exactly."""


def steps_of(fidelity: Mapping[str, float] | None) -> float:
    """The requested number of steps; the highest by default.

    Raises:
        ValueError: It is not in 1 to 27, or another fidelity is requested.
    """
    steps = (fidelity or {}).get(STEPS.name, STEPS.upper)
    if not set(fidelity or {}) <= {STEPS.name} or not STEPS.lower <= steps <= STEPS.upper or steps != int(steps):
        raise ValueError(f"The fidelity of a toy is steps, a whole number from 1 to 27, not {dict(fidelity or {})}.")
    return steps


def _say(description: str) -> dict[Hashable, Any]:
    return {"description": description}
