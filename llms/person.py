"""The person at the terminal as a chat model: questions go to stderr, answers come from stdin."""

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
        name: The person's name in logs.

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
        """Do nothing: only a question can show whether a person is there."""

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """Return one answer per request, in order.

        Raises:
            KeyboardInterrupt: The person quits or closes the input; the same command resumes the run.
            SettingError: No person is there.
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
        """Read the next answer. Empty lines before it are skipped; one inside an open object ends it."""
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
        """Read the next line with its line end; "" at the end of the input."""
        try:
            return sys.stdin.readline()
        except (AttributeError, OSError, ValueError):  # no stdin, or a closed one
            return ""

    def _leave(self) -> None:
        """Stop at the end of the input: the person left, or none was there."""
        if self._answered or (sys.stdin is not None and sys.stdin.isatty()):
            raise KeyboardInterrupt
        raise SettingError(
            "No answer can be read: standard input is empty and not a terminal; run optimizer=human at a "
            "terminal, one run after the other, or pipe the answers in, one per line."
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
