"""The probe group: disguised tasks, which measure how much an optimizer relies on memory and names.

A language model may have seen a public benchmark, its data set or its best configurations in training. Each setting
hides one thing that could be remembered; the loss of quality is due to memory or names. The benchmark itself does not
change: every configuration is translated back, evaluated by the benchmark, and recorded as ``evaluated``.

Random search is not affected: it evaluates the same configurations with the same probabilities, so its exact curve
stays.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from ConfigSpace import ConfigurationSpace

from benchmarks.probes.probe_names import anonymous
from benchmarks.probes.probe_permutation import Permutation, equally_likely
from benchmarks.probes.probe_shift import shifted
from benchmarks.probes.probe_warp import warped
from benchmarks.shared.setting_checks import one_of
from harness.choices import builtin
from harness.errors import SettingError
from harness.probe import ORIGINAL, Family
from harness.problem import Benchmark, Description, Outcome, Params, Problem
from harness.shown_space import Shown, as_it_is, rebuilt
from harness.validity import Checker

Names = Literal["original", "anonymous"]
Task = Literal["original", "none", "shuffled"]
Space = Literal["original", "warped", "shifted"]
Responses = Literal["original", "permuted"]
SETTINGS = {
    "names": get_args(Names),
    "task": get_args(Task),
    "space": get_args(Space),
    "responses": get_args(Responses),
}
NEUTRAL = "task"
"""The name of a task whose name is hidden."""


def probed(
    benchmark: Benchmark,
    family: Family,
    seed: int,
    *,
    names: Names = ORIGINAL,
    task: Task = ORIGINAL,
    space: Space = ORIGINAL,
    responses: Responses = ORIGINAL,
) -> Benchmark:
    """The benchmark behind the probes that are set; the benchmark itself if all of them are ``original``.

    Args:
        benchmark: The true benchmark.
        family: The other tasks of its family.
        seed: The run's seed; each seed and task has its own warp, shift, permutation and shuffled task.
        names: ``original``; or ``anonymous``: ``probe_names``. The description of a task may still name them.
        task: ``original``; ``none``, without name, description and contexts; or ``shuffled``, with those of another
            task of the family.
        space: ``original``; ``warped``, numbers in other units: ``probe_warp``; or ``shifted``, with the optimum moved:
            ``probe_shift``.
        responses: ``original``; or ``permuted``, losses of a finite space assigned at random: ``probe_permutation``.

    Raises:
        SettingError: A setting is invalid, there is no other task, the space cannot be permuted, or has nothing to warp
            or shift.
    """
    given = {"names": names, "task": task, "space": space, "responses": responses}
    probe = {group: one_of(f"probe.{group}", value, SETTINGS[group]) for group, value in given.items()}
    return benchmark if set(probe.values()) == {ORIGINAL} else Probe(benchmark, family, seed, probe)


class Probe:
    """A disguised benchmark.

    All random choices depend only on the run's seed, the task and the setting (``harness.seeds``). Every probe keeps
    the names and directions of objectives, the names of fidelities, and the evaluation times. Hints mention names and
    good values: they are kept if both are original, and dropped with ``task=none``.

    Args:
        benchmark: As ``probed``, as are ``family`` and ``seed``.
        family: Its family.
        seed: The run's.
        probe: Setting -> value, at least one of them not ``original``.

    Raises:
        SettingError: As ``probed``.
    """

    def __init__(self, benchmark: Benchmark, family: Family, seed: int, probe: Mapping[str, str]) -> None:
        true = benchmark.problem
        self._benchmark = self.wrapped = benchmark
        self._checker = Checker(true.space)
        permuted = probe["responses"] == "permuted"
        self._permutation = Permutation(true.space, _generator(seed, "responses")) if permuted else None
        self._shown = _shown(true.space, probe, seed)
        if set(probe.values()) == {ORIGINAL, probe["space"]} and all(each.same for each in self._shown.values()):
            raise SettingError(
                f"{true.name} has no hyperparameter that probe.space={probe['space']} could change; use another probe, "
                "such as probe=anonymous."
            )
        if probe["names"] == "anonymous":
            self._shown = anonymous(self._shown)
        self._true_names = {each.hyperparameter.name: name for name, each in self._shown.items()}
        told = _told(true, family, probe["task"], seed)
        hinted = {probe[group] for group in ("names", "space", "responses")} == {ORIGINAL}
        self.problem = _problem(true, told, self._shown, hinted)
        self._random_search_is_the_same = not permuted or equally_likely(true.space)
        if self._random_search_is_the_same and callable(known := getattr(benchmark, "loss_quantiles", None)):
            self.loss_quantiles = known

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Evaluate the true configuration.

        Raises:
            Exception: As the benchmark does.
        """
        names = self._true_names
        read = {names[name]: self._shown[names[name]].read(value) for name, value in params.items()}
        true, violations = self._checker.check(read)
        if true is None:
            raise ValueError(
                f"The probe translated to {read}, which is not a configuration of the benchmark: {violations}."
            )
        if self._permutation is not None:
            true = self._permutation(true)
        outcome = self._benchmark.evaluate(copy.deepcopy(true), fidelity, seed)
        return replace(outcome, evaluated=true) if isinstance(outcome, Outcome) else outcome  # the loop refuses it

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        """The benchmark's own; None if permuted configurations are not equally likely."""
        return self._benchmark.random_search_curve(evaluations) if self._random_search_is_the_same else None


def _generator(seed: int, group: str) -> np.random.Generator:
    return np.random.default_rng((seed, tuple(SETTINGS).index(group)))


def _shown(space: ConfigurationSpace, probe: Mapping[str, str], seed: int) -> dict[str, Shown]:
    if probe["space"] == ORIGINAL:
        return {name: as_it_is(each) for name, each in space.items()}
    return (warped if probe["space"] == "warped" else shifted)(space, _generator(seed, "space"))


def _told(true: Problem, family: Family, task: str, seed: int) -> Problem:
    """The problem that provides name, texts and hints."""
    if task == ORIGINAL:
        return true
    if task == "none":
        return replace(true, name=NEUTRAL, description=Description(), contexts={}, hints={})
    benchmark, _, own = true.name.partition(".")
    others = [name for name in family.tasks if str(name) != own]
    if not others:
        raise SettingError(
            f"probe.task=shuffled needs another task of the family, and {benchmark} does not list any; use "
            "probe=no_task, or a benchmark that does, such as hpobench."
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
