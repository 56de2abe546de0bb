"""An optimizer under observation: what ask returns is kept as it was, what tell does to a trial is noticed."""

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
    "tell": "; tell is given every trial, and its params and outcome are None where nothing was executed or it failed",
    "ask": "; ask is called whatever became of the trials before",
}
"""What a method must be ready for."""


class BrokenError(Exception):
    """The plug-in cannot be played to the end: the sentence says where it stopped."""


class Witness:
    """The optimizer as the loop has it.

    Args:
        optimizer: Under observation.
        floor: Whose turn it is.
        before_ask: Called before each ask.

    Attributes:
        returned: By ``ask``: copies of what it was then.
        tampered: What was done to trials, one sentence each.
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
        """What the optimizer prepares."""
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
            with contextlib.suppress(Exception):  # what cannot be copied is refused by the check of proposals
                self.returned.append(copy.deepcopy(returned))
        return returned

    def tell(self, trial: Trial) -> None:
        """Tell the optimizer, and compare the trial with what it was."""
        before, self._last = _text(trial), _what(trial)
        with self._turn("tell", f"told of {self._last}"):
            self._optimizer.tell(trial)
        if _text(trial) != before:
            self.tampered[
                f"{self._who}.tell changes the trial that it is told ({self._last}); others hold it too: copy what is "
                "to be changed."
            ] = None
        self._told.append((trial, _text(trial)))

    def look_back(self) -> None:
        """Notice what was done to trials after they were told."""
        if any(_text(trial) != before for trial, before in self._told):
            self.tampered[
                f"{self._who} changes a trial, or the proposal in it, after it was told; others hold it too: copy what "
                "is kept, and propose a new dict each time."
            ] = None

    @contextlib.contextmanager
    def _turn(self, call: str, when: str) -> Iterator[None]:
        with self._floor.given_to(f"{self._who}.{call}"), stopping(f"{self._who}.{call}", when):
            yield


@contextlib.contextmanager
def stopping(call: str, when: str) -> Iterator[None]:
    """Turn what a plug-in raises into a sentence.

    Args:
        call: What is called: ``Mine.tell``.
        when: In which situation: ``told of trial 2, which is invalid``.

    Raises:
        BrokenError: It raised something, or ended the program.
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
    """The first of sentences that differ in numbers alone: another trial, another value."""
    found: dict[str, str] = {}
    for sentence in sentences:
        found.setdefault(re.sub(r"[\d.]+(e[-+]?\d+)?", "#", sentence), sentence)
    return list(found.values())


def given_by(make: Callable[[], T], call: str, when: str) -> T:
    """What a plug-in's class or method gives; an error of ours, which says itself what is wrong, stays one.

    Args:
        make: Calls it.
        call: What is called: ``Mine.__init__``.
        when: In which situation.

    Raises:
        HyperboleError: It does not take its settings, say.
        BrokenError: It raised anything else.
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
    """Everything a trial says; None where it can no longer be said."""
    try:
        repeated = "" if trial.repeats is None else encode(to_row(trial.repeats, ""))
        return encode(to_row(trial, "")) + repeated
    except Exception:
        return None
