"""What Hydra calls: one job of a command line; and a configuration for commands that make no run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from harness.arguments import check_overrides
from harness.choice_files import CONF
from harness.composed import Template
from harness.console import say, tell
from harness.errors import SettingError, unknown
from harness.job import Job, work
from harness.orphans import end_with_command
from harness.override_keys import as_typed
from harness.searchpath import folders_of, refuse_shadowed
from harness.summary import run_summary
from harness.tally import Tally


def execute(config: DictConfig) -> float | None:
    """Run one job: the only one, or one of a sweep.

    Returns:
        The lowest loss of the first objective (for optimizing Hydra sweepers); None if the run was skipped.

    Raises:
        HyperboleError: See ``harness.perform.perform``; also when the folder holds a different run.
    """
    hydra = HydraConfig.get()
    sweeps = hydra.mode is RunMode.MULTIRUN
    tally = Tally.found() if sweeps else None
    folder = None
    end_with_command()
    try:
        live = not sweeps or "basic_launcher" in hydra.launcher.get("_target_", "")
        job = job_of(config)
        folder = job.folder.path
        done = work(job, live, tell if tally is None else say)
    except BaseException as error:
        if tally is not None:
            tally.add("interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed", folder)
        raise
    if tally is not None:
        tally.add(done.status, done.folder)
    elif done.status != "busy":
        tell(run_summary(done.folder))
    return done.loss


def job_of(config: DictConfig) -> Job:
    """The job of a composed configuration, in the job that Hydra is running."""
    hydra = HydraConfig.get()
    refuse_shadowed(hydra.runtime.choices, hydra.runtime.config_sources)
    if hydra.mode is not RunMode.MULTIRUN:
        _refuse_sweep(hydra)
    runs = Path(hydra.runtime.cwd) / "runs"
    return Template(config, hydra.runtime.choices, runs, folders_of(hydra.runtime.config_sources)).job()


def _refuse_sweep(hydra: Any) -> None:
    """Refuse a sweep experiment without ``-m``, which would run a single configuration.

    Raises:
        SettingError: The experiment sweeps over a setting that the command line does not fix.
    """
    given = {override.lstrip("+").partition("=")[0] for override in as_typed(hydra)}
    left = [str(key) for key in hydra.sweeper.get("params") or {} if key not in given]
    if left:
        raise SettingError(
            f"experiment={hydra.runtime.choices.get('experiment')} sweeps over {', '.join(left)}: add -m to run all of "
            "it, or give each of these one value."
        )


def compose_with(overrides: Sequence[str], extra: Mapping[str, Any]) -> tuple[DictConfig, dict[str, Any]]:
    """Compose a configuration for a command that makes no run, with the command's own settings.

    Args:
        overrides: Overrides of ``harness.run`` and of the settings in ``extra``.
        extra: Settings of the command: name -> default value.

    Raises:
        SettingError: A setting is unknown; also see ``refuse_shadowed``.
    """
    from hydra import compose, initialize_config_dir

    check_overrides(overrides, "give this command one")
    roots = [*extra, "name", "seed", *(path.name for path in CONF.iterdir() if path.is_dir())]
    for key in (text.partition("=")[0] for text in overrides if extra):
        if key.isidentifier() and key not in roots:  # Hydra knows none of the command's own settings
            raise unknown("setting", key, roots)
    added = [f"+{text}" if text.partition("=")[0] in extra else text for text in overrides]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides=added, return_hydra_config=True)
    OmegaConf.set_struct(config, False)
    runtime = config.pop("hydra").runtime
    refuse_shadowed(runtime.choices, runtime.config_sources)
    given = {name: config.get(name, default) for name, default in extra.items()}
    plain = {
        name: OmegaConf.to_container(value) if OmegaConf.is_config(value) else value for name, value in given.items()
    }
    return config, plain
