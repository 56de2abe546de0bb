"""Calls that were sent and are not yet in calls.jsonl: what a killed process leaves behind about them.

While requests are in flight, ``.in_flight.jsonl`` lies beside the recording. Its first line names the requests; each
further line is the row of one that has ended. It is removed when all of them are in the recording. One that is found
later is that of a killed process: its rows are recorded after all, and each request without a row is recorded as a
call that was sent, whose reply and cost are not known.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import DiskError, RunError
from harness.files import usable
from harness.jsonl import Appender, read_rows

NAME = ".in_flight.jsonl"
UNKNOWN = "in flight when its process ended: whether the server answered, and what it cost, is not known"

Row = dict[str, Any]


class InFlight:
    """The requests of one batch.

    Args:
        recording: The run's ``calls.jsonl``.
    """

    def __init__(self, recording: Path) -> None:
        self._path = recording.with_name(NAME)
        self._file: Appender | None = None

    def begin(self, lines: int, hashes: Sequence[str], served: Mapping[str, Any]) -> None:
        """Note that requests are about to be sent.

        Args:
            lines: Number of lines of the recording.
            hashes: Of each request.
            served: ``server``, ``model``, ``serving`` and ``started_at``, as in a row.

        Raises:
            DiskError: There is no room for the note; nothing may be sent.
        """
        with usable(self._path):
            self._path.unlink(missing_ok=True)
        self._file = Appender(self._path)
        self._file.write({"lines": lines, "hashes": list(hashes), **served})

    def add(self, place: int, row: Row | None) -> None:
        """Note that the request at this place of the batch has ended; None if there is nothing to record of it."""
        if self._file is not None:
            with contextlib.suppress(DiskError):  # the recording will say so
                self._file.write({"place": place, "row": row})

    def end(self) -> None:
        """Forget the batch: all of it is recorded, or nothing was sent."""
        if self._file is not None:
            self._file.close()
        self._file = None
        with contextlib.suppress(OSError):  # what is left over is found to be recorded
            self._path.unlink(missing_ok=True)

    def left_over(self, recorded: Sequence[Row]) -> list[tuple[Row | None, bool]]:
        """The row of each request of an earlier process's batch, and whether the recording has it already.

        Args:
            recorded: All rows of the recording.

        Raises:
            RunError: The note is damaged.
        """
        noted = read_rows(self._path)
        if not noted:  # none, or killed while it was written: nothing was sent
            return []
        try:
            since: dict[str, deque[Row]] = defaultdict(deque)
            for row in recorded[noted[0]["lines"] :]:
                since[row["hash"]].append(row)
            ended = {each["place"]: each["row"] for each in noted[1:]}
            hashes = enumerate(noted[0]["hashes"])
            return [
                (since[hashed].popleft(), True)
                if since[hashed]
                else (ended.get(place, _unknown(hashed, noted[0])), False)
                for place, hashed in hashes
            ]
        except (LookupError, TypeError):
            raise RunError(
                f"{self._path} is not a note of calls in flight; remove it: the calls it named are then not shown."
            ) from None


def is_unknown(row: Mapping[str, Any]) -> bool:
    """Whether a row is of a call that was in flight when its process ended."""
    return row.get("error") == UNKNOWN


def _unknown(hashed: str, first: Mapping[str, Any]) -> Row:
    nothing = ("messages", "sampling", "reply", "thinking", "refusal", "choices", "masked", "tokens", "finish_reason")
    unmeasured = ("usage", "seconds", "attempts")
    told = {name: first.get(name) for name in ("server", "model", "serving", "started_at")}
    return {
        "id": None,
        "hash": hashed,
        **dict.fromkeys((*nothing, *unmeasured)),
        "failures": [],
        "failed_bodies": [],
        "error": UNKNOWN,
        **told,
    }
