"""A Hydra job: find out which run is meant, and whether it is new, half done or complete."""

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
"""Groups that every run has a choice of, besides those that its method uses."""
RUN_KEYS = ("name", "seed", "folder")
HIDDEN_KEYS = frozenset({"folder"})
"""Of the root, what a run sets itself."""
_WARNED: set[str] = set()
"""Changed files and older experiments this process has told of: a sweep of complete runs says it once."""


def execute(config: DictConfig) -> float | None:
    """Run one job of a sweep, or the only one.

    Returns:
        The lowest loss of the first objective (for Hydra sweepers that optimize); None if the run was skipped.

    Raises:
        HyperboleError: As ``harness.perform.perform``; also when the folder holds another run.
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
    """What became of the job (complete, skipped, busy), its folder, and its lowest loss."""
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
            folder.read()  # goes on only in the words of this version
        from harness.perform import perform  # a run that is skipped needs none of it

        live = "basic_launcher" in hydra.launcher.get("_target_", "")
        loss = perform(resolve(config, used, str(folder.path)), folder, identity, live=live)
        return "complete", folder.path, loss


def _refuse_sweep(hydra: Any) -> None:
    """An experiment without ``-m`` would be one run of what its file holds besides the sweep, and look like all of it.

    Raises:
        SettingError: It sweeps over something that the command line does not say.
    """
    given = {override.lstrip("+").partition("=")[0] for override in hydra.overrides.task}
    left = [str(key) for key in hydra.sweeper.get("params") or {} if key not in given]
    if left:
        raise SettingError(
            f"experiment={hydra.runtime.choices.get('experiment')} sweeps over {', '.join(left)}: add -m to run all of "
            "it, or give each of these one value."
        )


def _refuse_unread(config: DictConfig) -> None:
    """Make sure that every key of the root is one of ours, or is referred to by another: ``+key=value`` adds any.

    Raises:
        SettingError: One is not, as a misspelt ``+bugdet.proposals=5``.
    """
    ours = {*(group for group in default_choices() if not group.startswith("override ")), *RUN_KEYS}
    text = str(OmegaConf.to_container(config, resolve=False))
    for key in map(str, config):
        if key not in ours and not re.search(r"\$\{" + re.escape(key) + r"[.}\[]", text):
            raise unknown("setting", key, ours - HIDDEN_KEYS)


def _is_whole(folder: RunFolder, run: Mapping[str, Any]) -> bool:
    """Whether a complete run has its whole log; one that was cut short goes on where it is cut.

    Raises:
        DamagedError: It has another log, and there is nothing to go on from.
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
    """Say that a complete run was made by other code than there is now."""
    if files:
        _warn_once(
            f"{place}: complete, but recorded before {' and '.join(files)} changed: its numbers are the old code's; "
            "run it again under another name=, or move its folder away first.",
            *files,
        )


def _warn_once(text: str, *about: str) -> None:
    """Say, also in a pipe, what holds for each of these; once per process and thing."""
    if not _WARNED.issuperset(about):
        _WARNED.update(about)
        sys.stderr.write(f"{text}\n")


def identify(
    config: DictConfig, choices: Mapping[str, str | None], folders: Sequence[Path] = (CONF,)
) -> tuple[dict[str, Any], set[str]]:
    """Which run a composed configuration means.

    Args:
        config: As Hydra composed it.
        choices: Group -> file that was chosen.
        folders: Where the groups' files are.

    Returns:
        The fields of run.json that say so, ``config`` among them, plus ``place`` (``<benchmark>.<task>``); and the
        groups the method uses.

    Raises:
        SettingError: The seed or the experiment's name cannot be one; a setting is read by nobody, or cannot be
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
    found = identity_of(recorded, used, choices, ChoiceFiles(folders))
    return {"experiment": name, **found.fields(recorded), "seed": seed, "config": recorded}, used


def _check_choices(config: DictConfig, choices: Mapping[str, str | None], groups: Iterable[str]) -> None:
    """Refuse a group that was taken away (``~tracker``), or that has several choices at once."""
    for group in groups:
        if config.get(group) is None or choices.get(group) is None:
            raise SettingError(f"{group} needs one choice; give {group}=<one of {', '.join(choices_of(group))}>.")


def resolve(config: DictConfig, used: set[str], folder: str) -> dict[str, Any]:
    """The configuration in builtin values; groups the method does not use are null.

    Raises:
        SettingError: A value is missing, refers to nothing, or is nothing that run.json can hold.
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
            raise SettingError(f"{'.'.join(place)} is {value!r}, which JSON has no word for; give a text or a number.")
    return {str(key): value for key, value in resolved.items() if key != "folder"}


def compose_with(overrides: Sequence[str], extra: Mapping[str, Any]) -> tuple[DictConfig, dict[str, Any]]:
    """A run's configuration for a command that makes no run, and that command's own settings.

    Args:
        overrides: Those of ``harness.run``, and of the settings in ``extra``.
        extra: Settings that a run does not have: name -> value where none is given.

    Raises:
        SettingError: As ``refuse_shadowed``.
    """
    from hydra import compose, initialize_config_dir

    check_overrides(overrides, "give this command one")
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
