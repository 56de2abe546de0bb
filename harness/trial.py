"""Types of what is recorded: proposals, faults, and trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.problem import Outcome, Params


class Fault(StrEnum):
    """Reasons why a proposal is not a configuration of the space."""

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
    """Who decided on a proposal, i.e. wrote it or selected it by knowledge of other results.

    start: the run's start (``harness.start``), equal for all methods. model: the chat model (for ``llm=person``
    the person), including a choice among random draws by its own predictions. classical: an algorithm
    that had seen results (surrogate, population, a promotion to a higher fidelity) or draws from its own search
    distribution. random: drawn without regard to results, e.g. an initial design or a fallback.
    """

    START = "start"
    MODEL = "model"
    CLASSICAL = "classical"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of a proposal.

    Attributes:
        fault: Kind of fault.
        name: Name of the hyperparameter; None for a fault of the whole proposal.
        value: As proposed.
        steps: Distance of an off-grid number to the nearest level, in steps between levels: above 0, at
            most 0.5. None for other faults.
        confused: The first other hyperparameter that has this number among its levels, if the proposed hyperparameter
            has not; else None.
    """

    fault: Fault
    name: str | None = None
    value: Any = None
    steps: float | None = None
    confused: str | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """Description of one field of ``Usage``, from which rows, sums, frames, W&B keys and log pages are made.

    Attributes:
        name: Name of the field.
        whole: Whether it is a count; else a float.
        unit: Unit of its values.
        says: Meaning of a value.
        null: When it is null; None if never.
        column: Name in frames and W&B keys.
        heading: Heading in the cost table.
        older: Value for rows older than the field; "needed" if there are none.
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
        """When it is null, as a text for tables of fields."""
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
    """A field of ``Usage``; ``none`` is its value without calls."""
    known = {"unit": unit, "says": says, "null": null, "heading": heading, "column": column, "older": older}
    return field(default=none, metadata=known)


@dataclass(frozen=True, slots=True)
class Usage:
    """Cost of language-model calls. Costs are added; the sum is null if a part is.

    A quantity is added by one line here and measured in ``llms.wire.counts``; everything else follows from ``USAGE``.
    """

    calls: int = _quantity(
        0, "requests", "Requests to a language model, all attempts included", heading="LLM calls", older="needed"
    )
    prompt_tokens: int = _quantity(0, "tokens", "Tokens read", heading="prompt tokens", older="needed")
    cached_tokens: int | None = _quantity(
        0,
        "tokens",
        "Prompt tokens from the server's prefix cache",
        "the server does not report it",
        heading="cached prompt tokens",
        older="needed",
    )
    completion_tokens: int = _quantity(
        0, "tokens", "Tokens written, including the thinking part", heading="completion tokens", older="needed"
    )
    # Exceeds the waiting time if calls overlap.
    seconds: float = _quantity(
        0.0, "s", "Sum of the calls' latencies in seconds", heading="LLM (s)", column="llm_seconds", older="needed"
    )
    # Older rows are of models without a thinking part.
    reasoning_tokens: int | None = _quantity(
        0,
        "tokens",
        "Completion tokens of the thinking part",
        "not counted",
        heading="thinking tokens",
        older=0,
    )

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(_sum_of_known(getattr(self, each.name), getattr(other, each.name)) for each in USAGE))

    @classmethod
    def read(cls, usage: Mapping[str, Any]) -> Usage:
        """Read the ``usage`` of a row, possibly of an earlier version.

        Raises:
            KeyError: A quantity is missing.
        """
        return cls(**{each.name: each.read(usage) for each in USAGE})

    @property
    def tokens(self) -> int:
        """Prompt tokens plus completion tokens."""
        return self.prompt_tokens + self.completion_tokens


USAGE = tuple(
    Quantity(
        each.name, str(each.type).startswith("int"), **{**each.metadata, "column": each.metadata["column"] or each.name}
    )
    for each in fields(Usage)
)
"""All quantities, in the order of the row's fields."""


def _sum_of_known(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one + other


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that a method drew inside one ask and compared with others before proposing one.

    Candidates are never executed or charged, but hallucinations among them are counted like those of proposals.

    Attributes:
        params: As drawn, untrusted; None if nothing could be parsed.
        violations: Empty for a valid candidate.
        call: Id of its call in ``calls.jsonl``, or None.
        score: The method's score (e.g. an acquisition value; higher is better), or None.
        note: For a valid candidate, why it was excluded.
    """

    params: dict[str, Any] | None
    violations: tuple[Violation, ...] = ()
    call: int | None = None
    score: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An optimizer's proposal, unmodified.

    Attributes:
        params: Hyperparameter name -> value, untrusted; None if nothing could be parsed.
        fidelity: Fidelity name -> value; None for the highest.
        usage: Cost of this ask in language-model calls: a method that samples several proposals in one batch reports
            all of it at the ask that sent the requests.
        calls: Ids in ``calls.jsonl`` of the replies from which this proposal was parsed.
        note: How the proposal was made, as a text (prose around the object, source of a warm start).
        truncated: Nothing could be parsed because the reply reached its token limit.
        candidates: Candidates from which the proposal was chosen, if any.
        reason: The model's reason, if it was asked for one; untrusted. Else None.
        predicted: Value of the first objective, as reported, that the method predicts. None without a prediction.
        proposer: Who decided on it; None if the method does not report it.
        left_out: Number of entries of the history that the prompt left out to fit the model's context; None for none.
        short_names: Whether levels may be given by their short names (``harness.short_names``) because the model was
            shown them: 0.0017 is then the level 0.0016681006. The proposal is recorded unmodified.
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
    left_out: int | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One row: the proposal, its violations, what was executed, and the outcome.

    Attributes:
        index: 0-based position in the run.
        proposal: As proposed.
        violations: Empty for a valid proposal.
        duplicate_of: Index of the first trial with the same proposal and fidelity, or None.
        near_duplicate_of: Index of the first trial that proposed the same after rounding to the grid
            (``harness.duplicates``), if it is not a duplicate; else None.
        repair: Name of the repair that turned ``proposal`` into ``params``, or None.
        params: The executed configuration; None if the proposal was invalid and not repaired.
        outcome: None if nothing was executed or the evaluation failed.
        error: Why the evaluation failed, or None.
        ask_seconds: Wall time of ``ask``, language-model latency included.
        evaluation_seconds: Cost of the evaluation, also if it failed; None if not measured.
        repeats: The first trial of the run that evaluated the same at the same fidelity, as told to the optimizer; None
            if this is the first, or nothing was executed.
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
    """Built with ``(problem, seed, budget)`` and its own settings; it has no loop, log or budget of its own.

    Before its first ask it may be told trials that it did not propose: those of the start
    (``harness.start``). Optional attributes: ``OptimizerOptions``.
    """

    def ask(self) -> Proposal:
        """The next proposal."""
        ...

    def tell(self, trial: Trial) -> None:
        """Learn the result of the last proposal (valid, invalid, failed or repaired), or of a trial of the start."""
        ...


class OptimizerOptions(Protocol):
    """Optional attributes of an optimizer, found by name.

    Attributes:
        needs_fidelity: Class attribute: it evaluates below the highest fidelity, and refuses a problem without fidelity
            (SettingError).
        multi_objective: Class attribute: it minimizes all objectives; otherwise only the first.
        first_bracket: For a multi-fidelity method: number of trials of its first bracket, and how many of them
            use the highest fidelity; a smaller budget gives a warning at the start.
    """

    needs_fidelity: bool
    multi_objective: bool
    first_bracket: tuple[int, int]

    def prepare(self) -> None:
        """Called once before the first ask, for slow preparations such as starting a server."""
        ...
