"""Labels of methods for readers: short, and unique within an experiment.

A method's folder name remains its identity; CSV files have both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.runs.escape import one_line
from harness.label import CHAT, DECODING, MODEL, words
from harness.method import ALWAYS_USED, BUDGET
from llms.local.catalogue import BY_NAME

OPTIMIZERS = {
    "cma_es": "CMA-ES",
    "hollm": "HOLLM",
    "llambo": "LLAMBO",
    "llambo_small": "LLAMBO small",
    "llinbo": "LLINBO",
    "llm_chat": "LLM chat",
    "llm_tpe": "LLM-TPE",
    "nsga2": "NSGA-II",
    "opro": "OPRO",
    "centaur": "Centaur",
    "hyperband": "Hyperband",
    "smac": "SMAC",
    "smac_blackbox": "SMAC black-box",
    "smac_multifidelity": "SMAC multi-fidelity",
    "sobol": "Sobol",
    "tpe": "TPE",
}
"""Names that differ from the choice; any other optimizer is called by its choice."""
EXACT = "random search, exact"
"""The row of the exact expectation, which is no method's."""
_OF_ALL = frozenset({*ALWAYS_USED, BUDGET})
"""Groups that affect every method."""
_OF_MODELS = frozenset({MODEL, DECODING})
"""Groups that affect every method with a language model. The prompt is always part of the label."""
_LONGEST_MODEL = 60


@dataclass(frozen=True, slots=True)
class Named:
    """The parts of one method's label, from all of its runs.

    Attributes:
        optimizer: Display name.
        models: Titles of its language models: one, unless its runs differ; empty without a model.
        groups: As ``harness.label.Words``.
        choice: Choice of the ``llm`` group.
    """

    optimizer: str
    models: tuple[str, ...]
    groups: Mapping[str, str]
    choice: str | None


class Labels:
    """The labels of an experiment's methods.

    Args:
        infos: run.json of every run.
    """

    def __init__(self, infos: Iterable[Mapping[str, Any]]) -> None:
        by_method: dict[str, list[Mapping[str, Any]]] = {}
        for info in infos:
            by_method.setdefault(str(info["method"]), []).append(info)
        self._named = {method: _named(runs) for method, runs in by_method.items()}
        with_model = [each for each in self._named.values() if each.models]
        self._chat_alone = all(each.optimizer == _title(CHAT) for each in with_model)
        self._shared = _shared(list(self._named.values()), _OF_ALL) | _shared(with_model, _OF_MODELS)
        self._of = self._unique()

    def __getitem__(self, method: str) -> str:
        """The label of a method, by its folder name."""
        return self._of[method]

    def without(self, method: str, group: str) -> str:
        """The label without a group's choice: the same for all methods that differ only in it."""
        return self._text(self._named[method], group)

    def _unique(self) -> dict[str, str]:
        """Short labels if unique, else longer ones, finally with the folder name."""
        found = {method: self._text(named) for method, named in self._named.items()}
        for longer in (self._whole, self._with_choice, self._with_folder):
            several = _several(found.values())
            found |= {method: longer(method) for method, said in found.items() if said in several}
        several = _several(found.values())
        return {method: method if said in several else said for method, said in found.items()}

    def _text(self, named: Named, group: str | None = None) -> str:
        kept = {key: said for key, said in named.groups.items() if key not in self._shared and key != group}
        return self._joined(named, kept.values())

    def _whole(self, method: str) -> str:
        return self._joined(self._named[method], self._named[method].groups.values())

    def _with_choice(self, method: str) -> str:
        choice = self._named[method].choice
        return f"{self._whole(method)} ({choice})" if choice else self._whole(method)

    def _with_folder(self, method: str) -> str:
        return f"{self._whole(method)} ({method})"

    def _joined(self, named: Named, said: Iterable[str]) -> str:
        silent = named.models and named.optimizer == _title(CHAT) and self._chat_alone
        return ", ".join([*([] if silent else [named.optimizer]), *filter(None, [" / ".join(named.models)]), *said])


def _named(runs: Sequence[Mapping[str, Any]]) -> Named:
    of_runs = [words(run) for run in runs]
    first = of_runs[0]
    groups = {key: " / ".join(_all(each.groups.get(key, "") for each in of_runs)) for key in first.groups}
    models = _all(model_title(of.model) for of in of_runs if of.model is not None)
    return Named(_title(first.optimizer), tuple(models), groups, runs[0].get("llm"))


def model_title(model: str) -> str:
    """Display name of a model: that of the catalogue, else the model's own."""
    known = BY_NAME.get(model)
    return known.title if known else one_line(model)[:_LONGEST_MODEL]


def model_parameters(model: str) -> int | None:
    """Number of parameters of a model of the catalogue, else None."""
    known = BY_NAME.get(model)
    return known.parameters if known else None


def _title(optimizer: str) -> str:
    return OPTIMIZERS.get(optimizer, optimizer.replace("_", " "))


def _shared(methods: Sequence[Named], groups: frozenset[str]) -> frozenset[str]:
    """Parts that are equal in all methods and therefore not distinctive."""
    if not methods:
        return frozenset()
    first, *others = (each.groups.items() for each in methods)
    same = set(first).intersection(*others)
    return frozenset(key for key, _ in same if key != DECODING and key.partition(".")[0] in groups)


def _several(labels: Iterable[str]) -> set[str]:
    return {label for label, count in Counter(labels).items() if count > 1}


def _all(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
