"""Insert every kind of fault into proposals, with every repair, for methods that make no invalid proposals."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ConfigSpace.forbidden import ForbiddenConjunction
from ConfigSpace.hyperparameters import NumericalHyperparameter

from harness.choices import has_choices
from harness.faults import FIDELITY
from harness.levels import levels_of
from harness.problem import Params, Problem
from harness.repair import Clamp, Nearest, NoRepair, RandomRepair
from harness.space import Decoder
from harness.trial import Fault, Optimizer, Proposal, Trial, Violation
from harness.validity import Checker

UNSPOILED = 4
"""One proposal in this many is not changed, so that the optimizer gets results."""


class Spoiled:
    """An optimizer with faults inserted into its proposals, one kind after the other.

    Args:
        optimizer: The optimizer.
        problem: Its problem; the possible faults depend on the space.
    """

    def __init__(self, optimizer: Optimizer, problem: Problem) -> None:
        self._optimizer = self.wrapped = optimizer
        self._problem = problem
        self._asks, self._spoilt = itertools.count(1), itertools.count()

    def ask(self) -> Proposal:
        """A proposal with one fault, or an unchanged one."""
        proposal = self._optimizer.ask()
        if not isinstance(proposal, Proposal) or next(self._asks) % UNSPOILED == 0:
            return proposal
        kinds = list(_spoilt(proposal, self._problem).values())
        again, place = divmod(next(self._spoilt), len(kinds))
        return kinds[place][again % len(kinds[place])]

    def tell(self, trial: Trial) -> None:
        """Pass the trial on."""
        self._optimizer.tell(trial)


class EveryRepair:
    """All repairs in turn, one per invalid proposal."""

    name: str | None = None

    def __init__(self, problem: Problem, seed: int) -> None:
        kinds: tuple[Any, ...] = (NoRepair, Nearest, RandomRepair)
        self._turns = itertools.cycle([kind(problem, seed) for kind in kinds])
        self._clamp: Any = Clamp(problem, seed)

    def __call__(self, proposal: Proposal, violations: Sequence[Violation]) -> Params | None:
        """The result of the next repair."""
        clampable = all(violation.fault is Fault.OUT_OF_RANGE for violation in violations)
        repair = self._clamp if clampable else next(self._turns)
        self.name = repair.name
        mended: Params | None = repair(proposal, violations)
        return mended


def _spoilt(proposal: Proposal, problem: Problem) -> dict[str, list[Proposal]]:
    """Kind of fault -> proposals with one such fault, in all variants that the space allows."""
    found = {
        Fault.UNPARSEABLE: [replace(proposal, params=None)],
        Fault.TRUNCATED: [replace(proposal, params=None, truncated=True)],
        FIDELITY: [replace(proposal, fidelity={"made_up": 1})],
    }
    params = proposal.params if isinstance(proposal.params, dict) else problem.default
    check = Checker(problem.space).check
    for changed in _faulty(dict(params), problem):
        if violations := check(changed)[1]:
            found.setdefault(violations[0].fault, []).append(replace(proposal, params=changed))
    return found


def _faulty(params: Params, problem: Problem) -> Iterator[dict[str, Any]]:
    space = problem.space
    yield params | {"made_up": 1}
    yield {}
    for name, each in space.items():
        if name in params:
            yield {key: value for key, value in params.items() if key != name}
            yield params | {name: [{"made": "up"}]}
            yield params | {name: None}
        if isinstance(each, NumericalHyperparameter) and name in params:
            yield params | {name: each.upper + (each.upper - each.lower) + 1}
            yield params | {name: float("nan")}
        if has_choices(each) and name in params:
            yield params | {name: "made_up"}
        if name in params and (levels := levels_of(each)) is not None and len(levels.values) > 1:
            yield params | {name: (levels.values[0] + levels.values[1]) / 2}
        if name not in params:
            yield params | {name: each.default_value}
    for clause in space.forbidden_clauses:
        yield params | _forbidden(clause)


def _forbidden(clause: Any) -> dict[str, Any]:
    """Values that a clause of equalities forbids; {} for other clauses."""
    if isinstance(clause, ForbiddenConjunction):
        return {name: value for part in clause.components for name, value in _forbidden(part).items()}
    values = [clause.value] if hasattr(clause, "value") else list(getattr(clause, "values", ()))
    return {clause.hyperparameter.name: values[0]} if values else {}


def valid_configurations(problem: Problem, count: int) -> list[Params]:
    """Fixed random configurations, drawn from a copy of the space."""
    space = copy.deepcopy(problem.space)
    space.seed(0)
    read = Decoder(space)
    drawn = space.sample_configuration(count)
    return [read(each) for each in (drawn if isinstance(drawn, list) else [drawn])]
