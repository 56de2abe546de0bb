"""The person at the terminal as a chat model: questions go to standard error, answers come from standard input."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Sequence

from harness.chat import ChatRequest, Completion
from harness.clock import now
from harness.errors import SettingError
from harness.trial import Usage

QUIT = frozenset({"quit", "exit"})


class Person:
    """Shows what is new in a conversation and reads one answer: a line, or more while an object's brace is open.

    Args:
        name: What logs call the person.

    Raises:
        SettingError: Standard input is the null device, as in the workers of a parallel sweep.
    """

    server = "terminal"

    def __init__(self, name: str) -> None:
        self.model = name
        self._shown: set[str] = set()
        self._answered = False
        if _is_null():
            self._leave()

    def prepare(self) -> None:
        """Nothing: the person is there or not, and only a question shows which."""

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """One answer a request, one after the other.

        Raises:
            KeyboardInterrupt: The person quits or closes the input: the same command goes on later.
            SettingError: There is no person.
        """
        return [self._answer(request) for request in requests]

    def _answer(self, request: ChatRequest) -> Completion:
        for message in request.messages:
            if message.content not in self._shown:
                sys.stderr.write(f"\n{message.content}\n")
                self._shown.add(message.content)
        started_at, start = now(), time.perf_counter()
        text = self._read()
        usage = Usage(calls=1, seconds=time.perf_counter() - start)
        return Completion(text, "stop", usage, started_at=started_at)

    def _read(self) -> str:
        """The next answer; empty lines before it are skipped, one inside an open object ends it."""
        lines: list[str] = []
        while not lines or _is_open(lines):
            sys.stderr.write("> ")
            sys.stderr.flush()
            line = self._read_line()
            if not line and not lines:
                self._leave()
            if not line.strip() and lines:
                break
            if line.strip():
                lines.append(line.rstrip("\r\n"))
        answer = "\n".join(lines)
        if answer.strip().lower() in QUIT:
            raise KeyboardInterrupt
        self._answered = True
        return answer

    def _read_line(self) -> str:
        """The next line with its end; "" when there is no more input."""
        try:
            return sys.stdin.readline()
        except (AttributeError, OSError, ValueError):  # no standard input at all, or a closed one
            return ""

    def _leave(self) -> None:
        """The input has ended: somebody left, or nobody ever was there."""
        if self._answered or (sys.stdin is not None and sys.stdin.isatty()):
            raise KeyboardInterrupt
        raise SettingError(
            "Nobody is there to answer: standard input is no terminal and holds nothing; run optimizer=human at a "
            "terminal, one run after the other, or pipe the answers in, a line each."
        )


def _is_null() -> bool:
    try:
        descriptor = sys.stdin.fileno()
        return stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor)
    except (AttributeError, OSError, ValueError):  # none, or one that is no file: reading it will show
        return sys.stdin is None


def _is_open(lines: list[str]) -> bool:
    text = "\n".join(lines)
    return text.count("{") > text.count("}")
