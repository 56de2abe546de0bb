"""What is recorded: proposals, their faults, and the trials they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from harness.problem import Outcome, Params


class Fault(StrEnum):
    """The ways in which a proposal can be no configuration of the space."""

    UNPARSEABLE = "unparseable"
    TRUNCATED = "truncated"
    MISSING = "missing"
    UNKNOWN = "unknown"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_CHOICE = "not_a_choice"
    INACTIVE = "inactive"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault: of which hyperparameter (None: of the whole proposal), and the value that was proposed."""

    fault: Fault
    name: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Cost of language-model calls. It adds up; what one part did not measure, the sum does not claim to know.

    Attributes:
        calls: Requests sent, every retry included.
        prompt_tokens: Tokens read.
        cached_tokens: Those of them the server took from its prefix cache; None where it does not say.
        completion_tokens: Tokens written.
        seconds: Sum of the calls' latencies.
    """

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int | None = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        unknown = self.cached_tokens is None or other.cached_tokens is None
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            None if unknown else (self.cached_tokens or 0) + (other.cached_tokens or 0),
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
        )

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an optimizer proposed, as it was proposed.

    Attributes:
        params: Hyperparameter name -> value, untrusted; None when nothing could be parsed.
        fidelity: Fidelity name -> value; None for the highest.
        usage: What asking cost in language-model calls.
        calls: Ids of those calls in ``calls.jsonl``.
        note: How the proposal came about, in words (prose around the object, source of a warm start).
        truncated: Nothing could be parsed because the reply hit its token limit.
    """

    params: dict[str, Any] | None
    fidelity: Mapping[str, float] | None = None
    usage: Usage = field(default_factory=Usage)
    calls: tuple[int, ...] = ()
    note: str | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """One row: the proposal, what was wrong with it, what was executed instead, what came out.

    Attributes:
        index: 0-based position in the run.
        proposal: As proposed.
        violations: Empty for a valid proposal.
        duplicate_of: Index of the first trial with the same proposal, or None.
        repair: Name of the repair that stood between ``proposal`` and ``params``, or None.
        params: The configuration executed; None when the proposal was invalid and not repaired.
        outcome: None when nothing was executed or the evaluation failed.
        error: Why the evaluation failed, or None.
        ask_seconds: Wall time of ``ask``, language-model latency included.
    """

    index: int
    proposal: Proposal
    violations: tuple[Violation, ...] = ()
    duplicate_of: int | None = None
    repair: str | None = None
    params: Params | None = None
    outcome: Outcome | None = None
    error: str | None = None
    ask_seconds: float = 0.0


class Optimizer(Protocol):
    """Built with ``(problem, seed, budget)`` and its own settings; it owns no loop, log or budget.

    It may have a method ``prepare()``, called once before the first ask: what takes long and is not optimizing, such as
    starting a server, is not charged to it there.
    """

    def ask(self) -> Proposal:
        """The next proposal."""
        ...

    def tell(self, trial: Trial) -> None:
        """What became of the last proposal: valid, invalid, failed or repaired."""
        ...
