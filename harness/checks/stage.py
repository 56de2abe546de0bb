"""Where an optimizer is tried: short runs on one benchmark, as in an experiment, with everybody watched."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.budget import Budget
from harness.build import build_benchmark, build_optimizer
from harness.checks.floor import Floor, Guarded, heard
from harness.checks.spoiled import EveryRepair, Spoiled
from harness.checks.stand_in import StandIn, models_in, with_model
from harness.checks.state import differs, fingerprint, kept_random_state
from harness.checks.witness import BrokenError, Witness, given_by
from harness.contract import check_proposal
from harness.errors import ContractError
from harness.jsonl import encode
from harness.loop import Judge, Row, evaluated, run_loop
from harness.problem import Benchmark, Problem
from harness.repair import NoRepair
from harness.start import DefaultStart, NoStart, Start, begin_with
from harness.trial import Optimizer, Proposal, Trial
from harness.values import TARGET

SEED = 0
"""Handed to evaluations; the optimizer's own is another argument."""
SPOILED_TRIALS = 24
"""Of a run in which proposals are spoiled, at least: enough for every kind of fault, and some valid proposals."""


def as_is(benchmark: Benchmark) -> Benchmark:
    """Nothing is changed."""
    return benchmark


@dataclass(frozen=True)
class Rehearsal:
    """What came of one short run.

    Attributes:
        optimizer: As built.
        problem: The benchmark's, after the run.
        rows: As they would stand in ``trials.jsonl``.
        returned: Copies of what ``ask`` returned, before anything was done to it.
        noticed: What the optimizer did that it must not, one sentence each.
        uses_model: Whether it has a language model to ask.
        requests: Those that the model answered.
        moved: What was done to the problem, in words; None if nothing.
    """

    optimizer: Optimizer
    problem: Problem
    rows: list[Row]
    returned: list[Proposal]
    noticed: list[str]
    uses_model: bool
    requests: int
    moved: str | None

    @property
    def decided(self) -> list[Any]:
        """What must be the same whenever the same is run again."""
        return [[row[key] for key in ("proposed", "fidelity", "executed", "violations")] for row in self.rows]


@dataclass(frozen=True)
class Stage:
    """One optimizer on one benchmark.

    Attributes:
        config: Resolved configuration; its ``benchmark`` (behind its ``probe``) and ``optimizer`` count.
        trials: Of a run.
    """

    config: Mapping[str, Any]
    trials: int

    @functools.cached_property
    def base(self) -> Rehearsal:
        """The run that others are compared with: seed 0, nothing changed."""
        return self.play()

    @functools.cached_property
    def spoiled(self) -> Rehearsal:
        """A run that starts from the default configuration, with faults in the proposals that follow."""
        return self.play(spoiled=True, start=DefaultStart())

    @property
    def gets_through(self) -> bool:
        """Whether the plain run reached its end."""
        return "base" in vars(self)

    @functools.cached_property
    def uses_model(self) -> bool:
        """Whether the optimizer asks a language model."""
        return bool(models_in(self.config["optimizer"], self.config.get("llm")))

    def benchmark(self) -> Benchmark:
        """The benchmark, built anew."""
        return build_benchmark(self.config, {"probe": SEED})

    def optimizer(self, problem: Problem, budget: Budget, seed: int) -> tuple[Optimizer, StandIn]:
        """The optimizer, built anew, and the model that answers it where it asks one.

        Raises:
            HyperboleError: It does not take its settings, or refuses the problem.
            BrokenError: It raises anything else.
        """
        chat = StandIn(problem.space)
        settings = with_model(self.config["optimizer"], self.config.get("llm"), chat)
        config = {**self.config, "optimizer": settings, "start": None}
        who = str(self.config["optimizer"].get(TARGET)).rpartition(".")[2]
        when = f"built for {problem.name} with {_said(budget)}"
        made = given_by(lambda: build_optimizer(config, problem, budget, {"optimizer": seed}), f"{who}.__init__", when)
        return made, chat

    def play(
        self,
        seed: int = 0,
        *,
        start: Start | None = None,
        logged: Sequence[Row] = (),
        spoiled: bool = False,
        through: Callable[[Benchmark], Benchmark] = as_is,
        before_ask: Sequence[Callable[[], None]] = (),
        planned: Budget | None = None,
        until: int | None = None,
    ) -> Rehearsal:
        """Play one run.

        Args:
            seed: The optimizer's.
            start: What the optimizer is told first.
            logged: Rows of the run's beginning, fed back as on resuming.
            spoiled: Whether every kind of fault is put into the proposals, and every repair made.
            through: What stands before the benchmark.
            before_ask: Called before each ask.
            planned: The budget that the optimizer is built with; None for one of as many proposals as there are.
            until: After how many trials it is interrupted; None to play it to the end.

        Raises:
            BrokenError: It cannot be played to the end.
            RunError: It departs from ``logged``.
            SettingError: The optimizer refuses the problem.
        """
        floor = Floor()
        benchmark = through(self.benchmark())
        problem = benchmark.problem
        trials = max(self.trials, SPOILED_TRIALS) if spoiled else self.trials
        budget = Budget(proposals=until or trials)
        before = fingerprint(problem)
        rows = list(logged)
        with kept_random_state(), heard(benchmark, floor), _breaches_stop():
            with floor.given_to("The optimizer's __init__"):
                optimizer, chat = self.optimizer(problem, planned or Budget(proposals=trials), seed)
            witness = Witness(optimizer, floor, before_ask)
            witness.prepare()
            asked: Optimizer = Spoiled(witness, problem) if spoiled else witness
            repair: Any = (EveryRepair if spoiled else NoRepair)(problem, seed)
            asked = begin_with(start or NoStart(), problem, asked)

            def record(row: Row) -> None:
                rows.append(json.loads(encode(row)))

            run_loop(Guarded(benchmark, floor), asked, repair, budget, SEED, record, logged)
        witness.look_back()
        noticed = [*witness.tampered, *floor.reached]
        moved = differs(before, fingerprint(problem))
        return Rehearsal(
            optimizer, problem, rows, witness.returned, noticed, self.uses_model, len(chat.requests), moved
        )


class Other:
    """Another instance of the optimizer that runs in the same process, a trial at each call."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._benchmark = stage.benchmark()
        problem = self._benchmark.problem
        self._optimizer = Witness(stage.optimizer(problem, Budget(proposals=stage.trials), seed)[0], Floor())
        self._optimizer.prepare()
        repair: Any = NoRepair(problem, seed)
        self._judge = Judge(problem, repair)
        self._index = 0

    def __call__(self) -> None:
        """One trial."""
        proposal = check_proposal(self._optimizer.ask(), self._optimizer)
        self._optimizer.tell(evaluated(self._judge(Trial(self._index, proposal)), self._benchmark, SEED))
        self._index += 1


def _said(budget: Budget) -> str:
    limits = ((name, getattr(budget, name)) for name in ("proposals", "evaluations", "tokens", "seconds"))
    return "a budget of " + ", ".join(f"{limit:g} {name}" for name, limit in limits if limit is not None)


@contextlib.contextmanager
def _breaches_stop() -> Iterator[None]:
    """A breach that ends a run ends the check of it."""
    try:
        yield
    except ContractError as error:
        raise BrokenError(str(error)) from error
