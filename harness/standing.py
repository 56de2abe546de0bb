"""Where a sweep stands: runs done, in flight and failed, tokens per second, hallucination rate, time left."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.console import duration
from harness.summary import SweepSummary
from harness.tally import BEGUN, GOING, PLANNED

WINDOW_SECONDS = 30.0
"""Tokens per second are those of this time."""
NOT_MEASURED = "–"


@dataclass(slots=True)
class _Flight:
    """A run that is worked on: what it said last."""

    llm: str
    trials: int = 0
    invented: int = 0
    tokens: int = 0
    share: float = 0.0


@dataclass(slots=True)
class _Pace:
    """Runs of one language model, or of none: they go on side by side, each kind at its own pace.

    Attributes:
        ended: Number of runs that were worked on and have ended.
        since: Time of the first news of progress, in seconds.
        before: Runs done until then; parts of runs count.
        last: Time of the last news.
    """

    ended: int = 0
    since: float | None = None
    before: float = 0.0
    last: float = 0.0

    def left(self, done: float, planned: float, now: float) -> float | None:
        """Time for the rest at the pace between the first and the last news; None before the second one."""
        if self.since is None or done <= self.before or self.last <= self.since:
            return None
        seconds = (self.last - self.since) * max(0.0, planned - done) / (done - self.before)
        return max(0.0, seconds - (now - self.last))


class Standing:
    """Adds up the news of a sweep.

    Args:
        summary: Counts the ends of jobs.
        total: Number of jobs, if known.
    """

    def __init__(self, summary: SweepSummary, total: int | None) -> None:
        self._summary, self.total = summary, total
        self._flights: dict[str, _Flight] = {}
        self._paces: dict[str, _Pace] = {}
        self._planned: Counter[str] | None = None
        self._tokens = 0
        self._history: deque[tuple[float, int]] = deque()

    @property
    def ended(self) -> int:
        """Number of jobs that have ended."""
        return self._summary.ended

    def add(self, news: Mapping[str, Any], now: float) -> None:
        """Add one line.

        Args:
            news: As ``harness.tally.Tally`` has it.
            now: The time in seconds, of any clock that never goes back.
        """
        status, folder = news["status"], news["folder"]
        if status == PLANNED:
            self._planned = (self._planned or Counter()) + Counter(news["runs"])
        elif status == BEGUN:
            self._flights[folder] = _Flight(news["llm"])
            self._paces.setdefault(news["llm"], _Pace())
        elif status == GOING:
            self._go(folder, news, now)
        else:
            if (flight := self._flights.pop(folder, None)) is not None:
                self._paces[flight.llm].ended += 1
                self._mark(flight.llm, now)
            self._summary.add(status, folder)

    def _go(self, folder: str, news: Mapping[str, Any], now: float) -> None:
        if (flight := self._flights.get(folder)) is None:
            return
        self._tokens += news["tokens"] - flight.tokens
        if self._history and self._history[-1][0] == now:
            self._history.pop()
        self._history.append((now, self._tokens))
        self._flights[folder] = _Flight(flight.llm, *(news[key] for key in ("trials", "invented", "tokens", "share")))
        self._mark(flight.llm, now)

    def _mark(self, llm: str, now: float) -> None:
        if (pace := self._paces[llm]).since in (None, now):  # what is read together counts as the start
            pace.since, pace.before = now, self._done(llm)
        pace.last = now

    def _done(self, llm: str) -> float:
        """Runs of this kind that were worked on: whole ones, and the done parts of those in flight."""
        return self._paces[llm].ended + sum(each.share for each in self._flights.values() if each.llm == llm)

    def tokens_per_second(self, now: float) -> float | None:
        """Completion tokens per second in the last ``WINDOW_SECONDS``; None before two measurements."""
        while len(self._history) > 2 and now - self._history[1][0] > WINDOW_SECONDS:
            self._history.popleft()
        if len(self._history) < 2:
            return None
        (start, before), (end, after) = self._history[0], self._history[-1]
        return 0.0 if now - end > WINDOW_SECONDS else (after - before) / (end - start)

    @property
    def hallucination_rate(self) -> float | None:
        """Share of proposals with an invented fault, in complete runs and those in flight; None without a proposal."""
        trials, invented = self._summary.proposals
        trials += sum(flight.trials for flight in self._flights.values())
        invented += sum(flight.invented for flight in self._flights.values())
        return invented / trials if trials else None

    def seconds_left(self, now: float) -> float | None:
        """Estimated time left: that of the slowest kind of run. None where nothing was measured yet."""
        if self._planned is None:  # a launcher that does not say it: all jobs are of one kind
            return None if self.total is None else self._left_of_all(self.total, now)
        left = [self._left(llm, runs, now) for llm, runs in self._planned.items()]
        return None if None in left else max((each for each in left if each is not None), default=0.0)

    def _left(self, llm: str, planned: int, now: float) -> float | None:
        pace = self._paces.get(llm)
        if pace is None or pace.ended >= planned:
            return None if pace is None else 0.0
        return pace.left(self._done(llm), planned, now)

    def _left_of_all(self, total: int, now: float) -> float | None:
        paces = list(self._paces.values())
        since = min((pace.since for pace in paces if pace.since is not None), default=None)
        ended = sum(pace.ended for pace in paces)
        last = max((pace.last for pace in paces), default=0.0)
        every = _Pace(ended, since, sum(pace.before for pace in paces), last)
        return every.left(sum(map(self._done, self._paces)), total - self.ended + ended, now)

    def text(self, now: float) -> str:
        """All of it as one line; what was not measured is a dash."""
        total = "" if self.total is None else f"/{self.total:,}"
        parts = [f"{self.ended:,}{total} runs", f"{len(self._flights):,} in flight"]
        if failed := self._summary.failed:
            parts.append(f"{failed:,} failed")
        if any(self._paces) or any(self._planned or ()):  # a sweep without a language model has no tokens
            parts.append(f"{_rounded(self.tokens_per_second(now))} tokens/s")
        rate, left = self.hallucination_rate, self.seconds_left(now)
        parts.append(f"hallucination rate {NOT_MEASURED if rate is None else f'{100 * rate:.3g} %'}")
        return ", ".join([*parts, f"{NOT_MEASURED if left is None else duration(left)} left"])


def _rounded(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
