"""Start of a run: configurations that are tried before the optimizer is asked, equal for all methods.

Studies of language models as optimizers attribute much of their early lead to the default configuration, which models
know and other methods do not. With ``start=default`` all methods start from it. Such trials have their own note and
proposer; the optimizer is told their results like its own.
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
    """The configurations from which a run starts."""

    name: str

    def configurations(self, problem: Problem) -> Sequence[dict[str, Any]]:
        """The configurations, in order; none if the optimizer starts itself."""
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
        """The default configuration of the problem."""
        return (problem.default,)


class GivenStart:
    """start=given: configurations named by the user are the first trials.

    Args:
        configurations: Hyperparameter name -> value, one mapping per trial.

    Raises:
        SettingError: The list is empty.
    """

    name = "given"

    def __init__(self, configurations: Sequence[dict[str, Any]]) -> None:
        if not configurations:
            raise SettingError(
                "start.configurations is empty; give at least one, e.g. 'start.configurations=[{x: 1}]'."
            )
        self._configurations = configurations

    def configurations(self, problem: Problem) -> Sequence[dict[str, Any]]:
        """The given configurations, after a check.

        Raises:
            SettingError: One is not a configuration of the space.
        """
        for params in self._configurations:
            violations = Checker(problem.space).check(params)[1]
            if violations:
                raise SettingError(
                    f"start.configurations holds {dict(params)}, which is not a configuration of {problem.name}: "
                    f"{describe(violations[0])}."
                )
        return self._configurations


class Started:
    """An optimizer that is asked after the configurations of the start."""

    def __init__(self, optimizer: Optimizer, start: Sequence[dict[str, Any]], note: str) -> None:
        self._optimizer = self.wrapped = optimizer
        self._start = deque(start)
        self.start_trials = len(start)
        self._note = note

    def prepare(self) -> None:
        """Prepare the optimizer."""
        if callable(prepare := getattr(self._optimizer, "prepare", None)):
            prepare()

    def ask(self) -> Proposal:
        """The next configuration of the start; afterwards the optimizer's proposal."""
        if not self._start:
            return self._optimizer.ask()
        return Proposal(dict(self._start.popleft()), note=self._note, proposer=Proposer.START)

    def tell(self, trial: Trial) -> None:
        """Tell the optimizer."""
        self._optimizer.tell(trial)


def begin_with(start: Start, problem: Problem, optimizer: Optimizer) -> Optimizer:
    """The optimizer with a start; unchanged if there are no configurations.

    Raises:
        SettingError: The start does not fit the problem.
    """
    configurations = start.configurations(problem)
    return Started(optimizer, configurations, f"start: {start.name}") if configurations else optimizer
