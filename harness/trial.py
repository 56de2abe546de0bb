"""What is recorded: proposals, their faults, and the trials they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
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
class Quantity:
    """What is known of one field of ``Usage``: rows, sums, frames, W&B keys and the pages of logs are made from this.

    Attributes:
        name: Of the field.
        whole: Whether it is a count; else a number.
        unit: Of its values.
        says: What a value says.
        null: When it is null; None where it never is.
        column: What frames and W&B keys call it.
        heading: Of its column in the table of costs.
        older: Its value in a row that was written before the field existed; "needed" where there is no such row.
    """

    name: str
    whole: bool
    unit: str
    says: str
    null: str | None
    column: str
    heading: str
    older: Any

    @property
    def null_when(self) -> str:
        """When it is null in words, as tables of fields say it."""
        return self.null or ("older record" if self.older is None else "never")

    def read(self, usage: Mapping[str, Any]) -> Any:
        """Its value in the ``usage`` of a row.

        Raises:
            KeyError: The row lacks it.
        """
        return usage[self.name] if self.older == "needed" else usage.get(self.name, self.older)


def _quantity(
    none: float, unit: str, says: str, null: str | None = None, *, heading: str, column: str = "", older: Any = None
) -> Any:
    """A field of ``Usage``; ``none`` is its value where there was no call."""
    known = {"unit": unit, "says": says, "null": null, "heading": heading, "column": column, "older": older}
    return field(default=none, metadata=known)


@dataclass(frozen=True, slots=True)
class Usage:
    """Cost of language-model calls. It adds up; what one part did not measure, the sum does not claim to know.

    A quantity is added by one line here, and measured in ``llms.wire.counts``; all else follows from ``USAGE``.
    """

    calls: int = _quantity(
        0, "requests", "Requests to a language model, every attempt included", heading="LLM calls", older="needed"
    )
    prompt_tokens: int = _quantity(0, "tokens", "Tokens read", heading="prompt tokens", older="needed")
    cached_tokens: int | None = _quantity(
        0,
        "tokens",
        "Those of them from the server's prefix cache",
        "the server does not say",
        heading="cached prompt tokens",
        older="needed",
    )
    completion_tokens: int = _quantity(
        0, "tokens", "Tokens written, those of a thinking part included", heading="completion tokens", older="needed"
    )
    # Exceeds the time waited where calls overlap.
    seconds: float = _quantity(
        0.0, "s", "Sum of the calls' latencies in seconds", heading="LLM (s)", column="llm_seconds", older="needed"
    )
    # Models did not think apart in rows that are older.
    reasoning_tokens: int | None = _quantity(
        0,
        "tokens",
        "Those of the written tokens in a thinking part",
        "not counted",
        heading="thinking tokens",
        older=0,
    )

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(_sum_of_known(getattr(self, each.name), getattr(other, each.name)) for each in USAGE))

    @classmethod
    def read(cls, usage: Mapping[str, Any]) -> Usage:
        """From the ``usage`` of a row, perhaps of an earlier version.

        Raises:
            KeyError: A quantity is missing.
        """
        return cls(**{each.name: each.read(usage) for each in USAGE})

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens


USAGE = tuple(
    Quantity(
        each.name, str(each.type).startswith("int"), **{**each.metadata, "column": each.metadata["column"] or each.name}
    )
    for each in fields(Usage)
)
"""Every quantity, in the order in which rows have them."""


def _sum_of_known(one: Any, other: Any) -> Any:
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
