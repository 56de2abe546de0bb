"""The probe group: the same task disguised, to see what memory and names are worth to an optimizer.

A language model may have met a public benchmark, its data set or its best configurations in training. Each setting
takes away one thing that could be remembered; what a method then does worse is owed to memory or to names. The truth
is left alone: every configuration is read back and evaluated by the benchmark itself, and recorded as ``evaluated``.

For random search nothing changes: it evaluates the same configurations equally often, so its exact curve stays.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from ConfigSpace import ConfigurationSpace

from benchmarks.probes.probe_names import anonymous
from benchmarks.probes.probe_permutation import Permutation, equally_likely
from benchmarks.probes.probe_shift import shifted
from benchmarks.probes.probe_warp import warped
from benchmarks.shared.setting_checks import one_of
from harness.choices import builtin
from harness.errors import SettingError
from harness.probe import Family
from harness.problem import Benchmark, Description, Outcome, Params, Problem
from harness.shown_space import Shown, as_it_is, rebuilt
from harness.validity import Checker

TRUE = "true"
SETTINGS = {
    "names": (TRUE, "anonymous"),
    "task": (TRUE, "none", "shuffled"),
    "space": (TRUE, "warped", "shifted"),
    "responses": (TRUE, "permuted"),
}
NEUTRAL = "task"
"""The name of a task that has none."""


class Probe:
    """A benchmark disguised.

    Everything drawn is drawn from the run's seed, the task and the setting alone (``harness.seeds``).
    What stays under every probe: names and directions of objectives, names of fidelities, how long an evaluation takes.

    Args:
        benchmark: The true one.
        family: The tasks beside it.
        seed: Each seed and task of a run has its own warp, shift, permutation and shuffled task.
        names: ``true`` (or True); or ``anonymous``: ``probe_names``. The description of a task may still name them.
        task: ``true``; ``none``, neither name nor description nor contexts; or ``shuffled``, those of another task of
            the family.
        space: ``true``; ``warped``, every number in another unit: ``probe_warp``; or ``shifted``, the optimum
            elsewhere: ``probe_shift``.
        responses: ``true``; or ``permuted``, the losses of a finite space, assigned at random: ``probe_permutation``.

    Hints speak of names and of good values: they are kept where both are true, and dropped with ``task=none``.

    Raises:
        SettingError: A setting is none of these, there is no other task, the space cannot be permuted, or nothing
            would be changed.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        family: Family,
        seed: int,
        *,
        names: str | bool = TRUE,
        task: str | bool = TRUE,
        space: str | bool = TRUE,
        responses: str | bool = TRUE,
    ) -> None:
        given = {"names": names, "task": task, "space": space, "responses": responses}
        probe = {group: _setting(group, value) for group, value in given.items()}
        true = benchmark.problem
        self._benchmark = self.wrapped = benchmark
        self._checker = Checker(true.space)
        permuted = probe["responses"] == "permuted"
        self._permutation = Permutation(true.space, _generator(seed, "responses")) if permuted else None
        self._shown = _shown(true.space, probe, seed)
        if self._permutation is None and probe["task"] == TRUE and all(each.same for each in self._shown.values()):
            _refuse_nothing(true.name, probe)
        if probe["names"] == "anonymous":
            self._shown = anonymous(self._shown)
        self._true_names = {each.hyperparameter.name: name for name, each in self._shown.items()}
        told = _told(true, family, probe["task"], seed)
        hinted = {probe[group] for group in ("names", "space", "responses")} == {TRUE}
        self.problem = _problem(true, told, self._shown, hinted)
        self._random_search_is_the_same = not permuted or equally_likely(true.space)
        if self._random_search_is_the_same and callable(known := getattr(benchmark, "loss_quantiles", None)):
            self.loss_quantiles = known

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """What the benchmark says of the configuration that this one stands for.

        Raises:
            Exception: As the benchmark does.
        """
        names = self._true_names
        read = {names[name]: self._shown[names[name]].read(value) for name, value in params.items()}
        true, violations = self._checker.check(read)
        if true is None:
            raise ValueError(f"The probe read {read}, which is no configuration of the benchmark: {violations}.")
        if self._permutation is not None:
            true = self._permutation(true)
        outcome = self._benchmark.evaluate(copy.deepcopy(true), fidelity, seed)
        return replace(outcome, evaluated=true) if isinstance(outcome, Outcome) else outcome  # the loop refuses it

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        """The benchmark's own; None where permuted configurations are not equally likely."""
        return self._benchmark.random_search_curve(evaluations) if self._random_search_is_the_same else None


def _setting(group: str, value: str | bool) -> str:
    """YAML reads true as a truth value."""
    return one_of(f"probe.{group}", TRUE if value is True else str(value), SETTINGS[group])


def _generator(seed: int, group: str) -> np.random.Generator:
    return np.random.default_rng((seed, tuple(SETTINGS).index(group)))


def _shown(space: ConfigurationSpace, probe: Mapping[str, str], seed: int) -> dict[str, Shown]:
    if probe["space"] == TRUE:
        return {name: as_it_is(each) for name, each in space.items()}
    return (warped if probe["space"] == "warped" else shifted)(space, _generator(seed, "space"))


def _refuse_nothing(name: str, probe: Mapping[str, str]) -> None:
    """Called where space, task and responses change nothing."""
    if probe["names"] == TRUE and probe["space"] == TRUE:
        raise SettingError(
            "This probe changes nothing; set one of its names, task, space and responses, or probe=none."
        )
    if probe["names"] == TRUE:
        raise SettingError(
            f"{name} has no hyperparameter that probe.space={probe['space']} could change; take another probe, such as "
            "probe=anonymous."
        )


def _told(true: Problem, family: Family, task: str, seed: int) -> Problem:
    """The problem that name, texts and hints are taken from."""
    if task == TRUE:
        return true
    if task == "none":
        return replace(true, name=NEUTRAL, description=Description(), contexts={}, hints={})
    benchmark, _, own = true.name.partition(".")
    others = [name for name in family.tasks if str(name) != own]
    if not others:
        raise SettingError(
            f"probe.task=shuffled tells of another task of the family, and {benchmark} cannot list any; take "
            "probe=no_task, or a benchmark that can, such as hpobench."
        )
    return family.build(others[int(_generator(seed, "task").integers(len(others)))]).problem


def _problem(true: Problem, told: Problem, shown: Mapping[str, Shown], hinted: bool) -> Problem:
    space_name = true.space.name if told is true else told.name
    new = {name: each.hyperparameter for name, each in shown.items()}
    return replace(
        true,
        name=told.name,
        space=rebuilt(true.space, shown, space_name),
        default={new[name].name: builtin(new[name].default_value) for name in true.default},
        description=told.description,
        contexts=told.contexts,
        hints=told.hints if hinted else {},
    )
