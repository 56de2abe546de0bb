"""Which runs of an experiment are complete, running, failed, interrupted or missing, and the command that continues.

python -m harness.status runs/quickstart

A run is missing if a sweep asked for it and it has no folder; joblib and basic leave no such list.
Exit codes: 0 every run is complete, 1 some are not, 2 a mistake in the command.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.arguments import Parser
from harness.console import tell
from harness.engine.plan import Plan, plans_of, reasons_of
from harness.errors import RunError
from harness.experiments import not_an_experiment
from harness.explain import explained
from harness.folder import LOCK
from harness.holder import Holder
from harness.method import BUDGET
from harness.record import read_record, says_complete
from harness.run_files import run_files
from harness.visible import visible

_MODE = "hydra.mode=MULTIRUN"
SHOWN = 10
"""Runs listed per state."""
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")


@dataclass(slots=True)
class Status:
    """The runs of one experiment.

    Attributes:
        complete: Number of complete runs.
        others: State -> the runs in it: place and what is known, as a text.
        command: The command that continues, or None.
    """

    complete: int = 0
    others: dict[str, list[str]] = field(
        default_factory=lambda: {state: [] for state in ("running", "failed", "interrupted", "damaged", "missing")}
    )
    command: str | None = None

    @property
    def total(self) -> int:
        """Number of runs."""
        return self.complete + sum(map(len, self.others.values()))


def main() -> None:
    """The command."""
    parser = Parser.of_module("harness.status", __doc__)
    parser.add_argument("experiment", type=Path, help="folder of the runs, such as runs/quickstart")
    parser.add_argument("--all", action="store_true", help=f"list every run, not {SHOWN} per state")
    options = parser.parse_args()
    with explained([]):
        found = status_of(options.experiment)
        tell(text_of(found, options.experiment, None if options.all else SHOWN))
    raise SystemExit(0 if found.complete == found.total else 1)


def status_of(experiment: Path) -> Status:
    """The state of every run.

    Raises:
        HyperboleError: The folder is not an experiment.
    """
    found, places, unfinished = Status(), set(), []
    for path in run_files(experiment):
        place = path.parent.relative_to(experiment).as_posix()
        places.add(place)
        if says_complete(path):
            found.complete += 1
        else:
            unfinished += [_add(found, path, place)]
    plans = plans_of(experiment)
    if not places and not plans:
        raise not_an_experiment(experiment)
    wanted = dict.fromkeys(place for plan in plans for place in plan.places)
    reasons = reasons_of(experiment)
    for place in (each for each in wanted if each not in places):
        if place in reasons:
            found.others["failed"].append(f"{place}: {reasons[place]}")
        else:
            found.others["missing"].append(place)
    found.command = _command(found, plans, [run for run in unfinished if run is not None])
    return found


def _add(found: Status, path: Path, place: str) -> dict[str, Any] | None:
    """File a run that is not complete under its state; its record if the same command resumes it."""
    try:
        run = read_record(path, oldest=1)
    except (OSError, RunError) as error:
        found.others["damaged"].append(f"{place}: {error}")
        return None
    holder = Holder.read(path.parent / LOCK)
    if holder is not None and holder.is_alive is not False:
        found.others["running"].append(f"{place}: process {holder.pid} on {holder.host}, since {holder.since}")
        return None
    if run["status"] == "failed":
        found.others["failed"].append(f"{place}: {run.get('error')}")
    else:
        found.others["interrupted"].append(f"{place}: started at {run.get('started_at')}")
    return run


def _command(found: Status, plans: Sequence[Plan], runs: Sequence[dict[str, Any]]) -> str | None:
    """The newest sweep with a run that is not complete; without one, the command of the first such run."""
    left = {text.partition(":")[0] for state in found.others for text in found.others[state]}
    for plan in reversed(plans):
        if left.intersection(plan.places):
            return shlex.join(
                ["python", "-m", "harness.run", "-m", *(text for text in plan.overrides if text != _MODE)]
            )
    return None if not runs else shlex.join(["python", "-m", "harness.run", *overrides_of(runs[0])])


def overrides_of(run: dict[str, Any]) -> list[str]:
    """Overrides that name a recorded run; a plug-in also needs its hydra.searchpath.

    Args:
        run: Its run.json.
    """
    choices = [f"{group}={choice}" for group, choice in run.get("choices", {}).items() if choice is not None]
    settings = [f"{name}={_said(value)}" for name, value in run.get("settings", {}).items()]
    budget = [f"{BUDGET}.{name}={_said(limit)}" for name, limit in run["budget"].items() if limit is not None]
    given = {text.partition("=")[0] for text in settings}
    budget = [text for text in budget if text.partition("=")[0] not in given]
    return [f"name={run['experiment']}", *choices, *settings, *budget, f"seed={run['seed']}"]


def _said(value: Any) -> str:
    """A value in the words of Hydra's command line."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_said(key)}:{_said(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_said, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.casefold() not in ("true", "false", "null", "nan", "inf"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def text_of(found: Status, experiment: Path, most: int | None = SHOWN) -> str:
    """The status as lines for a terminal."""
    counts = [f"{len(runs):,} {state}" for state, runs in found.others.items() if runs]
    lines = [", ".join([f"{experiment}: {found.complete:,} of {found.total:,} runs complete", *counts])]
    for state, runs in found.others.items():
        if runs:
            lines.append(f"{state}:")
            lines += [f"  {visible(run)}" for run in runs[:most]]
            lines += [f"  and {len(runs) - most:,} more"] if most is not None and len(runs) > most else []
    if found.command is not None:
        lines.append(f"Continue with: {found.command}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
