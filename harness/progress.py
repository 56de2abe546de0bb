"""The progress line of one run, on a terminal, and the totals that it and run.json show."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.budget import Budget, Spent
from harness.console import ERASE, duration, invalid_share, is_terminal, pace
from harness.faults import Group, groups_of
from harness.incumbent import Incumbent
from harness.tally import Tally

REFRESH_SECONDS = 0.1


class Count:
    """Running totals of rows: trials, invalid and invented proposals, the incumbent, the budget's units.

    Args:
        objective: Name of the first objective, as in the rows' losses.
    """

    def __init__(self, objective: str) -> None:
        self.incumbent = Incumbent(objective)
        self.invalid = self.invented = 0
        self.spent = Spent()

    @property
    def trials(self) -> int:
        """Number of rows."""
        return self.spent.proposals

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one trial's row."""
        self.invalid += bool(row["violations"])
        self.invented += Group.INVENTED in groups_of(row["violations"])
        self.spent.add_row(row)
        self.incumbent.add(row)

    def share(self) -> str:
        """The shares of invalid and invented proposals, as a text."""
        return invalid_share(self.invalid, self.invented, self.trials)

    def totals(self) -> dict[str, Any]:
        """The totals as run.json has them; ``best`` is a loss, null before one counts."""
        counts = {"trials": self.trials, "invalid": self.invalid, "invented": self.invented}
        return counts | {"best": self.incumbent.loss, "below": self.incumbent.below}


class RunLine:
    """Progress line of one run.

    Args:
        label: Name of the run.
        objective: The first objective.
        live: Whether the line is redrawn after trials; runs in parallel write it once, at the end.
        budget: Budget of the run.
        sweep: Sweep of the run, if its runs are sequential; else None.
    """

    def __init__(self, label: str, objective: Any, live: bool, budget: Budget, sweep: Tally | None = None) -> None:
        self._label, self._objective, self._live = label, objective, live
        self._limits = {name: limit for name, limit in asdict(budget).items() if limit is not None}
        self._sweep, self._runs = sweep, sweep.ends() if sweep else 0
        self._shown = is_terminal(sys.stderr)
        self._count = Count(objective.name)
        self._drawn = 0.0
        self.begin()

    @property
    def best(self) -> float | None:
        """The lowest loss of the first objective at the highest fidelity; None if nothing valid was evaluated."""
        return self._count.incumbent.loss

    @property
    def totals(self) -> dict[str, Any]:
        """See ``Count.totals``."""
        return self._count.totals()

    @property
    def share(self) -> float:
        """Used share of the budget, for the limit nearest to its end."""
        return self._done()[1]

    def begin(self) -> None:
        """Start measuring the pace: earlier trials were recorded before and did not take time now."""
        self._started, self._before, self._already = time.monotonic(), self._count.trials, self._done()[1]

    def add(self, row: dict[str, Any]) -> None:
        """Count one trial's row."""
        self._count.add(row)
        if self._live and self._shown and time.monotonic() - self._drawn > REFRESH_SECONDS:
            self._drawn = time.monotonic()
            sys.stderr.write(f"{ERASE}{self.text()}, {self._pace()}")
            sys.stderr.flush()

    def text(self) -> str:
        """The line: the used share of the budget, for the limit nearest to its end, and results so far."""
        best = self.best
        none = "none at the highest fidelity yet" if self._count.incumbent.below else "none valid yet"
        found = none if best is None else f"{self._objective.name} {self._objective.value(best):.4g}"
        seconds = time.monotonic() - self._started
        return f"{self._label}: {self._done()[0]}, {self._count.share()}, {found}, {seconds:.0f} s"

    def _done(self) -> tuple[str, float]:
        """Done of total as a text, and as a share, for the limit nearest to its end."""
        spent = {name: getattr(self._count.spent, name) for name in self._limits}
        shares = {name: spent[name] / limit for name, limit in self._limits.items()}
        name = max(shares, key=lambda name: shares[name])
        words = f"{_number(spent[name])}/{_number(self._limits[name])} {name}"
        return words if name == "proposals" else f"{words}, {self._count.trials} proposals", min(1.0, shares[name])

    def _pace(self) -> str:
        elapsed, share = time.monotonic() - self._started, self._done()[1]
        own = pace(self._count.trials - self._before, elapsed, share - self._already, 1.0 - share)
        if self._sweep is None:
            return own
        if not self._sweep.total:
            return f"{own}; run {self._runs + 1}"
        done = (self._runs + share) / self._sweep.total
        left = duration((time.time() - self._sweep.started) * (1.0 - done) / done) if done else "?"
        return f"{own}; run {self._runs + 1}/{self._sweep.total}, {left} left for all"

    def clear(self) -> None:
        """Erase the line."""
        if self._live and self._shown:
            sys.stderr.write(ERASE)
            sys.stderr.flush()

    def close(self, ending: str = "") -> None:
        """Write the line a last time and end it."""
        if self._shown:
            sys.stderr.write(f"{ERASE}{self.text()}{ending}\n")
            sys.stderr.flush()


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
