"""Whether the files of the OpenML client's cache hold what they should; the client itself checks few of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class DamagedFileError(Exception):
    """A file of the cache, or one just downloaded, does not hold what it should.

    Args:
        path: The file.
        reason: What is wrong with it, to follow "is damaged: ".
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is damaged: {reason}")
        self.path, self.reason = path, reason


def check_xml(path: Path) -> None:
    """Nothing, if it can be parsed.

    Raises:
        DamagedFileError: It cannot.
    """
    import xmltodict  # type: ignore[import-untyped] # comes with openml

    try:
        xmltodict.parse(path.read_bytes())
    except Exception as error:
        raise DamagedFileError(path, f"it is not well-formed XML ({error})") from None


def check_arff(path: Path, published: str | None) -> str:
    """The file's MD5.

    Raises:
        DamagedFileError: It is not the published one, where there is one.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if published and found != published:
        raise DamagedFileError(path, f"its MD5 is {found}, OpenML's is {published}")
    return found


def check_split(path: Path, train: NDArray[np.int64], test: NDArray[np.int64], rows: int, once: bool) -> None:
    """Nothing, if a fold's positions are those of the data.

    Args:
        path: Where they stand.
        train: Positions to train on.
        test: Positions to test on.
        rows: How many there are.
        once: Whether each row has to be in one of the two, once.

    Raises:
        DamagedFileError: They are not.
    """
    both = np.concatenate([train, test])
    if not len(train) or not len(test) or both.min() < 0 or both.max() >= rows:
        raise DamagedFileError(path, f"a fold has no rows, or rows that are not among the data's {rows}")
    if once and len(np.unique(both)) < max(rows, len(both)):
        raise DamagedFileError(path, f"a fold does not hold each of the {rows} rows once")


def discard(path: Path) -> None:
    """Remove a damaged file and what the client derived from it."""
    for found in (path, *path.parent.glob(f"{path.stem}.pkl*")):
        found.unlink(missing_ok=True)
