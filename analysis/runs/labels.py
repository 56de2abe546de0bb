"""What methods are called where people read: short, and never the same for two methods of one experiment.

The folder's name of a method stays its identity: CSV files have both.
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
"""Names that are not their choice's words; any other optimizer, also one from outside, is called by its own."""
EXACT = "random search, exact"
"""The row of the exact expectation, which is no method's."""
_OF_ALL = frozenset({*ALWAYS_USED, BUDGET})
"""Groups that act on every method."""
_OF_MODELS = frozenset({MODEL, DECODING})
"""Groups that act on every method with a language model. What all of these are told, the prompt, is always said."""
_LONGEST_MODEL = 60


@dataclass(frozen=True, slots=True)
class Named:
    """One method, as far as words go: of all of its runs.

    Attributes:
        optimizer: Its name as people write it.
        models: Titles of its language models: one, unless its runs differ; none where no model takes part.
        groups: As ``harness.label.Words``.
        choice: Of the ``llm`` group.
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
        """The label of a method that the folders name so."""
        return self._of[method]

    def without(self, method: str, group: str) -> str:
        """What a method is called when its choice in a group is not said: the same for all that differ in it alone."""
        return self._text(self._named[method], group)

    def _unique(self) -> dict[str, str]:
        """Short where that is enough to tell a method from all others, else longer, at last with the folder's name."""
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
    """A model's name as people write it: the catalogue's, else its own."""
    known = BY_NAME.get(model)
    return known.title if known else one_line(model)[:_LONGEST_MODEL]


def model_parameters(model: str) -> int | None:
    """How many parameters a model has, of those in the catalogue."""
    known = BY_NAME.get(model)
    return known.parameters if known else None


def _title(optimizer: str) -> str:
    return OPTIMIZERS.get(optimizer, optimizer.replace("_", " "))


def _shared(methods: Sequence[Named], groups: frozenset[str]) -> frozenset[str]:
    """Parts that all methods have, and the same: they tell none of them from another."""
    if not methods:
        return frozenset()
    first, *others = (each.groups.items() for each in methods)
    same = set(first).intersection(*others)
    return frozenset(key for key, _ in same if key != DECODING and key.partition(".")[0] in groups)


def _several(labels: Iterable[str]) -> set[str]:
    return {label for label, count in Counter(labels).items() if count > 1}


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Labels one behind another, with "and" where they hold commas themselves; above ``most``, how many more."""
    shown = list(names[:most])
    if len(names) > len(shown):
        shown[-1] += f" and {len(names) - len(shown)} more"
    return (" and " if any(", " in name for name in shown) else ", ").join(shown)


def _all(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
