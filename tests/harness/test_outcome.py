"""Anything that a benchmark returns or raises becomes the trial's outcome or its error, in JSON and as text."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.budget import Budget
from harness.jsonl import encode
from harness.loop import evaluated, run_loop
from harness.outcome import number
from harness.problem import EvaluationError, Outcome
from harness.repair import NoRepair
from harness.trial import Proposal, Trial
from optimizers.chat.prompt import Prompt, result
from tests.support.fakes import Line, Scripted

GOOD = {"x": 0.5, "units": 2}


class Doing(Line):
    """A benchmark whose evaluation is a function without arguments."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def evaluate(self, params, fidelity, seed):
        return self.what()


def trial_of(what):
    """The row and the trial of one evaluation; the row is JSON, and a prompt can describe the trial."""
    benchmark = Doing(what)
    optimizer, rows = Scripted([GOOD]), []
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=1), 0, rows.append)
    (trial,) = optimizer.told
    told = result(trial, benchmark.problem.objectives[0], Prompt())
    assert told
    told.encode("utf-8")
    row = json.loads(encode(rows[0]))
    if row["error"] is not None:
        assert row["error"].strip() == row["error"] != ""
        assert row["losses"] is None
    return row, trial


def returning(*outcome, **more):
    return trial_of(lambda: Outcome(*outcome, **more))[0]


def raising(error):
    def what():
        raise error

    return trial_of(what)[0]


class Tensor:
    """A scalar like PyTorch's."""

    shape = ()

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


NUMBERS = [
    0.5,
    1,
    np.float32(0.5),
    np.float16(0.5),
    np.longdouble(0.5),
    np.int64(1),
    np.array(0.5),
    np.array(1),
    Fraction(1, 2),
    Decimal("0.5"),
    Tensor(0.5),
]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: type(value).__name__)
def test_a_number_of_any_type_is_a_number(value):
    row, trial = trial_of(lambda: Outcome({"score": value}, {"f1": value}, value))
    assert row["error"] is None
    assert row["losses"] == {"score": float(number(value))}
    for told in (trial.outcome.losses["score"], row["metrics"]["f1"], trial.evaluation_seconds):
        assert type(told) is float


NO_NUMBERS = [
    None,
    "0.5",
    True,
    np.bool_(True),
    0.5j,
    np.complex64(0.5),
    [0.5],
    (0.5,),
    {"score": 0.5},
    np.array([0.5]),
    np.array([]),
    np.array("0.5"),
    np.timedelta64(5, "ns"),
    10**400,
    b"0.5",
    object(),
    float,
    Tensor(None),
]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_the_trials_error_wherever_it_stands(value):
    assert "Doing.evaluate returned" in returning({"score": value})["error"]
    assert "for score; a loss is a finite number" in returning({"score": value}, {}, 1.5)["error"]
    assert returning({"score": value}, {}, 1.5)["evaluation_seconds"] == 1.5
    if value is not None:
        assert "as metric f1" in returning({"score": 0.5}, {"f1": value})["error"]
        row = returning({"score": 0.5}, {}, value)
        assert "as evaluation_seconds" in row["error"]
        assert row["evaluation_seconds"] is None


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, -math.inf, np.float32("nan")])
def test_impossible_seconds_are_the_trials_error(seconds):
    row = returning({"score": 0.5}, {}, seconds)
    assert "seconds are a finite number from 0, or None" in row["error"]
    assert row["evaluation_seconds"] is None
    row = raising(EvaluationError("diverged", seconds))
    assert row["error"].startswith("diverged (after ")
    assert row["evaluation_seconds"] is None


@pytest.mark.parametrize(
    "loss", [math.nan, math.inf, -math.inf, np.float32("nan"), np.array(math.inf), Tensor(math.nan)]
)
def test_a_loss_is_finite(loss):
    assert returning({"score": loss})["error"] == f"The evaluation returned {float(number(loss))} for score."


def test_a_metric_that_could_not_be_measured_does_not_fail_the_trial():
    row = returning({"score": 0.5}, {"test_score": math.nan, "auc": None})
    assert row["error"] is None
    assert row["metrics"] == {"test_score": "NaN", "auc": None}


@pytest.mark.parametrize(
    "returned", [None, 0.5, np.float32(0.5), "0.5", {"score": 0.5}, ({"score": 0.5}, {}), Outcome, [], NotImplemented]
)
def test_what_is_no_outcome_is_the_trials_error(returned):
    error = trial_of(lambda: returned)[0]["error"]
    assert error.startswith("Doing.evaluate returned")
    assert "it must return an Outcome" in error


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        ({}, "no losses; the problem's objectives are score"),
        ({"accuracy": 0.5}, "losses for accuracy; the problem's objectives are score"),
        ({"score": 0.5, "{0}": 0.1}, "losses for score, {0}; the problem's objectives are score"),
        ({1: 0.5}, "{1: 0.5} (dict) as losses"),
        (0.5, "0.5 (float) as losses"),
        (None, "None as losses"),
        ([("score", 0.5)], "as losses"),
    ],
)
def test_losses_are_those_of_the_objectives(losses, told):
    assert told in returning(losses)["error"]


def test_an_outcome_that_the_benchmark_keeps_and_changes_changes_no_trial():
    losses, metrics = {"score": 0.5}, {"f1": 0.5}
    trial = Trial(0, Proposal(GOOD), params=GOOD)
    trial = evaluated(trial, Doing(lambda: Outcome(losses, metrics)), 0)
    losses.clear()
    metrics["f1"] = "changed"
    assert trial.outcome == Outcome({"score": 0.5}, {"f1": 0.5})


class UnsayableError(Exception):
    def __str__(self):
        raise ZeroDivisionError


class NoArgumentsError(EvaluationError):
    def __init__(self):
        pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EvaluationError(""), "The evaluation failed; the benchmark gave no reason."),
        (EvaluationError(None), "gave no reason"),
        (EvaluationError("\n\n diverged"), "diverged"),
        (NoArgumentsError(), "gave no reason"),
        (EvaluationError("diverged", "ten"), "diverged (after 'ten' (str), no seconds)"),
        (RuntimeError(), "RuntimeError, without a message"),
        (RuntimeError("\n"), "RuntimeError, without a message"),
        (UnsayableError(), "str() of it raised ZeroDivisionError"),
        (ValueError("x" * 10**6), "... (1000000 characters)"),
        (ValueError("\udc80 \x1b[31m\x00"), r"\udc80 \x1b[31m\x00"),
        (ValueError(np.array([1, 2])), "[1 2]"),
        (KeyError("score"), "KeyError: 'score'"),
        (MemoryError(), "MemoryError"),
        (RecursionError("deep"), "RecursionError: deep"),
        (SystemExit(3), "SystemExit: 3"),
        (SystemExit(), "SystemExit"),
        (GeneratorExit(), "GeneratorExit"),
        (BaseException("odd"), "BaseException: odd"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_raised_is_the_trials_error_in_words(error, told):
    row = raising(error)
    assert told in row["error"]
    assert len(row["error"]) < 2100


def test_an_interrupt_is_the_users():
    with pytest.raises(KeyboardInterrupt):
        raising(KeyboardInterrupt())


def test_a_benchmark_cannot_change_the_fidelity_that_is_recorded():
    class Meddler(Line):
        def evaluate(self, params, fidelity, seed):
            fidelity["epochs"] = 99
            return super().evaluate(params, None, seed)

    from dataclasses import replace

    from harness.problem import Fidelity
    from harness.trial import Proposal

    benchmark, rows = Meddler(), []
    benchmark.problem = replace(benchmark.problem, fidelities=(Fidelity("epochs", 1, 9, True),))
    optimizer = Scripted([Proposal(GOOD, {"epochs": 3})])
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=1), 0, rows.append)
    assert rows[0]["fidelity"] == {"epochs": 3}


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
    | st.fractions()
    | st.floats(width=32).map(np.float32)
    | st.floats().map(np.array)
    | st.sampled_from([object(), UnsayableError(), Outcome, 10**400, math.inf]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | st.just("score"), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(
    ANYTHING | st.dictionaries(st.sampled_from(["score", "other"]), ANYTHING, max_size=2),
    ANYTHING | st.dictionaries(st.text(max_size=3), ANYTHING, max_size=2),
    ANYTHING,
    ANYTHING,
)
def test_any_outcome_becomes_a_row_with_a_finite_loss_or_an_error(losses, metrics, seconds, evaluated):
    row = returning(losses, metrics, seconds, evaluated)
    assert (row["error"] is None) == (row["losses"] is not None)
    if row["losses"] is not None:
        assert type(row["losses"]["score"]) is float
        assert math.isfinite(row["losses"]["score"])
    assert row["evaluation_seconds"] is None or 0 <= row["evaluation_seconds"] < math.inf


@settings(max_examples=60, deadline=None)
@given(st.text(), ANYTHING)
def test_any_failure_becomes_an_error_in_words(text, seconds):
    assert raising(EvaluationError(text, seconds))["error"]
    assert raising(OSError(text))["error"]


def test_a_masked_value_is_no_loss_of_zero():
    nothing = np.ma.masked_array([0.3, 0.5], mask=[True, True])
    row = returning({"score": nothing.mean()})
    assert row["losses"] is None
    assert "masked" in row["error"]
    assert number(np.ma.masked_array(0.5, mask=False)) == 0.5
    assert number(np.ma.masked_array(0.5, mask=True)) is None


@pytest.mark.parametrize("penalty", [1.7976931348623157e308, -1e200, np.finfo(np.float64).max])
def test_a_penalty_too_large_to_be_averaged_is_a_failure(penalty):
    row = returning({"score": penalty})
    assert "beyond 1e+150; say that it failed by an exception (EvaluationError), not by a penalty" in row["error"]
    assert returning({"score": 1e150})["error"] is None
