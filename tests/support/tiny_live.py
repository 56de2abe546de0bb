"""A live family for tests of tables: few configurations, a condition, some failures, a real training process."""

from __future__ import annotations

import math
import os
import time

from ConfigSpace import ConfigurationSpace, EqualsCondition
from ConfigSpace.hyperparameters import CategoricalHyperparameter, Constant, OrdinalHyperparameter

from benchmarks.shared.measures import chosen, outcome
from benchmarks.training.live import Live
from harness.problem import Description, Fidelity, Objective, Problem

VERSION = "tiny_live 1"
STEPS = Fidelity("steps", 1, 9, integer=True)
KNOWN = {
    "balanced_accuracy": Objective("balanced_accuracy", "maximize"),
    "train_seconds": Objective("train_seconds", "minimize"),
}


class Trainer:
    def __init__(self, trace=None, seconds=0.0):
        self.trace, self.seconds = trace, seconds

    def train(self, params, fidelity, seed):
        time.sleep(self.seconds)
        if self.trace is not None:
            with open(self.trace, "a") as file:
                file.write(f"{os.getpid()}\n")
        if params["width"] == 8 and params["kind"] == "deep":
            raise ValueError("the solver diverged")
        rate = params.get("rate", 0.03)
        score = 0.9 - 0.02 * abs(math.log10(rate / 0.07)) - 0.03 * abs(params["width"] - 3.3) / 10
        score += 0.01 * math.sin(seed + params["width"]) - 0.1 / fidelity["steps"]
        numbers = {"balanced_accuracy": score, "test_balanced_accuracy": score - 0.01, "model_size": params["width"]}
        return {**numbers, "train_seconds": fidelity["steps"] * rate}


class TinyLive:
    tasks = ("a",)
    live = True

    def __init__(self, task="a", space="grid", objectives=None, trace=None, seconds=0.0, cache="user"):
        self._live = Live("tests.support.tiny_live:Trainer", {"trace": trace, "seconds": seconds}, VERSION, None, cache)
        made = ConfigurationSpace(name=f"tiny_live.{task}")
        kind = CategoricalHyperparameter("kind", ("flat", "deep"), default_value="deep", weights=(1, 3))
        rate = OrdinalHyperparameter("rate", (1e-3, 1e-2, 0.1, 1.0), default_value=0.1, meta={"description": "speed"})
        width = OrdinalHyperparameter("width", (1, 2, 4, 8), default_value=2)
        made.add(width, kind, rate, Constant("version", 1), EqualsCondition(rate, kind, "deep"))
        if space != "grid":
            made = ConfigurationSpace(f"tiny_live.{task}", space={"width": (1, 8), "rate": (1e-3, 1.0)})
        default = (
            {"kind": "deep", "rate": 0.1, "version": 1, "width": 2} if space == "grid" else {"width": 2, "rate": 0.1}
        )
        self.problem = Problem(
            name=f"tiny_live.{task}",
            space=made,
            objectives=chosen(objectives, KNOWN, "tiny_live"),
            default=default,
            fidelities=(STEPS,),
            description=Description("A tiny model is tuned.", "There are no data."),
            contexts={"names": "No features."},
        )

    def evaluate(self, params, fidelity, seed):
        measured = self._live.measure(params, {"steps": STEPS.upper, **(fidelity or {})}, seed)
        return outcome(measured.values, self.problem.objectives, measured.seconds)

    def random_search_curve(self, evaluations):
        return None
