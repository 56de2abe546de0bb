"""Runs that cannot have a result, and runs without one: reported, with an exit code."""

from __future__ import annotations

import pytest

from harness.budget import Budget
from harness.errors import FruitlessError
from harness.fruitless import Failures, warn_of_short_budget
from harness.start import Started
from optimizers.multifidelity.brackets import Rung, trials_in
from tests.support.command import hyperbole, run_json


def _all(*errors: str | None, executed: bool = True) -> Failures:
    failures = Failures()
    for error in errors:
        failures.add({"executed": {"x": 1} if executed else None, "error": error})
    return failures


def test_the_first_error_of_failed_evaluations_and_its_count_are_reported() -> None:
    with pytest.raises(FruitlessError) as caught:
        _all("ValueError: a", "KeyError: b", "ValueError: a").refuse_all("toy")
    assert str(caught.value) == "toy: all 3 evaluations failed, 2 of them with: ValueError: a"
    with pytest.raises(FruitlessError, match="all 2 evaluations failed, all with: no reason given"):
        _all("", "").refuse_all("toy")


def test_one_success_or_no_evaluation_is_not_a_failure() -> None:
    _all("ValueError: a", None).refuse_all("toy")
    _all(None, None, executed=False).refuse_all("toy")
    _all().refuse_all("toy")


def test_an_error_is_shown_in_part_and_harmless() -> None:
    with pytest.raises(FruitlessError) as caught:
        _all(f"\x1b[2J{'x' * 1000}").refuse_all("toy")
    assert len(str(caught.value)) < 400
    assert "\x1b" not in str(caught.value)


def test_the_command_ends_with_1_and_the_run_is_on_record(tmp_path) -> None:
    run = ("benchmark=toy", "benchmark.failure_rate=1.0", "budget.proposals=3")
    done = hyperbole(*run, cwd=tmp_path)
    assert done.returncode == 1
    assert "random_search seed 0: all 3 evaluations failed, " in done.stderr
    assert "Traceback" not in done.stderr
    assert run_json(tmp_path)["status"] == "complete"


class _Method:
    first_bracket = trials_in((Rung(4, 1.0), Rung(2, 2.0), Rung(1, 4.0)))


@pytest.mark.parametrize(
    ("limits", "started", "said"),
    [
        ({"proposals": 6}, 0, "6 trials is smaller than the first bracket, which has 7; only the last of these (1)"),
        ({"proposals": 7}, 0, None),
        ({"proposals": 7}, 2, "7 trials is smaller than the first bracket, which has 7 after 2 of the start; only"),
        ({"proposals": 9}, 2, None),
        ({"evaluations": 6}, 0, "give budget.evaluations=7."),
        ({"proposals": 6, "evaluations": 3}, 0, "give budget.proposals=7 budget.evaluations=7."),
        ({"proposals": 20, "evaluations": 3}, 0, "give budget.evaluations=7."),
        ({}, 0, None),
    ],
)
def test_a_budget_within_the_first_bracket_is_reported(capsys, limits: dict[str, int], started: int, said: str) -> None:
    method: object = Started(_Method(), [{}] * started, "given") if started else _Method()  # type: ignore[arg-type]
    warn_of_short_budget("toy", method, Budget(**limits, seconds=9.0))
    warn_of_short_budget("toy", object(), Budget(**limits, seconds=9.0))
    (line,) = capsys.readouterr().err.splitlines() or [""]
    assert (said or "") in line
    assert bool(line) == bool(said)


def test_evaluations_below_the_highest_fidelity_are_no_lack_of_valid_ones(tmp_path) -> None:
    done = hyperbole("optimizer=successive_halving", "benchmark=toy", "budget.proposals=3", cwd=tmp_path)
    assert "3 proposals, 0 invalid (0 %), none evaluated at the highest fidelity" in done.stdout
