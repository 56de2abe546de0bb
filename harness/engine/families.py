"""The jobs of a sweep. Hydra composes once for all jobs that differ in values alone, and values are set afterwards.

Composing takes 60 ms or more, setting values 0.1 to 2 ms. A job is what Hydra would have made of its overrides: the
first job of a family is composed with them, and in the others only the values of the same settings are replaced.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict

from harness.composed import Template, resolve
from harness.job import Job
from harness.placed import FOLDER
from harness.searchpath import folders_of, refuse_shadowed

Values = dict[str, str | int | float | bool | None]
_REFERENCE = re.compile(r"\$\{([^${}:\[\].][^${}:\[\]]*)\}")
_OF_HYDRA = re.compile(r"\$\{\s*hydra[.:]")


class Families:
    """Makes the jobs of one command.

    Args:
        loader: Hydra's.
        config: The composed configuration of the command, with ``hydra``.
    """

    def __init__(self, loader: ConfigLoader, config: DictConfig) -> None:
        self._loader, self._config = loader, config
        self._parser = OverridesParser.create(config_loader=loader)
        self._parsed: dict[str, tuple[str, Any] | None] = {}
        self._groups: dict[str, bool] = {}
        self._families: dict[tuple[tuple[str, ...], tuple[str, ...]], Family] = {}

    def job(self, overrides: Sequence[str], number: int) -> Job:
        """The job of a list of overrides.

        Args:
            overrides: As Hydra's sweeper made them: ``key=value``.
            number: The job's place in the sweep.

        Raises:
            HydraException: They cannot be composed.
            HyperboleError: They mean no run.
        """
        values: Values = {}
        fixed = []
        for text in overrides:
            if (found := self._value_in(text)) is None:
                fixed.append(text)
            else:
                values[found[0]] = found[1]
        key = (tuple(fixed), tuple(values))
        if key not in self._families:
            composed = self._loader.load_sweep_config(self._config, list(overrides))
            family = Family(composed, tuple(values), number)
            if family.is_of_one_job:
                return family.job({})
            self._families[key] = family
        return self._families[key].job(values)

    def _value_in(self, text: str) -> tuple[str, Any] | None:
        """The setting and the value of an override that replaces a scalar by a scalar; None for any other override."""
        if text not in self._parsed:
            self._parsed[text] = self._parse(text)
        return self._parsed[text]

    def _parse(self, text: str) -> tuple[str, Any] | None:
        override: Override = self._parser.parse_override(text)
        value = override.value() if override.type is OverrideType.CHANGE else {}
        key = override.key_or_group
        if override.package is not None or key.startswith("hydra.") or isinstance(value, Mapping | list):
            return None
        if isinstance(value, str) and ("${" in value or value == "???"):
            return None
        if key not in self._groups:  # looking it up copies every stored configuration
            kinds = (ObjectType.CONFIG, ObjectType.GROUP)
            self._groups[key] = any(self._loader.get_group_options(key, kind) for kind in kinds)
        return None if self._groups[key] else (key, value)


class Family:
    """Jobs whose configurations have the same files and the same settings, with other values.

    Args:
        composed: The configuration of one of them, with ``hydra``.
        keys: The settings whose values vary.
        number: The place of that job in the sweep.

    Attributes:
        is_of_one_job: Whether its configuration refers to Hydra's own settings, such as the job's number.
    """

    def __init__(self, composed: DictConfig, keys: Sequence[str], number: int) -> None:
        with open_dict(composed):
            composed.hydra.job.id = composed.hydra.job.num = number
            HydraConfig.instance().set_config(composed)
            hydra = composed.pop("hydra")
        refuse_shadowed(hydra.runtime.choices, hydra.runtime.config_sources)
        folders = folders_of(hydra.runtime.config_sources)
        self._config = composed
        self._template = Template(composed, dict(hydra.runtime.choices), Path(hydra.runtime.cwd) / "runs", folders)
        raw = OmegaConf.to_container(composed, resolve=False)
        texts = [text for text in _texts(raw) if "${" in text]
        self.is_of_one_job = any(map(_OF_HYDRA.search, texts))
        self._are_free = not any(_touches(text, key) for text in texts for key in keys) and all(
            _is_in_mappings(raw, key.split(".")) for key in keys
        )
        self._resolved: dict[str, Any] | None = None

    def job(self, values: Values) -> Job:
        """The job with these values of the family's settings."""
        if self._resolved is not None:
            resolved = copy.deepcopy(self._resolved)
            for key, value in values.items():
                _put(resolved, key.split("."), value)
            return self._template.job_of(resolved)
        for key, value in values.items():
            OmegaConf.update(self._config, key, value, merge=True)
        resolved = resolve(self._config, self._template.used, FOLDER)
        if self._are_free:
            self._resolved = copy.deepcopy(resolved)
        return self._template.job_of(resolved)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for item in items for text in _texts(item)]


def _touches(text: str, key: str) -> bool:
    """Whether an interpolation may depend on a setting; a resolver or a relative reference may depend on any."""
    references = _REFERENCE.findall(text)
    if len(references) != text.count("${"):
        return True
    return any(f"{key}.".startswith(f"{name}.") or f"{name}.".startswith(f"{key}.") for name in references)


def _is_in_mappings(raw: Any, place: Sequence[str]) -> bool:
    """Whether a setting is found by names alone; ``a.0.x`` may be part of a list, or have a number as its name."""
    for name in place:
        if not isinstance(raw, Mapping) or name not in raw:
            return False
        raw = raw[name]
    return True


def _put(resolved: dict[str, Any], place: Sequence[str], value: Any) -> None:
    """Set a value; a group that the method does not use is null and stays so."""
    *above, last = place
    node: Any = resolved
    for name in above:
        node = node.get(name) if isinstance(node, dict) else None
    if isinstance(node, dict):
        node[last] = value
