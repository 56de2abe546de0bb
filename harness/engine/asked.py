"""The runs that a command line asks for and how much of them is on disk, found without starting anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_automatic_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.singleton import Singleton
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict

from harness.build import check_all
from harness.choice_files import CONF
from harness.engine.families import Families
from harness.engine.pool import cores
from harness.errors import HyperboleError, SettingError
from harness.experiment import job_of
from harness.folder import LOCK
from harness.holder import Holder
from harness.job import Job, found, refuse_unlike
from harness.names import as_written, check_experiment
from harness.override_keys import as_typed
from harness.sweep import BASIC_SWEEPERS, refuse_empty, settle
from hydra_plugins.hyperbole.workers import OnceSweeper


@dataclass(slots=True)
class Asked:
    """What a command asks for.

    Attributes:
        experiments: Their names: one, but for a sweep over ``name``.
        jobs: Number of jobs; several may be the same run.
        complete: Number of runs that are complete.
        resumed: Runs that were begun, each with its number of trials on disk.
        missing: Runs that were not begun.
        busy: Number of runs that another process works on.
        mistakes: Why other jobs can be neither started nor resumed.
        with_model: Number of runs with a language model at a time; None if only the launcher knows.
        classical: Number of other runs at a time; None if only the launcher knows.
        at_a_time: Number of runs of any kind at a time; None if only the launcher knows.
    """

    experiments: Sequence[str]
    jobs: int = 0
    complete: int = 0
    resumed: list[tuple[Job, int]] = field(default_factory=list)
    missing: list[Job] = field(default_factory=list)
    busy: int = 0
    mistakes: list[HyperboleError] = field(default_factory=list)
    with_model: int | None = 1
    classical: int | None = 1
    at_a_time: int | None = 1


def asked(arguments: Sequence[str]) -> Asked:
    """What ``python -m harness.run`` with these arguments would do.

    Args:
        arguments: In the order of ``harness.arguments.in_order``.

    Raises:
        HydraException, HyperboleError: As ``harness.run``.
    """
    flags = get_args_parser().parse_args(list(arguments))
    overrides = [str(text) for text in flags.overrides if text != "--"]
    sweeps = flags.multirun or any(text.lower() == "hydra.mode=multirun" for text in overrides)
    with _hydra(flags) as hydra:
        mode = RunMode.MULTIRUN if sweeps else RunMode.RUN
        config = hydra.compose_config(flags.config_name or "config", overrides, run_mode=mode)
        return _of_sweep(hydra, config) if sweeps else _of_run(config)


@contextmanager
def _hydra(flags: Any) -> Iterator[Hydra]:
    """Hydra as its own main function sets it up, without its output."""
    state = Singleton.get_state()
    GlobalHydra.instance().clear()
    version.setbase("1.3")
    path = create_automatic_config_search_path(None, None, str(CONF))
    if flags.config_dir is not None:
        folder = os.path.abspath(flags.config_dir)
        if not os.path.isdir(folder):
            raise SettingError(f"--config-dir names {folder}, which does not exist; give an existing folder.")
        path.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema", path=None))
    try:
        yield Hydra.create_main_hydra2("run", path)
    finally:
        GlobalHydra.instance().clear()
        Singleton.set_state(state)


def _of_run(config: DictConfig) -> Asked:
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        config.pop("hydra")
    job = job_of(config)
    result = Asked([job.identity["experiment"]], jobs=1)
    _sort(result, [job])
    if result.mistakes:
        raise result.mistakes[0]
    return result


def _of_sweep(hydra: Hydra, config: DictConfig) -> Asked:
    result = Asked([check_experiment(as_written(config.name))])
    settle(config, config.hydra.callbacks.get("sweep", {}).get("n_jobs"))
    refuse_empty(config)
    sweeper = str(config.hydra.sweeper.get("_target_", ""))
    if not sweeper.endswith(BASIC_SWEEPERS):
        raise SettingError(
            f"dry=true cannot tell which runs {sweeper} will ask for, since it decides while they run; leave "
            "hydra/sweeper out."
        )
    result.at_a_time, result.with_model, result.classical = _in_flight(config.hydra.launcher)
    families = Families(hydra.config_loader, config)
    jobs: dict[str, Job] = {}
    for number, overrides in enumerate(_combinations(hydra, config)):
        result.jobs += 1
        try:
            job = families.job(overrides, number)
            refuse_unlike(jobs.setdefault(job.place, job), job)
        except HyperboleError as error:
            result.mistakes.append(error)
    _sort(result, list(jobs.values()))
    result.experiments = list(dict.fromkeys(job.identity["experiment"] for job in jobs.values())) or result.experiments
    return result


def _combinations(hydra: Hydra, config: DictConfig) -> list[list[str]]:
    """The overrides of each job, as Hydra's sweeper makes them."""
    swept = [f"{key}={value}" for key, value in (config.hydra.sweeper.get("params") or {}).items()]
    parser = OverridesParser.create(config_loader=hydra.config_loader)
    parsed = parser.parse_overrides([*swept, *as_typed(config.hydra)])
    (batch,) = OnceSweeper.split_arguments(parsed, None)
    return batch


def _in_flight(launcher: Any) -> tuple[int | None, int | None, int | None]:
    """Number of runs at a time: of any kind, with a language model, and others."""
    target, n_jobs = str(launcher.get("_target_", "")), launcher.get("n_jobs")
    if "basic_launcher" in target:
        return 1, 1, 1
    processes = launcher.get("processes")
    if target.endswith("WorkersLauncher") or (target.endswith("RayLauncher") and launcher.get("address") is None):
        return None, n_jobs, min(processes or cores(), n_jobs)
    if target.endswith(("RayLauncher", "SubmititLauncher")):  # cores of other machines are not known
        return None, n_jobs, None if processes is None else min(processes * launcher.get("workers", 1), n_jobs)
    if not isinstance(n_jobs, int):
        return None, None, None
    return (n_jobs if n_jobs > 0 else max(1, cores() + 1 + n_jobs),) * 3  # joblib counts from the number of cores down


def _sort(result: Asked, jobs: Sequence[Job]) -> None:
    """File each job by what is on disk."""
    checked: dict[str, HyperboleError | None] = {}
    for job in jobs:
        kind = json.dumps({key: value for key, value in job.config.items() if key not in ("seed", "name")}, default=str)
        if kind not in checked:
            checked[kind] = _mistake(job)
        try:
            if (mistake := checked[kind]) is not None:
                raise mistake
            if found(job, check_all) is not None:
                result.complete += 1
            elif job.folder.read(oldest=1) is None:
                result.missing.append(job)
            elif (holder := Holder.read(job.folder.path / LOCK)) is not None and holder.is_alive is not False:
                result.busy += 1
            else:
                result.resumed.append((job, len(job.folder.rows())))
        except HyperboleError as error:
            result.mistakes.append(error)


def _mistake(job: Job) -> HyperboleError | None:
    try:
        check_all(job.built_from())
    except HyperboleError as error:
        return error
    return None
