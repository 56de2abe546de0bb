"""LLINBO: a Gaussian process decides whether to evaluate the configuration that a model suggests."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from harness.budget import Budget, Spent
from harness.errors import unknown
from harness.problem import Problem
from harness.trial import Candidate, Proposal, Proposer, Trial
from optimizers.chat.advisor import Advisor, Answer, proposals_of
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.fitting import PromptWithHistory
from optimizers.chat.prompt import answer_of, result, template
from optimizers.llinbo.gaussian_process import GaussianProcess, fitted
from optimizers.llinbo.inner_search import Found, InnerSearch
from optimizers.llinbo.llinbo_rules import (
    draw_count,
    exploration,
    gp_probability,
    justified,
    kept_draws,
    mixture_ucb,
    threshold,
)
from optimizers.shared.batch_size import batch_size
from optimizers.shared.evaluated import Evaluated
from optimizers.shared.unit_cube import Point

VARIANTS = ("constrained", "justify", "transient")
OWN = "GP's own point"
REJECTED = f"{OWN}: the model's was rejected"
UNCONSTRAINED = f"{OWN}: no imagined value of the model's beat the best mean"


class LLINBO:
    """LLINBO (Chang, Azvar, Okwudire and Al Kontar 2025, "LLINBO: Trustworthy LLM-in-the-Loop Bayesian Optimization").

    arXiv 2505.14756, sections 2.3 to 2.5. After a warm start with one suggestion of the model per dimension, each round
    t fits a Gaussian process (GP); its own point maximizes the upper confidence bound (UCB). The variants:

    - transient: the GP's point with probability min(t^2 / T, 1), else the model's; T is the number of rounds;
    - justify: the model's point if its UCB exceeds that of the GP's less psi_t = sigma_0(first point) / t;
    - constrained: of 10^4 / t^2 posterior draws of f at the model's point those above the largest posterior mean are
      kept; the GP is refitted with each of them and the UCB of that mixture is maximized; without any, the GP's point.

    The prompt follows the authors' "LLAMBO-light": one request per round for the next point, here at temperature 1.0.
    Use: ``python -m harness.run optimizer=llinbo``.

    Departures, and choices that the paper leaves open:

    * beta_t = 2 ln(t d pi^2 / 0.6) multiplies the deviation as printed in the paper (BoTorch in its code uses the
      root); the constrained variant's beta, which the paper does not state, is the same.
    * sigma_0 is taken at the first valid suggestion of a round, under the GP of the warm start; the authors' code uses
      the largest variance on a grid.
    * The GP is ``gaussian_process.fitted``; refits keep the hyperparameters, which gives them in closed form.
    * ``InnerSearch`` replaces gradient ascent over a box, since spaces have levels and conditions; the GP's point is
      one not evaluated yet, since the objective is deterministic.
    * The warm start is one request per point, in one batch, not one for all; trials of a start count as its points.
    * The model is not asked if nothing depends on it (the draw selects the GP; no draws are left).
    * An invalid suggestion is charged, and the next prompt has its violations; the authors ask again until it parses.
    * History is listed in order, not shuffled, for the prefix cache. A failure counts as the worst value so far.

    Args:
        problem: Problem to optimize.
        seed: Seeds the sampling of replies, the choice of the proposer, the draws and the inner maximization.
        budget: Its trials set T; it limits the warm start.
        chat_settings: Model, prompt and decoding.
        variant: "justify", "transient" or "constrained".
        trials_without_limit: Planned trials if the budget limits neither proposals nor evaluations.

    Raises:
        SettingError: The variant is unknown.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        chat_settings: ChatSettings,
        variant: Literal["justify", "transient", "constrained"] = "justify",
        trials_without_limit: int = 100,
    ) -> None:
        if variant not in VARIANTS:
            raise unknown("variant", variant, VARIANTS)
        self._variant, self._prompt, self._objective = variant, chat_settings.prompt, problem.objectives[0]
        self._budget, self._spent = budget, Spent()
        self._trials = budget.trials or trials_without_limit
        self._advisor = Advisor(problem, seed, chat_settings)
        self._rng, self._search = np.random.default_rng(seed), InnerSearch(problem, seed)
        self._evaluated = Evaluated(problem)
        self._queue: deque[Proposal] | None = None
        self._round, self._rounds = 0, 1
        self._warm: GaussianProcess | None = None
        self._first_deviation: float | None = None
        self._macros: Any = template("llinbo")
        task = self._macros.task(problem, self._prompt, self._advisor.lines, self._advisor.form, self._objective)
        self._task = str(task).strip()
        self._entries: list[str] = []

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._advisor.prepare()

    def ask(self) -> Proposal:
        """The next proposal of the warm start, or of a round."""
        if self._queue is None:
            self._queue = deque(self._warm_start())
        if self._queue:
            return self._queue.popleft()
        if self._round == 0:
            self._rounds = max(1, self._trials - self._spent.proposals)
        self._round += 1
        return {"justify": self._justify, "transient": self._transient, "constrained": self._constrained}[
            self._variant
        ]()

    def tell(self, trial: Trial) -> None:
        """Record what was executed; the model's prompt also gets invalid proposals."""
        self._spent.add(trial)
        self._evaluated.add(trial)
        told = self._advisor.told
        outcome = result(trial, self._objective, self._prompt, told=told)
        self._entries.append(str(self._macros.entry(trial.index + 1, answer_of(trial, told), outcome)).strip())

    def _warm_start(self) -> list[Proposal]:
        missing = self._evaluated.cube.dimensions - self._spent.proposals
        if missing <= 0:
            return []
        answers = self._advisor.ask([self._prompt_now()] * batch_size(missing, self._budget, self._spent))
        return proposals_of(answers, "warm start")

    def _transient(self) -> Proposal:
        if self._rng.random() < gp_probability(self._round, self._rounds):
            return Proposal(self._best(self._fit()).params, note=OWN, proposer=Proposer.CLASSICAL)
        answer = self._answer()
        return answer.proposal(answer.completion.usage)

    def _justify(self) -> Proposal:
        process, answer = self._fit(), self._answer()
        candidate, point = self._suggested(answer)
        if point is None:
            return answer.proposal(answer.completion.usage)
        if self._first_deviation is None:
            self._first_deviation = float((self._warm or process).posterior(point[None])[1][0])
        own, score = self._best(process), self._ucb(process, point)
        scored = [dataclasses.replace(candidate, score=score), _candidate(own)]
        if justified(score, own.value, threshold(self._first_deviation, self._round)):
            return answer.proposal(answer.completion.usage, candidates=scored)
        return _instead(own, answer, REJECTED, scored)

    def _constrained(self) -> Proposal:
        process, draws = self._fit(), draw_count(self._round)
        if draws == 0:
            return Proposal(self._best(process).params, note=OWN, proposer=Proposer.CLASSICAL)
        answer = self._answer()
        candidate, point = self._suggested(answer)
        if point is None:
            return answer.proposal(answer.completion.usage)
        mean, deviation = process.posterior(point[None])
        highest_mean = self._search.maximize(lambda points: process.posterior(points)[0], self._good()).value
        kept = kept_draws(mean + deviation * self._rng.standard_normal(draws), highest_mean)
        suggestion = dataclasses.replace(candidate, score=self._ucb(process, point))
        if len(kept) == 0:
            own = self._best(process)
            return _instead(own, answer, UNCONSTRAINED, [suggestion, _candidate(own)])
        beta = self._beta()
        bent = self._search.maximize(
            lambda points: mixture_ucb(process, points, point, kept, beta), self._good(), self._evaluated.params
        )
        note = f"GP bent by the model's point: {len(kept)} of {draws} imagined values kept"
        return _instead(bent, answer, note, [suggestion])

    def _answer(self) -> Answer:
        return self._advisor.ask([self._prompt_now()])[0]

    def _suggested(self, answer: Answer) -> tuple[Candidate, Point | None]:
        """The model's configuration as a candidate, and its point if it is valid."""
        candidate = self._advisor.candidate(answer)
        legal = self._advisor.legal(candidate)
        return candidate, None if legal is None else self._evaluated.cube.point(legal)

    def _fit(self) -> GaussianProcess:
        process = fitted(self._evaluated.points, self._evaluated.values)
        self._warm = self._warm or process
        return process

    def _best(self, process: GaussianProcess) -> Found:
        beta = self._beta()
        return self._search.maximize(
            lambda points: process.ucb(points, beta), self._good(), avoid=self._evaluated.params
        )

    def _ucb(self, process: GaussianProcess, point: Point) -> float:
        return float(process.ucb(point[None], self._beta())[0])

    def _good(self) -> list[Point]:
        """Evaluated points, best first."""
        return list(self._evaluated.points[np.argsort(-self._evaluated.values, kind="stable")])

    def _beta(self) -> float:
        return exploration(self._round, self._evaluated.cube.dimensions)

    def _prompt_now(self) -> PromptWithHistory:
        return PromptWithHistory(self._entries, self._talk)

    def _talk(self, entries: Sequence[str]) -> str:
        last = self._macros.history(entries) if entries else self._macros.first()
        return f"{self._task}\n{str(last).strip()}"


def _candidate(own: Found) -> Candidate:
    return Candidate(dict(own.params), score=own.value, note=OWN)


def _instead(own: Found, answer: Answer, note: str, scored: list[Candidate]) -> Proposal:
    """A proposal of the GP's point, after the model's answer."""
    proposal = answer.proposal(answer.completion.usage, candidates=scored)
    return dataclasses.replace(proposal, params=dict(own.params), note=note, proposer=Proposer.CLASSICAL)
