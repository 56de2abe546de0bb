"""A Hydra job: identify the run, and decide whether it is new, incomplete or complete."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from harness.arguments import check_overrides
from harness.build import build_all, choices_of
from harness.choice_files import CONF, ChoiceFiles, default_choices
from harness.errors import RunError, SettingError, unknown
from harness.folder import RunFolder, refuse_if_different
from harness.former_names import run_elsewhere
from harness.identity import identity_of
from harness.kinds import is_whole
from harness.method import GROUPS, used_groups
from harness.names import as_written, check_experiment
from harness.progress import say, tell
from harness.record import SCHEMA, renewal
from harness.searchpath import folders_of, refuse_shadowed
from harness.sources import changed, sources
from harness.summary import run_summary
from harness.tally import Tally
from harness.trust import walk
from harness.whole import DamagedError, whole_rows

REQUIRED = ("benchmark", "optimizer", "budget", "tracker")
"""Groups for which every run has a choice, besides the groups its method uses."""
RUN_KEYS = ("name", "seed", "folder")
HIDDEN_KEYS = frozenset({"folder"})
"""Root settings that belong to a run."""
_WARNED: set[str] = set()
"""Changed files and older experiments already reported by this process, so that a sweep reports each once."""


def execute(config: DictConfig) -> float | None:
    """Run one job: the only one, or one of a sweep.

    Returns:
        The lowest loss of the first objective (for optimizing Hydra sweepers); None if the run was skipped.

    Raises:
        HyperboleError: See ``harness.perform.perform``; also when the folder holds a different run.
    """
    tally = Tally.found() if HydraConfig.get().mode is RunMode.MULTIRUN else None
    try:
        status, folder, loss = _execute(config)
    except BaseException as error:
        if tally is not None:
            tally.add("interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed", None)
        raise
    if tally is not None:
        tally.add(status, folder)
    elif status != "busy":
        tell(run_summary(folder))
    return loss


def _execute(config: DictConfig) -> tuple[str, Path, float | None]:
    """The state of the job (complete, skipped, busy), its folder, and its lowest loss."""
    hydra = HydraConfig.get()
    refuse_shadowed(hydra.runtime.choices, hydra.runtime.config_sources)
    alone = hydra.mode is not RunMode.MULTIRUN
    if alone:
        _refuse_sweep(hydra)
    identity, used = identify(config, hydra.runtime.choices, folders_of(hydra.runtime.config_sources))
    place = "/".join(str(identity[key]) for key in ("experiment", "place", "method", "seed"))
    folder = RunFolder(Path(hydra.runtime.cwd) / "runs" / place)
    identity = {key: value for key, value in identity.items() if key != "place"}
    with folder.lock() as held:
        if not held:
            (tell if alone else say)(f"{place}: locked by another process; skipped")
            return "busy", folder.path, None
        run = folder.read(oldest=1)
        if run is None:
            if folder.rows():
                raise RunError(f"{folder.path} holds trials but no run.json; move the folder away and run it again.")
            if (other := run_elsewhere(folder.path, identity)) is not None:
                where, what = other
                _warn_once(f"{place}: {what}", str(folder.path.parents[2]))
                return "skipped", where, None
        if run is not None:
            try:
                refuse_if_different(run, identity["config"], folder.path)
            except RunError:
                build_all(resolve(config, used, str(folder.path)))  # a misspelt value is the likelier mistake
                raise
            if run["status"] == "complete" and _is_whole(folder, run):
                (tell if alone else say)(f"{place}: complete; skipped")
                if run["schema"] < SCHEMA:
                    said = f"{place}: complete, and recorded by an earlier version"
                    _warn_once(
                        f"{said}; {renewal(folder.path.parents[2])} renews its record", str(folder.path.parents[2])
                    )
                _warn_of_changes(place, changed(run.get("sources") or {}, sources(identity["config"])))
                return "skipped", folder.path, None
            folder.read()  # only records of this version are continued
        from harness.perform import perform  # a run that is skipped needs none of it

        live = "basic_launcher" in hydra.launcher.get("_target_", "")
        loss = perform(resolve(config, used, str(folder.path)), folder, identity, live=live)
        return "complete", folder.path, loss


def _refuse_sweep(hydra: Any) -> None:
    """Refuse a sweep experiment without ``-m``, which would run a single configuration.

    Raises:
        SettingError: The experiment sweeps over a setting that the command line does not fix.
    """
    given = {override.lstrip("+").partition("=")[0] for override in hydra.overrides.task}
    left = [str(key) for key in hydra.sweeper.get("params") or {} if key not in given]
    if left:
        raise SettingError(
            f"experiment={hydra.runtime.choices.get('experiment')} sweeps over {', '.join(left)}: add -m to run all of "
            "it, or give each of these one value."
        )


def _refuse_unread(config: DictConfig) -> None:
    """Make sure that every root key is known or referred to by another key, since ``+key=value`` adds any key.

    Raises:
        SettingError: A key is unknown, such as a misspelt ``+bugdet.proposals=5``.
    """
    ours = {*(group for group in default_choices() if not group.startswith("override ")), *RUN_KEYS}
    text = str(OmegaConf.to_container(config, resolve=False))
    for key in map(str, config):
        if key not in ours and not re.search(r"\$\{" + re.escape(key) + r"[.}\[]", text):
            raise unknown("setting", key, ours - HIDDEN_KEYS)


def _is_whole(folder: RunFolder, run: Mapping[str, Any]) -> bool:
    """Whether a complete run has its full log; a truncated log is continued.

    Raises:
        DamagedError: The log is damaged in another way and cannot be continued.
    """
    try:
        whole_rows(folder.path, run)
    except DamagedError as error:
        if not error.goes_on:
            raise
        say(f"{error}")
        return False
    return True


def _warn_of_changes(place: str, files: Sequence[str]) -> None:
    """Warn that a complete run was made by an older version of the code."""
    if files:
        _warn_once(
            f"{place}: complete, but recorded before {' and '.join(files)} changed, so its numbers are from the old "
            "code; run it again under another name=, or move its folder away first.",
            *files,
        )


def _warn_once(text: str, *about: str) -> None:
    """Print a warning to standard error, once per process and subject."""
    if not _WARNED.issuperset(about):
        _WARNED.update(about)
        sys.stderr.write(f"{text}\n")


def identify(
    config: DictConfig, choices: Mapping[str, str | None], folders: Sequence[Path] = (CONF,)
) -> tuple[dict[str, Any], set[str]]:
    """Identify the run of a composed configuration.

    Args:
        config: The configuration composed by Hydra.
        choices: Group -> chosen file.
        folders: Folders of the groups' files.

    Returns:
        The identifying fields of run.json, including ``config``, plus ``place`` (``<benchmark>.<task>``); and the
        groups that the method uses.

    Raises:
        SettingError: The seed or the experiment's name is invalid; a setting is unused, or cannot be
            recorded.
    """
    _check_choices(config, choices, REQUIRED)
    _refuse_unread(config)
    used = used_groups(OmegaConf.to_container(config.optimizer, resolve=False))
    _check_choices(config, choices, sorted(used))
    seed, name = config.get("seed"), as_written(config.get("name"))
    if not is_whole(seed) or not 0 <= seed < 2**31:
        raise SettingError(
            f"seed is {'null' if seed is None else repr(seed)}; give a whole number from 0 to 2147483647."
        )
    name = check_experiment(name)
    recorded = resolve(config, used, ".")
    files = ChoiceFiles(folders)
    found = identity_of(recorded, used, choices, files).fields(recorded, files)
    return {"experiment": name, **found, "seed": seed, "config": recorded}, used


def _check_choices(config: DictConfig, choices: Mapping[str, str | None], groups: Iterable[str]) -> None:
    """Refuse a group that was removed (``~tracker``) or that has several choices."""
    for group in groups:
        if config.get(group) is None or choices.get(group) is None:
            raise SettingError(f"{group} needs one choice; give {group}=<one of {', '.join(choices_of(group))}>.")


def resolve(config: DictConfig, used: set[str], folder: str) -> dict[str, Any]:
    """The configuration in builtin values; unused groups are null.

    Raises:
        SettingError: A value is missing, refers to nothing, or cannot be written to run.json.
    """
    copied = config.copy()
    OmegaConf.set_struct(copied, False)
    copied.folder = folder
    for group in GROUPS:
        if group not in used and group in copied:
            copied[group] = None
    try:
        resolved = OmegaConf.to_container(copied, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise SettingError(f"The configuration is incomplete: {str(error).splitlines()[0]}.") from error
    assert isinstance(resolved, dict)
    for place, value in walk(resolved):
        if value is not None and not isinstance(value, dict | list | str | bool | int | float):
            raise SettingError(f"{'.'.join(place)} is {value!r}, which JSON cannot hold; give a text or a number.")
    return {str(key): value for key, value in resolved.items() if key != "folder"}


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
