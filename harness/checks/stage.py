"""The stage on which an optimizer is checked: short runs on one benchmark, under observation."""

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
from harness.checks.state import differs, fingerprint, kept_process, kept_random_state, process_state
from harness.checks.witness import BrokenError, Witness, given_by
from harness.contract import check_proposal, named
from harness.errors import ContractError
from harness.jsonl import encode
from harness.loop import Judge, Row, evaluated, run_loop
from harness.problem import Benchmark, Problem
from harness.repair import NoRepair
from harness.start import DefaultStart, NoStart, Start, begin_with
from harness.trial import Optimizer, Proposal, Trial
from harness.values import TARGET

SEED = 0
"""Seed of evaluations; the optimizer's seed is separate."""
SPOILED_TRIALS = 24
"""Smallest number of trials of a run with inserted faults: enough for every kind of fault and some valid proposals."""


def as_is(benchmark: Benchmark) -> Benchmark:
    """Return the benchmark unchanged."""
    return benchmark


@dataclass(frozen=True)
class Rehearsal:
    """The result of one short run.

    Attributes:
        optimizer: The optimizer.
        problem: The benchmark's problem, after the run.
        rows: Rows as in ``trials.jsonl``.
        returned: Copies of the proposals returned by ``ask``.
        noticed: Sentences on forbidden actions of the optimizer.
        uses_model: Whether it uses a language model.
        requests: Number of answered requests.
        moved: The changed part of the problem, or None.
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
        """The part that must be reproducible."""
        return [[row[key] for key in ("proposed", "fidelity", "executed", "violations")] for row in self.rows]


@dataclass(frozen=True)
class Stage:
    """One optimizer on one benchmark.

    Attributes:
        config: Resolved configuration; its ``benchmark``, ``probe`` and ``optimizer`` are used.
        trials: Number of trials per run.
    """

    config: Mapping[str, Any]
    trials: int

    @functools.cached_property
    def base(self) -> Rehearsal:
        """The reference run: seed 0, nothing changed."""
        return self.play()

    @functools.cached_property
    def spoiled(self) -> Rehearsal:
        """A run with a start from the default configuration and inserted faults."""
        return self.play(spoiled=True, start=DefaultStart())

    @property
    def gets_through(self) -> bool:
        """Whether the reference run reached its end."""
        return "base" in vars(self)

    @functools.cached_property
    def uses_model(self) -> bool:
        """Whether the optimizer uses a language model."""
        return bool(models_in(self.config["optimizer"], self.config.get("llm")))

    def benchmark(self) -> Benchmark:
        """A new instance of the benchmark."""
        return build_benchmark(self.config, {"probe": SEED})

    def optimizer(self, problem: Problem, budget: Budget, seed: int) -> tuple[Optimizer, StandIn]:
        """A new instance of the optimizer, and its stand-in model.

        Raises:
            HyperboleError: It refuses its settings or the problem.
            BrokenError: It raises another exception.
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
        """Run the optimizer.

        Args:
            seed: Seed of the optimizer.
            start: The start of the run.
            logged: Rows of the run's beginning, replayed as when resuming.
            spoiled: Whether to insert all faults and use all repairs.
            through: Wrapper of the benchmark.
            before_ask: Called before each ask.
            planned: The optimizer's budget; None for the number of proposals of the run.
            until: Number of trials before an interruption; None to reach the end.

        Raises:
            BrokenError: The run does not reach its end.
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
        everywhere = process_state()
        with kept_process(), kept_random_state(), heard(benchmark, floor), _breaches_stop():
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
            left = differs(everywhere, process_state())
        witness.look_back()
        noticed = [*witness.tampered, *floor.reached]
        if left is not None:
            noticed.append(f"{named(optimizer)} changes {left}, which the whole process shares; restore it.")
        moved = differs(before, fingerprint(problem))
        return Rehearsal(
            optimizer, problem, rows, witness.returned, noticed, self.uses_model, len(chat.requests), moved
        )


class Other:
    """Another instance of the optimizer in the same process; each call runs one trial."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._benchmark = stage.benchmark()
        problem = self._benchmark.problem
        self._optimizer = Witness(stage.optimizer(problem, Budget(proposals=stage.trials), seed)[0], Floor())
        self._optimizer.prepare()
        repair: Any = NoRepair(problem, seed)
        self._judge = Judge(problem, repair)
        self._index = 0

    def __call__(self) -> None:
        """Run one trial."""
        proposal = check_proposal(self._optimizer.ask(), self._optimizer)
        self._optimizer.tell(evaluated(self._judge(Trial(self._index, proposal)), self._benchmark, SEED))
        self._index += 1


def _said(budget: Budget) -> str:
    limits = ((name, getattr(budget, name)) for name in ("proposals", "evaluations", "tokens", "seconds"))
    return "a budget of " + ", ".join(f"{limit:g} {name}" for name, limit in limits if limit is not None)


@contextlib.contextmanager
def _breaches_stop() -> Iterator[None]:
    """A broken rule that ends a run also ends its check."""
    try:
        yield
    except ContractError as error:
        raise BrokenError(str(error)) from error
