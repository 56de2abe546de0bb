"""A composed configuration: checked, resolved to builtin values, and the run that it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from harness.arguments import DRY
from harness.build import choices_of
from harness.choice_files import CONF, ChoiceFiles, default_choices
from harness.errors import SettingError, unknown
from harness.identity import identity_of
from harness.job import Job
from harness.kinds import is_whole
from harness.method import GROUPS, used_groups
from harness.names import as_written, check_experiment
from harness.placed import FOLDER, placed
from harness.trust import walk

REQUIRED = ("benchmark", "optimizer", "budget", "tracker")
"""Groups for which every run has a choice, besides the groups its method uses."""
RUN_KEYS = ("name", "seed", "folder", DRY)
HIDDEN_KEYS = frozenset({"folder"})
"""Root settings that are set by ``harness.run`` alone."""
NOT_OF_A_RUN = frozenset({"folder", DRY})
"""Root settings that say nothing about the run."""


class Template:
    """A composed configuration, from which the jobs are made that differ from it in values alone.

    Args:
        config: As Hydra composed it, without ``hydra``.
        choices: Group -> chosen file.
        runs: The folder ``runs``.
        folders: Where the groups' files are.

    Raises:
        SettingError: A group lacks its choice, or a setting is read by nobody.
    """

    def __init__(
        self, config: DictConfig, choices: Mapping[str, str | None], runs: Path, folders: Sequence[Path] = (CONF,)
    ) -> None:
        _check_choices(config, choices, REQUIRED)
        _refuse_unread(config)
        if config.get(DRY):
            raise SettingError(f"{DRY}=true is for the command line alone, and a file of the configuration has it.")
        self._config, self._choices, self._runs = config, choices, runs
        self._files = ChoiceFiles(folders)
        self.used = used_groups(OmegaConf.to_container(config.optimizer, resolve=False))
        _check_choices(config, choices, sorted(self.used))

    def job(self) -> Job:
        """The job of the configuration as it is now.

        Raises:
            SettingError: The seed or the experiment's name is invalid, or a setting cannot be recorded.
        """
        return self.job_of(resolve(self._config, self.used, FOLDER))

    def job_of(self, resolved: Mapping[str, Any]) -> Job:
        """The job of a resolved configuration; see ``job``."""
        seed: Any = resolved.get("seed")
        if not is_whole(seed) or not 0 <= seed < 2**31:
            raise SettingError(
                f"seed is {'null' if seed is None else repr(seed)}; give a whole number from 0 to 2147483647."
            )
        recorded = placed(resolved, ".")
        fields = identity_of(recorded, self.used, self._choices, self._files).fields(recorded, self._files)
        experiment, place = check_experiment(as_written(resolved.get("name"))), fields.pop("place")
        identity = {"experiment": experiment, **fields, "seed": seed, "config": recorded}
        return Job(self._runs, f"{experiment}/{place}/{fields['method']}/{seed}", identity, resolved)


def _check_choices(config: DictConfig, choices: Mapping[str, str | None], groups: Iterable[str]) -> None:
    """Refuse a group that was removed (``~tracker``) or that has several choices."""
    for group in groups:
        if config.get(group) is None or choices.get(group) is None:
            raise SettingError(f"{group} needs one choice; give {group}=<one of {', '.join(choices_of(group))}>.")


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
    return {str(key): value for key, value in resolved.items() if key not in NOT_OF_A_RUN}
