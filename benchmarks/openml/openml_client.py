"""The OpenML client with one cache folder, without output, for one process at a time, with one-sentence errors.

Problems of the client (0.15) that are solved here:

* it deletes a data set's folder if it cannot complete it: the files are restored;
* it is not safe for several processes: each task has a lock file;
* it prefers parquet files, which have no checksum: they are skipped in favour of the ARFF with its published MD5;
* it logs to the root logger, which installs a handler: silenced.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock

from harness.cache import cache_folder
from harness.errors import SettingError

NEEDED = {"tasks": ("task.xml", "datasplits.arff"), "datasets": ("description.xml", "features.xml", "dataset.arff")}
"""Files without which the client asks the server."""


@contextlib.contextmanager
def client(folder: str | None) -> Iterator[Path]:
    """Configure the client with a root cache folder (None for its default) and without output; restored at the end.

    Yields:
        The cache folder of the server in use, which holds ``tasks`` and ``datasets``.
    """
    with _quiet():  # its import may log too
        import openml

        before, parquet = openml.config._root_cache_directory, os.environ.get("OPENML_SKIP_PARQUET")
        os.environ["OPENML_SKIP_PARQUET"] = "true"
        if folder is not None:
            openml.config.set_root_cache_directory(Path(folder).expanduser())
        try:
            yield Path(openml.config.get_cache_directory())
        finally:
            openml.config.set_root_cache_directory(before)
            if parquet is None:
                del os.environ["OPENML_SKIP_PARQUET"]
            else:
                os.environ["OPENML_SKIP_PARQUET"] = parquet


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    root, handler, disabled = logging.getLogger(), logging.NullHandler(), logging.root.manager.disable
    root.addHandler(handler)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        root.removeHandler(handler)


def one_at_a_time(cache: Path, what: str) -> FileLock:
    """A lock for reading or downloading ``what``; it is in our own cache folder."""
    locks = cache_folder() / "openml-locks"
    locks.mkdir(parents=True, exist_ok=True)
    return FileLock(locks / hashlib.sha256(f"{cache.resolve()} {what}".encode()).hexdigest()[:16])


@contextlib.contextmanager
def put_back(folders: Sequence[Path]) -> Iterator[None]:
    """Restore files that the client deleted if the block fails; it deletes none from complete folders."""
    if all((folder / name).is_file() for folder in folders for name in NEEDED[folder.parent.name]):
        yield
        return
    with tempfile.TemporaryDirectory() as spare:
        copies = [(Path(spare) / str(number), folder) for number, folder in enumerate(folders) if folder.is_dir()]
        for copy, folder in copies:
            shutil.copytree(folder, copy)
        try:
            yield
        except BaseException:
            for copy, folder in copies:
                folder.mkdir(parents=True, exist_ok=True)
                for file in copy.iterdir():
                    if not (folder / file.name).exists():
                        shutil.copyfile(file, folder / file.name)
            raise


def api_text(path: str) -> str:
    """The response of OpenML's REST API to a path such as ``task/31``, with the client's retries and errors."""
    import openml

    text: str = openml._api_calls._perform_api_call(path, "get")
    return text


def download_text(url: str, path: Path) -> None:
    """Download a file as the client does, with its retries and errors."""
    import openml

    path.parent.mkdir(parents=True, exist_ok=True)
    openml._api_calls._download_text_file(source=url, output_path=str(path))


def sentence(error: Exception, what: str, cache: Path) -> SettingError:
    """The client's error as one sentence that says what to do.

    Args:
        error: Anything that the client raised.
        what: ``OpenML task 31``.
        cache: The cache folder.
    """
    import requests
    from openml.exceptions import OpenMLCacheException, OpenMLHashException, OpenMLServerError, OpenMLServerException

    text = " ".join(str(getattr(error, "message", error)).split())
    if isinstance(error, OpenMLServerException):
        advice = "search for its id on https://www.openml.org/search?type=task."
        return SettingError(f"{what} is not available, says OpenML (code {error.code}): {text.rstrip('.')}; {advice}")
    if isinstance(error, OpenMLHashException | requests.exceptions.ChunkedEncodingError):
        return SettingError(
            f"The download of a file of {what} is damaged ({text[:200]}); it was removed, so try again later."
        )
    if isinstance(error, requests.exceptions.RequestException):
        return SettingError(
            f"{what} is not complete in {cache}, and its server cannot be reached; download it on a machine with a "
            "network, and set benchmark.folder to that cache's root folder."
        )
    if isinstance(error, OpenMLServerError) or error.args == ("oml:error",):  # the latter: XML, but not OpenML's
        return SettingError(
            f"The OpenML server did not send {what} ({_status(text)}); it may be busy: "
            "try again later, or set benchmark.folder to a cache folder that holds the task."
        )
    if isinstance(error, OSError | OpenMLCacheException):
        return SettingError(
            f"The folder {cache} cannot be used for {what} ({error}); the client writes to its cache, so set "
            "benchmark.folder to a writable one, for example a copy."
        )
    return SettingError(
        f"{what} cannot be read ({type(error).__name__}: {text[:200]}); if its files in {cache} are damaged, delete "
        "them and try again, otherwise choose another task."
    )


def _status(text: str) -> str:
    _, found, rest = text.partition("Status code: ")
    return f"status {rest[:3]}" if found else "its answer is unreadable"
