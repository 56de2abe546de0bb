"""Ask-and-tell wrapper of SMAC3's facades, shared by ``smac``, ``smac_blackbox`` and ``smac_multifidelity``."""

from __future__ import annotations

import dataclasses
import logging
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from harness.errors import unknown
from harness.problem import Fidelity, Outcome, Params, Problem
from harness.space import Decoder
from harness.trial import Proposal, Proposer, Trial
from optimizers.shared.draws import Draws
from optimizers.shared.fidelity import at
from optimizers.shared.smac_space import for_smac, stand_in

if TYPE_CHECKING:
    from smac.runhistory import TrialInfo


MOST_LEAVES = 2**14
"""Maximum depth of a tree, which has at most one leaf per trial."""
Aggregation = Literal["parego", "mean"]
"""Methods that combine several objectives to one for the model."""
AGGREGATIONS = get_args(Aggregation)
BY_THE_MODEL = {
    f"Acquisition Function Maximizer: {search}"
    for search in ("Local Search", "Random Search (sorted)", "Differential Evolution")
}
"""Origins of configurations chosen by SMAC 2.4's acquisition function; others are of its design or random."""


class Facade:
    """A facade with its own settings (Lindauer et al. 2022, "SMAC3", JMLR 23), asked and told one trial at a time.

    The objective is deterministic here, so a configuration is asked for once, or once per level of the fidelity.
    Trials that SMAC did not ask for (those of a start) are told too: it learns from them and never asks for them.

    Several objectives, each scaled to 0..1 by the observed values, are combined whenever the model is trained: as their
    mean, which is SMAC's own default and finds one compromise, or by ParEGO (Knowles 2006, IEEE Transactions on
    Evolutionary Computation 10(1): the augmented Tchebycheff function, rho 0.05) with weights that are drawn each
    time. As in the paper that is for each trial; the facade of ``smac`` would train its forest for every eighth
    and propose near copies of one compromise in between. With a fidelity it is once per bracket, since SMAC fills its
    first rung at once. SMAC draws each weight uniformly and divides by their sum; the paper draws a vector of a
    grid.

    Departures: SMAC's own cost of a crash is infinite, on which its scaling of costs fails; here a failed evaluation
    costs as much as the worst successful one so far, per objective and at any level, and is not told before there
    is one. The local search starts from its points in a fixed order (``in_fixed_order``). Random forests are
    faster, with the same results (``lean``).

    Args:
        facade: Class of the facade.
        problem: Its space is copied; all its objectives are minimized.
        seed: SMAC's seed.
        n_trials: Used by SMAC's planning: another number of trials changes the proposals.
        fidelity: Fidelity whose levels are SMAC's budgets; None for a facade without.
        eta: Eta of the Hyperband of a facade with a fidelity.
        multi_objective: "parego" or "mean"; no effect for one objective.

    Raises:
        SettingError: The value of ``multi_objective`` is unknown.
    """

    multi_objective: ClassVar[bool] = True

    def __init__(
        self,
        facade: Any,
        problem: Problem,
        seed: int,
        n_trials: int,
        fidelity: Fidelity | None = None,
        eta: int = 3,
        multi_objective: Aggregation = "parego",
    ) -> None:
        if multi_objective not in AGGREGATIONS:
            raise unknown("multi_objective", multi_objective, AGGREGATIONS)
        from smac import Scenario

        logging.getLogger("smac").setLevel(logging.ERROR)  # its warnings do not concern users of a run
        self._objectives = [objective.name for objective in problem.objectives]
        self._fidelity = fidelity
        self._asked: TrialInfo | None = None
        self._seed = 0  # of all trials: SMAC adopts the seed of the first told trials, and draws one if there are none
        self._asked_before: set[Any] = set()
        self._failed: list[TrialInfo] = []
        self._exhausted: Draws | None = None
        self._scenario_seed = seed
        self._worst: list[float] | None = None
        # For files that SMAC must write; deleted with the optimizer.
        self._scratch = tempfile.TemporaryDirectory(prefix="hyperbole-smac-", ignore_cleanup_errors=True)
        self._true_space = problem.space
        self._space = for_smac(problem.space)
        self._read = Decoder(problem.space)
        scenario = Scenario(
            self._space,
            objectives=self._objectives,
            deterministic=True,
            n_trials=n_trials,
            seed=seed,
            output_directory=Path(self._scratch.name),
            min_budget=None if fidelity is None else fidelity.lower,
            max_budget=None if fidelity is None else fidelity.upper,
        )
        parts = {
            "model": lean(facade.get_model(scenario)),
            "acquisition_maximizer": in_fixed_order(facade.get_acquisition_maximizer(scenario)),
        }
        if fidelity is not None:
            # With several objectives SMAC keeps several incumbents, and fails once they were seen at different levels
            # (automl/SMAC3 issue 1050); the incumbents do not affect what it asks for.
            incumbents = "highest_observed_budget" if len(self._objectives) == 1 else "highest_budget"
            parts["intensifier"] = facade.get_intensifier(scenario, eta=eta, incumbent_selection=incumbents)
        if len(self._objectives) > 1 and multi_objective == "parego":
            parts |= _parego(facade, scenario)
        self._facade = facade(scenario, overwrite=True, logging_level=False, **parts)
        if fidelity is not None:
            # Otherwise SMAC 2.4 asks for the start's configurations again, at the lowest level, in an endless
            # bracket: it looks for their losses at the highest level only. An empty rung prevents that.
            self._facade.intensifier._tracker[(0, 0)] = []

    def ask(self) -> Proposal:
        """SMAC's next configuration; a random one, repeated, once it finds no untried one."""
        from smac.main.exceptions import ConfigurationSpaceExhaustedException

        if self._exhausted is None:
            try:
                with warnings.catch_warnings():
                    # SMAC averages the times of no steps if its local search takes none, for an unused log line.
                    warnings.filterwarnings("ignore", category=RuntimeWarning, module="numpy")
                    self._asked = self._facade.ask()
            except ConfigurationSpaceExhaustedException:
                self._exhausted = Draws(self._true_space, self._scenario_seed)
        if self._exhausted is not None:
            return Proposal(
                dict(self._exhausted.next()), note="SMAC found nothing new: random", proposer=Proposer.RANDOM
            )
        asked = self._asked
        assert asked is not None
        self._seed = asked.seed
        fidelity = None if self._fidelity is None else at(self._fidelity, asked.budget)
        return Proposal(self._read(asked.config), fidelity, proposer=self._proposer(asked.config))

    def _proposer(self, config: Any) -> Proposer:
        """The proposer: SMAC's model, or chance; a repeated configuration was promoted to a higher fidelity."""
        promoted = config in self._asked_before
        self._asked_before.add(config)
        return Proposer.CLASSICAL if promoted or config.origin in BY_THE_MODEL else Proposer.RANDOM

    def tell(self, trial: Trial) -> None:
        """Tell the loss or the failure; also of a configuration that was executed instead."""
        if self._exhausted is not None:
            return
        asked, self._asked = self._asked, None
        executed = asked
        if trial.params is not None and (asked is None or trial.params != self._read(asked.config)):
            executed = self._foreign(trial.params, trial)
            self._failed += [] if asked is None else [asked]
        if trial.outcome is not None:
            self._succeeded(executed, trial.outcome)
        elif executed is not None:
            self._failed.append(executed)
        self._tell_failed()

    def _foreign(self, params: Params, trial: Trial) -> TrialInfo:
        """A trial that SMAC did not ask for."""
        from ConfigSpace import Configuration
        from smac.runhistory import TrialInfo

        budget = None
        if self._fidelity is not None:
            budget = float((trial.proposal.fidelity or {}).get(self._fidelity.name, self._fidelity.upper))
        return TrialInfo(
            Configuration(self._space, values={name: stand_in(value) for name, value in params.items()}),
            seed=self._seed,
            budget=budget,
        )

    def _succeeded(self, executed: TrialInfo, outcome: Outcome) -> None:
        from smac.runhistory import TrialValue

        losses = [outcome.losses[name] for name in self._objectives]
        self._worst = losses if self._worst is None else list(map(max, losses, self._worst))
        # Saving is SMAC's own log, which is not used here.
        self._facade.tell(executed, TrialValue(cost=losses, time=outcome.evaluation_seconds or 0.0), save=False)

    def _tell_failed(self) -> None:
        from smac.runhistory import StatusType, TrialValue

        if self._worst is None:
            return
        for failed in self._failed:
            info = dataclasses.replace(failed, seed=self._seed)
            self._facade.tell(info, TrialValue(cost=self._worst, status=StatusType.CRASHED), save=False)
        self._failed.clear()


def _parego(facade: Any, scenario: Any) -> dict[str, Any]:
    """The components of a facade that treat several objectives as in ParEGO."""
    from smac.multi_objective.parego import ParEGO

    parts = {"multi_objective_algorithm": ParEGO(scenario)}
    if scenario.max_budget is None:
        parts["config_selector"] = facade.get_config_selector(scenario, retrain_after=1)
    return parts


def lean(model: Any) -> Any:
    """Speed up a random forest without changing its results.

    SMAC 2.4 sets up each of ten trees for a million leaves after every eighth trial (memory that the system has to
    clear), and distributes ten trees over all cores for every prediction of a few points, which is slower.

    Returns:
        The same model; unchanged if it is not a forest.
    """
    if hasattr(model, "_rf_opts"):
        model._rf_opts |= {"max_leaf_nodes": MOST_LEAVES, "n_jobs": 1}
    return model


def in_fixed_order(maximizer: Any) -> Any:
    """Make the local search of an acquisition maximizer start from the same points in the same order in every process.

    SMAC 2.4 collects them in a set of configurations, which hash their text: Python salts hashes per process, so
    that the same seed would propose different configurations in different processes (law 6).

    Returns:
        The same maximizer.
    """
    local_search = maximizer._local_search
    collect = local_search._get_initial_points

    def sorted_points(*arguments: Any, **keywords: Any) -> list[Any]:
        return sorted(collect(*arguments, **keywords), key=repr)

    local_search._get_initial_points = sorted_points
    return maximizer
