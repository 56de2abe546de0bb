"""Successive halving: many configurations evaluated cheaply, the best again at a higher fidelity."""

from __future__ import annotations

from harness.budget import Budget
from harness.problem import Problem
from optimizers.multifidelity.brackets import Race, bracket, most_halvings
from optimizers.shared.fidelity import checked_eta, varied_fidelity


class SuccessiveHalving(Race):
    """Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (AISTATS).

    Section 3, after Karnin, Koren and Somekh 2013: each round keeps the better half of the configurations and doubles
    their resource (eta = 2). Here a bracket begins with eta^s random configurations at level R / eta^s, with R
    the fidelity's highest value and s as large as its lowest allows, and ends with one at R; then the next one begins.
    Use: ``python -m harness.run optimizer=successive_halving benchmark=toy``.

    Departures:

    * In the paper the number of configurations and the total resource are given and determine the levels; here both
      follow from the fidelity's lowest and highest value, as in Hyperband's first bracket.
    * Levels of an integer fidelity are rounded.
    * An evaluation at a higher level starts anew, since benchmarks keep no checkpoints.
    * Each trial counts fully for a budget of evaluations, at any level.
    * Trials of a start are ignored.

    Args:
        problem: Its space is copied; its first objective is minimized.
        seed: Seeds the draws.
        budget: Not used: the brackets do not depend on it.
        eta: One of ``eta`` configurations survives a rung, and gets ``eta`` times the fidelity.
        fidelity: Name of the fidelity to vary, others stay at their highest; None for the problem's first.

    Raises:
        SettingError: The problem has no such fidelity, or eta is below 2.
    """

    def __init__(
        self, problem: Problem, seed: int, budget: Budget, *, eta: int = 2, fidelity: str | None = None
    ) -> None:
        varied = varied_fidelity(problem, fidelity, "successive_halving")
        halvings = most_halvings(varied, checked_eta(eta))
        super().__init__(problem, seed, varied, [bracket(varied, eta, halvings, eta**halvings)])
