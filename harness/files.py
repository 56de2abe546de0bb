"""Write files atomically, never through links, and report disk errors in one sentence."""

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
    errno.ENOTDIR: ("a file is in the place of a folder", "move that file away"),
    errno.EISDIR: ("a folder is in its place", "move that folder away"),
    errno.ELOOP: ("a link is in its place, and nothing is written through links", "replace it with a file or a folder"),
    errno.EPIPE: ("its reader has closed it", "read all of it"),
}
"""System errors of files: the problem, and what the user can do."""

MACHINES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS})
"""Errors of the machine, which are never the fault of a benchmark or a configuration."""


def disk_error(error: OSError, path: Path | str | None = None) -> DiskError:
    """The error as one sentence: the file, the problem, and what to do.

    Args:
        error: The system's error.
        path: The file, if the error does not name it.
    """
    name = path if path is not None else error.filename if error.filename is not None else "A file"
    reason = error.strerror or str(error) or type(error).__name__
    what, advice = _WHAT.get(error.errno or 0, (reason, "fix that"))
    return DiskError(f"{name} cannot be used: {what}; {advice}, then repeat the command: it continues from there.")


def is_the_machines(error: BaseException) -> bool:
    """Whether an error is a problem with this machine's files."""
    return isinstance(error, OSError) and error.errno in _WHAT


@contextlib.contextmanager
def usable(path: Path | str) -> Iterator[None]:
    """Report system errors of the block in one sentence.

    Raises:
        DiskError: A system error was raised in the block.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file atomically: readers never see a partial file, and the old one stays if the disk is full.

    Args:
        path: Missing parent folders are created. A link is replaced, not followed.
        content: Text is written as UTF-8 with unchanged line ends.

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
    """Make sure that folders are not links, so that files are written to the intended place.

    Raises:
        DiskError: A folder is a link.
    """
    for folder in folders:
        if folder.is_symlink():
            raise disk_error(OSError(errno.ELOOP, "link"), folder)
