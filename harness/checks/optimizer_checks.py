"""The contract of optimizers, on one benchmark: each check runs it and yields one sentence per broken rule."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from harness.budget import Budget
from harness.checks.floor import imports_of_benchmarks
from harness.checks.plain_values import foreign
from harness.checks.spoiled import valid_configurations
from harness.checks.stage import Other, Rehearsal, Stage
from harness.checks.state import changed, scrambler, shared_state
from harness.checks.trying import Hopeless, OneFidelity, OtherObjectives, failing_at
from harness.checks.witness import BrokenError, distinct
from harness.contract import named
from harness.errors import RunError, SettingError
from harness.faults import describe
from harness.options import optimizer_options
from harness.start import DefaultStart, GivenStart, NoStart, Start
from harness.trial import Proposer
from harness.validity import Checker, check_fidelity


def breaches(stage: Stage, thorough: bool = True) -> list[str]:
    """One sentence per rule that an optimizer breaks on one benchmark; empty if it keeps the contract.

    Args:
        stage: The optimizer on the benchmark.
        thorough: False for plain runs only, without invalid proposals and starts.

    Raises:
        SettingError: It refuses the benchmark or its settings.
    """
    found: dict[str, None] = {}

    def silent(checks: Iterable[Callable[[Stage], Iterable[str]]]) -> bool:
        """Whether the checks find nothing new."""
        before = len(found)
        for check in checks:
            try:
                found.update(dict.fromkeys(check(stage)))
            except BrokenError as error:
                found[str(error)] = None
        return len(found) == before

    if not silent([gets_through]) and not stage.gets_through:
        return distinct(found)  # other runs would fail in the same way
    silent([*ALONE, *(TOLD if thorough else ())])
    if silent([same_seed]):  # runs are comparable
        silent([*COMPARED, *((resumed_after_invalid,) if thorough else ())])
    return distinct(found)


def gets_through(stage: Stage) -> Iterator[str]:
    """A plain run reaches its end."""
    yield from _watched(stage.base)


def declared(stage: Stage) -> Iterator[str]:
    """Declarations have the right types."""
    yield from optimizer_options(stage.base.optimizer)
    yield from imports_of_benchmarks(_kind(stage.base))


def charged(stage: Stage) -> Iterator[str]:
    """Calls of a language model are charged."""
    run = stage.base
    calls = sum(row["usage"]["calls"] for row in run.rows)
    if calls != run.requests:
        yield (
            f"{_who(run)} asked the language model {run.requests} times in {len(run.rows)} trials, but the usage of "
            f"its proposals has {calls} calls: pass the usage of every completion to Proposal."
        )
    if not stage.uses_model and any(row["proposer"] == Proposer.MODEL for row in run.rows):
        yield f"{_who(run)} sets proposer=model, but has no language model among its settings."
    if any(row["proposer"] == Proposer.START for row in run.rows):
        yield f"{_who(run)} sets proposer=start, which is for the start of the run; use random, classical or model."


def fidelity(stage: Stage) -> Iterator[str]:
    """It declares whether it proposes fidelities, and refuses problems without the fidelity that it needs."""
    run, needs = stage.base, bool(getattr(stage.base.optimizer, "needs_fidelity", False))
    varied = any(row["fidelity"] for row in run.rows)
    if varied and not needs and not stage.uses_model:
        yield f"{_who(run)} proposes fidelities; set needs_fidelity = True in the class."
    if needs and not varied:
        yield f"{_who(run)} has needs_fidelity = True, but proposed none below the highest in {len(run.rows)} trials."
    if needs:
        try:
            stage.play(through=OneFidelity)
        except SettingError:
            return
        yield (
            f"{_who(run)} has needs_fidelity = True, but accepts a problem without fidelities; raise a SettingError "
            "(harness.errors) in __init__."
        )


def any_budget(stage: Stage) -> Iterator[str]:
    """Any limit is accepted, e.g. only seconds, unless the optimizer refuses it with an error."""
    with contextlib.suppress(SettingError):
        yield from _watched(stage.play(planned=Budget(seconds=3600.0)))


def told_of_invalid_proposals(stage: Stage) -> Iterator[str]:
    """Every kind of fault, with and without each repair, after a start from the default."""
    yield from _watched(stage.spoiled)


def told_of_failures(stage: Stage) -> Iterator[str]:
    """Every evaluation fails."""
    yield from _watched(stage.play(through=Hopeless))


def told_of_a_start(stage: Stage) -> Iterator[str]:
    """It accepts initial trials that it did not propose, one of them with a failed evaluation."""
    given = valid_configurations(stage.base.problem, 2)
    yield from _watched(stage.play(start=GivenStart(given), through=failing_at(given[0])))


def first_objective(stage: Stage) -> Iterator[str]:
    """With several objectives it minimizes the first, or declares that it minimizes all."""
    several = len(stage.base.problem.objectives) > 1
    if several and not getattr(stage.base.optimizer, "multi_objective", False):
        other = stage.play(through=OtherObjectives)
        if other.decided != stage.base.decided:
            yield (
                f"{_who(stage.base)} minimizes more than the first objective; set multi_objective = True in the class."
            )


def same_seed(stage: Stage) -> Iterator[str]:
    """The same seed gives the same proposals, independent of other code in the process (law 6)."""
    who, scramble = _who(stage.base), scrambler()
    other = Other(stage, 1)
    if stage.play(before_ask=[scramble, other]).decided == stage.base.decided:
        return
    before = shared_state(_kind(stage.base))
    if stage.play().decided != stage.base.decided:
        kept = changed(before, shared_state(_kind(stage.base)))
        yield (
            f"{who} proposes differently in a second run with the same seed: {kept} is shared by all instances; keep "
            "it in self, and set it in __init__."
            if kept
            else f"{who} proposes differently in a second run with the same seed; draw only from a generator made "
            "from the seed argument of __init__."
        )
    elif stage.play(before_ask=[scramble]).decided != stage.base.decided:
        yield (
            f"{who} draws from the global random state (random, numpy.random); draw from a "
            "generator of its own: numpy.random.default_rng(seed)."
        )
    else:
        yield (
            f"{who} proposes differently while another instance runs: the two share state; keep all state in "
            "self, and set it in __init__."
        )


def other_seed(stage: Stage) -> Iterator[str]:
    """Another seed gives other proposals, because runs with different seeds count as independent."""
    if stage.play(seed=1).decided == stage.base.decided:
        yield (
            f"{_who(stage.base)} proposes the same with the seeds 0 and 1, so its runs are not independent; draw, or "
            "choose an order, with a generator made from the seed argument of __init__."
        )


def resumed(stage: Stage) -> Iterator[str]:
    """After an interruption and a replay of its own trials, it continues unchanged (law 8)."""
    return _resumed(stage, stage.base)


def resumed_after_invalid(stage: Stage) -> Iterator[str]:
    """The same with a start, invalid proposals and repairs."""
    return _resumed(stage, stage.spoiled, spoiled=True, start=DefaultStart)


def _resumed(
    stage: Stage, whole: Rehearsal, spoiled: bool = False, start: Callable[[], Start] = NoStart
) -> Iterator[str]:
    begun = stage.play(spoiled=spoiled, start=start(), until=len(whole.rows) // 2)
    departure, same = "", False
    try:
        same = stage.play(logged=begun.rows, spoiled=spoiled, start=start()).decided == whole.decided
    except RunError as error:
        departure = str(error).partition(";")[0]
    if same:
        return
    stage.play(spoiled=spoiled, start=start())  # ends what an interrupted run may have left behind
    if stage.play(spoiled=spoiled, start=start()).decided != whole.decided:
        yield (
            f"{_who(whole)} proposes differently in a second run with the same seed and invalid proposals; draw only "
            "from a generator made from the seed argument of __init__."
        )
    elif departure:
        yield f"{_who(whole)} cannot be resumed: with its own trials replayed, it proposes differently. {departure}."
    else:
        yield (
            f"{_who(whole)} cannot be resumed: after a replay of its own trials, it continues differently; "
            "proposals may depend only on the seed, settings and the trials passed to tell."
        )


ALONE = (declared, charged, fidelity, any_budget)
"""Checks of single runs."""
TOLD = (told_of_invalid_proposals, told_of_failures, told_of_a_start)
"""Checks of single runs whose trials differ from the proposals."""
COMPARED = (other_seed, first_objective, resumed)
"""Checks that compare runs, which needs reproducible runs."""


def _watched(run: Rehearsal) -> Iterator[str]:
    """Checks of any run: no side effects, builtin values, valid proposals."""
    yield from run.noticed
    if run.moved is not None:
        yield f"{_who(run)} changes {run.moved}, which is shared; work on a copy (copy.deepcopy)."
    check = Checker(run.problem.space)
    for proposal in run.returned:
        if strange := foreign(proposal, run.problem):
            yield (
                f"{_who(run)}.ask returned a {strange}; return builtin values (bool, int, float, str), as "
                "harness.space.Decoder reads them off a configuration."
            )
        drawn = proposal.proposer in (Proposer.CLASSICAL, Proposer.RANDOM)
        if run.uses_model and not drawn:
            continue  # output of a model is data
        faults = check.proposal(proposal)[1] + check_fidelity(proposal.fidelity, run.problem)
        if faults:
            yield f"{_who(run)}.ask proposes what is invalid for {run.problem.name}: {describe(faults[0])}."


def _kind(run: Rehearsal) -> type:
    return type(run.optimizer)


def _who(run: Rehearsal) -> str:
    return named(run.optimizer)
