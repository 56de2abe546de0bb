"""A facade of SMAC3 behind ask and tell: what ``smac``, ``smac_blackbox`` and ``smac_multifidelity`` share."""

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
"""Of a tree, which has at most one per trial."""
Aggregation = Literal["parego", "mean"]
"""How several objectives become the one that is modelled."""
AGGREGATIONS = get_args(Aggregation)
BY_THE_MODEL = {
    f"Acquisition Function Maximizer: {search}"
    for search in ("Local Search", "Random Search (sorted)", "Differential Evolution")
}
"""Origins of configurations that SMAC 2.4's acquisition function chose; all others are its design's or random."""


class Facade:
    """A facade with its own settings (Lindauer et al. 2022, "SMAC3", JMLR 23), asked and told one trial at a time.

    The objective is deterministic here, so a configuration is asked for once, or once per level of the fidelity. A
    trial that SMAC did not ask for (that of a start) is told like its own: it learns from it and never asks for it.

    Several objectives, each scaled to 0..1 by what was seen of it, become one whenever the model is trained: as their
    mean, which is SMAC's own default and finds one compromise, or by ParEGO (Knowles 2006, IEEE Transactions on
    Evolutionary Computation 10(1): the augmented Tchebycheff function, rho 0.05) under weights that are drawn anew each
    time. As in the paper that is for each trial, where the facade of ``smac`` would train its forest for every eighth
    and propose near copies of one compromise in between; with a fidelity it is once a bracket, since SMAC fills its
    first rung in one go. SMAC draws each weight uniformly and divides them by their sum; the paper draws a vector of a
    grid.

    Departures: SMAC's own cost of a crash is infinite, on which its scaling of costs fails; a failed evaluation costs
    as much as the worst successful one so far, objective by objective and at whatever level, and is held back until
    there is one. The local search starts from its points in a fixed order (``in_fixed_order``). Random forests are
    faster, and the same (``lean``).

    Args:
        facade: The facade's class.
        problem: Its space is copied; all its objectives are minimized.
        seed: SMAC's seed.
        n_trials: SMAC plans with it: the same seed with another number of trials proposes others.
        fidelity: The fidelity whose levels are SMAC's budgets; None for a facade without.
        eta: Of the Hyperband of a facade with a fidelity.
        multi_objective: "parego" or "mean"; of no effect where there is one objective.

    Raises:
        SettingError: There is no such way to treat several objectives.
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

        logging.getLogger("smac").setLevel(logging.ERROR)  # what it warns of is no news to whoever watches a run
        self._objectives = [objective.name for objective in problem.objectives]
        self._fidelity = fidelity
        self._asked: TrialInfo | None = None
        self._seed = 0  # of all trials: SMAC adopts that of trials it is told first, and draws one where there is none
        self._asked_before: set[Any] = set()
        self._failed: list[TrialInfo] = []
        self._exhausted: Draws | None = None
        self._scenario_seed = seed
        self._worst: list[float] | None = None
        # For what SMAC insists on writing; gone when the optimizer is.
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
            # Of several objectives SMAC keeps several incumbents, and fails once they were seen at different levels
            # (automl/SMAC3 issue 1050); which incumbents it keeps has no part in what it asks for.
            incumbents = "highest_observed_budget" if len(self._objectives) == 1 else "highest_budget"
            parts["intensifier"] = facade.get_intensifier(scenario, eta=eta, incumbent_selection=incumbents)
        if len(self._objectives) > 1 and multi_objective == "parego":
            parts |= _parego(facade, scenario)
        self._facade = facade(scenario, overwrite=True, logging_level=False, **parts)
        if fidelity is not None:
            # Otherwise SMAC 2.4 asks for the start's configurations again, at the lowest level, in a bracket that never
            # ends: it looks for their losses at the highest level alone. An empty rung keeps it from that.
            self._facade.intensifier._tracker[(0, 0)] = []

    def ask(self) -> Proposal:
        """SMAC's next configuration; a random one, repeated, once it finds no more that it has not tried."""
        from smac.main.exceptions import ConfigurationSpaceExhaustedException

        if self._exhausted is None:
            try:
                with warnings.catch_warnings():
                    # SMAC averages the times of no steps where its local search takes none, for a line nobody sees.
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
        """SMAC's model, or chance; a configuration that is asked for again was promoted to a higher fidelity."""
        promoted = config in self._asked_before
        self._asked_before.add(config)
        return Proposer.CLASSICAL if promoted or config.origin in BY_THE_MODEL else Proposer.RANDOM

    def tell(self, trial: Trial) -> None:
        """The loss, or that the evaluation failed; where something else was executed, of that as well."""
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
        # Saving is SMAC's own log, which nobody reads here.
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
    """The parts of a facade that treat several objectives as ParEGO does."""
    from smac.multi_objective.parego import ParEGO

    parts = {"multi_objective_algorithm": ParEGO(scenario)}
    if scenario.max_budget is None:
        parts["config_selector"] = facade.get_config_selector(scenario, retrain_after=1)
    return parts


def lean(model: Any) -> Any:
    """Make a random forest grow and predict in less time, and in the same way.

    SMAC 2.4 sets up each of ten trees for a million leaves after every eighth trial (memory that the system has to
    clear), and shares ten trees among all cores whenever a few points are predicted, for which it waits by the clock.

    Returns:
        The same model; one that is no forest as it is.
    """
    if hasattr(model, "_rf_opts"):
        model._rf_opts |= {"max_leaf_nodes": MOST_LEAVES, "n_jobs": 1}
    return model


def in_fixed_order(maximizer: Any) -> Any:
    """Make the local search of an acquisition maximizer start from the same points in the same order in every process.

    SMAC 2.4 collects them in a set of configurations, which hash their text: Python salts that anew in each process, so
    that the same seed would propose other configurations from one process to the next (law 6).

    Returns:
        The same maximizer.
    """
    local_search = maximizer._local_search
    collect = local_search._get_initial_points

    def sorted_points(*arguments: Any, **keywords: Any) -> list[Any]:
        return sorted(collect(*arguments, **keywords), key=repr)

    local_search._get_initial_points = sorted_points
    return maximizer
