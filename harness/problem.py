"""Definition of a task: the types shared by benchmarks, optimizers and the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.scalars import whole

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

Scalar = bool | int | float | str
Params = dict[str, Any]
"""Hyperparameter name -> value: a builtin number of its range, or one of its choices as declared in the space,
i.e. a scalar or another value with a JSON form (``harness.choices``)."""
Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True)
class Objective:
    """One quantity to optimize, with the name and direction in which it is reported.

    Inside, losses are minimized: ``loss`` and ``value`` convert between the two and are inverse to each other.

    Attributes:
        name: As reported, for example ``balanced_accuracy``.
        direction: As reported.
        optimum: Best attainable value as reported (not as a loss), or None if unknown.
        worst: Worst attainable value as reported, or None if unknown.
        scale: Best and worst value by definition of the quantity (1 and 0 for an accuracy), attainable or not;
            or None.

    Raises:
        ContractError: The direction is invalid, a value is not a finite number, or two values are in the wrong
            order for the direction.
    """

    name: str
    direction: Direction
    optimum: float | None = None
    worst: float | None = None
    scale: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        from harness.declared import check_objective  # it imports this module

        check_objective(self)

    def loss(self, value: float) -> float:
        """The loss of a reported value."""
        return value if self.direction == "minimize" else -value

    value = loss
    """The reported value of a loss (negation is its own inverse)."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One setting that makes an evaluation cheaper: epochs, trees, share of the data.

    Attributes:
        name: Name in the benchmark.
        lower: Cheapest value.
        upper: Most expensive value; the default of every evaluation.
        integer: Whether only whole numbers are meaningful.

    Raises:
        ContractError: A bound is not a finite number, not whole where it must be, or the bounds are in the wrong order.
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
    """Texts about a task for prompts; no scores, no optimum.

    Attributes:
        model: What is tuned, in whole sentences.
        data: What it is tuned on, in whole sentences; empty where there are no data.

    Raises:
        ContractError: One of them is not a text.
    """

    model: str = ""
    data: str = ""

    def __post_init__(self) -> None:
        from harness.declared import check_description

        check_description(self)

    @property
    def text(self) -> str:
        """Both texts, model first."""
        return f"{self.model} {self.data}".strip()


@dataclass(frozen=True, slots=True)
class Problem:
    """All that an optimizer may know about a task.

    Attributes:
        name: ``<benchmark>.<task>``, for example ``hpobench.credit_g``.
        space: The search space. Shared, never mutated: an optimizer that seeds or edits it works on a copy.
        objectives: At least one; the first is the one single-objective optimizers minimize.
        fidelities: Empty if the benchmark has no fidelity.
        default: The configuration a practitioner would start from.
        description: Texts for prompts on the model and on the data.
        contexts: Further texts by level, if the family has them (``statistics``, ``names``, ``full``);
            they replace the description if ``prompt.context`` selects them.
        hints: Advice as from a person, by name (``correct``, ``misleading``); shown if ``prompt.hint`` selects it.

    Raises:
        ContractError: There is no objective, two share a name, the default is not a configuration of the space, or
            the description is a plain text.
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
    """Measurements of one evaluation.

    Attributes:
        losses: Objective name -> loss (minimized).
        metrics: All other measurements, as reported. Recorded, never shown to an optimizer.
        evaluation_seconds: Cost of the evaluation; for a table, the tabulated training time.
        evaluated: The benchmark's own configuration if a probe (``harness.probe``) translated the
            proposal; else None. Recorded, never shown to an optimizer.
    """

    losses: dict[str, float]
    metrics: dict[str, float] = field(default_factory=dict)
    evaluation_seconds: float | None = None
    evaluated: Params | None = None


class EvaluationError(Exception):
    """A failed evaluation, with its cost.

    Args:
        reason: One sentence.
        seconds: Duration until the failure, or None if not measured.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


def below_highest(fidelity: Mapping[str, float] | None, problem: Problem) -> Mapping[str, float] | None:
    """The fidelity, or None if it is the highest in all respects, so that it has one representation."""
    highest = {known.name: known.upper for known in problem.fidelities}
    if not isinstance(fidelity, Mapping):
        return fidelity
    # bool is an int in Python, but not a number here.
    if all(name in highest and value == highest[name] and value is not True for name, value in fidelity.items()):
        return None
    integers = {known.name for known in problem.fidelities if known.integer}
    return {name: whole(value) if name in integers else value for name, value in fidelity.items()}


def complete(fidelity: Mapping[str, float] | None, problem: Problem) -> dict[str, float]:
    """All fidelities of a problem by name; missing ones are the highest."""
    return {known.name: known.upper for known in problem.fidelities} | dict(fidelity or {})


class Benchmark(Protocol):
    """Evaluates configurations. An optimizer gets its ``problem`` only.

    Optional attributes: ``BenchmarkOptions``.
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
            seed: The run's seed, for stochastic benchmarks.

        Raises:
            Exception: Any exception becomes the trial's ``error``; the run continues. An EvaluationError can add
                its own message and the cost.
        """
        ...

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        """Exact E[lowest loss of k uniformly drawn configurations] for k = 1..evaluations, or None if unknown."""
        ...


class BenchmarkOptions(Protocol):
    """Optional attributes of a benchmark, found by name.

    Attributes:
        tasks: Class attribute: values of its setting ``task``, if they can be listed. Shown in help, each tried by the
            contract tests, and used by ``probe.task=shuffled``, which takes names and texts of another task.
        other_tasks: Class attribute: whether other values of ``task`` may be right too; else ``dry=true`` builds a
            benchmark with another one, to hear what is wrong.
        examples: Class attribute: settings that the contract tests try instead, one mapping each.
        live: Class attribute: evaluations train a model, so that checks try few configurations and seconds may differ.
        data: Class attribute: folder of real data for its setting ``folder`` in tests, relative to the tests' data
            folder; one for all tasks, or by task. Without the data these tests are skipped.
    """

    tasks: Sequence[str]
    other_tasks: bool
    examples: Sequence[Mapping[str, Any]]
    live: bool
    data: str | Mapping[str, str] | None

    def loss_quantiles(self, count: int) -> Sequence[float] | None:
        """Losses of the first objective at ``count`` equally spaced quantiles of random search, lowest first.

        Only if the losses of all configurations are known, else None; recorded with the run.
        """
        ...

    def close(self) -> None:
        """Stop what evaluations have started, such as a training process; the next evaluation starts another.

        Called by code that makes many instances in one process, such as ``harness.check``; runs do not call it.
        """
        ...
