"""No failure of a tracker reaches the run."""

from __future__ import annotations

import pytest

from harness.tracker import Guarded


class Listening:
    """Records its calls, and fails in one of them."""

    def __init__(self, fails_in=None, error=None):
        self.calls, self._fails_in, self._error = [], fails_in, error

    def start(self, folder, run):
        self._called("start")

    def log(self, row):
        self._called(row)

    def finish(self, run):
        self._called("finish")

    def _called(self, what):
        self.calls.append(what)
        if what == self._fails_in:
            raise self._error


def followed(tracker, tmp_path, rows=(1, 2, 3)):
    guarded = Guarded(tracker)
    guarded.start(tmp_path, {})
    for row in rows:
        guarded.log(row)
    guarded.finish({})
    return tracker.calls


def test_a_sound_tracker_gets_everything_in_order(tmp_path, capsys):
    assert followed(Listening(), tmp_path) == ["start", 1, 2, 3, "finish"]
    assert followed(Listening(), tmp_path, rows=()) == ["start", "finish"]
    assert capsys.readouterr().err == ""


def test_a_run_that_is_refused_is_not_tracked(tmp_path):
    tracker = Listening()
    Guarded(tracker).start(tmp_path, {})
    assert tracker.calls == []


@pytest.mark.parametrize("fails_in", ["start", 2, "finish"])
@pytest.mark.parametrize("error", [ValueError("no room\nleft"), SystemExit("no room left")])
def test_a_failure_is_reported_once_and_ends_the_tracking(tmp_path, capsys, fails_in, error):
    calls = followed(Listening(fails_in, error), tmp_path)
    assert calls == ["start", 1, 2, 3, "finish"][: ["start", 1, 2, 3, "finish"].index(fails_in) + 1]
    told = f"The tracker Listening failed ({type(error).__name__}: no room left); the run continues without it"
    assert capsys.readouterr().err.count(told) == 1


def test_an_interruption_is_the_users(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        followed(Listening(1, KeyboardInterrupt()), tmp_path)
