"""Ordeals one after another, until enough faults have struck."""

from __future__ import annotations

import random
import shutil
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.torture.compare import record_of
from tests.torture.faults import AT_REST, LIVE, OF_RAY, mounted, strike_at_rest, unmount
from tests.torture.ordeal import Ordeal, remove
from tests.torture.sweep import Model, Sweep

FAULTS_PER_ORDEAL = 10
NEEDS_MOUNT = "disk full"


class Campaign:
    """Faults in random order, each kind as often as any other.

    Args:
        folder: Where everything is kept; what went well is removed.
        seed: Decides which fault strikes when and where.
        methods: Optimizers.
        proposals: Trials per run.
        only: Only faults whose name contains this text.
        ray: Whether to strike sweeps on Ray as well.

    Attributes:
        outcomes: Fault -> what came of it, counted.
        failures: What went wrong, as texts.
    """

    def __init__(
        self, folder: Path, seed: int, methods: Sequence[str], proposals: int, only: str = "", ray: bool = False
    ) -> None:
        self._folder, self._draw = folder, random.Random(seed)
        self._methods, self._proposals, self._only = methods, proposals, only
        self._live = LIVE | (OF_RAY if ray else {})
        self.outcomes: dict[str, Counter[str]] = {}
        self.failures: list[str] = []
        self._number = 0

    def run(self, kills: int, say: Callable[[str], None]) -> None:
        """Run ordeals until this many faults have struck."""
        model = Model(self._folder)
        try:
            self._undisturbed(model)
            kinds = self._kinds()
            struck = 0
            while struck < kills:
                failed = len(self.failures)
                struck += self._ordeal(model, kinds, min(FAULTS_PER_ORDEAL, kills - struck))
                say(f"{struck} of {kills} faults, {len(self.failures)} failures")
                for text in self.failures[failed:]:
                    say(f"FAILED {text}")
        finally:
            model.kill()

    def table(self) -> str:
        """Kind of fault, how often it struck, what came of it; then the failures."""
        lines = ["| fault | times | outcome |", "| --- | ---: | --- |"]
        for kind, counts in sorted(self.outcomes.items()):
            told = "; ".join(f"{outcome}: {count}" for outcome, count in sorted(counts.items()))
            lines.append(f"| {kind} | {counts.total()} | {told} |")
        return "\n".join([*lines, *(f"\nFAILED {text}" for text in self.failures)])

    def _undisturbed(self, model: Model) -> None:
        sweep = self._sweep(model, "undisturbed")
        code, text = sweep.start().end()
        assert code == 0, text
        self._expected, self._lines = record_of(sweep.experiment), sweep.lines()

    def _sweep(self, model: Model, name: str) -> Sweep:
        return Sweep(self._folder / name, model.port, self._methods, self._proposals)

    def _kinds(self) -> Iterator[str]:
        """Live faults and faults at rest in turn, each list in random order again and again."""
        lists = [[kind for kind in kinds if self._only in kind] for kinds in (self._live, AT_REST)]
        left: list[list[str]] = [[], []]
        if not any(lists):
            raise SystemExit(f"No fault is called {self._only!r}: {', '.join([*self._live, *AT_REST])}.")
        while True:
            for place, kinds in enumerate(lists):
                left[place] = left[place] or self._draw.sample(kinds, len(kinds))
                yield from [left[place].pop()] if kinds else []

    def _ordeal(self, model: Model, kinds: Iterator[str], faults: int) -> int:
        self._number += 1
        folder = self._folder / str(self._number)
        is_small = mounted(folder)
        ordeal = Ordeal(self._sweep(model, folder.name), model, self._draw, self._expected, self._lines, self.outcomes)
        went_through: list[str] = []
        struck = 0
        try:
            while struck < faults:
                if (kind := next(kinds)) == NEEDS_MOUNT and not is_small:
                    ordeal.count(kind, "no disk can be mounted here")
                    struck += 1
                    continue
                went_through.append(kind)
                if kind in AT_REST:
                    struck += strike_at_rest(ordeal, kind)
                elif self._live[kind](ordeal):
                    struck += 1
                    ordeal.count(kind, "continued")
                elif ordeal.is_complete():
                    break
            ordeal.finish()
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.failures.append(
                f"{folder}.kept, after {', '.join(went_through)}: {type(error).__name__} at {last.name}: {error}"
            )
            shutil.copytree(folder, folder.with_name(f"{folder.name}.kept"), symlinks=True)
            return max(struck, 1)
        finally:
            if is_small:
                unmount(folder)
            remove(folder)
        return struck
