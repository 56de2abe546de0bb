"""Verify the files of the OpenML client's cache; the client itself checks only a few of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class DamagedFileError(Exception):
    """A file of the cache, or a download, is damaged.

    Args:
        path: The file.
        reason: The reason, to follow "is damaged: ".
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is damaged: {reason}")
        self.path, self.reason = path, reason


def check_xml(path: Path) -> None:
    """Check that the file can be parsed.

    Raises:
        DamagedFileError: It cannot.
    """
    import xmltodict  # type: ignore[import-untyped] # comes with openml

    try:
        xmltodict.parse(path.read_bytes())
    except Exception as error:
        raise DamagedFileError(path, f"it is not well-formed XML ({error})") from None


def check_arff(path: Path, published: str | None) -> str:
    """Check and return the file's MD5.

    Raises:
        DamagedFileError: It differs from the published one.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if published and found != published:
        raise DamagedFileError(path, f"its MD5 is {found}, but OpenML's is {published}")
    return found


def check_split(path: Path, train: NDArray[np.int64], test: NDArray[np.int64], rows: int, once: bool) -> None:
    """Check that a fold's positions fit the data.

    Args:
        path: The file of the positions.
        train: Positions to train on.
        test: Positions to test on.
        rows: Number of rows of the data.
        once: Whether each row must be exactly once in one of the two.

    Raises:
        DamagedFileError: They do not fit.
    """
    both = np.concatenate([train, test])
    if not len(train) or not len(test) or both.min() < 0 or both.max() >= rows:
        raise DamagedFileError(path, f"a fold has no rows, or positions outside of the data's {rows} rows")
    if once and len(np.unique(both)) < max(rows, len(both)):
        raise DamagedFileError(path, f"a fold does not hold each of the {rows} rows once")


def discard(path: Path) -> None:
    """Remove a damaged file and what the client derived from it."""
    for found in (path, *path.parent.glob(f"{path.stem}.pkl*")):
        found.unlink(missing_ok=True)
