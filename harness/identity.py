"""Identity of a run, by value (law 11): its choices, the settings that differ from them, and the names derived."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from harness.choice_files import ChoiceFiles, default_choices
from harness.method import ALWAYS_USED, BUDGET, GROUPS, NAMED
from harness.names import component, joined, part, written
from harness.values import MISSING, dotted

BENCHMARK, OPTIMIZER = "benchmark", "optimizer"
WITHOUT_TASK = "default"
"""The task's name if the benchmark has no setting ``task``."""
REMOVED = "~"
"""Prefix of a setting that the choice has and the run lacks, as on Hydra's command line."""
_AMBIGUOUS = frozenset({BENCHMARK, OPTIMIZER, *NAMED})


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a run, independent of how it was written on the command line.

    Attributes:
        choices: Group -> file, of the benchmark, the optimizer, the groups that it uses, and the budget.
        settings: Dotted name -> value of every setting that differs from these files, except settings that change
            neither a reply nor a score (``harness.plumbing``).
    """

    choices: Mapping[str, str | None]
    settings: Mapping[str, Any]

    @property
    def varied(self) -> dict[str, str]:
        """Group -> choice that is not the default, for ``harness.method.NAMED`` in that order."""
        defaults = default_choices()
        found = {group: self.choices.get(group) for group in NAMED}
        return {group: choice for group, choice in found.items() if choice not in (None, defaults.get(group))}

    def of(self, group: str) -> dict[str, Any]:
        """The settings of one group, by their names in the group."""
        below = f"{group}."
        own = [name for name in sorted(self.settings) if name.removeprefix(REMOVED).startswith(below)]
        return {_below(name, below): self.settings[name] for name in own}

    @property
    def of_task(self) -> dict[str, Any]:
        """The benchmark's settings except the task's name."""
        return {name: value for name, value in self.of(BENCHMARK).items() if name != "task"}

    @property
    def of_method(self) -> dict[str, Any]:
        """All other settings except the budget's, with the optimizer's by their own names."""
        found = {}
        for name, value in self.settings.items():
            group, _, rest = name.removeprefix(REMOVED).partition(".")
            if group == OPTIMIZER and rest.partition(".")[0] not in _AMBIGUOUS:
                found[_below(name, f"{OPTIMIZER}.")] = value
            elif group not in (BENCHMARK, BUDGET):
                found[name] = value
        return found

    def method(self) -> str:
        """The method's name: the optimizer and, in fixed order, every choice and setting that differs.

        For example ``llm_chat+decoding=json_schema+history=conversation``. The size of a budget is not part of any
        name: resuming a run with another size is refused.
        """
        chosen = [f"{group}={choice}" for group, choice in self.varied.items()]
        return joined([str(self.choices.get(OPTIMIZER)), *chosen, *_named(self.of_method)])

    def task(self, task: str) -> str:
        """The task's name with every choice and setting of the benchmark that differs: ``31+leak=v1+model=svm``."""
        return joined([task, *_named(self.of_task)])

    def place(self, task: str) -> str:
        """``<benchmark>.<task>``, the folder of the task's runs."""
        return component(f"{part(str(self.choices.get(BENCHMARK)))}.{self.task(task)}")

    def fields(self, config: Mapping[str, Any], files: ChoiceFiles, unset_task: str = WITHOUT_TASK) -> dict[str, Any]:
        """The identifying fields of run.json, and ``place`` (``<benchmark>.<task>``).

        Args:
            config: Resolved configuration.
            files: The configuration files.
            unset_task: The task's name if neither the configuration nor the benchmark's class has one.
        """
        task = files.value(BENCHMARK, config, "task")
        task = unset_task if task is None else written(task) if isinstance(task, int | float) else str(task)
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
        chosen: Known choice of each group; used only if no file builds the class.
        files: The configuration files.
    """
    choices: dict[str, str | None] = {}
    settings: dict[str, Any] = {}
    for group in (BENCHMARK, OPTIMIZER, *(group for group in GROUPS if group in used), BUDGET):
        if config.get(group) is None:
            if group in ALWAYS_USED:  # recorded before this group existed
                choices[group] = default_choices().get(group)
            continue
        choices[group], found = files.nearest(group, config, chosen.get(group))
        for place, _, new in found:
            name = dotted((group, *place))
            settings |= {f"{REMOVED}{name}": None} if new is MISSING else {name: new}
    return Identity(choices, dict(sorted(settings.items())))


def identity_in(run: Mapping[str, Any]) -> Identity:
    """The identity recorded in a run.json."""
    return Identity(run["choices"], run["settings"])


def _below(name: str, group: str) -> str:
    """A setting's name without its group's name; a prefix mark is kept."""
    mark = REMOVED if name.startswith(REMOVED) else ""
    return mark + name.removeprefix(mark).removeprefix(group)


def _named(settings: Mapping[str, Any]) -> list[str]:
    return [f"{name}={written(settings[name])}" for name in sorted(settings)]
