"""The settings of the runs, without secrets."""

from __future__ import annotations

import json
import re

from analysis.runs.load import Experiment, Run

_SECRET = re.compile(r"api_?key|password|secret|credential|^(auth_)?token$", re.IGNORECASE)


def settings(experiment: Experiment) -> tuple[tuple[str, str], ...]:
    """(method, resolved configuration of its first run as indented JSON, without secrets)."""
    first: dict[str, Run] = {}
    for run in experiment.runs:
        first.setdefault(run.method, run)
    return tuple((_both(run), json.dumps(without_secrets(run.info.get("config")), indent=2)) for run in first.values())


def _both(run: Run) -> str:
    """The label and the folder name."""
    return run.method if run.method == run.folder_method else f"{run.method} ({run.folder_method})"


def without_secrets(value: object) -> object:
    """The configuration with "hidden" for all values with names of secrets."""
    if isinstance(value, dict):
        return {key: "hidden" if _SECRET.search(str(key)) else without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value
