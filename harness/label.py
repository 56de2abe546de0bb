"""Short labels of methods from the fields of run.json: model, decoding and prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from harness.identity import identity_in
from harness.names import written

CHAT = "llm_chat"
"""The optimizer whose label is its model's name only."""
SCHEMA = "json_schema"
MODES = {"free": "free", "json_object": "object", SCHEMA: "schema"}
"""Mode of ``decoding`` -> label."""
MODEL, DECODING = "llm", "decoding"
_SAID_BY_VALUE = frozenset({MODEL, "llm.model", "chat.model", DECODING, "decoding.mode", "decoding.schema"})
"""Parts of a method's name that the labels of model and decoding already contain."""
FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Words:
    """Label of a method, in parts.

    Attributes:
        optimizer: Choice of the group ``optimizer``.
        model: Name in the configuration; None without a language model.
        groups: Group or setting -> label, in the order of the method's name. ``decoding`` is included for every
            method with a model, all others if they are not the default.
    """

    optimizer: str
    model: str | None
    groups: Mapping[str, str]


def words(run: Mapping[str, Any]) -> Words:
    """The label of one run's method, in parts.

    Args:
        run: Its run.json.
    """
    identity = identity_in(run)
    with_model = run.get("llm") is not None
    mode = decoding_mode(run) if with_model else None
    found = {} if mode is None else {DECODING: _decoding(run, mode)}
    for key, value in {**identity.varied, **identity.of_method}.items():
        if key not in _SAID_BY_VALUE:
            found[key] = _words(key, written(value))
    return Words(str(run["optimizer"]), _model(run) if with_model else None, found)


def label(run: Mapping[str, Any]) -> str:
    """A method's label: ``qwen2.5-coder-1.5b schema``, ``llambo smollm2-135m-instruct free``, ``smac``."""
    of = words(run)
    names = [of.optimizer] if of.model is None or of.optimizer != CHAT else []
    return " ".join([*names, *([of.model] if of.model else []), *of.groups.values()])


def _words(key: str, value: str) -> str:
    """``context full`` of prompt=context_full, ``max_tokens 400`` of decoding.max_tokens=400."""
    setting = key.rpartition(".")[2]
    said = value.replace("_", " ") if value.replace("_", "").isalpha() else value
    return said if key in {"prompt", "prompt.space"} else f"{setting} {said}"


def _part(run: Mapping[str, Any], group: str, inside: str) -> Mapping[str, Any]:
    """A group as recorded for the optimizer, else as configured; empty if neither exists."""
    config = run.get("config") or {}
    optimizer = config.get("optimizer")
    for place in (optimizer.get(inside) if isinstance(optimizer, Mapping) else None, config.get(group)):
        if isinstance(place, Mapping):
            return place
    return {}


def _model(run: Mapping[str, Any]) -> str:
    """The model's id; for a folder or ``owner/model`` the last part."""
    named = _part(run, MODEL, "chat").get("model") or run["llm"]
    return PurePath(str(named)).name or str(named)


def decoding_mode(run: Mapping[str, Any]) -> str | None:
    """The decoding mode of a run's model: the recorded value, else the recorded choice."""
    mode = _part(run, DECODING, DECODING).get("mode", run["choices"].get(DECODING))
    return None if mode is None else str(mode)


def _decoding(run: Mapping[str, Any], mode: str) -> str:
    word = MODES.get(mode, mode)
    flat = mode == SCHEMA and _part(run, DECODING, DECODING).get("schema") == FLAT
    return f"{FLAT} {word}" if flat else word
