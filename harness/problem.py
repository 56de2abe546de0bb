"""What is optimized: the words shared by benchmarks, optimizers and the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.scalars import whole

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

Scalar = bool | int | float | str
Params = dict[str, Any]
"""Hyperparameter name -> value: a builtin number of its range, or one of its choices as the space declares it, which is
a scalar or something else that has a form in JSON (``harness.choices``)."""
Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True)
class Objective:
    """One quantity to optimize, named and directed as people report it.

    Inside, losses are minimized: ``loss`` and ``value`` convert between the two and are each other's inverse.

    Attributes:
        name: As reported, for example ``balanced_accuracy``.
        direction: As reported.
        optimum: Best attainable value as reported (not as a loss), or None where nobody knows it.
        worst: Worst attainable value as reported, or None where nobody knows it.
        scale: Best and worst value that the quantity can take by its definition, whoever attains them (1 and 0 for an
            accuracy), or None.

    Raises:
        ContractError: The direction is another word, a value is no finite number, or two of them are in the wrong
            order for the direction.
    """

    name: str
    direction: Direction
    optimum: float | None = None
    worst: float | None = None
    scale: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        from harness.declared import check_objective  # it speaks about what is defined here

        check_objective(self)

    def loss(self, value: float) -> float:
        """The loss that stands for a reported value."""
        return value if self.direction == "minimize" else -value

    value = loss
    """The reported value that stands behind a loss (negation is its own inverse)."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One knob that makes an evaluation cheaper: epochs, trees, share of the data.

    Attributes:
        name: As the benchmark calls it.
        lower: Cheapest value.
        upper: Most expensive value; the default of every evaluation.
        integer: Whether only whole numbers are meaningful.

    Raises:
        ContractError: The ends are no finite numbers, not whole where they should be, or in the wrong order.
    """

    name: str
    lower: float
    upper: float
    integer: bool = False

    def __post_init__(self) -> None:
        from harness.declared import check_fidelity_range

        check_fidelity_range(self)


@dataclass(frozen=True, slots=True)
class Description:
    """What prompts may say of a task; no scores, no optimum.

    Attributes:
        model: What is tuned, in whole sentences.
        data: What it is tuned on, in whole sentences; empty where there are no data.

    Raises:
        ContractError: One of them is no text.
    """

    model: str = ""
    data: str = ""

    def __post_init__(self) -> None:
        from harness.declared import check_description

        check_description(self)

    @property
    def text(self) -> str:
        """Both, model first."""
        return f"{self.model} {self.data}".strip()


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything an optimizer may know about a task.

    Attributes:
        name: ``<benchmark>.<task>``, for example ``hpobench.credit_g``.
        space: The search space. Shared, never mutated: an optimizer that seeds or edits it works on a copy.
        objectives: At least one; the first is the one single-objective optimizers minimize.
        fidelities: Empty when an evaluation has one price only.
        default: The configuration a practitioner would start from.
        description: What prompts say of the model and of the data, apart.
        contexts: Other texts about them by level, where the family knows more (``statistics``, ``names``, ``full``);
            told in place of the description where ``prompt.context`` says so.
        hints: Advice a person might give, by name (``correct``, ``misleading``); shown where ``prompt.hint`` says so.

    Raises:
        ContractError: There is no objective, two have one name, the default is no configuration of the space, or the
            description is one text.
    """

    name: str
    space: ConfigurationSpace
    objectives: tuple[Objective, ...]
    default: Params
    fidelities: tuple[Fidelity, ...] = ()
    description: Description = Description()
    contexts: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from harness.declared import check_problem

        check_problem(self, Objective, Fidelity, Description)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one evaluation measured.

    Attributes:
        losses: Objective name -> loss (minimized).
        metrics: Everything else that was measured, as reported. Recorded, never shown to an optimizer.
        evaluation_seconds: Cost of the evaluation; for a table, the tabulated training time.
        evaluated: The benchmark's own configuration, where a probe (``harness.probe``) stood between it and what was
            proposed; else None. Recorded, never shown to an optimizer.
    """

    losses: dict[str, float]
    metrics: dict[str, float] = field(default_factory=dict)
    evaluation_seconds: float | None = None
    evaluated: Params | None = None


class EvaluationError(Exception):
    """An evaluation that failed, and what it cost until then.

    Args:
        reason: One sentence.
        seconds: How long it took, or None where nobody measured it.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


def below_highest(fidelity: Mapping[str, float] | None, problem: Problem) -> Mapping[str, float] | None:
    """The fidelity, or None where it is the highest in every respect: two ways to say one thing become one."""
    highest = {known.name: known.upper for known in problem.fidelities}
    if not isinstance(fidelity, Mapping):
        return fidelity
    # True is no number here, though Python says that it is 1.
    if all(name in highest and value == highest[name] and value is not True for name, value in fidelity.items()):
        return None
    integers = {known.name for known in problem.fidelities if known.integer}
    return {name: whole(value) if name in integers else value for name, value in fidelity.items()}


def complete(fidelity: Mapping[str, float] | None, problem: Problem) -> dict[str, float]:
    """Every fidelity of a problem by name: what is not named is the highest."""
    return {known.name: known.upper for known in problem.fidelities} | dict(fidelity or {})


class Benchmark(Protocol):
    """The judge. It stands outside: an optimizer is given ``problem`` and nothing else.

    What else it may have: ``BenchmarkOptions``.
    """

    @property
    def problem(self) -> Problem:
        """What an optimizer may know."""
        ...

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Evaluate one valid configuration.

        Args:
            params: A configuration that passed ``harness.validity``.
            fidelity: Fidelity name -> value; None for the highest.
            seed: The run's seed, for benchmarks that are random.

        Raises:
            Exception: Whatever goes wrong becomes the trial's ``error``; the run goes on. An EvaluationError says in
                its own words what happened and what it cost.
        """
        ...

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        """Exact E[lowest loss of k uniformly drawn configurations] for k = 1..evaluations, or None if unknown."""
        ...


class BenchmarkOptions(Protocol):
    """What a benchmark may have beside what it must: any of these, by these names.

    Attributes:
        tasks: Of the class: the values of its setting ``task``, where they can be listed. Help lists them, the contract
            tests try each, and ``probe.task=shuffled`` takes names and texts of another one.
        examples: Of the class: settings that the contract tests try instead, one mapping each.
        live: Of the class: an evaluation trains, so that checks try few configurations and seconds may differ.
        data: Of the class: the folder of real data that its setting ``folder`` is to name in tests, below the one that
            they are given; one for all tasks, or by task. Without it those tests are skipped.
    """

    tasks: Sequence[str]
    examples: Sequence[Mapping[str, Any]]
    live: bool
    data: str | Mapping[str, str] | None

    def loss_quantiles(self, count: int) -> Sequence[float] | None:
        """Losses of the first objective at ``count`` equally spaced shares of what random search draws, lowest first.

        For one that knows the losses of all its configurations, or None; they are recorded with the run.
        """
        ...

    def close(self) -> None:
        """End what evaluations have started, a training process, say; the next one starts another.

        Called by whoever makes many instances in one process, such as ``harness.check``; a run needs none.
        """
        ...
