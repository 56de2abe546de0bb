"""The plugins that Hydra finds by their package: ``hydra/sweeper=once`` and ``hydra/launcher=workers``.

Hydra imports this file at every start, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OnceSweeper(BasicSweeper):
    """Hydra's basic sweeper, which leaves composing to the launcher: the basic one composes every job to check it."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Do nothing: the launcher composes all jobs before it starts one."""


class WorkersLauncher(Launcher):
    """Runs the jobs in worker processes that stay (``harness.engine``).

    Args:
        n_jobs: Number of runs at a time: those with a language model mostly wait for its server.
        processes: Number of runs of classical methods among them; None for one per core.
    """

    def __init__(self, n_jobs: int = 32, processes: int | None = None) -> None:
        self._n_jobs, self._processes = n_jobs, processes
        self._context: HydraContext | None = None
        self._config: DictConfig | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives; the task function is the same for every job of this program."""
        self._context, self._config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Do the jobs; see ``harness.engine.launcher.Launch``."""
        from harness.engine.launcher import Launch

        assert self._context is not None
        assert self._config is not None
        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        Path(str(self._config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        state = Singleton.get_state()
        try:
            launch = Launch(self._context.config_loader, self._config, self._n_jobs, self._processes)
            return launch.run(job_overrides, initial_job_idx)
        finally:
            Singleton.set_state(state)


for _group, _name, _settings in (
    ("hydra/sweeper", "once", {"_target_": f"{__name__}.OnceSweeper", "max_batch_size": None, "params": None}),
    ("hydra/launcher", "workers", {"_target_": f"{__name__}.WorkersLauncher", "n_jobs": 32, "processes": None}),
):
    ConfigStore.instance().store(group=_group, name=_name, node=_settings, provider="hyperbole")
