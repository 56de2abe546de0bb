"""Read, check and write run.json, which may be damaged, of another version, or of another program."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import RunError
from harness.fields import WORDS, Check, is_object, is_text, is_time, list_of, mapping_to, or_none
from harness.files import replace_file
from harness.jsonl import loads, plain
from harness.moved import renewed
from harness.packed import RECORD, content_of
from harness.visible import is_name

FILE = RECORD
SCHEMA = 2
"""Oldest schema, 1: methods were named after command-line overrides, without fields for choices and settings."""
DEEPEST = 60
"""Deepest nesting of values; a configuration has about eight levels."""
_BEYOND_FLOATS = 2**1000
_COMPLETE = re.compile(rb'\{\s*"schema":\s*\d+,\s*"status":\s*"complete",')
SECTIONS = ("benchmark", "optimizer", "llm", "prompt", "decoding", "repair", "probe", "start", "budget", "tracker")
"""Parts of a recorded configuration; unused parts are null."""


class OlderRecordError(RunError):
    """A run.json of an earlier version.

    Args:
        path: The file.
        found: Its schema.
    """

    def __init__(self, path: Path, found: int) -> None:
        super().__init__(
            f"{path} was written by an earlier version (schema {found}, this one reads {SCHEMA}); renew the "
            f"experiment's records with {renewal(path.parents[3] if len(path.parents) > 3 else path.parent)}"
        )


def renewal(folder: Path) -> str:
    """The command that renews an experiment's records."""
    return f"python -m harness.migrate {shlex.quote(str(folder))}"


def read_record(path: Path, oldest: int = SCHEMA, in_new_words: bool = True) -> dict[str, Any]:
    """Read a run.json and check the types of its fields.

    Args:
        path: The file.
        oldest: Oldest schema to accept; fields added later may then be missing.
        in_new_words: Whether to renew the configuration (``harness.moved``); else it is as recorded.

    Raises:
        FileNotFoundError: The file does not exist.
        OlderRecordError: It was written by an earlier version.
        RunError: Not a run.json, damaged, or written by a later version of this program.
    """
    try:
        content = content_of(path)
        if content is None:
            raise FileNotFoundError(path)
        run = loads(content)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None
    except ValueError:
        raise _refused(path, "it is not JSON") from None
    if not isinstance(run, dict):
        raise _refused(path, "it is not a JSON object")
    schema = run.get("schema", SCHEMA)
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        raise RunError(f"{path} has schema {schema!r}, this version reads {SCHEMA}; use the version that wrote it.")
    if schema < oldest:
        raise OlderRecordError(path, schema)
    if (wrong := wrong_in(run)) is not None:
        raise _refused(path, wrong)
    return run | {"config": renewed(run["config"])} if in_new_words else run


def says_complete(path: Path) -> bool:
    """Whether a run.json is that of a complete run, as far as its first bytes say: quick, for many runs."""
    try:
        with path.open("rb") as file:
            return _COMPLETE.match(file.read(100)) is not None
    except FileNotFoundError:
        return _COMPLETE.match(content_of(path) or b"") is not None
    except OSError:
        return False


def write_record(path: Path, run: Mapping[str, Any]) -> None:
    """Replace a run.json atomically.

    Raises:
        DiskError: It cannot be written.
    """
    replace_file(path, json.dumps(plain(dict(run)), indent=1, allow_nan=False) + "\n")


def wrong_in(run: Mapping[str, Any]) -> str | None:
    """The problem with the contents of a run.json as a text; None if there is none."""
    since = {} if run.get("schema") == 1 else _SINCE_2
    missing = [key for key in _NEEDED | since if key not in run]
    if missing:
        return f"it lacks {', '.join(missing)}"
    if _is_deeper(run, DEEPEST):
        return f"its values are nested more than {DEEPEST} levels deep"
    for key, is_right in (_NEEDED | since | _OPTIONAL).items():
        if key in run and not is_right(run[key]):
            return f"its {key} is {json.dumps(run[key])[:80]}"
    return None


def is_right(key: str, value: Any) -> bool:
    """Whether one field of a run.json of this version is right, whatever its other fields are."""
    check = _FIELDS.get(key)
    return not _is_deeper({key: value}, DEEPEST) and (check is None or check(value))


def _refused(path: Path, why: str) -> RunError:
    return RunError(f"{path} cannot be read ({why}); move the run's folder away and run it again.")


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(isinstance(item, dict | list) and _is_deeper(item, levels - 1) for item in items)


def _is_number(value: Any) -> bool:
    if type(value) is float:  # most are, of hundreds per record
        return True
    if isinstance(value, str):
        return value in WORDS
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < _BEYOND_FLOATS


def _is_objective(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and is_name(value.get("name"))
        and value.get("direction") in ("minimize", "maximize")
        and all(or_none(_is_number)(value.get(key)) for key in ("optimum", "worst"))
        and or_none(list_of(_is_number, least=2))(value.get("scale"))
    )


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_section(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_totals(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(type(value.get(key)) is int for key in ("trials", "invalid", "invented", "below"))
        and or_none(_is_number)(value.get("best"))
    )


def _is_fidelity(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and _is_number(value.get("upper"))


_NEEDED: dict[str, Check] = {
    "status": is_text,
    "experiment": is_text,
    "benchmark": is_name,
    "task": is_name,
    "method": is_name,
    "optimizer": is_name,
    "llm": or_none(is_name),
    "seed": _is_seed,
    "objectives": list_of(_is_objective, least=1),
    "random_search_curve": or_none(list_of(_is_number)),
    "budget": mapping_to(or_none(_is_number)),
    "config": lambda value: isinstance(value, dict) and all(map(_is_section, map(value.get, SECTIONS))),
    "schema": lambda value: type(value) is int,
}
_SINCE_2: dict[str, Check] = {
    "choices": mapping_to(or_none(is_name)),
    "settings": is_object,
}
_OPTIONAL: dict[str, Check] = {
    "started_at": is_time,
    "finished_at": or_none(is_time),
    "error": or_none(is_text),
    "fidelities": list_of(_is_fidelity),
    "loss_quantiles": or_none(list_of(_is_number)),
    "faults": list_of(is_text),
    "schema_leaves_out": or_none(list_of(is_text)),
    "git": or_none(is_object),
    "versions": mapping_to(is_text),
    "seeds": mapping_to(_is_seed),
    "host": or_none(is_text),
    "files": mapping_to(is_object),
    "totals": _is_totals,
    "sources": mapping_to(lambda value: isinstance(value, dict) and isinstance(value.get("sha256"), str)),
}
"""Fields that older records lack."""
_FIELDS = _NEEDED | _SINCE_2 | _OPTIONAL
NEEDED = frozenset(_NEEDED | _SINCE_2)
"""Fields that every run.json of this version has."""
