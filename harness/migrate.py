"""Renew the records of an experiment: run.json in this version's schema, each run in the folder named after its values.

python -m harness.migrate runs/quickstart

Trials and calls stay unchanged; the folder may also hold several experiments. For a plug-in, name its folder
as for harness.run, with 'hydra.searchpath=[FOLDER]', since names follow from the configuration files. Up-to-date
records are skipped, so the command may be repeated. Tables and figures keep the old names until they are rebuilt,
and runs published to W&B earlier keep the old names there.
Exit codes: 0 all records are up to date; 2 a record cannot be renewed and nothing was changed, or a mistake in the
command.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.arguments import Parser
from harness.choice_files import CONF, ChoiceFiles
from harness.errors import RunError, SettingError
from harness.explain import explained
from harness.files import replace_file, usable
from harness.folder import LOCK, RunFolder
from harness.former_names import EXPERIMENT
from harness.identity import identity_of
from harness.jsonl import encode, read_rows
from harness.method import GROUPS, NAMED
from harness.moved import renewed
from harness.names import component
from harness.packed import is_packed
from harness.record import SCHEMA, read_record
from harness.run_files import every_run_file
from harness.sweep_record import FILE as SWEEPS
from harness.trust import Trust, search_path

GIVEN = ("benchmark", "optimizer", "llm")
"""Groups for which every record has a choice."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One run: its current and new folder, and its current and new record."""

    folder: Path
    target: Path
    before: Mapping[str, Any]
    run: Mapping[str, Any]

    @property
    def is_due(self) -> bool:
        """Whether there is a change to make."""
        return self.folder != self.target or self.before != self.run

    @property
    def experiment(self) -> Path:
        """The experiment's folder."""
        return self.folder.parents[EXPERIMENT]

    @property
    def ids(self) -> tuple[str, str]:
        """The run's id in ``sweeps.jsonl``, before and after."""
        old, new = (path.relative_to(self.experiment).as_posix() for path in (self.folder, self.target))
        return old, new


def main() -> None:
    """The command."""
    parser = Parser.of_module("harness.migrate", __doc__)
    parser.add_argument("folder", type=Path, help="an experiment, or a folder with several")
    parser.add_argument("overrides", nargs="*", default=[], help="hydra.searchpath=[...]")
    options = parser.parse_args()
    with explained(options.overrides):
        found, total = migrate(options.folder, options.overrides)
        for each in found:
            print(" -> ".join(dict.fromkeys(os.path.relpath(path) for path in (each.folder, each.target))))
        print(f"{len(found)} of {total} records renewed, {total - len(found)} were up to date.")


def migrate(folder: Path, overrides: Sequence[str] = ()) -> tuple[list[Renewal], int]:
    """Renew all outdated records below a folder.

    Returns:
        The renewed runs, and the total number of records.

    Raises:
        HyperboleError: A record cannot be renewed, or two runs would share a folder. Nothing is changed then.
    """
    folders = [CONF, *search_path(overrides)]
    files = ChoiceFiles(folders, Trust(folders, {}))
    paths = every_run_file(folder)
    planned = [_planned(path, files) for path in paths]
    targets: dict[Path, Path] = {}
    for each in planned:
        other = targets.setdefault(each.target, each.folder)
        if other != each.folder:
            raise RunError(f"{other} and {each.folder} are the same run; move one of them away.")
    due = [each for each in planned if each.is_due]
    for each in due:
        _refuse_unfit(each)
    for experiment in dict.fromkeys(each.experiment for each in due):
        _rename_in_sweeps(experiment, dict(each.ids for each in due if each.experiment == experiment))
    for each in due:
        _renew(each)
    return due, len(planned)


def _refuse_unfit(each: Renewal) -> None:
    """Make sure that a run can be moved.

    Raises:
        RunError: The run is in use by another process, or its new folder exists.
    """
    if is_packed(each.folder):
        folder = shlex.quote(str(each.experiment))
        raise RunError(f"{each.experiment} is packed; unpack it first: python -m harness.pack --unpack {folder}")
    if (each.folder / LOCK).exists():
        with RunFolder(each.folder).lock() as held:
            if not held:
                raise RunError(f"{each.folder} is in use by another process; wait for it to end.")
    if each.target != each.folder and each.target.exists():
        raise RunError(f"{each.folder} belongs in {each.target}, which already exists; move one of them away.")


def _planned(path: Path, files: ChoiceFiles) -> Renewal:
    folder = path.parent.absolute()
    run = read_record(path, oldest=1, in_new_words=False)
    home = f"{component('.'.join((run['benchmark'], run['task'])))}/{run['method']}/{run['seed']}"
    if not folder.as_posix().endswith(f"/{home}") or len(folder.parents) <= EXPERIMENT:
        raise RunError(f"{path} is not in the folder that it names, {home}; move it there or away.")
    config = renewed(run["config"])
    chosen = {**_named_choices(run), **run.get("choices", {})}
    for group in GIVEN:
        if run[group] is not None and not files.has(group, str(run[group])):
            raise SettingError(
                f"{path}: the configuration file {group}/{run[group]}.yaml of this run is not found; add its folder "
                "with 'hydra.searchpath=[FOLDER]'."
            )
    if any(config.get(group) is None for group in ("benchmark", "optimizer", "budget")):
        raise RunError(f"{path} cannot be renewed: its configuration lacks benchmark, optimizer or budget.")
    used = [group for group in GROUPS if config.get(group) is not None]
    recorded_task = str(run["task"]).partition("+")[0]  # kept if the benchmark's class cannot be imported here
    fields = identity_of(config, used, chosen, files).fields(config, files, recorded_task)
    place = fields.pop("place")
    target = folder.parents[EXPERIMENT] / place / fields["method"] / str(run["seed"])
    return Renewal(folder, target, run, _in_order(run | {"config": config} | fields))


def _in_order(run: Mapping[str, Any]) -> dict[str, Any]:
    """The record in this version's order of fields: choices and settings before the seed."""
    found: dict[str, Any] = {}
    for key in run:
        if key == "seed":
            found |= {"choices": run["choices"], "settings": run["settings"]}
        if key not in ("choices", "settings"):
            found[key] = SCHEMA if key == "schema" else run[key]
    return found


def _named_choices(run: Mapping[str, Any]) -> dict[str, str]:
    """The choices in an old record: three groups are fields, the others are in the method's name."""
    parts = (text.partition("=") for text in str(run["method"]).split("+")[1:])
    named = {group: choice for group, _, choice in parts if group in NAMED}
    return named | {group: run[group] for group in GIVEN if run[group] is not None}


def _renew(each: Renewal) -> None:
    with usable(each.target):
        if each.target != each.folder:
            each.target.parent.mkdir(parents=True, exist_ok=True)
            each.folder.rename(each.target)
            with contextlib.suppress(OSError):  # other runs are still there
                each.folder.parent.rmdir()
                each.folder.parents[1].rmdir()
        RunFolder(each.target).write(dict(each.run))


def _rename_in_sweeps(experiment: Path, ids: Mapping[str, str]) -> None:
    """Rename the runs in ``sweeps.jsonl``."""
    path = experiment / SWEEPS
    rows = read_rows(path)
    renamed = [
        row | {key: [ids.get(str(one), one) for one in row[key]] for key in ("runs", "elsewhere") if row.get(key)}
        for row in rows
    ]
    if renamed != rows:
        replace_file(path, "".join(f"{encode(row)}\n" for row in renamed))


if __name__ == "__main__":
    main()
