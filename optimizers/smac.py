"""SMAC3: Bayesian optimization with a random-forest surrogate."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.budget import Budget
from harness.check import builtin
from harness.problem import Objective, Problem
from harness.trial import Proposal, Trial

if TYPE_CHECKING:
    from smac.runhistory import TrialInfo


class SMAC:
    """SMAC3's HyperparameterOptimizationFacade through ask and tell (Lindauer et al. 2022, "SMAC3", JMLR 23).

    Settings are the facade's own: random forest on logged costs, log expected improvement, a Sobol initial design of
    at most a quarter of the planned trials, a fifth of the proposals random. The objective is deterministic here, so
    a configuration is asked for once. The facade scales costs by their spread, so losses may be negative.

    Departure: SMAC's own cost of a crash is infinite, on which this scaling fails; a failed evaluation costs as much as
    the worst successful one so far, and is held back until there is one.

    Args:
        problem: Its space is copied; its first objective is minimized.
        seed: SMAC's seed.
        budget: SMAC plans with it: the same seed with another number of trials proposes others.
        trials_without_limit: Trials to plan when the budget limits neither proposals nor evaluations.
    """

    def __init__(self, problem: Problem, seed: int, budget: Budget, trials_without_limit: int = 100) -> None:
        from smac import HyperparameterOptimizationFacade, Scenario  # 2 s, for SMAC runs only

        self._objective: Objective = problem.objectives[0]
        self._asked: TrialInfo | None = None
        self._failed: list[TrialInfo] = []
        self._worst: float | None = None
        # For what SMAC insists on writing; gone when the optimizer is.
        self._scratch = tempfile.TemporaryDirectory(prefix="hyperbole-smac-", ignore_cleanup_errors=True)
        scenario = Scenario(
            copy.deepcopy(problem.space),
            deterministic=True,
            n_trials=budget.trials or trials_without_limit,
            seed=seed,
            output_directory=Path(self._scratch.name),
        )
        maximizer = HyperparameterOptimizationFacade.get_acquisition_maximizer(scenario)
        _in_fixed_order(maximizer._local_search)
        self._facade = HyperparameterOptimizationFacade(
            scenario, _never_called, acquisition_maximizer=maximizer, overwrite=True, logging_level=False
        )

    def ask(self) -> Proposal:
        """SMAC's next configuration."""
        self._asked = self._facade.ask()
        return Proposal({name: builtin(value) for name, value in self._asked.config.items()})

    def tell(self, trial: Trial) -> None:
        """The loss, or that the evaluation failed."""
        from smac.runhistory import StatusType, TrialValue

        assert self._asked is not None
        if trial.outcome is None:
            self._failed.append(self._asked)
        else:
            loss = trial.outcome.losses[self._objective.name]
            self._worst = loss if self._worst is None else max(loss, self._worst)
            seconds = trial.outcome.evaluation_seconds or 0.0
            self._facade.tell(self._asked, TrialValue(cost=loss, time=seconds), save=False)
        if self._worst is not None:
            for failed in self._failed:
                self._facade.tell(failed, TrialValue(cost=self._worst, status=StatusType.CRASHED), save=False)
            self._failed.clear()


def _in_fixed_order(local_search: Any) -> None:
    """Make a local search start from the same points in the same order in every process.

    SMAC 2.4 collects them in a set of configurations, which hash their text: Python salts that anew in each process, so
    that the same seed would propose other configurations from one process to the next (law 6).
    """
    collect = local_search._get_initial_points

    def sorted_points(*arguments: Any, **keywords: Any) -> list[Any]:
        return sorted(collect(*arguments, **keywords), key=repr)

    local_search._get_initial_points = sorted_points


def _never_called(config: Any, seed: int = 0) -> float:
    raise AssertionError("SMAC evaluates nothing here; the loop does.")
