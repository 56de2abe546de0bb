"""Read many run.json: what is equal in many of them is parsed, checked and kept in memory once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.jsonl import loads
from harness.moved import renewed
from harness.packed import content_of
from harness.record import NEEDED, SCHEMA, is_right, read_record
from harness.values import TARGET

CONFIG = "config"
_SPLIT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Records:
    """Reads the records of many runs, which are mostly equal: curves, versions, parts of the configuration, ...

    Equal parts are shared by the records, so they must not be changed.
    """

    def __init__(self) -> None:
        self._fields: dict[tuple[str, bytes], Any] = {}
        self._sections: dict[bytes, Any] = {}

    def read(self, path: Path) -> dict[str, Any]:
        """The same as ``harness.record.read_record``, with the same errors."""
        try:
            content = content_of(path)
            run = None if content is None else self._run(content)
        except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
            run = None
        return read_record(path) if run is None else run

    def _run(self, content: bytes) -> dict[str, Any] | None:
        """The record; None if it is not an ordinary one of this version."""
        if not content.isascii():  # text that msgspec skips need not be UTF-8
            return None
        run = {key: self._field(key, bytes(raw)) for key, raw in _SPLIT.decode(content).items()}
        is_ours = run.get("schema") == SCHEMA and run.keys() >= NEEDED and is_right(CONFIG, run[CONFIG])
        return run if is_ours else None

    def _field(self, key: str, raw: bytes) -> Any:
        """The value of one field.

        Raises:
            ValueError: It is wrong, or not an ordinary one.
        """
        if key == CONFIG:
            config = {name: self._section(bytes(section)) for name, section in _SPLIT.decode(raw).items()}
            if TARGET in config:
                raise ValueError
            return config
        if (key, raw) not in self._fields:
            value = loads(raw)
            if not is_right(key, value):
                raise ValueError
            self._fields[key, raw] = value
        return self._fields[key, raw]

    def _section(self, raw: bytes) -> Any:
        """The value of a key of the configuration, with current names."""
        if raw not in self._sections:
            self._sections[raw] = renewed(loads(raw))
        return self._sections[raw]
