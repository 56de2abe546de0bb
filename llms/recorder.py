"""Record every call, and replay recorded calls."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from operator import index
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.call_log import CallAppender, read_calls
from harness.chat import ChatModel, ChatRequest, Completion
from harness.clock import now
from harness.console import say
from harness.errors import ContextError, HyperboleError, RecordingError
from harness.packed import state_of
from llms.call_rows import Row, completion_of, is_answered, request_hash, row_of, row_of_unanswered, was_too_long
from llms.in_flight import InFlight, is_unknown
from llms.wire.attempts import UnansweredError


@runtime_checkable
class Settling(Protocol):
    """A chat model that returns the completion or error of each request, so that successful ones are kept."""

    def settle(
        self, requests: Sequence[ChatRequest], arrived: Callable[[int, Completion | HyperboleError], None]
    ) -> list[Completion | HyperboleError]:
        """Return one completion or error per request, in order.

        Args:
            requests: The batch.
            arrived: Called with the place and the result of each request as soon as it has ended.
        """
        ...


class Recorder:
    """A chat model around another: a call is answered from the recording, else sent to the model and recorded.

    Calls are matched by ``request_hash``; equal requests are answered in recorded order. A resumed run thus gets its
    own replies back, with their usage and ids, before it asks for new ones.

    A call that was given up or refused is recorded too, because it took attempts and seconds: without id and reply,
    with the error and the server's response. No trial has its cost. It is never replayed, but for a prompt that was
    refused as too long for the model's context: a method then leaves out a part of its history, and does so again.
    Any other one keeps its number: asked again, it has the id that it would have had, so that a replay agrees.

    Calls that were in flight when the process was killed are recorded when the run is resumed (``llms.in_flight``).

    Args:
        connect: Builds the live model; called once, at the first request that is not recorded.
        recording: The run's ``calls.jsonl``; appended to, one flushed line per call.
        replay: The ``calls.jsonl`` of another run to take replies from. They are copied into ``recording``.
        live: False never calls ``connect``.
    """

    def __init__(
        self,
        connect: Callable[[], ChatModel],
        recording: Path | str,
        replay: Path | str | None = None,
        live: bool = True,
    ) -> None:
        self._connect, self._live = connect, live
        self._path, self._replay = Path(recording), Path(replay) if replay else None
        self._model: ChatModel | None = None
        self._file: CallAppender | None = None
        self._recorded: dict[str, deque[Row]] | None = None
        self._copied: dict[str, deque[Row]] = defaultdict(deque)
        self._too_long: dict[str, str] = {}
        self._in_flight = InFlight(self._path)
        self._ids: set[int] = set()
        self._lowest = 0
        self._lines = 0

    def prepare(self) -> None:
        """Connect before the first request, so that a server's start does not count as its latency.

        If replies may come from a recording, nothing is done.

        Raises:
            ServerError: No server answers, and none can be started.
            ModelError: The server has another model, the model cannot be found, or the API key is not set.
        """
        if self._live and self._replay is None and self._model is None:
            self._model = self._connect()
            self._model.prepare()

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """Return one completion per request, in order, each with the id of its line in the recording.

        Raises:
            RecordingError: A request is not recorded and ``live`` is False.
            ServerError: No server answers.
            ContextError: A prompt is too long; it has the places of all of them, also of those recorded as such. The
                others of the batch are answered from the recording when they are asked again.
            ModelError: The server refuses a request. Successful requests of the batch are recorded.
        """
        served: list[Row | HyperboleError | None] = [self._from_record(request) for request in requests]
        missing = [place for place, result in enumerate(served) if result is None]
        if missing:
            fresh = self._ask([requests[place] for place in missing])
            for place, result in zip(missing, fresh, strict=True):
                served[place] = result
        results = [result for result in served if result is not None]
        self._raise_any(requests, results)
        return [completion_of(result) for result in results if isinstance(result, dict)]

    def _raise_any(self, requests: Sequence[ChatRequest], results: Sequence[Row | HyperboleError]) -> None:
        """Raise the error of a batch, if any; its answered calls can be asked again."""
        errors = [result for result in results if isinstance(result, HyperboleError)]
        if not errors:
            return
        for request, result in reversed(list(zip(requests, results, strict=True))):
            if isinstance(result, dict) and self._recorded is not None:
                self._recorded[request_hash(request)].appendleft(result)
        for error in errors:
            if not isinstance(error, ContextError):
                raise error
        places = [place for place, result in enumerate(results) if isinstance(result, ContextError)]
        raise ContextError(str(errors[0]), tuple(places))

    def close(self) -> None:
        """Close the recording; the next call opens it again."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _from_record(self, request: ChatRequest) -> Row | ContextError | None:
        if self._recorded is None:
            self._read()
        assert self._recorded is not None
        key = request_hash(request)
        if key in self._too_long:
            return ContextError(self._too_long[key])
        if self._recorded[key]:
            with _readable(self._path):
                row = self._recorded[key].popleft()
                completion_of(row)
                return row
        if self._copied[key]:
            with _readable(self._replay):
                copied = {**self._copied[key].popleft(), "id": next(self._free_ids())}
                completion_of(copied)
            self._append(copied)
            return copied
        return None

    def _read(self) -> None:
        """Queue the recorded rows by hash; of the replay, only those that this run has not copied yet."""
        with _readable(self._path):
            own = read_calls(self._path)
            answered = _by_hash(own)
            self._lines, self._ids = len(own), {row["id"] for rows in answered.values() for row in rows}
            left = self._number(self._in_flight.left_over(own))
            self._recorded = _by_hash([*own, *left])
            self._too_long = {row["hash"]: row["error"] for row in [*own, *left] if was_too_long(row)}
        self._in_flight.end()
        if lost := sum(map(is_unknown, left)):
            say(f"{self._path}: {lost} calls were in flight when the run was interrupted; they may be paid twice.")
        if self._replay is None:
            return
        if state_of(self._replay) is None:
            raise RecordingError(f"There is no file {self._replay}; set llm.replay to an earlier run's calls.jsonl.")
        with _readable(self._replay):
            replayed = read_calls(self._replay)
            others = _by_hash(replayed)
            self._too_long |= {row["hash"]: row["error"] for row in replayed if was_too_long(row)}
        for key, rows in others.items():
            self._copied[key] = deque(list(rows)[len(self._recorded[key]) :])

    def _ask(self, requests: list[ChatRequest]) -> list[Row | HyperboleError]:
        if not self._live:
            raise RecordingError(
                f"Request {request_hash(requests[0])[:12]} is not in the recording {self._replay or self._path}; "
                "set llm.live=true to ask the model, or replay with the versions and settings of the recording."
            )
        if self._model is None:
            self._model = self._connect()
        return self._settled(self._model, requests)

    def _settled(self, model: ChatModel, requests: Sequence[ChatRequest]) -> list[Row | HyperboleError]:
        """Send requests and record what comes back."""
        started_at = now()
        served = {name: getattr(model, name, None) for name in ("server", "model", "serving")}

        def row_at(place: int, result: Completion | HyperboleError) -> Row | None:
            if (found := _row(requests[place], result)) is None:
                return None
            server = getattr(result, "server", None) or served["server"]  # one of several
            began = found.pop("started_at") or started_at
            return found | served | {"server": server, "started_at": began}

        def arrived(place: int, result: Completion | HyperboleError) -> None:
            if len(requests) > 1:  # a single one is recorded at once
                self._in_flight.add(place, row_at(place, result))

        results: list[Completion | HyperboleError]
        if isinstance(model, Settling):
            hashes = [request_hash(request) for request in requests]
            self._in_flight.begin(self._lines, hashes, served | {"started_at": started_at})
            try:
                results = model.settle(requests, arrived)
            except HyperboleError:  # nothing was sent
                self._in_flight.end()
                raise
        else:  # such as a person, who is not paid by the call
            results = [*model.complete(requests)]
        rows = [row_at(place, result) for place, result in enumerate(results)]
        self._number([(each, False) for each in rows])
        self._in_flight.end()
        settled: list[Row | HyperboleError] = []
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, HyperboleError):
                settled.append(result)
            elif row is not None:
                settled.append(row)
        return settled

    def _number(self, rows: Sequence[tuple[Row | None, bool]]) -> list[Row]:
        """Give the rows of one batch their ids, record those that are not recorded yet, and return these."""
        free = self._free_ids()
        new = []
        for row, is_recorded in rows:
            if row is None:
                continue
            if not (was_too_long(row) or (is_recorded and is_answered(row))):
                number = next(free)
                row["id"] = number if is_answered(row) else None
            if not is_recorded:
                self._append(row)
                new.append(row)
        return new

    def _free_ids(self) -> Iterator[int]:
        """The ids that no recorded call has, from the lowest: a call that was not answered leaves its own free."""
        while self._lowest in self._ids:
            self._lowest += 1
        return (number for number in count(self._lowest) if number not in self._ids)

    def _append(self, row: Row) -> None:
        if self._file is None:
            self._file = CallAppender(self._path)
        self._file.write(row)
        self._lines += 1
        if is_answered(row):
            self._ids.add(row["id"])


@contextmanager
def _readable(path: Path | None) -> Iterator[None]:
    """Name the file in the error if its lines are not recorded calls."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordingError(
            f"A line of {path} is not a recorded call ({type(error).__name__}: {error}); remove or replace the file."
        ) from None


def _row(request: ChatRequest, result: Completion | HyperboleError) -> Row | None:
    """The row of a call, still without its number; None for an error before it was sent."""
    if isinstance(result, UnansweredError):
        return row_of_unanswered(request, result)
    return None if isinstance(result, HyperboleError) else row_of(0, request, result)


def _by_hash(rows: list[Row]) -> dict[str, deque[Row]]:
    """The answered calls in the order of their ids, by hash."""
    queues: dict[str, deque[Row]] = defaultdict(deque)
    for row in sorted(filter(is_answered, rows), key=lambda row: index(row["id"])):
        queues[row["hash"]].append(row)
    return queues
