"""Planted defects, one per tiny plug-in: the checks find and name each."""

from __future__ import annotations

import copy
import importlib
import json
import os
import random
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace, Float, Integer

from harness.check import check, main
from harness.checks.benchmark_checks import breaches as breaches_of_benchmark
from harness.checks.elsewhere import decided_elsewhere, left_behind, measured_elsewhere, measured_otherwise
from harness.checks.evaluations import Bench
from harness.checks.optimizer_checks import breaches as breaches_of_optimizer
from harness.checks.stage import Stage
from harness.checks.witness import distinct
from harness.errors import SettingError
from harness.problem import Fidelity, Objective, Outcome, Problem
from harness.space import Decoder
from harness.trial import Fault, Proposal, Usage

HERE = "tests.harness.test_check"


class Fair:
    """Random search that keeps the contract; every defect below is one change of it."""

    def __init__(self, problem, seed, budget):
        self.problem, self.seed, self.budget = problem, seed, budget
        self.space = copy.deepcopy(problem.space)
        self.space.seed(seed)
        self.read = Decoder(self.space)
        self.rng = np.random.default_rng(seed)
        self.best = None

    def draw(self):
        return self.read(self.space.sample_configuration())

    def ask(self):
        return Proposal(self.draw(), proposer="random")

    def tell(self, trial):
        pass


def fraction(params, value):
    """The configuration with another value from 0 to 1 for its first float."""
    return params | {"rate": 10 ** (-3 * value)}


class SeedsTheSpace(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        self.space = problem.space
        self.space.seed(seed)


class EditsTheSpace(Fair):
    def tell(self, trial):
        self.problem.space["rate"].meta["seen"] = trial.index


class EditsTheDefault(Fair):
    def tell(self, trial):
        self.problem.default["rate"] = 0.5


class ChangesWeights(Fair):
    def tell(self, trial):
        weights = self.problem.space["solver"].probabilities
        weights[:] = weights**2 / sum(weights**2) + np.eye(len(weights))[0] * 1e-3


class LeaksNumpy(Fair):
    def draw(self):
        return super().draw() | {"rate": np.float64(0.5)}


class LeaksNumpyNames(Fair):
    def draw(self):
        return {np.str_(name): value for name, value in super().draw().items()}


class LeaksConfigSpacesStrings(Fair):
    def draw(self):
        return dict(self.space.sample_configuration())


class DrawsUnseeded(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        self.rng = np.random.default_rng()

    def draw(self):
        return fraction(super().draw(), self.rng.random())


class DrawsUnseededAfterAFault(Fair):
    def draw(self):
        if self.best == "invalid":
            self.space.seed(int(np.random.default_rng().integers(2**31)))
        return super().draw()

    def tell(self, trial):
        self.best = "invalid" if trial.violations else None


class DrawsFromTheProcess(Fair):
    def draw(self):
        return fraction(super().draw(), random.random())


class SeedsTheProcess(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        np.random.seed(seed)

    def draw(self):
        return fraction(super().draw(), np.random.random())


class MovesTheProcess(Fair):
    def ask(self):
        os.chdir("/")
        return super().ask()


class SilencesNumpy(Fair):
    def tell(self, trial):
        np.seterr(all="raise")


class IgnoresTheSeed(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, 5, budget)


class WantsALoss(Fair):
    def tell(self, trial):
        self.best = trial.outcome.losses["score"]


class WantsParams(Fair):
    def tell(self, trial):
        if trial.error is None:
            self.best = trial.params["rate"]


class WantsAConfiguration(Fair):
    """Fails only after an invalid proposal."""

    def tell(self, trial):
        if trial.proposal.params is not None and trial.violations:
            self.best = self.space["rate"].to_vector(trial.proposal.params["rate"])


class WantsARepairedProposal(Fair):
    def tell(self, trial):
        if trial.repair is not None:
            assert trial.params == trial.proposal.params


class WantsItsOwnTrials(Fair):
    def ask(self):
        self.last = super().ask()
        return self.last

    def tell(self, trial):
        self.best = self.last.params


class WantsAnEvaluation(Fair):
    def tell(self, trial):
        if trial.params is not None:
            self.best = trial.outcome.losses


class Quits(Fair):
    def tell(self, trial):
        sys.exit(1)


class ComesToAnEnd(Fair):
    """A grid with nothing left."""

    def draw(self):
        self.left = getattr(self, "left", iter(range(5)))
        next(self.left)
        return super().draw()


class AlwaysTheSameGrid(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, 0, budget)


class LeavesTheSpace(Fair):
    def draw(self):
        return super().draw() | {"rate": 1.5}


class ForgetsOne(Fair):
    def draw(self):
        params = super().draw()
        params.pop("batch")
        return params


class InventsAFidelity(Fair):
    def ask(self):
        return Proposal(self.draw(), {"epochs": 3})


class HidesFidelity(Fair):
    def ask(self):
        return Proposal(self.draw(), {"steps": 3})


class ClaimsFidelity(Fair):
    needs_fidelity = True


class LooksIntoTheLoop(Fair):
    def ask(self):
        frame = sys._getframe()
        while frame and "benchmark" not in frame.f_locals:
            frame = frame.f_back
        frame.f_locals["benchmark"].evaluate(self.problem.default, None, 0)
        return super().ask()


class LooksAtTheOptimum(Fair):
    def ask(self):
        frame = sys._getframe()
        while frame and "benchmark" not in frame.f_locals:
            frame = frame.f_back
        self.best = frame.f_locals["benchmark"].problem.objectives[0].optimum
        return super().ask()


class MakesItsOwn(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        toy = importlib.import_module("benchmarks.toy").Toy(task="peak")
        self.best = toy.evaluate(problem.default, None, 0)


class ReturnsADict(Fair):
    def ask(self):
        return self.draw()


class ReturnsAConfiguration(Fair):
    def ask(self):
        return Proposal(self.space.sample_configuration().get_array())


class SharesAList(Fair):
    told: ClassVar[list[int]] = []

    def draw(self):
        return fraction(super().draw(), 1 / (1 + len(self.told)))

    def tell(self, trial):
        self.told.append(trial.index)


class SharesADefault(Fair):
    def __init__(self, problem, seed, budget, told=[]):  # noqa: B006
        super().__init__(problem, seed, budget)
        self.told = told

    def draw(self):
        return fraction(super().draw(), 1 / (1 + len(self.told)))

    def tell(self, trial):
        self.told.append(trial.index)


class SharesWhileItRuns(Fair):
    """A defect that two runs in sequence do not show."""

    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        type(self).count = 0

    def draw(self):
        return fraction(super().draw(), 1 / (1 + type(self).count))

    def tell(self, trial):
        type(self).count += 1


class KeepsACheckpoint(Fair):
    """Resumes from its own record of an unfinished run, although the harness replays the log."""

    unfinished: ClassVar[dict] = {}

    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        self.told = self.unfinished.get((seed, budget), 0)

    def draw(self):
        return fraction(super().draw(), 1 / (1 + self.told))

    def tell(self, trial):
        self.told += 1
        if trial.index + 1 < self.budget.proposals:
            self.unfinished[self.seed, self.budget] = self.told
        else:
            self.unfinished.pop((self.seed, self.budget), None)


class ChangesTheTrial(Fair):
    def tell(self, trial):
        if trial.params is not None:
            trial.params.clear()


class ChangesTheOutcome(Fair):
    def tell(self, trial):
        if trial.outcome is not None:
            trial.outcome.losses["score"] = 0.0


class ChangesTheTrialLater(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        self.kept = []

    def tell(self, trial):
        for kept in self.kept:
            if kept.params is not None:
                kept.params["rate"] = 0.0
        self.kept.append(trial)


class ProposesOneDict(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        self.current = {}

    def draw(self):
        self.current.clear()
        self.current.update(super().draw())
        return self.current


class NeedsProposals(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        self.plan = list(range(budget.proposals))


class SaysAModel(Fair):
    def ask(self):
        return Proposal(self.draw(), proposer="model")


class SaysAStart(Fair):
    def ask(self):
        return Proposal(self.draw(), proposer="start")


class Misdeclared(Fair):
    multi_objective = "yes"


class FailsToBuild(Fair):
    def __init__(self, problem, seed, budget):
        raise KeyError("lr")


class FollowsASet(Fair):
    def draw(self):
        names = list({f"name{i}" for i in range(40)})
        self.turn = getattr(self, "turn", -1) + 1  # the first name alone is the same in one of forty processes
        return fraction(super().draw(), int(names[self.turn % 40][4:]) / 40)


class Asks(Fair):
    """Takes a model, and does not charge its calls."""

    def __init__(self, problem, seed, budget, chat):
        super().__init__(problem, seed, budget)
        self.chat = chat

    def ask(self):
        from harness.chat import ChatRequest, Message

        (reply,) = self.chat.complete([ChatRequest((Message("user", f"{self.rng.random()}"),))])
        return Proposal(json.loads(reply.text[6:]) if reply.text[:5] == "Sure:" else None, usage=self.usage(reply))

    def usage(self, reply):
        return Usage()


class Charges(Asks):
    def usage(self, reply):
        return reply.usage


def stage(kind, task="peak", **settings):
    toy = {"_target_": "benchmarks.toy.Toy", "task": task}
    return Stage({"benchmark": toy, "optimizer": {"_target_": f"{HERE}.{kind.__name__}", **settings}, "seed": 0}, 8)


LLM = {"_target_": "llms.models.vllm", "recording": None, "replay": None, "live": True}
OPTIMIZERS = {
    SeedsTheSpace: "SeedsTheSpace changes the random state of problem.space",
    EditsTheSpace: "EditsTheSpace changes problem.space",
    EditsTheDefault: "EditsTheDefault changes problem.default",
    ChangesWeights: "ChangesWeights changes problem.space, which is shared",
    LeaksNumpy: "LeaksNumpy.ask returned a numpy.float64 as rate; return builtin values",
    LeaksNumpyNames: "LeaksNumpyNames.ask returned a numpy.str_ as the name",
    LeaksConfigSpacesStrings: "LeaksConfigSpacesStrings.ask returned a numpy.",
    DrawsUnseeded: "DrawsUnseeded proposes differently in a second run with the same seed; draw only from a generator",
    DrawsUnseededAfterAFault: "proposes differently in a second run with the same seed and invalid proposals",
    DrawsFromTheProcess: "DrawsFromTheProcess draws from the global random state",
    MovesTheProcess: "MovesTheProcess changes the working directory",
    SilencesNumpy: "SilencesNumpy changes NumPy's handling of errors",
    SeedsTheProcess: "SeedsTheProcess draws from the global random state",
    IgnoresTheSeed: "IgnoresTheSeed proposes the same with the seeds 0 and 1",
    WantsALoss: "WantsALoss.tell raised AttributeError",
    WantsParams: "WantsParams.tell raised TypeError",
    WantsAConfiguration: "WantsAConfiguration.tell raised",
    WantsARepairedProposal: "WantsARepairedProposal.tell raised AssertionError",
    WantsItsOwnTrials: "WantsItsOwnTrials.tell raised AttributeError",
    WantsAnEvaluation: "WantsAnEvaluation.tell raised AttributeError",
    Quits: "Quits.tell raised SystemExit: 1",
    ComesToAnEnd: "until the budget is spent: a method with nothing new left proposes something again.",
    AlwaysTheSameGrid: "so its runs are not independent; draw, or choose an order, with a generator made from the seed",
    LeavesTheSpace: "LeavesTheSpace.ask proposes what is invalid for toy.peak: rate = 1.5 is out of range",
    ForgetsOne: "ForgetsOne.ask proposes what is invalid for toy.peak: batch is missing",
    InventsAFidelity: "invalid for toy.peak: fidelity.epochs is not a fidelity of this task",
    HidesFidelity: "HidesFidelity proposes fidelities; set needs_fidelity = True",
    ClaimsFidelity: "ClaimsFidelity has needs_fidelity = True, but proposed none below the highest",
    LooksIntoTheLoop: "LooksIntoTheLoop.ask evaluates the benchmark itself; an optimizer sees",
    LooksAtTheOptimum: "LooksAtTheOptimum.ask accesses the benchmark",
    MakesItsOwn: "__init__ evaluates the benchmark itself",
    ReturnsADict: "ReturnsADict.ask returned dict",
    ReturnsAConfiguration: "a Proposal whose params is ndarray",
    SharesAList: "in a second run with the same seed: SharesAList.told is shared by all instances",
    SharesADefault: "a default argument of SharesADefault.__init__ is shared by all instances",
    SharesWhileItRuns: "SharesWhileItRuns proposes differently while another instance runs",
    KeepsACheckpoint: "KeepsACheckpoint cannot be resumed",
    ChangesTheTrial: "ChangesTheTrial.tell changes the trial passed to it",
    ChangesTheOutcome: "ChangesTheOutcome.tell changes the trial passed to it",
    ChangesTheTrialLater: "ChangesTheTrialLater changes a trial, or its proposal, after tell",
    ProposesOneDict: "ProposesOneDict changes a trial, or its proposal, after tell",
    NeedsProposals: "NeedsProposals.__init__ raised TypeError",
    SaysAModel: "SaysAModel sets proposer=model, but has no language model among its settings",
    SaysAStart: "SaysAStart sets proposer=start",
    Misdeclared: "Misdeclared.multi_objective is yes (str); give true or false",
    FailsToBuild: "FailsToBuild.__init__ raised KeyError: 'lr' (test_check.py, line ",
}


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.__name__)
def test_a_planted_defect_of_an_optimizer_is_found(kind):
    found = breaches_of_optimizer(stage(kind))
    assert any(OPTIMIZERS[kind] in breach for breach in found), found
    assert all(breach.endswith(".") for breach in found)


@pytest.mark.parametrize("task", ["branin", "peak", "front"])
def test_a_fair_optimizer_breaks_nothing(task):
    assert breaches_of_optimizer(stage(Fair, task)) == []


def test_a_model_that_was_asked_is_charged():
    assert breaches_of_optimizer(stage(Charges, chat=LLM)) == []
    (found,) = breaches_of_optimizer(stage(Asks, chat=LLM))
    assert found.startswith("Asks asked the language model 8 times in 8 trials, but the usage of its proposals has 0")


def test_minimizing_a_further_objective_is_to_be_said():
    class_ = "MinimizesTheSecond"
    (found,) = breaches_of_optimizer(stage(MinimizesTheSecond, "front"))
    assert found == f"{class_} minimizes more than the first objective; set multi_objective = True in the class."


class MinimizesTheSecond(Fair):
    def tell(self, trial):
        if trial.outcome is not None:
            self.best = trial.outcome.losses.get("speed", 0.0)

    def draw(self):
        return super().draw() | ({} if self.best is None else {"share": self.best % 1})


def test_what_differs_from_process_to_process_is_found():
    stages = [stage(Fair), stage(FollowsASet), stage(SharesAList)]
    for each in stages:
        each.play()
    fair, ordered, shared = (
        list(left_behind(each, decided)) for each, decided in zip(stages, decided_elsewhere(stages), strict=True)
    )
    assert fair == []
    assert ordered[0].startswith("FollowsASet proposes differently in a fresh process")
    assert shared[0].startswith("SharesAList proposes differently in a fresh process")


class Sound:
    """A benchmark that keeps the contract; every defect below is one change of it."""

    objectives = (Objective("error", "minimize", 0.0, 20.0),)

    def __init__(self):
        space = ConfigurationSpace(name="sound")
        space.add([Float("x", (0.0, 1.0), default=0.5), Integer("units", (1, 8), default=4)])
        default = {"x": 0.5, "units": 4}
        self.problem = Problem("sound.line", space, self.objectives, default, (Fidelity("steps", 1, 9, integer=True),))

    def loss(self, params):
        return params["x"] + params["units"]

    def evaluate(self, params, fidelity, seed):
        return Outcome({"error": self.loss(params)}, {"test_error": 1.0}, 0.5)

    def random_search_curve(self, evaluations):
        return None


class Noisy(Sound):
    def loss(self, params):
        return super().loss(params) + np.random.default_rng().random()


class NoisyInACorner(Sound):
    def loss(self, params):
        return super().loss(params) + (np.random.default_rng().random() if params["x"] > 0.9 else 0.0)


class Exits(Sound):
    def loss(self, params):
        sys.exit(0)


class SeedsWhileItEvaluates(Sound):
    def evaluate(self, params, fidelity, seed):
        np.random.seed(seed)
        return super().evaluate(params, fidelity, seed)


class EvaluatesElsewhere(Sound):
    def evaluate(self, params, fidelity, seed):
        os.chdir("/")
        return super().evaluate(params, fidelity, seed)


class NoisyByProcess(Sound):
    def loss(self, params):
        return super().loss(params) + np.random.random()


class Differs(Sound):
    made = 0

    def __init__(self):
        super().__init__()
        type(self).made += 1
        self.bias = self.made

    def loss(self, params):
        return super().loss(params) + self.bias


class CountsUp(Sound):
    count = 0

    def loss(self, params):
        self.count += 1
        return super().loss(params) + self.count / 1000


class NotFinite(Sound):
    def loss(self, params):
        return float("nan") if params["x"] > 0.8 else super().loss(params)


class Penalizes(Sound):
    def loss(self, params):
        return float("inf") if params["x"] > 0.8 else super().loss(params)


class ChangesParams(Sound):
    def evaluate(self, params, fidelity, seed):
        outcome = super().evaluate(params, fidelity, seed)
        params["x"] = 0.0
        return outcome


class ChangesFidelity(Sound):
    def evaluate(self, params, fidelity, seed):
        (fidelity or {}).clear()
        return super().evaluate(params, fidelity, seed)


class OtherName(Sound):
    def evaluate(self, params, fidelity, seed):
        return Outcome({"loss": 1.0})


class ReturnsAFloat(Sound):
    def evaluate(self, params, fidelity, seed):
        return self.loss(params)


class BothLossAndMetric(Sound):
    def evaluate(self, params, fidelity, seed):
        return Outcome({"error": self.loss(params)}, {"error": 1.0})


class BeyondTheOptimum(Sound):
    objectives = (Objective("error", "minimize", 4.0, 20.0),)


class WrongSign(Sound):
    objectives = (Objective("error", "maximize", scale=(20.0, 0.0)),)


class Flat(Sound):
    def loss(self, params):
        return 1.0


class AlwaysFails(Sound):
    def loss(self, params):
        raise KeyError("lr")


class KeepsOneOutcome(Sound):
    def evaluate(self, params, fidelity, seed):
        self.kept = getattr(self, "kept", {})
        key = json.dumps(params)
        self.kept[key] = self.kept.get(key) or super().evaluate(params, fidelity, seed)
        return self.kept[key]


class RefusesLowFidelity(Sound):
    def evaluate(self, params, fidelity, seed):
        if (fidelity or {}).get("steps", 9) < 3:
            raise ValueError("too few steps")
        return super().evaluate(params, fidelity, seed)


class TakesTheLowest(Sound):
    def evaluate(self, params, fidelity, seed):
        outcome = super().evaluate(params, fidelity, seed)
        outcome.losses["error"] += 0.5 if (fidelity or {}).get("steps", 1) == 1 else 0.0
        return outcome


class NoisyWhereCheap(Sound):
    def evaluate(self, params, fidelity, seed):
        outcome = super().evaluate(params, fidelity, seed)
        outcome.losses["error"] += np.random.default_rng().random() if (fidelity or {}).get("steps", 9) < 9 else 0.0
        return outcome


class NotFiniteWhereCheap(Sound):
    def evaluate(self, params, fidelity, seed):
        cheap = (fidelity or {}).get("steps", 9) < 9 and params["x"] > 0.8
        return Outcome({"error": float("nan")}) if cheap else super().evaluate(params, fidelity, seed)


class DrawsFromItsSpace(Sound):
    def loss(self, params):
        self.problem.space.sample_configuration()
        return super().loss(params)


class OtherDefault(Sound):
    def __init__(self):
        super().__init__()
        self.problem = Problem("sound.line", self.problem.space, self.objectives, {"x": 0.1, "units": 4})


class RisingCurve(Sound):
    def random_search_curve(self, evaluations):
        return [float(k) for k in range(evaluations)]


class WrongCurve(Sound):
    def random_search_curve(self, evaluations):
        return [0.5 / (1 + k) for k in range(evaluations)]


class FailingCurve(Sound):
    def random_search_curve(self, evaluations):
        return self.table[:evaluations]


class TasksInOneText(Sound):
    tasks = "line"


class QuantilesWithoutCount(Sound):
    def loss_quantiles(self):
        return [1.0]


class Hashes(Sound):
    def loss(self, params):
        return hash(str(params)) % 1000 / 1000


BENCHMARKS = {
    Noisy: "Noisy.evaluate returns something else the second time",
    NoisyInACorner: "NoisyInACorner.evaluate returns something else the second time",
    Exits: "Exits.evaluate fails at all of 51 configurations; first error: SystemExit",
    SeedsWhileItEvaluates: "SeedsWhileItEvaluates.evaluate changes the global random state",
    EvaluatesElsewhere: "EvaluatesElsewhere.evaluate changes the working directory",
    NoisyByProcess: "it draws from the global random state",
    CountsUp: "CountsUp.evaluate returns something else the second time",
    Differs: "Differs: two instances return different outcomes",
    NotFinite: "NotFinite.evaluate: The evaluation returned nan for error.",
    Penalizes: "Penalizes.evaluate: The evaluation returned inf for error.",
    ChangesParams: "ChangesParams.evaluate changes its argument params",
    ChangesFidelity: "ChangesFidelity.evaluate changes its argument fidelity",
    OtherName: "OtherName.evaluate returned losses for loss; the problem's objectives are error",
    ReturnsAFloat: "ReturnsAFloat.evaluate returned",
    BothLossAndMetric: "BothLossAndMetric.evaluate returns 'error' as a loss and as a metric",
    BeyondTheOptimum: "beyond the declared optimum 4",
    WrongSign: "beyond the declared worst value of the scale 0",
    Flat: "Flat: 51 configurations all have the same error",
    AlwaysFails: "AlwaysFails.evaluate fails at all of 51 configurations; first error: KeyError: 'lr'",
    KeepsOneOutcome: "KeepsOneOutcome.evaluate returns the same outcome object twice",
    RefusesLowFidelity: "RefusesLowFidelity.evaluate fails at steps = 1, which the problem declares",
    TakesTheLowest: "TakesTheLowest.evaluate returns something else for steps = 9 than for no fidelity",
    NoisyWhereCheap: "NoisyWhereCheap.evaluate returns something else the second time at steps = 1.",
    NotFiniteWhereCheap: "NotFiniteWhereCheap.evaluate: The evaluation returned nan for error.",
    DrawsFromItsSpace: "DrawsFromItsSpace changes the random state of problem.space",
    OtherDefault: "OtherDefault: the problem's default is {'x': 0.1, 'units': 4}, but its space's is",
    RisingCurve: "losses are minimized, so it cannot rise",
    WrongCurve: "WrongCurve.random_search_curve returns 0.05 for the best of 10 draws",
    FailingCurve: "FailingCurve.random_search_curve raised AttributeError",
    TasksInOneText: "TasksInOneText.tasks is line (str); give a list of texts",
    QuantilesWithoutCount: "QuantilesWithoutCount.loss_quantiles takes (), but is called as loss_quantiles(count)",
}


@pytest.mark.parametrize("kind", BENCHMARKS, ids=lambda kind: kind.__name__)
def test_a_planted_defect_of_a_benchmark_is_found(kind):
    found = breaches_of_benchmark(Bench(kind, kind()))
    assert any(BENCHMARKS[kind] in breach for breach in found), found
    assert kind in (OtherName, ReturnsAFloat, AlwaysFails, Exits) or len(found) == 1, found


def test_a_sound_benchmark_breaks_nothing():
    assert breaches_of_benchmark(Bench(Sound, Sound())) == []


def test_a_benchmark_that_differs_from_process_to_process_is_found():
    elsewhere = measured_elsewhere({"benchmark": {"_target_": f"{HERE}.Hashes"}, "seed": 0})
    (found,) = measured_otherwise(Bench(Hashes, Hashes()), elsewhere)
    assert found.startswith("Hashes.evaluate returns something else in a fresh process")


def test_an_import_of_a_benchmark_is_found(tmp_path, monkeypatch):
    (tmp_path / "peeking_plug_in.py").write_text(
        f"from {HERE} import Fair\n\n\nclass Peeks(Fair):\n    def tell(self, trial):\n"
        "        from benchmarks.toy import branin\n\n        self.best = branin\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    toy = {"_target_": "benchmarks.toy.Toy", "task": "peak"}
    peeks = Stage({"benchmark": toy, "optimizer": {"_target_": "peeking_plug_in.Peeks"}, "seed": 0}, 8)
    assert "peeking_plug_in.py, line 6, imports benchmarks.toy; an optimizer never sees a benchmark (law 4)" in str(
        breaches_of_optimizer(peeks)
    )


def test_spoiled_proposals_have_every_kind_of_fault():
    rich = {"_target_": "tests.support.fakes.Rich"}
    rows = Stage({**stage(Fair).config, "benchmark": rich}, 8).spoiled.rows
    assert {violation["fault"] for row in rows for violation in row["violations"]} == set(Fault)
    assert {row["repair"] for row in rows} == {None, "clamp", "nearest", "random"}


def checked(*arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "harness.check", *arguments],
        env={**os.environ, "PYTHONPATH": f"{cwd}:{os.getcwd()}"},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def outside(tmp_path):
    """A plug-in of each group, outside the repository."""
    (tmp_path / "mine.py").write_text(
        f"from {HERE} import Fair, LeaksNumpy, Sound, Noisy\n\n\nclass Unsound(Sound):\n"
        "    def __init__(self):\n        super().__init__()\n        self.evaluate = None\n"
    )
    for group, name in (
        ("optimizer", "Fair"),
        ("optimizer", "LeaksNumpy"),
        ("benchmark", "Sound"),
        ("benchmark", "Noisy"),
    ):
        (tmp_path / "conf" / group).mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / group / f"my_{name.lower()}.yaml").write_text(f"_target_: mine.{name}\n")
    (tmp_path / "conf" / "benchmark" / "my_unsound.yaml").write_text("_target_: mine.Unsound\n")
    return tmp_path


def test_the_command_says_what_it_found(outside):
    found = "hydra.searchpath=[conf]"
    done = checked("optimizer=my_fair", "benchmark=my_sound", "budget.proposals=8", found, cwd=outside)
    assert (done.returncode, done.stdout) == (
        0,
        "benchmark=my_sound: keeps the contract.\noptimizer=my_fair: keeps the contract.\n",
    ), done.stderr
    assert sorted(path.name for path in outside.iterdir() if path.name != "__pycache__") == ["conf", "mine.py"]
    done = checked("optimizer=my_leaksnumpy", "budget.proposals=8", found, cwd=outside)
    assert done.returncode == 1
    assert done.stdout.startswith("optimizer=my_leaksnumpy: LeaksNumpy.ask returned a numpy.float64 as rate; ")


@pytest.mark.slow
def test_verdicts(outside, monkeypatch):
    monkeypatch.syspath_prepend(outside)
    found = f"hydra.searchpath=[{outside / 'conf'}]"
    (noisy,) = check(["benchmark=my_noisy", "optimizer=my_fair", found])  # nothing runs on a broken benchmark
    assert noisy.what == "benchmark=my_noisy"
    assert "Noisy.evaluate returns something else the second time" in noisy.breaches[0]
    (unsound,) = check(["benchmark=my_unsound", found])
    assert unsound.breaches == ["Unsound.evaluate is missing; define evaluate(params, fidelity, seed)."]
    (needs,) = check(["optimizer=hyperband", "budget.proposals=4"])
    assert needs.breaches == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["optimizer=tp"], "Unknown optimizer 'tp'; did you mean 'tpe'?"),
        (["optimizer=tpe", "optimizer.candidates=many"], "optimizer.candidates is 'many'; give a whole number"),
        (["seed=3"], "Nothing to check; give optimizer=NAME, benchmark=NAME or both."),
        (["optimizer=hyperband", "benchmark=hpobench"], "hyperband"),
        (["optimizer=tpe,smac"], "has several values: give this command one"),
        (["benchmark=toy", "benchmark.task=peek"], "did you mean 'peak'?"),
    ],
)
def test_a_mistake_in_the_command_is_a_sentence(arguments, told, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["check", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err


class SharesAGenerator(Fair):
    """Fails in the other instance, whose turn comes within this one's."""

    draws = None

    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        type(self).draws = iter([super(SharesAGenerator, self).draw() for _ in range(budget.proposals or 8)])

    def draw(self):
        return next(self.draws)


class WantsProposals(Fair):
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        if budget.proposals is None:
            raise SettingError("This method plans ahead; give budget.proposals.")


def test_instances_that_get_in_each_others_way_are_a_sentence():
    found = breaches_of_optimizer(stage(SharesAGenerator))
    assert found
    assert "SharesAGenerator.ask raised StopIteration" in found[0]


def test_a_method_may_say_that_it_needs_another_budget():
    assert breaches_of_optimizer(stage(WantsProposals)) == []


@pytest.mark.parametrize("name", ["DriftsAway", "ChangesTheOutcome", "NeedsProposals", "WantsPlans"])
def test_one_defect_is_one_sentence(name):
    tasks = ("branin", "peak") if name != "DriftsAway" else ("peak",)
    found = [breach for task in tasks for breach in breaches_of_optimizer(stage(globals()[name], task))]
    assert len(distinct(found)) == 1, found


class WantsPlans(Fair):
    def ask(self):
        if self.best is not None and self.best > 18:
            raise IndexError("list index out of range")
        return super().ask()

    def tell(self, trial):
        self.best = trial.index


class DriftsAway(Fair):
    def draw(self):
        return super().draw() | {"rate": 2.0 + self.rng.random()}
