"""The interface of each kind of plug-in: its methods, their arguments and return values.

Errors are for the plug-in's author: one sentence with the class, the method, what was found and what was expected. The
result of an evaluation is checked in ``harness.outcome``; it fails a trial, not the run.
"""

from __future__ import annotations

import contextlib
import inspect
import traceback
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from harness.choices import loggable
from harness.declared import ROUNDING
from harness.errors import ContractError
from harness.kinds import is_finite, is_protocol, is_whole, lacks
from harness.objects import levels_within
from harness.problem import Benchmark, Problem
from harness.scalars import is_quantity, number
from harness.trial import USAGE, Candidate, Optimizer, Proposal, Proposer, Quantity, Usage

EVALUATE = ("params", "fidelity", "seed")


def unwrapped(plug_in: Any) -> Any:
    """The plug-in itself, without wrappers of the harness (``wrapped``)."""
    while (inner := getattr(plug_in, "wrapped", None)) is not None:
        plug_in = inner
    return plug_in


def named(plug_in: object) -> str:
    """Name of the plug-in's own class."""
    return type(unwrapped(plug_in)).__name__


@contextlib.contextmanager
def no_exit() -> Iterator[None]:
    """Refuse a plug-in that ends the program, which would look like an interrupted run.

    Raises:
        ContractError: It raised SystemExit; the message says where.
    """
    try:
        yield
    except SystemExit as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise ContractError(
            f"{place.filename}, line {place.lineno} ({place.name}) ended the program (SystemExit: {error.code}); raise "
            "an exception that says what is wrong instead."
        ) from error


def check_benchmark(benchmark: Any) -> Benchmark:
    """Check and return the benchmark.

    Raises:
        ContractError: A method or the problem is missing or wrong.
    """
    who = named(benchmark)
    try:
        problem = benchmark.problem
    except AttributeError as error:
        raise ContractError(f"{who}.problem is missing ({error}); set it to a Problem (harness.problem).") from error
    if not isinstance(problem, Problem):
        raise ContractError(f"{who}.problem is {_what(problem)}; set it to a Problem (harness.problem).")
    check_method(benchmark, "evaluate", EVALUATE)
    check_method(benchmark, "random_search_curve", ("evaluations",))
    return benchmark  # type: ignore[no-any-return]


def check_optimizer(optimizer: Any) -> Optimizer:
    """Check and return the optimizer.

    Raises:
        ContractError: A method is missing or has the wrong arguments.
    """
    check_method(optimizer, "ask", ())
    check_method(optimizer, "tell", ("trial",))
    if getattr(optimizer, "prepare", None) is not None:
        check_method(optimizer, "prepare", ())
    return optimizer  # type: ignore[no-any-return]


def check_part(part: Any, wanted: type, place: str) -> Any:
    """Check and return the object of a configuration group.

    Args:
        part: The object.
        wanted: Its expected class or protocol.
        place: Name of the group: ``tracker``.

    Raises:
        ContractError: It has another type.
    """
    if (missing := lacks(part, wanted)) is None:
        return part
    what = f"has no {missing}" if is_protocol(wanted) else f"is no {missing}"
    raise ContractError(
        f"{named(part)}, which {place}._target_ names, {what}; name a class that makes a {wanted.__name__} "
        f"({wanted.__module__})."
    )


def check_proposal(returned: Any, optimizer: Optimizer) -> Proposal:
    """Check and return the result of ``ask``; its params are checked against the space later.

    Raises:
        ContractError: It is not a valid Proposal.
    """
    said = f"{named(optimizer)}.ask returned"
    if inspect.iscoroutine(returned):
        returned.close()  # otherwise Python warns that it was never awaited
    if not isinstance(returned, Proposal):
        raise ContractError(f"{said} {_what(returned)}; it must return a Proposal (harness.trial): Proposal(params).")
    for part, fits, wanted in (
        ("params", returned.params is None or isinstance(returned.params, Mapping), "a mapping of names, or None"),
        ("params", _fits_a_log(returned.params), "values that a log can hold, without cycles"),
        ("usage", _is_usage(returned.usage), "a Usage (harness.trial) of counts and seconds from 0"),
        ("calls", _all(returned.calls, is_whole), "ids of calls, whole numbers"),
        ("candidates", _all(returned.candidates, _is_candidate), "a tuple of Candidate"),
        ("fidelity", _fits_a_log(returned.fidelity), "numbers by name, or None"),
        ("predicted", returned.predicted is None or number(returned.predicted) is not None, "a number, or None"),
        ("short_names", isinstance(returned.short_names, bool), "true or false"),
        ("left_out", returned.left_out is None or is_whole(returned.left_out), "a whole number, or None"),
        ("note", returned.note is None or isinstance(returned.note, str), "a text, or None"),
        ("reason", returned.reason is None or isinstance(returned.reason, str), "a text, or None"),
        ("proposer", _is_proposer(returned.proposer), f"one of {', '.join(Proposer)} (harness.trial), or None"),
    ):
        if not fits:
            raise ContractError(f"{said} a Proposal whose {part} is {_what(getattr(returned, part))}; give {wanted}.")
    return returned


def curve_of(benchmark: Benchmark, method: str, argument: int) -> list[float] | None:
    """A curve of a benchmark as floats; None if it has none, or no such method.

    Raises:
        ContractError: It is not a sequence of finite numbers, or it has the wrong direction, e.g. because a maximized
            metric was not negated.
    """
    found = getattr(benchmark, method, None)
    curve = found(argument) if callable(found) else None
    if curve is None:
        return None
    try:
        numbers = [number(loss) for loss in curve]
    except TypeError:
        numbers = [None]
    if not numbers or not all(each is not None and is_quantity(each) for each in numbers):
        raise ContractError(f"{named(benchmark)}.{method} returned {_what(curve)}; give finite losses, or None.")
    losses = [float(each) for each in numbers if each is not None]
    step, never = (1, "fall") if method == "loss_quantiles" else (-1, "rise")
    if not goes(losses, step):
        raise ContractError(
            f"{named(benchmark)}.{method} returned {_what(curve)}; losses are minimized, so it cannot {never}."
        )
    return losses


def goes(losses: Sequence[float], step: int) -> bool:
    """Whether losses are monotone, up (1) or down (-1), except for rounding errors."""
    return all(step * (later - earlier) >= -ROUNDING * max(1.0, abs(earlier)) for earlier, later in pairwise(losses))


def check_method(plug_in: Any, name: str, arguments: Sequence[str]) -> None:
    """Check that a method exists and takes these positional arguments."""
    call = f"{name}({', '.join(arguments)})"
    method = getattr(plug_in, name, None)
    if not callable(method):
        there = "is missing" if method is None else f"is {_what(method)}"
        raise ContractError(f"{named(plug_in)}.{name} {there}; define {call}.")
    if (later := _later(method)) is not None and name != "random_search_curve":  # its values are iterated
        raise ContractError(f"{named(plug_in)}.{name} is {later}, which does not run when called; write a plain def.")
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError) as error:  # some C functions have none
        if inspect.ismethod(method):
            raise ContractError(f"{named(plug_in)}.{name} takes no self ({error}); define it as a method.") from None
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise ContractError(
            f"{named(plug_in)}.{name} takes {signature}, but is called as {call} ({error}); change its arguments."
        ) from None


def _fits_a_log(value: Any) -> bool:
    """Whether a value can be logged at all; its validity is checked against the space."""
    try:
        return levels_within(loggable(value))
    except Exception:  # it contains itself, or its repr fails
        return False


def _later(method: Any) -> str | None:
    """The object that calling a function returns instead of running it, in words."""
    if inspect.iscoroutinefunction(method):
        return "async"
    is_generator = inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method)
    return "a generator (it holds yield)" if is_generator else None


def _is_usage(usage: Any) -> bool:
    if not isinstance(usage, Usage):
        return False
    return all(_is_amount(each, getattr(usage, each.name)) for each in USAGE)


def _is_amount(quantity: Quantity, value: Any) -> bool:
    if value is None:
        return quantity.null is not None
    return (is_whole if quantity.whole else is_finite)(value) and value >= 0


def _is_candidate(each: Any) -> bool:
    return isinstance(each, Candidate) and _fits_a_log(each.params)


def _is_proposer(proposer: Any) -> bool:
    return proposer is None or (isinstance(proposer, str) and proposer in set(Proposer))


def _all(items: Any, fits: Any) -> bool:
    return isinstance(items, list | tuple) and all(map(fits, items))


def _what(value: Any) -> str:
    """A value's type, and its repr if short."""
    if value is None:
        return "None"
    kind = type(value).__name__
    try:
        text = " ".join(repr(value).split())
    except Exception:
        return f"a {kind}"
    text = text if text.startswith(f"{kind}(") else f"{kind} {text}"
    return text if len(text) <= 80 else f"{text[:80]}..."
