"""Recorded runs: those of one method on one task, and the nearest ones to a planned run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HyperboleError
from harness.jsonl import read_rows
from harness.method import BUDGET, GROUPS
from harness.packed import state_of
from harness.record import FILE, read_record, says_complete
from harness.run_files import run_files
from harness.visible import visible

SAMPLE = 20
"""Runs of a kind that are read, the newest."""
COMPANY = 400
"""Runs of an experiment that are read for how many were in flight."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """The complete runs of one method on one task in one experiment.

    Attributes:
        experiment: The experiment's folder.
        folders: Their folders, the newest first.
        info: run.json of the newest.
    """

    experiment: Path
    folders: tuple[Path, ...]
    info: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Where it is, for a reader."""
        return visible(f"{self.experiment}: {self.info['benchmark']}.{self.info['task']} {self.info['method']}")

    def sample(self) -> Iterator[tuple[Mapping[str, Any], list[dict[str, Any]]]]:
        """run.json and rows of the newest runs; unreadable ones are left out."""
        for folder in self.folders[:SAMPLE]:
            try:
                run, rows = read_record(folder / FILE, oldest=1), read_rows(folder / "trials.jsonl")
            except (OSError, HyperboleError):
                continue
            if rows:
                yield run, rows

    def company(self) -> Iterator[Mapping[str, Any]]:
        """run.json of the experiment's runs that ended between the first and the last one of the sample."""
        ends = [_written(folder) for folder in self.folders[:SAMPLE]]
        every = [path.parent for path in run_files(self.experiment)]
        near = [folder for folder in every if min(ends) <= _written(folder) <= max(ends)]
        for folder in sorted(near, key=_written, reverse=True)[:COMPANY]:
            try:
                yield read_record(folder / FILE, oldest=1)
            except (OSError, HyperboleError):
                continue


def kinds_in(folders: Iterable[Path]) -> list[Kind]:
    """Every kind of complete run below folders of experiments, such as ``runs`` and ``results``."""
    return [kind for root in folders for experiment in _below(root) for kind in _kinds_of(experiment)]


def _kinds_of(experiment: Path) -> Iterator[Kind]:
    of_method: dict[Path, list[Path]] = {}
    for path in run_files(experiment):
        if says_complete(path):
            of_method.setdefault(path.parents[1], []).append(path.parent)
    for runs in of_method.values():
        runs.sort(key=_written, reverse=True)
        try:
            yield Kind(experiment, tuple(runs), read_record(runs[0] / FILE))
        except (OSError, HyperboleError):
            continue


def nearest(run: Mapping[str, Any], kinds: Iterable[Kind], host: str) -> Kind | None:
    """The kind of recorded run that is nearest to a planned one; None if its optimizer was never recorded.

    In this order: the same model, the fewest differing settings of the method, the same benchmark, the same task, as
    many trials, the same budget, the same machine; then the most recent one.

    Args:
        run: The identity of the planned run.
        kinds: What was recorded.
        host: This machine.
    """
    same = [kind for kind in kinds if _class(kind.info) == _class(run) and kind.info["optimizer"] == run["optimizer"]]

    def distance(kind: Kind) -> tuple[Any, ...]:
        info = kind.info
        of_task = (info["benchmark"] != run["benchmark"], info["task"] != run["task"])
        length = (_reach(info) < _reach(run), _budget(info) != _budget(run))
        return (model_of(info) != model_of(run), unlike(info, run), *of_task, *length, info.get("host") != host)

    newest_first = sorted(same, key=lambda kind: str(kind.info.get("finished_at")), reverse=True)
    return min(newest_first, key=distance, default=None)


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """Number of the method's choices and settings in which two runs differ."""
    sides = [_of_method(one), _of_method(other)]
    return sum(sides[0].get(key) != sides[1].get(key) for key in {*sides[0], *sides[1]})


def model_of(run: Mapping[str, Any]) -> str | None:
    """The model's name as its server has it; None without a language model."""
    node = (run["config"].get("llm") or {}) if run["llm"] is not None else {}
    name = node.get("served_name") or node.get("model")
    return None if run["llm"] is None else str(name or run["llm"])


def _of_method(run: Mapping[str, Any]) -> dict[str, Any]:
    choices = {key: choice for key, choice in run["choices"].items() if key in GROUPS}
    settings = {name: value for name, value in run["settings"].items() if _group(name) not in ("benchmark", BUDGET)}
    return choices | settings


def _group(name: str) -> str:
    return name.lstrip("~").partition(".")[0]


def _budget(run: Mapping[str, Any]) -> dict[str, Any]:
    node = run["config"].get(BUDGET) or {}
    return {key: node.get(key) for key in ("proposals", "evaluations", "tokens", "seconds")}


def _reach(run: Mapping[str, Any]) -> float:
    """Number of trials that the budget allows."""
    budget = _budget(run)
    return min((budget[key] for key in ("proposals", "evaluations") if budget[key] is not None), default=0.0)


def _class(run: Mapping[str, Any]) -> Any:
    return (run["config"].get("optimizer") or {}).get("_target_")


def _written(folder: Path) -> float:
    try:
        state = state_of(folder / FILE)
    except OSError:
        return 0.0
    return 0.0 if state is None else state[0] / 1e9


def _below(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []
