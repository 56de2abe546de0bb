"""SMAC3 with fidelities: Hyperband with configurations proposed by a random forest."""

from __future__ import annotations

from typing import ClassVar

from harness.budget import Budget
from harness.problem import Problem
from optimizers.multifidelity.brackets import bracket, most_halvings, trials_in
from optimizers.shared.fidelity import checked_eta, varied_fidelity
from optimizers.shared.smac_facade import Aggregation, Facade


class SMACMultifidelity(Facade):
    """SMAC3's MultiFidelityFacade (Lindauer et al. 2022, "SMAC3", JMLR 23).

    Settings are the facade's own: Hyperband's brackets with eta 3, random forest and log expected improvement as in
    ``smac``, and at most a quarter of the planned trials random in the beginning. The forest is trained on the trials
    of the highest level that has any, even a single one such as that of a start. SMAC fills a rung before it learns
    the first result, so the first bracket is entirely random; if the planned trials are too few for its first rung,
    SMAC draws a few configurations twice and evaluates them once, which makes the rung smaller.
    Use: ``python -m harness.run optimizer=smac_multifidelity benchmark=toy``.

    Departures:

    * Each trial counts fully for a budget of evaluations, at any level.
    * Levels of an integer fidelity are rounded; SMAC is told the loss under its own level.
    * All departures of ``optimizers.shared.smac_facade``.

    Args:
        problem: Its space is copied; all its objectives are minimized.
        seed: SMAC's seed.
        budget: Used by SMAC's planning: another number of trials changes the proposals.
        eta: One of ``eta`` configurations survives a rung, and gets ``eta`` times the fidelity.
        fidelity: Name of the fidelity to vary, others stay at their highest; None for the problem's first.
        trials_without_limit: Planned trials if the budget limits neither proposals nor evaluations.
        multi_objective: How several objectives are combined, "parego" or "mean" (``optimizers.shared.smac_facade``).

    Raises:
        SettingError: The problem has no such fidelity, or eta is below 2.
    """

    needs_fidelity: ClassVar[bool] = True

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        eta: int = 3,
        fidelity: str | None = None,
        trials_without_limit: int = 100,
        multi_objective: Aggregation = "parego",
    ) -> None:
        varied = varied_fidelity(problem, fidelity, "smac_multifidelity")
        halvings = most_halvings(varied, checked_eta(eta))
        self.first_bracket = trials_in(bracket(varied, eta, halvings, eta**halvings))
        from smac import MultiFidelityFacade  # slow to import: for SMAC runs only

        n_trials = budget.trials or trials_without_limit
        super().__init__(MultiFidelityFacade, problem, seed, n_trials, varied, eta, multi_objective)
