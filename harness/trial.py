"""What is recorded: proposals, their faults, and the trials they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.problem import Outcome, Params


class Fault(StrEnum):
    """The ways in which a proposal can be no configuration of the space."""

    UNPARSEABLE = "unparseable"
    TRUNCATED = "truncated"
    MISSING = "missing"
    UNKNOWN = "unknown"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    OFF_GRID = "off_grid"
    NOT_A_CHOICE = "not_a_choice"
    INACTIVE = "inactive"
    FORBIDDEN = "forbidden"


class Proposer(StrEnum):
    """Who decided that a configuration is proposed: wrote it, or chose it by what was known of others.

    start: the run's start (``harness.start``), the same for every method. model: whoever answers as the chat model (of
    ``llm=person`` the person), also where it chose among random draws by its own predictions. classical: an algorithm
    that had seen results (surrogate, population, a promotion to a higher fidelity) or draws from a search distribution
    of its own. random: drawn, evenly or at random, without a look at any result: an initial design, a fallback.
    """

    START = "start"
    MODEL = "model"
    CLASSICAL = "classical"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault.

    Attributes:
        fault: Which.
        name: Of the hyperparameter; None where it is of the whole proposal.
        value: As proposed.
        steps: How far a number that is off the grid is from the nearest level, in steps between levels: above 0, at
            most 0.5. None for any other fault.
        confused: The first other hyperparameter that has this number among its levels, where it is none of those of
            the hyperparameter it was proposed for; or None.
    """

    fault: Fault
    name: str | None = None
    value: Any = None
    steps: float | None = None
    confused: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Cost of language-model calls. It adds up; what one part did not measure, the sum does not claim to know.

    Attributes:
        calls: Requests sent, every retry included.
        prompt_tokens: Tokens read.
        cached_tokens: Those of them the server took from its prefix cache; None where it does not say.
        completion_tokens: Tokens written, those of a thinking part included.
        seconds: Sum of the calls' latencies, which exceeds the time waited where calls overlap.
        reasoning_tokens: Those of the written tokens that are a thinking part; None where nobody counted them.
    """

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int | None = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    reasoning_tokens: int | None = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            _sum_of_known(self.cached_tokens, other.cached_tokens),
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
            _sum_of_known(self.reasoning_tokens, other.reasoning_tokens),
        )

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens


def _sum_of_known(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration a method drew inside one ask and weighed against others before it proposed one.

    Candidates are never executed or charged, but the invented ones among them are counted like proposals.

    Attributes:
        params: As drawn, untrusted; None when nothing could be parsed.
        violations: Empty for a valid one.
        call: Id of the call behind it in ``calls.jsonl``, or None.
        score: What the method made of it (an acquisition value, say; higher was better), or None.
        note: In words, why it was out of the running, where it was valid.
    """

    params: dict[str, Any] | None
    violations: tuple[Violation, ...] = ()
    call: int | None = None
    score: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an optimizer proposed, as it was proposed.

    Attributes:
        params: Hyperparameter name -> value, untrusted; None when nothing could be parsed.
        fidelity: Fidelity name -> value; None for the highest.
        usage: What this ask cost in language-model calls: a method that samples several proposals in one batch reports
            them all at the ask that sent them.
        calls: Ids in ``calls.jsonl`` of the replies this proposal was read from.
        note: How the proposal came about, in words (prose around the object, source of a warm start).
        truncated: Nothing could be parsed because the reply hit its token limit.
        candidates: What the proposal was chosen from, where the method chose.
        reason: Why, in the words of a model that was asked to say so; untrusted. None without one.
        predicted: Value of the first objective, as reported, that the method expects or claims. None without one.
        proposer: Who decided on it; None where the method does not say.
        short_names: A level may stand there by its short name (``harness.short_names``), as the method told it to a
            model: 0.0017 is then the level 0.0016681006. What was proposed is recorded as it was.
    """

    params: dict[str, Any] | None
    fidelity: Mapping[str, float] | None = None
    usage: Usage = field(default_factory=Usage)
    calls: tuple[int, ...] = ()
    note: str | None = None
    truncated: bool = False
    candidates: tuple[Candidate, ...] = ()
    reason: str | None = None
    predicted: float | None = None
    proposer: Proposer | None = None
    short_names: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """One row: the proposal, what was wrong with it, what was executed instead, what came out.

    Attributes:
        index: 0-based position in the run.
        proposal: As proposed.
        violations: Empty for a valid proposal.
        duplicate_of: Index of the first trial with the same proposal and fidelity, or None.
        near_duplicate_of: Index of the first trial that proposed the same after rounding to the grid
            (``harness.duplicates``), where that is no duplicate; or None.
        repair: Name of the repair that stood between ``proposal`` and ``params``, or None.
        params: The configuration executed; None when the proposal was invalid and not repaired.
        outcome: None when nothing was executed or the evaluation failed.
        error: Why the evaluation failed, or None.
        ask_seconds: Wall time of ``ask``, language-model latency included.
        evaluation_seconds: What the evaluation cost, also where it failed; None where nobody measured it.
        repeats: The first trial of the run that evaluated the same at the same fidelity, as told to the optimizer; None
            where this is the first, or nothing was executed.
    """

    index: int
    proposal: Proposal
    violations: tuple[Violation, ...] = ()
    duplicate_of: int | None = None
    near_duplicate_of: int | None = None
    repair: str | None = None
    params: Params | None = None
    outcome: Outcome | None = None
    error: str | None = None
    ask_seconds: float = 0.0
    evaluation_seconds: float | None = None
    repeats: Trial | None = None


class Optimizer(Protocol):
    """Built with ``(problem, seed, budget)`` and its own settings; it owns no loop, log or budget.

    Before its first ask it may be told trials it did not propose: the start that was chosen for it
    (``harness.start``). What else it may have: ``OptimizerOptions``.
    """

    def ask(self) -> Proposal:
        """The next proposal."""
        ...

    def tell(self, trial: Trial) -> None:
        """What became of the last proposal: valid, invalid, failed or repaired; or of one of the start."""
        ...


class OptimizerOptions(Protocol):
    """What an optimizer may have beside what it must: any of these, by these names.

    Attributes:
        needs_fidelity: Of the class: it evaluates below the highest fidelity, and refuses a problem without any
            (SettingError).
        multi_objective: Of the class: it minimizes all objectives; without it, the first alone.
        first_bracket: Of one that varies the fidelity: how many trials its first bracket takes, and how many of them
            are at the highest; a smaller budget is said at the start.
    """

    needs_fidelity: bool
    multi_objective: bool
    first_bracket: tuple[int, int]

    def prepare(self) -> None:
        """Called once before the first ask: what takes long and is not optimizing, such as starting a server."""
        ...
