"""Stand-ins for unit tests: a benchmark one can compute by hand, a scripted optimizer, a scripted chat model."""

from __future__ import annotations

import json
import math
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

from harness.chat import ChatRequest, Completion, Token
from harness.problem import Objective, Outcome, Params, Problem
from harness.space import Decoder
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
"""Choices that JSON writes in another way than Python, or ConfigSpace gives back as something else."""


class Mixed:
    """Such choices of every kind, conditions and clauses on them; it sees to it that it is handed what was declared."""

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
        params["options"].clear()  # what one evaluation does to a choice is nobody else's
        return Outcome({"score": sum(places) + params.get("momentum", 0.0) + params.get("decay", 0)})

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        return None


def _builtin(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


class Scripted:
    """Proposes what it is given, then raises; remembers what it is told."""

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


class SeededChat(ScriptedChat):
    """A deterministic model for contract tests: what it answers is a function of the request alone.

    It proposes configurations (with a fault now and then) from a space, as a hash of the prompt decides: several where
    the prompt shows the form of a list. Where the prompt asks for a number between ##, it answers one, with
    log-probabilities if they are asked for, and with nonsense now and then.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        import copy
        import zlib

        self._space = copy.deepcopy(space)
        self._read = Decoder(self._space)

        def answer(request: ChatRequest) -> str | Completion:
            key = zlib.crc32(repr((request.messages, request.seed)).encode())
            text = request.messages[0].content
            if "in the format ## " in text:
                return self._number(key, request.top_logprobs > 0)
            if "}, ...]" in text:
                return f"[{', '.join(self._configuration(key + i) for i in range(3 + key % 4))}]"
            return "I would rather not say." if key % 4 == 1 else f"Sure: {self._configuration(key)}"

        super().__init__(answer)

    def _configuration(self, key: int) -> str:
        self._space.seed(key % 2**32)
        params = self._read(self._space.sample_configuration())
        if key % 4 == 2:
            params["made_up"] = 1
        if key % 4 == 3:
            params.popitem()
        return json.dumps(params)

    def _number(self, key: int, logprobs: bool) -> Completion:
        """A number from 0 to 1, or the nearer digit with the log-probabilities of both; one reply in five is none."""
        chance = key % 1009 / 1009
        words = ["Hm", "."] if key % 5 == 0 else ["##", f" {round(chance) if logprobs else f'{chance:.4f}'}", " ##"]
        top = {" 0": math.log(1.001 - chance), " 1": math.log(0.001 + chance), "##": -9.0}
        text = "".join(words)
        usage = Usage(1, 100, 0, len(words), 0.25)
        tokens = tuple(Token(word, top) for word in words) if logprobs else None
        return Completion(text, "stop", usage, len(self.requests) - 1, tokens=tokens)
