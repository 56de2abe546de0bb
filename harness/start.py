"""Where a run starts: configurations that are tried before the optimizer is asked, the same for every method.

A study of language models as optimizers finds much of their early lead in the default configuration alone, which they
know and others do not. With ``start=default`` everybody has it. Each such trial is a row whose note and proposer say
so; the optimizer is told of it like of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from harness.errors import SettingError
from harness.faults import describe
from harness.problem import Problem
from harness.trial import Optimizer, Proposal, Proposer, Trial
from harness.validity import Checker


class Start(Protocol):
    """Which configurations a run starts from."""

    name: str

    def configurations(self, problem: Problem) -> Sequence[dict[str, Any]]:
        """The configurations, in order; none where the optimizer starts by itself."""
        ...


class NoStart:
    """start=none: the optimizer proposes from the first trial on."""

    name = "none"

    def configurations(self, problem: Problem) -> Sequence[dict[str, Any]]:
        """None."""
        return ()


class DefaultStart:
    """start=default: the task's default configuration is the first trial."""

    name = "default"

    def configurations(self, problem: Problem) -> Sequence[dict[str, Any]]:
        """The default alone: a configuration of the space, or there would be no problem."""
        return (problem.default,)


class GivenStart:
    """start=given: configurations named by the user are the first trials.

    Args:
        configurations: Hyperparameter name -> value, one mapping a trial.

    Raises:
        SettingError: There is none.
    """

    name = "given"

    def __init__(self, configurations: Sequence[dict[str, Any]]) -> None:
        if not configurations:
            raise SettingError(
                "start.configurations is empty; give at least one, e.g. 'start.configurations=[{x: 1}]'."
            )
        self._configurations = configurations

    def configurations(self, problem: Problem) -> Sequence[dict[str, Any]]:
        """Those, once they are seen to be configurations of the space.

        Raises:
            SettingError: One of them is not.
        """
        for params in self._configurations:
            violations = Checker(problem.space).check(params)[1]
            if violations:
                raise SettingError(
                    f"start.configurations holds {dict(params)}, which is no configuration of {problem.name}: "
                    f"{describe(violations[0])}."
                )
        return self._configurations


class Started:
    """An optimizer that is asked only after the start was tried."""

    def __init__(self, optimizer: Optimizer, start: Sequence[dict[str, Any]], note: str) -> None:
        self._optimizer = self.wrapped = optimizer
        self._start = deque(start)
        self.start_trials = len(start)
        self._note = note

    def prepare(self) -> None:
        """What the optimizer prepares."""
        if callable(prepare := getattr(self._optimizer, "prepare", None)):
            prepare()

    def ask(self) -> Proposal:
        """The next configuration of the start; after the last one, the optimizer's."""
        if not self._start:
            return self._optimizer.ask()
        return Proposal(dict(self._start.popleft()), note=self._note, proposer=Proposer.START)

    def tell(self, trial: Trial) -> None:
        """Pass it on."""
        self._optimizer.tell(trial)


def begin_with(start: Start, problem: Problem, optimizer: Optimizer) -> Optimizer:
    """The optimizer behind its start; itself where there is none.

    Raises:
        SettingError: The start does not fit the problem.
    """
    configurations = start.configurations(problem)
    return Started(optimizer, configurations, f"start: {start.name}") if configurations else optimizer
