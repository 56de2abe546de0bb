"""What every optimizer must do, checked on one benchmark: each check plays it and yields one sentence per breach."""

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
    """Everything that an optimizer breaks on one benchmark, one sentence each; empty where it keeps the contract.

    Args:
        stage: The optimizer on the benchmark.
        thorough: False for what shows in plain runs alone: nothing is invalid, and no start is chosen.

    Raises:
        SettingError: It refuses the benchmark, or does not take its settings.
    """
    found: dict[str, None] = {}

    def silent(checks: Iterable[Callable[[Stage], Iterable[str]]]) -> bool:
        """Whether they find nothing new."""
        before = len(found)
        for check in checks:
            try:
                found.update(dict.fromkeys(check(stage)))
            except BrokenError as error:
                found[str(error)] = None
        return len(found) == before

    if not silent([gets_through]) and not stage.gets_through:
        return distinct(found)  # other runs would stop at the same place
    silent([*ALONE, *(TOLD if thorough else ())])
    if silent([same_seed]):  # runs can be compared
        silent([*COMPARED, *((resumed_after_invalid,) if thorough else ())])
    return distinct(found)


def gets_through(stage: Stage) -> Iterator[str]:
    """A plain run, from the first trial to the last."""
    yield from _watched(stage.base)


def declared(stage: Stage) -> Iterator[str]:
    """What it says of itself is said in the right type."""
    yield from optimizer_options(stage.base.optimizer)
    yield from imports_of_benchmarks(_kind(stage.base))


def charged(stage: Stage) -> Iterator[str]:
    """What a language model was asked is charged."""
    run = stage.base
    calls = sum(row["usage"]["calls"] for row in run.rows)
    if calls != run.requests:
        yield (
            f"{_who(run)} asked the language model {run.requests} times in {len(run.rows)} trials, and the usage of "
            f"its proposals says {calls} calls: give Proposal the usage of every completion."
        )
    if not stage.uses_model and any(row["proposer"] == Proposer.MODEL for row in run.rows):
        yield f"{_who(run)} says proposer=model, and no language model is among its settings."
    if any(row["proposer"] == Proposer.START for row in run.rows):
        yield f"{_who(run)} says proposer=start, which is for the start of the run; say random, classical or model."


def fidelity(stage: Stage) -> Iterator[str]:
    """It proposes fidelities if it says so, and says that it needs one where there is none."""
    run, needs = stage.base, bool(getattr(stage.base.optimizer, "needs_fidelity", False))
    varied = any(row["fidelity"] for row in run.rows)
    if varied and not needs and not stage.uses_model:
        yield f"{_who(run)} proposes fidelities; say needs_fidelity = True in the class."
    if needs and not varied:
        yield f"{_who(run)} says needs_fidelity = True, and proposed none below the highest in {len(run.rows)} trials."
    if needs:
        try:
            stage.play(through=OneFidelity)
        except SettingError:
            return
        yield (
            f"{_who(run)} says needs_fidelity = True, and takes a problem that has none; raise a SettingError "
            "(harness.errors) in __init__ that says so."
        )


def any_budget(stage: Stage) -> Iterator[str]:
    """A budget may limit anything: seconds alone, say, unless it says that it needs another."""
    with contextlib.suppress(SettingError):
        yield from _watched(stage.play(planned=Budget(seconds=3600.0)))


def told_of_invalid_proposals(stage: Stage) -> Iterator[str]:
    """Every kind of fault, left alone and repaired in every way, after a start from the default."""
    yield from _watched(stage.spoiled)


def told_of_failures(stage: Stage) -> Iterator[str]:
    """Every evaluation fails."""
    yield from _watched(stage.play(through=Hopeless))


def told_of_a_start(stage: Stage) -> Iterator[str]:
    """Trials that it did not ask for come first, one of them with an evaluation that failed."""
    given = valid_configurations(stage.base.problem, 2)
    yield from _watched(stage.play(start=GivenStart(given), through=failing_at(given[0])))


def first_objective(stage: Stage) -> Iterator[str]:
    """Of several objectives it minimizes the first, or says that it minimizes all."""
    several = len(stage.base.problem.objectives) > 1
    if several and not getattr(stage.base.optimizer, "multi_objective", False):
        other = stage.play(through=OtherObjectives)
        if other.decided != stage.base.decided:
            yield (
                f"{_who(stage.base)} minimizes more than the first objective; say multi_objective = True in the class."
            )


def same_seed(stage: Stage) -> Iterator[str]:
    """The same seed proposes the same, whatever else goes on in the process (law 6)."""
    who, scramble = _who(stage.base), scrambler()
    other = Other(stage, 1)
    if stage.play(before_ask=[scramble, other]).decided == stage.base.decided:
        return
    before = shared_state(_kind(stage.base))
    if stage.play().decided != stage.base.decided:
        kept = changed(before, shared_state(_kind(stage.base)))
        yield (
            f"{who} proposes otherwise in a second run with the same seed: {kept} is shared by all its instances; keep "
            "it in self, and set it in __init__."
            if kept
            else f"{who} proposes otherwise in a second run with the same seed; draw from a generator of its own, made "
            "from the seed that __init__ is given, and from nothing else."
        )
    elif stage.play(before_ask=[scramble]).decided != stage.base.decided:
        yield (
            f"{who} draws from the random state that all of a process share (random, numpy.random); draw from a "
            "generator of its own: numpy.random.default_rng(seed)."
        )
    else:
        yield (
            f"{who} proposes otherwise while another instance of it runs: the two share state; keep everything in "
            "self, and set it in __init__."
        )


def other_seed(stage: Stage) -> Iterator[str]:
    """Another seed proposes something else: runs that differ in the seed alone are counted as independent ones."""
    if stage.play(seed=1).decided == stage.base.decided:
        yield (
            f"{_who(stage.base)} proposes the same with the seeds 0 and 1, so that seeds are no repetitions; draw from "
            "a generator made from the seed that __init__ is given."
        )


def resumed(stage: Stage) -> Iterator[str]:
    """Interrupted, and fed its own trials back, it goes on as it would have (law 8)."""
    return _resumed(stage, stage.base)


def resumed_after_invalid(stage: Stage) -> Iterator[str]:
    """So it does where the first was not its own, some were invalid, and some repaired."""
    return _resumed(stage, stage.spoiled, spoiled=True, start=DefaultStart)


def _resumed(
    stage: Stage, whole: Rehearsal, spoiled: bool = False, start: Callable[[], Start] = NoStart
) -> Iterator[str]:
    begun = stage.play(spoiled=spoiled, start=start(), until=len(whole.rows) // 2)
    try:
        again = stage.play(logged=begun.rows, spoiled=spoiled, start=start())
    except RunError as error:
        yield f"{_who(whole)} cannot be resumed: fed its own trials back, it proposes otherwise. {error}"
        return
    if again.decided != whole.decided:
        yield (
            f"{_who(whole)} cannot be resumed: interrupted and fed its own trials back, it goes on otherwise; "
            "what it proposes must follow from seed, settings and what tell was given."
        )


ALONE = (declared, charged, fidelity, any_budget)
"""Checks that look at one run at a time."""
TOLD = (told_of_invalid_proposals, told_of_failures, told_of_a_start)
"""So do these: what it is told is not what it asked for."""
COMPARED = (other_seed, first_objective, resumed)
"""Checks that compare runs, which says something only where a run can be repeated."""


def _watched(run: Rehearsal) -> Iterator[str]:
    """What any run shows: hands kept off, plain values, valid proposals."""
    yield from run.noticed
    if run.moved is not None:
        yield f"{_who(run)} changes {run.moved}, which everybody shares; work on a copy (copy.deepcopy)."
    check = Checker(run.problem.space)
    for proposal in run.returned:
        if strange := foreign(proposal, run.problem):
            yield (
                f"{_who(run)}.ask returned a {strange}; give builtin values (bool, int, float, str), as "
                "harness.space.Decoder reads them off a configuration."
            )
        drawn = proposal.proposer in (Proposer.CLASSICAL, Proposer.RANDOM)
        if run.uses_model and not drawn:
            continue  # what a model says is data, whatever it is
        faults = check.proposal(proposal)[1] + check_fidelity(proposal.fidelity, run.problem)
        if faults:
            yield f"{_who(run)}.ask proposes what is invalid for {run.problem.name}: {describe(faults[0])}."


def _kind(run: Rehearsal) -> type:
    return type(run.optimizer)


def _who(run: Rehearsal) -> str:
    return named(run.optimizer)
