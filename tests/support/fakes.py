"""Stand-ins for unit tests: a benchmark with a simple formula, a scripted optimizer, a scripted chat model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from ConfigSpace import (
    AndConjunction,
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    GreaterThanCondition,
    Integer,
    LessThanCondition,
    OrdinalHyperparameter,
)

from harness.chat import ChatRequest, Completion
from harness.problem import EvaluationError, Objective, Outcome, Params, Problem
from harness.space import default_of
from harness.trial import Proposal, Trial, Usage


def rich_space() -> ConfigurationSpace:
    """Every kind of hyperparameter, a nested condition and a forbidden pair."""
    space = ConfigurationSpace(name="rich", seed=0)
    kernel = Categorical("kernel", ["linear", "rbf", "poly"], default="rbf")
    degree = Integer("degree", (1, 5), default=3)
    coef0 = Float("coef0", (0.0, 1.0), default=0.5)
    cost = Float("cost", (1e-3, 1e3), log=True, default=1.0)
    shrink = Categorical("shrink", [True, False], default=True)
    batch = OrdinalHyperparameter("batch", [16, 32, 64], default_value=32)
    kind = Constant("kind", "svm")
    space.add([kernel, degree, coef0, cost, shrink, batch, kind])
    space.add(EqualsCondition(degree, kernel, "poly"))
    space.add(AndConjunction(EqualsCondition(coef0, kernel, "poly"), GreaterThanCondition(coef0, degree, 2)))
    space.add(ForbiddenAndConjunction(ForbiddenEqualsClause(kernel, "linear"), ForbiddenEqualsClause(batch, 64)))
    return space


VALID: Params = {"kernel": "rbf", "cost": 1.0, "shrink": True, "batch": 32, "kind": "svm"}


class Line:
    """Loss = |x - 0.25| + units / 100 on x in [0, 1], units in 1..8; reported as score = -loss, to be maximized."""

    def __init__(self, fail_above: float = 2.0, nan_above: float = 2.0) -> None:
        self.fail_above, self.nan_above = fail_above, nan_above
        self.evaluated: list[Params] = []
        space = ConfigurationSpace(name="line", seed=0)
        space.add([Float("x", (0.0, 1.0), default=0.5), Integer("units", (1, 8), default=4)])
        self.problem = Problem(
            "fake.line", space, (Objective("score", "maximize", -0.01, -0.83),), {"x": 0.5, "units": 4}
        )

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        self.evaluated.append(params)
        x, units = float(params["x"]), int(params["units"])
        if x > self.fail_above:
            raise RuntimeError("the training diverged")
        loss = float("nan") if x > self.nan_above else abs(x - 0.25) + units / 100
        return Outcome({"score": loss}, {"test_score": -loss - 1}, evaluation_seconds=2.0)

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        return None


MIXED: dict[str, list[Any]] = {
    "max_features": ["sqrt", "log2", None],
    "hidden": [(64, 64), (128,), ((32, 16), None)],
    "dropout": [0, 0.1, 0.5, 1.0],
    "weights": ["True", True, "None", None, 2],
    "flag": [True, 0.5],
    "steps": [[1], [1, 2], []],
    "options": [{"depth": 1}, {"depth": [2, None]}],
    "width": [np.int64(8), np.float32(0.1)],
}
"""Choices whose JSON and Python spellings differ, or which ConfigSpace changes."""


class Mixed:
    """Such choices of every kind, with conditions and clauses; checks that it receives them as declared."""

    def __init__(self) -> None:
        space = ConfigurationSpace(name="mixed", seed=0)
        parts: dict[str, Any] = {name: Categorical(name, choices) for name, choices in MIXED.items() if name != "steps"}
        parts["steps"] = OrdinalHyperparameter("steps", MIXED["steps"], default_value=[1, 2])
        parts["shape"] = Constant("shape", ((1, 2), 3))
        parts["momentum"], parts["decay"] = Float("momentum", (0.1, 0.9)), Integer("decay", (1, 9))
        space.add(list(parts.values()))
        space.add(EqualsCondition(parts["momentum"], parts["hidden"], (128,)))
        space.add(LessThanCondition(parts["decay"], parts["steps"], []))
        space.add(
            ForbiddenAndConjunction(
                ForbiddenEqualsClause(parts["max_features"], None), ForbiddenInClause(parts["hidden"], [(64, 64)])
            )
        )
        self.evaluated: list[Params] = []
        default = dict(space.get_default_configuration())
        self.problem = Problem("fake.mixed", space, (Objective("score", "minimize"),), default)

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        self.evaluated.append(params)
        places = []
        for name, choices in MIXED.items():
            same = [place for place, choice in enumerate(choices) if repr(_builtin(choice)) == repr(params[name])]
            places.append(same[0])
        params["options"].clear()  # a change by one evaluation must not affect others
        return Outcome({"score": sum(places) + params.get("momentum", 0.0) + params.get("decay", 0)})

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        return None


def _builtin(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


class Rich:
    """Every kind of hyperparameter and condition; the loss identifies configurations, and one of them fails."""

    def __init__(self, space: ConfigurationSpace | None = None) -> None:
        space = space or rich_space()
        self.problem = Problem(
            "made.rich", space, (Objective("loss", "minimize"),), default_of(space), hints={"correct": "C=1"}
        )

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        if params.get("kernel") == "linear" and params.get("shrink") is False:
            raise EvaluationError("It diverged.", 3.0)
        numbers = [float(value) for value in params.values() if isinstance(value, int | float)]
        return Outcome({"loss": sum(numbers) + len(str(params.get("kernel")))}, {"seed": float(seed)}, 1.0)

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        return None


class Scripted:
    """Proposes given params, then raises; remembers what it is told."""

    def __init__(self, proposals: Iterable[Proposal | dict[str, Any] | None]) -> None:
        self._proposals = iter(proposals)
        self.told: list[Trial] = []

    def ask(self) -> Proposal:
        proposal = next(self._proposals)
        return proposal if isinstance(proposal, Proposal) else Proposal(proposal)

    def tell(self, trial: Trial) -> None:
        self.told.append(trial)


class ScriptedChat:
    """Answers from a script, or from a function of the request; raises when the script runs out."""

    def __init__(self, replies: Iterable[str | Completion] | Callable[[ChatRequest], str | Completion]) -> None:
        self._answer = replies if callable(replies) else None
        self._replies = iter(()) if callable(replies) else iter(replies)
        self.requests: list[ChatRequest] = []

    def prepare(self) -> None:
        pass

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        done = []
        for request in requests:
            self.requests.append(request)
            reply = self._answer(request) if self._answer else next(self._replies)
            if isinstance(reply, str):
                usage = Usage(1, sum(len(m.content) for m in request.messages) // 4, 0, len(reply) // 4, 0.25)
                reply = Completion(reply, "stop", usage, len(self.requests) - 1)
            done.append(reply)
        return done
