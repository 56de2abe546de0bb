"""LLAMBO's surrogates: a chat model predicts the performance of candidates from examples (Liu et al. 2024)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from harness.chat import Completion, Token
from harness.problem import Objective, Params, Problem
from harness.trial import Usage
from optimizers.chat.advisor import Advisor, total
from optimizers.chat.few_shot import Style, few_shot
from optimizers.chat.fitting import PromptWithHistory, Talk
from optimizers.chat.prompt import Prompt, dumps, template
from optimizers.llambo.llambo_candidates import Shuffles
from optimizers.shared.history import Observation

PREDICTION_TOKENS = 16
"""Token limit of a prediction. The paper's code allows 8, with three digits per token; other tokenizers have one."""
LABEL_TOKENS = 8
LOG_PROBABILITIES = 5
"""Number of alternatives per token, as in the paper's code."""
SMALLEST_SIGMA = 1e-5
"""Deviation used if all predictions agree, as in the paper's code."""

Matrix = npt.NDArray[np.float64]
_MARKED = re.compile(r"##\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*##")


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of candidates.

    Attributes:
        values: A score per candidate, higher is better; None if missing.
        usage: Cost of the predictions.
        note: Number of unreadable predictions as a text, or None.
    """

    values: Sequence[float | None]
    usage: Usage = field(default_factory=Usage)
    note: str | None = None


class Surrogate(Protocol):
    """Scores candidates."""

    def score(self, queries: Sequence[Params], observed: Sequence[Observation]) -> Scores:
        """A score per query; all None if no prediction was readable."""
        ...


class Discriminative:
    """Section 5.1: the model predicts a candidate's performance from examples, in ``count`` different orders.

    Mean and (population) standard deviation of the predictions give the expected improvement over the best loss. The
    same ``count`` orders are used for all candidates, so that requests share their prefix.

    Args:
        problem: Problem to optimize.
        prompt: Contents of the prompt.
        advisor: Sends the requests.
        shuffles: Orders the examples.
        count: Predictions per candidate.
        style: Form of the examples.
    """

    def __init__(
        self, problem: Problem, prompt: Prompt, advisor: Advisor, shuffles: Shuffles, count: int, style: Style
    ) -> None:
        self._problem, self._prompt, self._advisor, self._count = problem, prompt, advisor, count
        self._shuffles, self._style = shuffles, style
        self._objective: Objective = problem.objectives[0]
        self._macros: Any = template("llambo")

    def score(self, queries: Sequence[Params], observed: Sequence[Observation]) -> Scores:
        """The expected improvement of each query; one batch of ``count`` requests per query."""
        orders = [self._shuffles.next(observed) for _ in range(self._count)]
        talks = [PromptWithHistory(order, partial(self._talk, query)) for order in orders for query in queries]
        completions = self._advisor.say(talks, PREDICTION_TOKENS)
        values = [read_number(completion.text) for completion in completions]
        losses = np.array([self._objective.loss(value) for value in values]).reshape(len(orders), len(queries))
        best = min(seen.loss for seen in observed)
        return _scores(losses, expected_improvement(losses, best), completions)

    def _talk(self, query: Params, examples: Sequence[Observation]) -> Talk:
        told = self._advisor.told.shown
        rows = [(told(seen.params), f"{seen.value:.5g}") for seen in examples]
        head = str(self._macros.prediction(self._problem, self._prompt, self._objective)).strip()
        return few_shot(head, examples_of("Performance", rows), question("Performance", told(query)), self._style)


class Generative:
    """Appendix B: the model classifies a candidate as one of the best or not; the score is its mean probability.

    Args:
        problem: Problem to optimize.
        prompt: Contents of the prompt.
        advisor: Sends the requests.
        shuffles: Orders the examples.
        count: Predictions per candidate.
        style: Form of the examples.
        top_fraction: Share of the observations that are labelled 1.
    """

    def __init__(
        self,
        problem: Problem,
        prompt: Prompt,
        advisor: Advisor,
        shuffles: Shuffles,
        count: int,
        style: Style,
        top_fraction: float,
    ) -> None:
        self._problem, self._prompt, self._advisor, self._count = problem, prompt, advisor, count
        self._shuffles, self._style = shuffles, style
        self._top_fraction = top_fraction
        self._macros: Any = template("llambo")

    def score(self, queries: Sequence[Params], observed: Sequence[Observation]) -> Scores:
        """The probability of each query to be among the best; one batch of ``count`` requests per query."""
        labels = top_labels([seen.loss for seen in observed], self._top_fraction)
        label_of = {seen.index: label for seen, label in zip(observed, labels, strict=True)}
        orders = [self._shuffles.next(observed) for _ in range(self._count)]
        talks = [
            PromptWithHistory(order, partial(self._talk, label_of, query)) for order in orders for query in queries
        ]
        completions = self._advisor.say(talks, LABEL_TOKENS, top_logprobs=LOG_PROBABILITIES)
        read = [probability_of_one(completion.tokens or ()) for completion in completions]
        chances = np.array(read).reshape(len(orders), len(queries))
        return _scores(chances, _filled(_mean(chances)), completions)

    def _talk(self, label_of: dict[int, int], query: Params, examples: Sequence[Observation]) -> Talk:
        told = self._advisor.told.shown
        rows = [(told(seen.params), label_of[seen.index]) for seen in examples]
        percent = f"{100 * self._top_fraction:g}"
        head = str(
            self._macros.classification(self._problem, self._prompt, self._problem.objectives[0], percent)
        ).strip()
        return few_shot(head, examples_of("Classification", rows), question("Classification", told(query)), self._style)


def question(what: str, params: Params) -> str:
    """The question on one configuration, an example's or the candidate's."""
    return f"Hyperparameter configuration: {dumps(params)}\n{what}:"


def examples_of(what: str, rows: Sequence[tuple[Params, object]]) -> list[tuple[str, str]]:
    """Questions and answers of configurations with known answers."""
    return [(question(what, params), f"## {answer} ##") for params, answer in rows]


def read_number(text: str) -> float:
    """The number between ## and ##, or the whole reply if it is one number; NaN if there is none, or more than one."""
    found = _MARKED.findall(text)
    if not found and re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text.strip()):
        found = [text.strip()]
    value = float(found[0]) if len(found) == 1 else math.nan
    return value if math.isfinite(value) else math.nan


def expected_improvement(losses: Matrix, best: float) -> Matrix:
    """E[max(best - loss, 0)] of a normal with the predictions' mean and population deviation (Jones et al. 1998).

    Args:
        losses: Predictions, shape (predictions, candidates); NaN if unreadable. A candidate without any
            gets the mean of the others' means and deviations, as in the paper's code.
        best: Lowest loss observed.

    Returns:
        Shape (candidates,); NaN everywhere if there is no prediction.
    """
    mean = _mean(losses)
    sigma = np.maximum(_filled(np.sqrt(_mean((losses - mean) ** 2))), SMALLEST_SIGMA)
    gain = best - _filled(mean)
    z = gain / sigma
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in z])
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.asarray(gain * below + sigma * density)


def top_labels(losses: Sequence[float], fraction: float) -> list[int]:
    """1 for losses up to their ``fraction`` quantile (linear), 0 above it: the paper's 1(s <= tau)."""
    threshold = float(np.quantile(np.array(losses), fraction))
    return [int(loss <= threshold) for loss in losses]


def probability_of_one(tokens: Sequence[Token]) -> float:
    """p(1) / (p(1) + p(0)) at the first token that is a 0 or a 1.

    Returns:
        NaN if there is no such token, or one of the two is not among the reported alternatives.
    """
    place = next((token for token in tokens if token.text.strip() in ("0", "1")), None)
    if place is None:
        return math.nan
    chance = {"0": 0.0, "1": 0.0}
    for text, log_probability in place.top.items():
        if text.strip() in chance:
            chance[text.strip()] += math.exp(log_probability)
    zero, one = chance["0"], chance["1"]
    return one / (one + zero) if zero > 0 and one > 0 else math.nan


def _mean(values: Matrix) -> Matrix:
    """The mean of each column's numbers, ignoring NaN; NaN for a column without any."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0))


def _filled(values: Matrix) -> Matrix:
    """NaN replaced by the mean of the others."""
    return np.where(np.isnan(values), _mean(values), values)


def _scores(predictions: Matrix, values: Matrix, completions: Sequence[Completion]) -> Scores:
    unread = int(np.isnan(predictions).sum())
    note = f"{unread} of {predictions.size} predictions unreadable" if unread else None
    known = [None if math.isnan(value) else float(value) for value in values]
    return Scores(known, total(completions), note)
