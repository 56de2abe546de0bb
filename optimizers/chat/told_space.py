"""Representation of a space in prompts (``prompt.space``): levels, ranges, or short names of levels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args

from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import Constant, Hyperparameter, NumericalHyperparameter, OrdinalHyperparameter

from harness.choices import Choices, builtin
from harness.errors import SettingError, unknown
from harness.levels import Number, known_levels
from harness.problem import Problem
from harness.short_names import short_names
from harness.shown_space import Shown, as_it_is, by_place, rebuilt
from harness.trial import Fault, Violation
from harness.validity import names_of

Way = Literal["levels", "ranges", "levels_short"]
WAYS: tuple[str, ...] = get_args(Way)


class ToldSpace:
    """A problem's space as shown to a model, with conversions of configurations to and from it.

    * ``levels``: the levels of an ordinal, and those behind a range (``benchmark.space=nearest``), unchanged.
    * ``ranges``: bounds and scale of every range. Refused if a numeric ordinal would have to be listed.
    * ``levels_short``: like levels, by their short names (``harness.short_names``).

    Hyperparameters without levels are shown in the same way in all three.

    Args:
        problem: Problem to optimize.
        way: One of ``WAYS``.

    Attributes:
        problem: The problem with the shown space, from which prompts, forms and schemas are made.
        short: Whether answers may use short names of levels.

    Raises:
        SettingError: The space cannot be shown this way.
    """

    def __init__(self, problem: Problem, way: str) -> None:
        if way not in WAYS:
            raise unknown("prompt.space", way, WAYS)
        space = problem.space
        levels = {name: known.values for name, each in space.items() if (known := known_levels(each)) is not None}
        if way == "ranges":
            _refuse_levels(problem, levels)
        self.short = way == "levels_short"
        fixed = _named(space)
        self._told: dict[str, dict[Number, Number]] = {
            name: dict(zip(known, short_names(known) if self.short else known, strict=True))
            for name, known in levels.items()
            if way != "ranges" and not (isinstance(space[name], NumericalHyperparameter) and name in fixed)
        }
        self.problem = self._of_problem(problem)

    def tell(self, space: ConfigurationSpace) -> ConfigurationSpace:
        """The space, or a part of it, as shown; levels in a part keep the names of the whole space."""
        shown = {name: self._shown(each) for name, each in space.items()}
        return space if all(each.same for each in shown.values()) else rebuilt(space, shown, space.name)

    def shown(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration as shown, with shown names of levels; other values are unchanged."""
        return {name: self._name(name, value) for name, value in params.items()}

    def violation(self, violation: Violation) -> Violation:
        """A violation with shown names of levels, for feedback."""
        if violation.fault is Fault.FORBIDDEN and isinstance(violation.value, Mapping):
            return dataclasses.replace(violation, value=self.shown(violation.value))
        return violation

    def _of_problem(self, problem: Problem) -> Problem:
        space = self.tell(problem.space)
        if space is problem.space:
            return problem
        default = {name: builtin(space[name].default_value) for name in problem.default}
        return dataclasses.replace(problem, space=space, default=default)

    def _name(self, name: str, value: Any) -> Any:
        number = builtin(value)
        told = self._told.get(name, {}).get(number, number) if type(number) in (int, float) else number
        return value if told == number else told  # 1 stays 1 where the level is 1.0

    def _shown(self, old: Hyperparameter[Any, Any]) -> Shown:
        told = self._told.get(old.name)
        default = builtin(old.default_value)
        if told is None:
            return as_it_is(old)
        if isinstance(old, Constant):
            return Shown(Constant(old.name, self._name(old.name, default), meta=old.meta), builtin, builtin)
        if isinstance(old, OrdinalHyperparameter):
            inside = Choices(old).values
            if all(told[level] == level for level in inside):
                return as_it_is(old)
            names = [told[level] for level in inside]
            new: Any = OrdinalHyperparameter(old.name, names, default_value=told[default], meta=old.meta)
            return by_place(old, new, range(len(names)))
        assert isinstance(old, NumericalHyperparameter)
        inside = tuple(level for level in told if old.lower <= level <= old.upper)
        if not inside:
            return as_it_is(old)
        near = min(inside, key=lambda level: abs(level - default))
        names = [told[level] for level in inside]
        return Shown(OrdinalHyperparameter(old.name, names, default_value=told[near], meta=old.meta), builtin, builtin)


def _named(space: ConfigurationSpace) -> set[str]:
    """Hyperparameters in conditions and clauses."""
    parents = {parent.name for name in space for parent in space.parents_of[name]}
    return parents.union(*(names_of(clause) for clause in space.forbidden_clauses))


def _refuse_levels(problem: Problem, levels: Mapping[str, Any]) -> None:
    """Refuse a space with numeric ordinals and without a range that replaces levels."""
    ordinals = [name for name in levels if isinstance(problem.space[name], OrdinalHyperparameter)]
    if ordinals and len(ordinals) == len(levels):
        raise SettingError(
            f"prompt.space=ranges shows numbers as ranges, but {problem.name} has levels only ({', '.join(ordinals)}): "
            "a number between two of them would be charged. Use benchmark.space=nearest with it, if the benchmark "
            "has that, or keep prompt.space=levels."
        )
