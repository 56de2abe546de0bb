"""Which run it is, by value (law 11): its choices, what differs from them, and the names that follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from harness.choice_files import ChoiceFiles, default_choices
from harness.method import ALWAYS_USED, BUDGET, GROUPS, NAMED
from harness.names import component, joined, part, written
from harness.values import MISSING, dotted

BENCHMARK, OPTIMIZER = "benchmark", "optimizer"
REMOVED = "~"
"""Before the name of a setting that the choice has and the run has not, as on Hydra's command line."""
_AMBIGUOUS = frozenset({BENCHMARK, OPTIMIZER, *NAMED})


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run is, whichever way it was asked for.

    Attributes:
        choices: Group -> file, of the benchmark, the optimizer, the groups that it uses, and the budget.
        settings: Dotted name -> value of everything that differs from what these files say; without what changes
            neither a reply nor a score (``harness.plumbing``).
    """

    choices: Mapping[str, str | None]
    settings: Mapping[str, Any]

    @property
    def varied(self) -> dict[str, str]:
        """Group -> choice where it is not the default, of ``harness.method.NAMED`` and in that order."""
        defaults = default_choices()
        found = {group: self.choices.get(group) for group in NAMED}
        return {group: choice for group, choice in found.items() if choice not in (None, defaults.get(group))}

    def of(self, group: str) -> dict[str, Any]:
        """The settings of one group, by their names in it."""
        below = f"{group}."
        own = [name for name in sorted(self.settings) if name.removeprefix(REMOVED).startswith(below)]
        return {_below(name, below): self.settings[name] for name in own}

    @property
    def of_task(self) -> dict[str, Any]:
        """The benchmark's settings, the task's name left out."""
        return {name: value for name, value in self.of(BENCHMARK).items() if name != "task"}

    @property
    def of_method(self) -> dict[str, Any]:
        """All other settings, the optimizer's by their own names; a budget's are none of a method."""
        found = {}
        for name, value in self.settings.items():
            group, _, rest = name.removeprefix(REMOVED).partition(".")
            if group == OPTIMIZER and rest.partition(".")[0] not in _AMBIGUOUS:
                found[_below(name, f"{OPTIMIZER}.")] = value
            elif group not in (BENCHMARK, BUDGET):
                found[name] = value
        return found

    def method(self) -> str:
        """The method's name: the optimizer and, in fixed order, every choice and setting that sets it apart.

        For example ``llm_chat+decoding=json_schema+history=conversation``. How large a budget is is up to the
        experiment and in no name: a run of another length is refused.
        """
        chosen = [f"{group}={choice}" for group, choice in self.varied.items()]
        return joined([str(self.choices.get(OPTIMIZER)), *chosen, *_named(self.of_method)])

    def task(self, task: str) -> str:
        """The task's name with all that sets the benchmark apart: ``31+leak=v1+model=svm``."""
        return joined([task, *_named(self.of_task)])

    def place(self, task: str) -> str:
        """``<benchmark>.<task>``, the folder of the task's runs."""
        return component(f"{part(str(self.choices.get(BENCHMARK)))}.{self.task(task)}")

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of run.json that say so, and ``place``, as ``<benchmark>.<task>`` is called in folders.

        Args:
            config: Resolved configuration.
        """
        benchmark = config[BENCHMARK]
        task = benchmark.get("task", "default") if isinstance(benchmark, Mapping) else "default"
        task = written(task) if isinstance(task, int | float) else str(task)
        return {
            "place": self.place(task),
            "benchmark": part(str(self.choices[BENCHMARK])),
            "task": self.task(task),
            "method": self.method(),
            "optimizer": str(self.choices[OPTIMIZER]),
            "llm": self.choices.get("llm"),
            "choices": dict(self.choices),
            "settings": dict(self.settings),
        }


def identity_of(
    config: Mapping[str, Any], used: Collection[str], chosen: Mapping[str, str | None], files: ChoiceFiles
) -> Identity:
    """The identity of a run.

    Args:
        config: Resolved configuration.
        used: Groups that its method uses.
        chosen: What was chosen in each group, as far as that is known; it counts only where no file builds the class.
        files: The configuration files.
    """
    choices: dict[str, str | None] = {}
    settings: dict[str, Any] = {}
    for group in (BENCHMARK, OPTIMIZER, *(group for group in GROUPS if group in used), BUDGET):
        if config.get(group) is None:
            if group in ALWAYS_USED:  # recorded before there was such a group
                choices[group] = default_choices().get(group)
            continue
        choices[group], found = files.nearest(group, config, chosen.get(group))
        for place, _, new in found:
            name = dotted((group, *place))
            settings |= {f"{REMOVED}{name}": None} if new is MISSING else {name: new}
    return Identity(choices, dict(sorted(settings.items())))


def identity_in(run: Mapping[str, Any]) -> Identity:
    """The identity that a run.json says."""
    return Identity(run["choices"], run["settings"])


def _below(name: str, group: str) -> str:
    """A setting's name without its group's, a mark before it kept."""
    mark = REMOVED if name.startswith(REMOVED) else ""
    return mark + name.removeprefix(mark).removeprefix(group)


def _named(settings: Mapping[str, Any]) -> list[str]:
    return [f"{name}={written(settings[name])}" for name in sorted(settings)]
