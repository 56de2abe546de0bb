"""Observe an optimizer: keep copies of its proposals, and detect changes of trials."""

from __future__ import annotations

import contextlib
import copy
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from harness.checks.floor import Floor
from harness.contract import named
from harness.errors import HyperboleError
from harness.faults import describe
from harness.jsonl import encode
from harness.outcome import reason
from harness.rows import to_row
from harness.trial import Optimizer, Proposal, Trial

T = TypeVar("T")
_EXPECTED = {
    "tell": "; tell gets every trial, with params and outcome None if nothing was executed or the evaluation failed",
    "ask": "; ask is called after any outcome of the previous trials, until the budget is spent: a method with nothing "
    "new left proposes something again",
}
"""Reminders for the author of a method."""


class BrokenError(Exception):
    """The plug-in does not reach the end of a run; the message says where it stopped."""


class Witness:
    """The optimizer of the loop.

    Args:
        optimizer: The observed optimizer.
        floor: The part whose code is running.
        before_ask: Called before each ask.

    Attributes:
        returned: Copies of the proposals returned by ``ask``.
        tampered: Sentences on changes of trials.
    """

    def __init__(self, optimizer: Optimizer, floor: Floor, before_ask: Sequence[Callable[[], None]] = ()) -> None:
        self._optimizer = self.wrapped = optimizer
        self._floor = floor
        self._before_ask = before_ask
        self._who = named(optimizer)
        self._told: list[tuple[Trial, str | None]] = []
        self._last = "the first trial"
        self.returned: list[Proposal] = []
        self.tampered: dict[str, None] = {}

    def prepare(self) -> None:
        """Call the optimizer's ``prepare``."""
        if callable(prepare := getattr(self._optimizer, "prepare", None)):
            with self._turn("prepare", "before the first trial"):
                prepare()

    def ask(self) -> Proposal:
        """The optimizer's proposal itself."""
        for call in self._before_ask:
            call()
        with self._turn("ask", f"asked after {self._last}" if self._told else "asked for the first trial"):
            returned = self._optimizer.ask()
        if isinstance(returned, Proposal):
            with contextlib.suppress(Exception):  # the check of proposals refuses what cannot be copied
                self.returned.append(copy.deepcopy(returned))
        return returned

    def tell(self, trial: Trial) -> None:
        """Tell the optimizer, and check that it does not change the trial."""
        before, self._last = _text(trial), _what(trial)
        with self._turn("tell", f"told of {self._last}"):
            self._optimizer.tell(trial)
        if _text(trial) != before and not self.tampered:
            self.tampered[
                f"{self._who}.tell changes the trial passed to it ({self._last}), which is shared; change a copy."
            ] = None
        self._told.append((trial, _text(trial)))

    def look_back(self) -> None:
        """Detect later changes of trials."""
        if any(_text(trial) != before for trial, before in self._told):
            self.tampered[
                f"{self._who} changes a trial, or its proposal, after tell; both are shared: copy what "
                "is kept, and propose a new dict each time."
            ] = None

    @contextlib.contextmanager
    def _turn(self, call: str, when: str) -> Iterator[None]:
        with self._floor.given_to(f"{self._who}.{call}"), stopping(f"{self._who}.{call}", when):
            yield


@contextlib.contextmanager
def stopping(call: str, when: str) -> Iterator[None]:
    """Turn exceptions of a plug-in into a sentence.

    Args:
        call: The called method: ``Mine.tell``.
        when: The situation: ``told of trial 2, which is invalid``.

    Raises:
        BrokenError: It raised an exception, or ended the program.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise BrokenError(
            f"{call} raised {reason(error).rstrip('.')} ({Path(place.filename).name}, line {place.lineno}) when "
            f"{when}{_EXPECTED.get(call.rpartition('.')[2], '')}."
        ) from error


def distinct(sentences: Iterable[str]) -> list[str]:
    """Drop sentences that differ from an earlier one only in numbers, in parentheses or in the situation (``when``)."""
    found: dict[str, str] = {}
    for sentence in sentences:
        shorter = re.sub(r" when (told|asked|built) .*", "", sentence)
        for _ in range(2):  # inner ones first
            shorter = re.sub(r" ?\([^()]*\)", "", shorter)
        found.setdefault(re.sub(r"[\d.]+(e[-+]?\d+)?", "#", shorter), sentence)
    return list(found.values())


def given_by(make: Callable[[], T], call: str, when: str) -> T:
    """The result of a plug-in's class or method; a HyperboleError is passed on.

    Args:
        make: Function that calls it.
        call: The called method: ``Mine.__init__``.
        when: The situation.

    Raises:
        HyperboleError: For example, it refuses its settings.
        BrokenError: It raised another exception.
    """
    refused: HyperboleError | None = None
    with stopping(call, when):
        try:
            return make()
        except HyperboleError as error:
            refused = error
    assert refused is not None
    raise refused


def _what(trial: Trial) -> str:
    """A trial in words."""
    name = f"trial {trial.index}"
    if trial.violations:
        mended = f", repaired by {trial.repair}" if trial.repair else ", of which nothing was executed"
        name += f", which is invalid ({describe(trial.violations[0])}){mended}"
    if trial.error is not None:
        name += f"{' and' if trial.violations else ','} whose evaluation failed"
    return name


def _text(trial: Trial) -> str | None:
    """The full contents of a trial as text; None if that is impossible."""
    try:
        repeated = "" if trial.repeats is None else encode(to_row(trial.repeats, ""))
        return encode(to_row(trial, "")) + repeated
    except Exception:
        return None
