"""Files as this project writes them: whole or not at all, never through a link, and a full disk is one sentence."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from harness.errors import DiskError

_WHAT = {
    errno.ENOSPC: ("no space is left on its disk", "free some"),
    errno.EDQUOT: ("your quota of its disk is used up", "free some of it"),
    errno.EFBIG: ("it is larger than files may be here", "raise the limit (ulimit -f)"),
    errno.EROFS: ("its file system is read-only", "make it writable or choose another folder"),
    errno.EACCES: ("permission is denied", "change its permissions or choose another folder"),
    errno.EPERM: ("that is not permitted", "change its permissions or choose another folder"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
    errno.ENFILE: ("too many files are open on this machine", "close other programs"),
    errno.EIO: ("its disk reports an error", "check the disk"),
    errno.ENOTDIR: ("a file stands where a folder should be", "move that file away"),
    errno.EISDIR: ("a folder stands in its place", "move that folder away"),
    errno.ELOOP: ("a link stands in its place, and nothing is written through links", "put a file or a folder there"),
    errno.EPIPE: ("its reader has gone", "read all of it"),
}
"""What can be wrong with a machine, and what its user can do."""

MACHINES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS})
"""Errors that no benchmark and no configuration is to blame for, whoever meets them."""


def disk_error(error: OSError, path: Path | str | None = None) -> DiskError:
    """The error as one sentence: which file, what is wrong with it, what to do.

    Args:
        error: As the system raised it.
        path: The file, where the error does not say it.
    """
    name = path if path is not None else error.filename if error.filename is not None else "A file"
    reason = error.strerror or str(error) or type(error).__name__
    what, advice = _WHAT.get(error.errno or 0, (reason, "mend that"))
    return DiskError(f"{name} cannot be used: {what}; {advice}, then give the same command again: it goes on there.")


def is_the_machines(error: BaseException) -> bool:
    """Whether an error says what is wrong with this machine's files."""
    return isinstance(error, OSError) and error.errno in _WHAT


@contextlib.contextmanager
def usable(path: Path | str) -> Iterator[None]:
    """Say what is wrong with a file in one sentence.

    Raises:
        DiskError: The block met an error of the system.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file in one step: no reader sees half of it, and where there is no room the old one stays.

    Args:
        path: Its folder is made. A link in its place is replaced, not followed.
        content: Text is written as UTF-8 with its line ends as they are.

    Raises:
        DiskError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with usable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        refuse_link(path.parent)
        draft.unlink(missing_ok=True)
        try:
            with draft.open("xb") as file:
                file.write(content.encode("utf-8") if isinstance(content, str) else content)
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise


def refuse_link(*folders: Path) -> None:
    """Make sure that folders are no links, so that what is written lies where it was meant to.

    Raises:
        DiskError: One of them is.
    """
    for folder in folders:
        if folder.is_symlink():
            raise disk_error(OSError(errno.ELOOP, "link"), folder)
