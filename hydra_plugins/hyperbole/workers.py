"""The plugins that Hydra finds by their package: ``hydra/sweeper=once`` and the launchers of ``CHOICES``.

Hydra imports this file at every start, so it imports nothing heavy.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

if TYPE_CHECKING:
    from harness.engine.pool import Workers


class OnceSweeper(BasicSweeper):
    """Hydra's basic sweeper, which leaves composing to the launcher: the basic one composes every job to check it."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Do nothing: the launcher composes all jobs before it starts one."""


class QueueLauncher(Launcher):
    """Composes the jobs of a sweep once and sends those that are not complete to workers (``harness.engine``)."""

    def __init__(self) -> None:
        self._context: HydraContext | None = None
        self._config: DictConfig | None = None

    @abstractmethod
    def workers(self) -> Workers:
        """Who does the jobs.

        Raises:
            HyperboleError: What they need is not installed.
        """

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives; the task function is the same for every job of this program."""
        self._context, self._config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Do the jobs; see ``harness.engine.launcher.Launch``."""
        from harness.engine.launcher import Launch

        assert self._context is not None
        assert self._config is not None
        workers = self.workers()
        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        Path(str(self._config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        state = Singleton.get_state()
        try:
            return Launch(self._context.config_loader, self._config, workers).run(job_overrides, initial_job_idx)
        finally:
            Singleton.set_state(state)


class WorkersLauncher(QueueLauncher):
    """Runs the jobs in worker processes of this command, which stay.

    Args:
        n_jobs: Number of runs at a time: those with a language model mostly wait for its server.
        processes: Number of runs of classical methods among them; None for one per core.
    """

    def __init__(self, n_jobs: int, processes: int | None) -> None:
        super().__init__()
        self._n_jobs, self._processes = n_jobs, processes

    def workers(self) -> Workers:
        """Processes on this machine."""
        from harness.engine.pool import Pool, cores

        return Pool(self._n_jobs, self._processes or cores())


class RayLauncher(QueueLauncher):
    """Runs the jobs in workers on a Ray cluster, or with Ray on this machine.

    Args:
        n_jobs: As for ``WorkersLauncher``, on all machines together.
        processes: The same.
        address: The cluster's; None starts Ray on this machine.
    """

    def __init__(self, n_jobs: int, processes: int | None, address: str | None) -> None:
        super().__init__()
        self._n_jobs, self._processes = n_jobs, processes
        self._address = None if address is None else str(address)

    def workers(self) -> Workers:
        """Ray actors."""
        from harness.engine.apart import Apart
        from harness.engine.extra import check_installed
        from harness.engine.pool import cores
        from harness.engine.ray_pool import RayPool

        check_installed("ray", "ray")
        return Apart(RayPool(self._n_jobs, self._processes, self._address, self._processes or cores()), "Ray")


class SubmititLauncher(QueueLauncher):
    """Runs the jobs in an array of workers that submitit starts.

    Args:
        cluster: ``slurm`` or ``local``.
        workers: Number of workers in the array.
        n_jobs: As for ``WorkersLauncher``, of all workers together.
        processes: The same, per worker.
        submitit_folder: For submitit's own files.
        settings: What submitit and the cluster are told.
    """

    def __init__(
        self,
        cluster: Literal["slurm", "local"],
        workers: int,
        n_jobs: int,
        processes: int | None,
        submitit_folder: str,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._cluster, self._array, self._n_jobs, self._processes = cluster, workers, n_jobs, processes
        self._folder, self._settings = Path(submitit_folder), settings

    def workers(self) -> Workers:
        """Jobs of a batch system."""
        from harness.engine.submitit_pool import SubmititPool

        settings: Any = OmegaConf.to_container(OmegaConf.create(self._settings), resolve=True)
        return SubmititPool(self._cluster, self._array, self._n_jobs, self._processes, self._folder, settings)


_ARRAY = {
    "n_jobs": 32,
    "processes": None,
    "submitit_folder": "${hydra.sweep.dir}/.submitit/%j",
    "name": "${hydra.job.name}",
    "cpus_per_task": None,
    "gpus_per_node": None,
    "mem_gb": None,
    "stderr_to_stdout": False,
}
_SLURM: dict[str, Any] = {
    **dict.fromkeys(("partition", "qos", "comment", "constraint", "exclude", "gres", "cpus_per_gpu", "gpus_per_task")),
    **dict.fromkeys(("mem_per_gpu", "mem_per_cpu", "account", "setup")),
    "signal_delay_s": 120,
    "max_num_timeout": 10,  # a worker that reached its time limit is started again and goes on
    "additional_parameters": {},
    "array_parallelism": 256,
}
_WEEK_MINUTES = 7 * 24 * 60
CHOICES: dict[str, dict[str, tuple[type, dict[str, Any]]]] = {
    "hydra/sweeper": {"once": (OnceSweeper, {"max_batch_size": None, "params": None})},
    "hydra/launcher": {
        "workers": (WorkersLauncher, {"n_jobs": 32, "processes": None}),
        "submitit_local": (
            SubmititLauncher,
            {"cluster": "local", "workers": 2, "timeout_min": _WEEK_MINUTES, **_ARRAY},
        ),
        "submitit_slurm": (
            SubmititLauncher,
            {"cluster": "slurm", "workers": 8, "timeout_min": 60, **_ARRAY, **_SLURM},
        ),
        "ray": (RayLauncher, {"n_jobs": 32, "processes": None, "address": None}),
    },
}
"""Group -> choice -> its class, and its settings with their defaults."""


class Choices(SearchPathPlugin):
    """Offers ``CHOICES``.

    Hydra calls it when it has found all plugins, so those of the same name in packages that an older version installed
    (hydra-ray-launcher, hydra-submitit-launcher) are replaced.
    """

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Leave the path as it is."""
        for group, choices in CHOICES.items():
            for name, (plugin, settings) in choices.items():
                node = {"_target_": f"{__name__}.{plugin.__name__}", **settings}
                ConfigStore.instance().store(group=group, name=name, node=node, provider="hyperbole")
