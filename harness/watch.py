"""What follows a run from its first row to its last, and records how it ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.beat import Beat
from harness.budget import Budget
from harness.clock import now
from harness.console import say
from harness.errors import DiskError, HyperboleError, ServerError
from harness.folder import RunFolder
from harness.fruitless import Failures
from harness.jsonl import encode, plain
from harness.masking import without_secrets
from harness.outcome import Breaches
from harness.problem import Benchmark
from harness.progress import RunLine
from harness.tally import Tally
from harness.tracker import Tracker
from harness.whole import files_of


class Watch:
    """Everything that follows a run's rows: its tracker, its progress line, and the counts that may refuse it.

    Args:
        benchmark: What is evaluated.
        budget: What ends the run.
        tracker: Gets every row and the final run.json.
        run: Contents of run.json at the start.
        folder: Where they are written.
        live: Whether the progress line is redrawn after trials.
    """

    def __init__(
        self, benchmark: Benchmark, budget: Budget, tracker: Tracker, run: dict[str, Any], folder: RunFolder, live: bool
    ) -> None:
        # The names of run.json: a probe may have hidden the problem's.
        self.label = f"{run['benchmark']}.{run['task']} {run['method']} seed {run['seed']}"
        self._run, self._folder, self._tracker = run, folder, tracker
        tally = Tally.found()
        self._line = RunLine(self.label, benchmark.problem.objectives[0], live, budget, tally if live else None)
        self._beat = None if tally is None else Beat(tally, folder.path, run["llm"])
        self._breaches, self._failures = Breaches(benchmark), Failures()
        self._left_out = False

    def begin(self, logged: Sequence[dict[str, Any]]) -> None:
        """Start the tracker and count the rows that are on disk already."""
        self._tracker.start(self._folder.path, self._run)
        for row in logged:
            self.note(row)
        self._line.begin()
        if self._beat is not None:
            self._beat.begin()

    def note(self, row: dict[str, Any]) -> None:
        """Count one row."""
        for observer in (self._tracker.log, self._line.add, self._breaches.add, self._failures.add):
            observer(row)
        if row.get("left_out") and not self._left_out:
            self._left_out = True
            say(
                f"{self.label}: the history is longer than the model's context allows; prompts leave out its oldest "
                "entries from now on (left_out in trials.jsonl)."
            )
        if self._beat is not None:
            self._beat.add(row)
            if self._beat.is_due:
                self._beat.tell(self._line.totals, self._line.share)

    def refuse_breaches(self) -> None:
        """Raise ContractError if no evaluation returned an outcome of the problem's objectives."""
        self._breaches.refuse(self._folder.path)

    def completed(self) -> float | None:
        """Record the end; the lowest loss of the first objective, None if nothing valid was evaluated.

        Raises:
            FruitlessError: Every evaluation failed.
        """
        self._line.close()
        self._finish({"status": "complete", "files": files_of(self._folder.path), "totals": self._line.totals})
        self._failures.refuse_all(self.label)
        return self._line.best

    def stopped(self, error: BaseException, is_new: bool) -> None:
        """Record why the run ended early. A new run that is a user's mistake and recorded nothing leaves no trace."""
        if is_new and _is_users_mistake(error) and self._folder.forget():
            self._line.clear()
            return
        reason, ending = without_secrets(str(error)), " - interrupted; the same command continues"
        changes = {}
        if not isinstance(error, KeyboardInterrupt | SystemExit):
            changes = {"status": "failed", "error": f"{type(error).__name__}: {reason}"}
            ending = f" - failed: {reason}"
        self._line.close(ending)
        with contextlib.suppress(DiskError):  # the first error is the one to report
            self._finish(changes)

    def _finish(self, changes: Mapping[str, Any]) -> None:
        run = {**self._run, **changes, "finished_at": now()}
        try:
            self._folder.write(run)
        finally:
            self._tracker.finish(json.loads(encode(plain(run))))


def _is_users_mistake(error: BaseException) -> bool:
    """Whether there was no run at all. A server that does not answer is a failure of the run."""
    return isinstance(error, HyperboleError) and not isinstance(error, ServerError)
