"""Read a dense or sparse ARFF file as a data frame.

Source: the format's description at https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/. liac-arff
decodes the values. The OpenML client (0.15) is not used, because under pandas 3 it cannot read sparse files with
categories, narrows numbers in sparse files to 32 bits and loses their empty last rows, does not support dates, and
loads any pickle beside the file.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.cache import cache_folder

if TYPE_CHECKING:
    import pandas

READER = 1
"""Increased whenever the same file would give another frame."""

_ATTRIBUTE = re.compile(r"""\s*@attribute\s+('(?:\\.|.)*?'(?=[\s{])|"(?:\\.|.)*?"(?=[\s{])|[^\s{]+)\s*(.+)$""", re.I)
_TYPES = {"numeric": "NUMERIC", "real": "NUMERIC", "integer": "NUMERIC", "string": "STRING", "date": "STRING"}


def read_arff(path: Path, md5: str) -> pandas.DataFrame:
    """All columns of a file, in its order; cached, since decoding is slow.

    Args:
        path: The file.
        md5: Its checksum.

    Returns:
        float64 columns for numbers, ``category`` for nominal attributes (in the declared order, with true and false
        spelt ``True`` and ``False``), text for strings and dates; missing values stay missing.

    Raises:
        ValueError: The file cannot be read.
    """
    import pandas

    kept = cache_folder() / "openml-frames" / f"{md5}-{READER}.feather"
    with contextlib.suppress(Exception):  # missing or damaged
        return pandas.read_feather(kept)
    frame = _decoded(path)
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        frame.to_feather(part)
        part.replace(kept)
    return frame


def attribute(line: str) -> tuple[str, str] | None:
    """Name and type of an attribute in a line of the header: ``NUMERIC``, ``STRING`` or ``{...}``; None for another.

    Raises:
        ValueError: The type is not supported.
    """
    if not line.lstrip().lower().startswith("@attribute"):
        return None
    found = _ATTRIBUTE.match(line)
    name, kind = found.groups() if found else (line.strip(), "")
    if name[0] in "'\"" and len(name) > 1:
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if not kind.startswith("{"):
        word = re.match("[a-z]*", kind, re.I)
        kind = _TYPES.get(word[0].lower() if word else "", "")
        if not kind:
            raise ValueError(f"attribute {name!r} is neither numeric, nominal, string nor date")
    return name, kind


def _decoded(path: Path) -> pandas.DataFrame:
    import arff  # type: ignore[import-untyped] # comes with openml
    import pandas

    names: list[str] = []
    with path.open(encoding="utf-8-sig") as file:
        header = list(_header(file, names))
        first = list(_to_first_row(file))
        sparse = bool(first) and first[-1].lstrip().startswith("{")
        decoder, layout = arff.ArffDecoder(), arff.LOD if sparse else arff.DENSE
        try:
            decoded = decoder.decode(chain(header, first, file), encode_nominal=True, return_type=layout)
        except arff.ArffException as error:
            raise ValueError(f"{type(error).__name__}: {error}") from None
    if len(set(names)) < len(names):
        raise ValueError(f"two attributes are named {next(name for name in names if names.count(name) > 1)!r}")
    kinds = [kind for _, kind in decoded["attributes"]]
    columns = _sparse_columns(decoded["data"], kinds) if sparse else _dense_columns(decoded["data"], len(kinds))
    made = {name: _column(values, kind) for name, kind, values in zip(names, kinds, columns, strict=True)}
    return pandas.DataFrame(made)


def _header(file: Iterator[str], names: list[str]) -> Iterator[str]:
    """The lines up to ``@DATA`` with plain names and types, since liac-arff knows few spellings."""
    for line in file:
        word = line.lstrip().lower()
        if found := attribute(line):
            names.append(found[0])
            yield f"@ATTRIBUTE c{len(names)} {found[1]}"
        elif word.startswith("@relation"):
            yield "@RELATION r"
        elif word.startswith("@data"):
            yield "@DATA"
            return
        else:
            yield ""


def _to_first_row(file: Iterator[str]) -> Iterator[str]:
    for line in file:
        yield line
        if line.strip() and not line.lstrip().startswith("%"):
            return


def _dense_columns(rows: Sequence[Sequence[Any]], count: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * count


def _sparse_columns(rows: Sequence[dict[int, Any]], kinds: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Columns of sparse rows; a missing entry is 0, a nominal attribute's first value, or an unknown text."""
    cells: list[list[tuple[int, Any]]] = [[] for _ in kinds]
    for position, row in enumerate(rows):
        for index, value in row.items():
            cells[index].append((position, value))
    for kind, given in zip(kinds, cells, strict=True):
        column = [None if kind == "STRING" else 0] * len(rows)
        for position, value in given:
            column[position] = value
        yield column


def _column(values: Sequence[Any], kind: Any) -> Any:
    import pandas

    if kind == "STRING":
        return pandas.array(list(values), dtype="str")
    if not isinstance(kind, list):
        return np.array(values, dtype=float)  # None becomes nan
    if {str(name).lower() for name in kind} == {"true", "false"} and len(kind) == 2:
        kind = [name.capitalize() for name in kind]  # as the client spells them
    named = [name for name in kind if name is not None]  # a declared "?" is not a category
    place = {number: named.index(name) for number, name in enumerate(kind) if name is not None}
    return pandas.Categorical.from_codes([place.get(value, -1) for value in values], categories=named)
