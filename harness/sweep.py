"""Setup and summary of a sweep: overrides of the command line, progress, results."""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from harness.console import tell
from harness.errors import SettingError
from harness.names import as_written, check_experiment
from harness.override_keys import as_typed
from harness.standing import Standing
from harness.summary import SweepSummary
from harness.sweep_display import SweepDisplay
from harness.tally import Tally

BASIC_SWEEPERS = ("BasicSweeper", "OnceSweeper")
"""Ends of the names of sweepers that run every combination of the values given."""
END_WITH_COMMAND = {"_target_": "hydra.utils.get_method", "path": "harness.orphans.end_with_command"}
"""Joblib starts every worker with it: also one that never gets a job, and one that has none left, must end."""


class Sweep(Callback):
    """Hydra's callback around a multirun, in the main process.

    Args:
        n_jobs: Concurrent jobs of an experiment, if its launcher has this setting (joblib); ``hydra.launcher.n_jobs``
            on the command line takes precedence. An experiment that set the latter would work with joblib only.
    """

    def __init__(self, n_jobs: int | None = None) -> None:
        self._process: int | None = None
        self._n_jobs = n_jobs

    def __reduce__(self) -> tuple[type[Callback], tuple[()]]:
        """Copies in workers do nothing."""
        return Callback, ()

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Drop what an experiment sweeps over and the command line sets: Hydra would run the product of the two."""
        try:
            check_experiment(as_written(config.name))  # before Hydra creates its folder
            settle(config, self._n_jobs)
            self._begin(config)
        except SettingError as error:  # Hydra turns a callback's exceptions into warnings
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from None

    def _begin(self, config: DictConfig) -> None:
        refuse_empty(config)
        self._process, self._started = os.getpid(), time.time()
        self._hydras = Path(str(config.hydra.sweep.dir)).absolute()
        total = jobs_of(config)
        self._tally = Tally.begin(total)
        self._summary = SweepSummary(Path.cwd() / "runs" / str(config.name), total)
        self._standing = Standing(self._summary, total)
        side_by_side = "basic_launcher" not in str(config.hydra.launcher.get("_target_", ""))
        label = f"runs/{config.name}"
        self._display = SweepDisplay(label, self._standing, self._catch_up, is_drawn=side_by_side)
        atexit.register(self.close)  # a failed job ends the sweep without calling on_multirun_end
        self._display.start()

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the summary."""
        self.close()

    def close(self) -> None:
        """Print the summary once, and remove empty folders."""
        if self._process != os.getpid():  # closed, or a forked child
            return
        self._process = None
        atexit.unregister(self.close)
        self._display.stop()
        self._catch_up()
        self._tally.end()
        if (text := self._summary.text(time.time() - self._started)) is not None:
            tell(text)
        _remove_empty(self._hydras)

    def _catch_up(self) -> None:
        now = time.monotonic()
        for news in self._tally.news():
            self._standing.add(news, now)


def settle(config: DictConfig, n_jobs: int | None) -> None:
    """Give way to the command line where an experiment's file says something else; joblib's workers get an end.

    Args:
        config: The composed configuration of a sweep, with ``hydra``; it is changed.
        n_jobs: Number of runs at a time of the experiment, or None.

    Raises:
        SettingError: A number of the launcher's or the sweeper's is wrong.
    """
    swept = config.hydra.sweeper.params
    with read_write(config), open_dict(config):
        for override in as_typed(config.hydra):
            if swept and (key := override.partition("=")[0]) in swept:
                del swept[key]
        typed = {override.lstrip("+").partition("=")[0] for override in as_typed(config.hydra, "hydra")}
        if n_jobs and "n_jobs" in config.hydra.launcher and "hydra.launcher.n_jobs" not in typed:
            config.hydra.launcher.n_jobs = n_jobs
        if str(config.hydra.launcher.get("_target_", "")).endswith("JoblibLauncher"):
            settings: Any = OmegaConf.to_container(config.hydra.launcher)
            config.hydra.launcher = OmegaConf.create({**settings, "initializer": END_WITH_COMMAND})
    _check_numbers(config.hydra.launcher)
    if (size := config.hydra.sweeper.get("max_batch_size")) is not None and (type(size) is not int or size < 1):
        raise SettingError(
            f"hydra.sweeper.max_batch_size is {size!r}; give a whole number from 1, or null for no limit."
        )


def _check_numbers(launcher: DictConfig) -> None:
    """Refuse numbers of runs or workers with which a launcher would start none.

    Raises:
        SettingError: One is not a whole number from 1. joblib's may be negative, as it counts from the number of cores.
    """
    is_joblib = "joblib" in str(launcher.get("_target_", ""))
    for name in ("n_jobs", "processes", "workers"):
        value = launcher.get(name)
        if name not in launcher or (value is None and (name == "processes" or is_joblib)):
            continue
        if type(value) is not int or value == 0 or (value < 0 and not is_joblib):
            raise SettingError(f"hydra.launcher.{name} is {value!r}; give a whole number from 1.")


def jobs_of(config: DictConfig) -> int | None:
    """Number of jobs of a sweep; None if only its sweeper knows."""
    numbers = _values_of(config)
    return None if numbers is None else math.prod(numbers.values())


def refuse_empty(config: DictConfig) -> None:
    """Refuse a sweep without a job, which would end at once as if all were done.

    Raises:
        SettingError: A list of values is empty.
    """
    empty = [text for text, number in (_values_of(config) or {}).items() if number == 0]
    if empty:
        raise SettingError(f"{empty[0]} gives no value, so this sweep has no run; give at least one value.")


def _values_of(config: DictConfig) -> dict[str, int] | None:
    """Each override that is swept over, with its number of values; None if only the sweeper knows its jobs."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    if not str(config.hydra.sweeper.get("_target_", "")).endswith(BASIC_SWEEPERS):
        return None
    swept = [f"{key}={value}" for key, value in (config.hydra.sweeper.get("params") or {}).items()]
    try:
        parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
        parsed = parser.parse_overrides([*swept, *as_typed(config.hydra)])
        last = {each.get_key_element(): each for each in parsed}  # of a setting that is given twice, as in the sweeper
        swept_over = [each for each in last.values() if each.is_sweep_override()]
        return {str(each.input_line): len(list(each.sweep_string_iterator())) for each in swept_over}
    except HydraException:  # the sweeper will report it
        return None


def _remove_empty(hydras: Path) -> None:
    """Remove the folders of a sweep whose runs were all refused, including Hydra's."""
    experiment = hydras.parent
    with contextlib.suppress(OSError):  # not empty, e.g. another sweep's runs
        if [path.name for path in experiment.iterdir()] == [hydras.name]:
            shutil.rmtree(hydras)
            experiment.rmdir()
            experiment.parent.rmdir()
