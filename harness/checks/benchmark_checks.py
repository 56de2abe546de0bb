"""The contract of benchmarks: each check evaluates a few configurations and yields one sentence per broken rule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.checks.evaluations import Bench, close
from harness.checks.spoiled import valid_configurations
from harness.checks.state import differs, fingerprint, kept_process, kept_random_state, random_state, scrambler
from harness.checks.witness import BrokenError, distinct, given_by
from harness.choices import text_of
from harness.contract import curve_of
from harness.declared import ROUNDING
from harness.errors import ContractError
from harness.options import benchmark_options
from harness.problem import Benchmark, Objective, Params
from harness.space import default_of

REPEATED = 6
"""Number of configurations that are evaluated again by another instance and at low fidelities."""
CURVE = 25
RUNS, LENGTH = 40, 10
"""Random searches with which a curve is compared."""
ERRORS = 5.0
"""Largest difference between the two, in standard errors."""
QUANTILES = 11


def breaches(bench: Bench) -> list[str]:
    """One sentence per rule that a benchmark breaks; empty if it keeps the contract."""
    before = fingerprint(bench.benchmark.problem)
    problem = bench.benchmark.problem
    found: dict[str, None] = {}
    with kept_process(), kept_random_state():
        for check in CHECKS:
            try:
                found.update(dict.fromkeys(check(bench)))
            except BrokenError as error:
                found[str(error)] = None
        if not found:
            found.update(dict.fromkeys(keeps_random_state(bench)))
    moved = differs(before, fingerprint(bench.benchmark.problem))
    if bench.benchmark.problem is not problem or moved is not None:
        what = moved or "its problem for another one"
        found[f"{bench.who} changes {what} while it evaluates; optimizers hold it: work on a copy."] = None
    return distinct(found)


def keeps_random_state(bench: Bench) -> Iterator[str]:
    """An evaluation leaves the global random state as it was (law 6)."""
    before = random_state()
    bench.evaluate(bench.benchmark.problem.default)
    if random_state() != before:
        yield (
            f"{bench.who}.evaluate changes the global random state (random, numpy.random); draw from a generator of "
            "its own: numpy.random.default_rng(seed)."
        )


def declared(bench: Bench) -> Iterator[str]:
    """Check the declarations."""
    inner = bench.benchmark
    yield from benchmark_options(inner)
    problem = inner.problem
    own = default_of(problem.space)
    if text_of(own) != text_of(problem.default):
        yield (
            f"{bench.who}: the problem's default is {problem.default}, but its space's is {own}; methods start "
            "from either, so declare the same default."
        )
    for fidelity in problem.fidelities:
        if fidelity.lower == fidelity.upper:
            yield f"{bench.who}: fidelity {fidelity.name!r} has one value, {fidelity.lower}; leave it out."


def outcomes(bench: Bench) -> Iterator[str]:
    """Every configuration has a valid outcome or fails with the benchmark's own error; not all fail."""
    answers = [bench.answer(place) for place in range(len(bench.configurations))]
    yield from (answer.breach for answer in answers if answer.breach is not None)
    if all(answer.failure is not None for answer in answers):
        yield f"{bench.who}.evaluate fails at all of {len(answers)} configurations; first error: {answers[0].failure}"
    losses = [answer.outcome.losses for answer in answers if answer.outcome is not None]
    both = [answer.outcome.losses.keys() & answer.outcome.metrics.keys() for answer in answers if answer.outcome]
    clashing = set().union(*both)
    if clashing:
        yield f"{bench.who}.evaluate returns {sorted(clashing)[0]!r} as a loss and as a metric; use different names."
    for objective in bench.benchmark.problem.objectives if losses else ():
        yield from _within(bench.who, objective, [loss[objective.name] for loss in losses])


def _within(who: str, objective: Objective, losses: list[float]) -> Iterator[str]:
    if len(losses) > 1 and len(set(losses)) == 1:
        yield f"{who}: {len(losses)} configurations all have the same {objective.name}; there is nothing to optimize."
    best, worst = objective.scale or (None, None)
    for sign, what, bound, found in (
        (1, "optimum", objective.optimum, min(losses)),
        (1, "best value of the scale", best, min(losses)),
        (-1, "worst value", objective.worst, max(losses)),
        (-1, "worst value of the scale", worst, max(losses)),
    ):
        if bound is None:
            continue
        limit = objective.loss(bound)
        if sign * (limit - found) > ROUNDING * max(1.0, abs(limit)):
            yield (
                f"{who}.evaluate returns {objective.name} = {objective.value(found):g}, beyond the declared {what} "
                f"{bound:g}; correct the declaration, or the sign: losses are minimized."
            )


def repeatable(bench: Bench) -> Iterator[str]:
    """The same configuration, fidelity and seed have the same outcome, also in another instance (law 6)."""
    found = list(_repeated(bench))
    yield from found or _fidelities(bench)  # fidelities cannot be compared if one is not reproducible


def _repeated(bench: Bench) -> Iterator[str]:
    """The first difference between repeated evaluations."""
    other = bench.build()
    try:
        yield from _differing(bench, other)
    finally:
        close(other)


def _differing(bench: Bench, other: Benchmark) -> Iterator[str]:
    again = "for the same configuration, fidelity and seed"
    for place, params in enumerate(bench.configurations):
        first, elsewhere = bench.answer(place).measured, place < REPEATED
        if bench.evaluate(params).measured != first:
            draws = _from_the_same_state(bench, params) == _from_the_same_state(bench, params)
            why = (
                "it draws from the global random state: draw from numpy.random.default_rng(seed)"
                if draws
                else "an outcome may depend only on these: draw from a generator made from the seed"
            )
            yield f"{bench.who}.evaluate returns something else the second time {again}; {why}."
        elif elsewhere and bench.evaluate(params, {}).measured != first:
            yield f"{bench.who}.evaluate returns something else for fidelity={{}} than for None; both mean the highest."
        elif elsewhere and bench.evaluate(params, benchmark=other).measured != first:
            yield f"{bench.who}: two instances return different outcomes {again}; an outcome may depend only on these."
        else:
            continue
        return


def _from_the_same_state(bench: Bench, params: Params) -> Any:
    """The measurements with a fixed global random state."""
    scrambler()()
    return bench.evaluate(params).measured


def _fidelities(bench: Bench) -> Iterator[str]:
    """Each fidelity can be evaluated at both bounds, and the highest equals None."""
    default, first = bench.configurations[0], bench.answer(0)
    several = bench.configurations[1 : 1 if bench.trains else REPEATED]
    for fidelity in bench.benchmark.problem.fidelities:
        ends = [int(end) if fidelity.integer else end for end in (fidelity.lower, fidelity.upper)]
        lowest, highest = (bench.evaluate(default, {fidelity.name: end}) for end in ends)
        others = [bench.evaluate(params, {fidelity.name: ends[0]}) for params in several]
        if breaches := [each.breach for each in (lowest, highest, *others) if each.breach is not None]:
            yield breaches[0]
            return
        again = [bench.evaluate(params, {fidelity.name: ends[0]}) for params in several]
        if [each.measured for each in others] != [each.measured for each in again]:
            yield f"{bench.who}.evaluate returns something else the second time at {fidelity.name} = {ends[0]}."
        if lowest.outcome is None and first.outcome is not None:
            yield (
                f"{bench.who}.evaluate fails at {fidelity.name} = {ends[0]}, which the problem declares "
                f"({lowest.failure}); declare valid bounds."
            )
        if highest.measured != first.measured:
            yield (
                f"{bench.who}.evaluate returns something else for {fidelity.name} = {ends[1]} than for no fidelity; "
                "both mean the highest."
            )


def unshared(bench: Bench) -> Iterator[str]:
    """Changes to one outcome do not affect the next."""
    default = bench.benchmark.problem.default
    try:
        first = bench.benchmark.evaluate(dict(default), None, 0)
        first.losses.clear()
        first.metrics["made up"] = 1.0
        second = bench.benchmark.evaluate(dict(default), None, 0)
        shared = not second.losses or "made up" in second.metrics
    except (Exception, SystemExit):  # no mutable outcome: nothing is shared
        return
    if shared:
        yield f"{bench.who}.evaluate returns the same outcome object twice; return a new one each time."


def curves(bench: Bench) -> Iterator[str]:
    """A random-search curve has the right length and prefix, and agrees with random search."""
    if list(benchmark_options(bench.benchmark)):
        return
    try:
        curve, shorter = (_curve(bench, "random_search_curve", count) for count in (CURVE, CURVE // 5))
        _curve(bench, "loss_quantiles", QUANTILES)
    except ContractError as error:
        yield str(error)
        return
    if curve is None or shorter is None:
        return
    if len(curve) != CURVE:
        yield f"{bench.who}.random_search_curve({CURVE}) returns {len(curve)} losses; give one per evaluation."
    elif not np.allclose(curve[: len(shorter)], shorter, rtol=1e-9, atol=0):
        yield f"{bench.who}.random_search_curve begins differently if more evaluations are requested."
    else:
        yield from _found_by_random_search(bench, curve)


def _curve(bench: Bench, method: str, count: int) -> list[float] | None:
    call = f"{bench.who}.{method}"
    return given_by(lambda: curve_of(bench.benchmark, method, count), call, f"asked for {count} losses")


def _found_by_random_search(bench: Bench, curve: list[float]) -> Iterator[str]:
    """Compare the best of ten over forty runs; the mean of single losses depends on a few diverged trainings."""
    name = bench.benchmark.problem.objectives[0].name
    if bench.trains:
        return
    answers = [bench.evaluate(params) for params in valid_configurations(bench.benchmark.problem, RUNS * LENGTH)]
    losses = [answer.outcome.losses[name] for answer in answers if answer.outcome is not None]
    if len(losses) < RUNS * LENGTH:
        return
    best = np.reshape(losses, (RUNS, LENGTH)).min(axis=1)
    error = float(np.std(best, ddof=1)) / math.sqrt(RUNS)
    if abs(float(np.mean(best)) - curve[LENGTH - 1]) > ERRORS * error + ROUNDING:
        yield (
            f"{bench.who}.random_search_curve returns {curve[LENGTH - 1]:g} for the best of {LENGTH} draws, but {RUNS} "
            f"random searches found {float(np.mean(best)):g} on average; the curve must be for draws from the space."
        )


CHECKS = (declared, outcomes, repeatable, unshared, curves)
