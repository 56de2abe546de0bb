"""Fetch a page within a total time limit."""

from __future__ import annotations

import threading
import urllib.request
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from harness.chat import LOOPBACK


def get(url: str, seconds: float) -> bytes:
    """The body of a page.

    Args:
        url: Plain HTTP; no proxy of the environment leads to this machine.
        seconds: Limit for the whole page; urllib's own limit is for the next byte only.

    Raises:
        TimeoutError: The page was not complete in time.
        Exception: Whatever urllib raises.
    """
    result: SimpleQueue[bytes | Exception] = SimpleQueue()
    threading.Thread(target=_read, args=(url, seconds, result), daemon=True).start()
    try:
        found = result.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no complete answer within {seconds:g} s") from None
    if isinstance(found, Exception):
        raise found
    return found


def _read(url: str, seconds: float, result: SimpleQueue[bytes | Exception]) -> None:
    near = urlsplit(url).hostname in LOOPBACK
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if near else []))
    try:
        with opener.open(url, timeout=seconds) as answer:
            result.put(answer.read())
    except Exception as error:
        result.put(error)
