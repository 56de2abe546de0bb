"""HOLLM: a partition of the space scored as a bandit; the model samples inside the selected cells."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from harness.budget import Budget, Spent
from harness.chat import LENGTH, ChatRequest, Completion, Message
from harness.errors import SettingError
from harness.problem import Problem
from harness.trial import Candidate, Fault, Proposal, Proposer, Trial, Violation
from harness.validity import Checker
from optimizers.chat.advisor import total
from optimizers.chat.candidate_list import Item, form, read, schema
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.fitting import Fitting, PromptWithHistory
from optimizers.chat.prompt import dumps, space_lines, template
from optimizers.chat.request import Requests
from optimizers.hollm import partition
from optimizers.hollm.cell_space import CellSpace
from optimizers.shared.batch_size import batch_size
from optimizers.shared.draws import Draws
from optimizers.shared.evaluated import Evaluated
from optimizers.shared.history import Observation

OUTSIDE = "outside its cell"
KNOWN = "evaluated before or proposed twice"


class HOLLM:
    """HOLLM (Schwanke et al. 2026, "Improving LLM-based Global Optimization with Search Space Partitioning", ICLR).

    arXiv 2505.21372. After ``initial`` random configurations, each step builds a k-d tree over the evaluated ones,
    scores its leaf cells by their best value, volume and UCB-V bonus, and draws ``cells`` of them. In each the model
    proposes ``candidates`` configurations with predicted values; the ``batch`` best predicted are evaluated.
    Use: ``python -m harness.run optimizer=hollm``.

    Sources of the defaults: the authors' minimal implementation; ``examples`` and the temperature (theirs for
    self-hosted models) are from their code, arberzela/mohollm.

    Departures:

    * The UCB-V term is the paper's ln(T / (K n)); the code has ln(T / K * n).
    * The tree is the code's (scipy's: the widest side of the points in a node is split in the middle), but over unit
      coordinates (logarithmic if the space is), not raw values.
    * Candidates and predictions come in one reply, as in the minimal implementation, not in two.
    * The cell is at the end of the prompt and examples are in the order of evaluation, not shuffled, for the prefix
      cache.
    * No reply is requested again: candidates that are invalid, outside their cell or known are excluded (the code
      resamples), so that a step may evaluate fewer than ``batch``. If none is left, the first invalid one or
      unparseable reply is charged, else the best predicted of the rest is proposed.
    * Under json_schema decoding the schema has the bounds of the whole space, so that the server compiles one grammar.
    * A failed evaluation counts as the worst value so far.

    Args:
        problem: Problem to optimize.
        seed: Seeds the random configurations, the draws of cells and the sampling of replies.
        budget: Its trials are T, and the length of the annealing; it limits the last step.
        chat_settings: Model, prompt and decoding.
        initial: Number of random configurations, including trials of a start.
        cells: M, cells per step, one request each.
        candidates: k, candidates requested per cell.
        batch: b, evaluations per step.
        alpha_highest: Weight of exploration at the beginning.
        alpha_lowest: Weight of exploration at the end.
        leaf_size_per_dimension: Maximum number of points in a cell, per hyperparameter.
        leaf_growth: Lambda, growth of a cell's size with the logarithm of the number of observations.
        examples: Number of latest configurations shown.
        trials_without_limit: Planned trials if the budget limits neither proposals nor evaluations.

    Raises:
        SettingError: A number is too small.
    """

    def __init__(  # noqa: PLR0913 (each one is a setting)
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        chat_settings: ChatSettings,
        initial: int = 5,
        cells: int = 5,
        candidates: int = 5,
        batch: int = 4,
        alpha_highest: float = 1.0,
        alpha_lowest: float = 0.1,
        leaf_size_per_dimension: float = 0.5,
        leaf_growth: float = 0.0,
        examples: int = 110,
        trials_without_limit: int = 100,
    ) -> None:
        prompt, decoding = chat_settings.prompt, chat_settings.decoding
        prompt.refuse_repeats("hollm")
        least = {"cells": cells, "candidates": candidates, "batch": batch, "examples": examples}
        for name, value in least.items():
            if value < 1:
                raise SettingError(f"optimizer.{name} is {value}; give a whole number from 1.")
        self._initial, self._cells, self._count, self._batch = initial, cells, candidates, batch
        self._alpha, self._leaf = (alpha_highest, alpha_lowest), (leaf_size_per_dimension, leaf_growth)
        self._shown, self._trials = examples, budget.trials or trials_without_limit
        self._problem, self._objective = problem, problem.objectives[0]
        self._budget, self._spent = budget, Spent()
        self._chat, self._prompt = chat_settings.chat, prompt
        self._fitting = Fitting(chat_settings.chat)
        self._told = prompt.told(problem)
        told = self._told.problem
        self._requests = Requests(told, chat_settings, seed)
        held = decoding.mode == "json_schema"
        self._schema = schema(told, decoding, candidates, prompt.reasoning) if held else None
        self._checker = Checker(problem.space)
        self._draws, self._rng = Draws(problem.space, seed), np.random.default_rng(seed)
        self._evaluated = Evaluated(problem)
        self._queue: deque[Proposal] = deque()
        self._macros: Any = template("hollm")
        shape = form(told, decoding, prompt.reasoning)
        task = self._macros.task(problem, prompt, space_lines(told), shape, self._objective, candidates)
        self._task = str(task).strip()

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._chat.prepare()

    def ask(self) -> Proposal:
        """A random configuration, or the next of the step's best predicted."""
        if self._spent.proposals < self._initial:
            return Proposal(dict(self._draws.next()), note="start: random", proposer=Proposer.RANDOM)
        if not self._queue:
            self._queue.extend(self._step())
        return self._queue.popleft()

    def tell(self, trial: Trial) -> None:
        """Record what was executed."""
        self._spent.add(trial)
        self._evaluated.add(trial)

    def _step(self) -> list[Proposal]:
        """One batch of requests, one per cell; the first proposal has its cost and all candidates."""
        spaces = [CellSpace(self._problem, self._evaluated.cube, cell, self._told) for cell in self._drawn_cells()]
        history = self._evaluated.history.last(self._shown)
        prompts = [PromptWithHistory(history, partial(self._message, space)) for space in spaces]
        completions = self._fitting.complete(prompts, self._request)
        candidates = self._marked(
            [found for pair in zip(completions, spaces, strict=True) for found in self._candidates(*pair)]
        )
        best = chosen(candidates, batch_size(self._batch, self._budget, self._spent))
        proposals = [_proposal(candidate, self._told.short) for candidate in best]
        proposals[0] = dataclasses.replace(proposals[0], usage=total(completions), candidates=tuple(candidates))
        return [dataclasses.replace(each, left_out=self._fitting.left_out or None) for each in proposals]

    def _drawn_cells(self) -> list[partition.Cell]:
        points, values = self._evaluated.points, self._evaluated.values
        observations = len(points)
        most = partition.leaf_size(self._evaluated.cube.dimensions, observations, *self._leaf)
        cells = partition.leaf_cells(points, most)
        if len(cells) <= self._cells:
            return cells
        alpha = partition.annealed(observations, self._trials, *self._alpha)
        scores = partition.scores(cells, values, self._trials, alpha)
        return [cells[i] for i in partition.drawn(scores, self._cells, self._rng)]

    def _message(self, space: CellSpace, history: Sequence[Observation]) -> str:
        shown = [(dumps(seen.params, self._told), f"{seen.value:.5g}") for seen in history]
        examples = str(self._macros.examples(shown, self._objective)).strip() if shown else ""
        cell = str(self._macros.cell(space.lines, self._objective, self._count)).strip()
        return "\n".join(part for part in (self._task, examples, cell) if part)

    def _request(self, messages: Sequence[Message]) -> ChatRequest:
        request = self._requests.build(messages)
        return dataclasses.replace(request, schema=self._schema, max_tokens=self._requests.longest(self._count))

    def _candidates(self, completion: Completion, space: CellSpace) -> list[Candidate]:
        """The candidates in a reply; a reply without an object is one candidate without a configuration."""
        items = read(completion.text, self._count, last=self._prompt.reasoning)
        if not items:
            fault = Fault.TRUNCATED if completion.finish_reason == LENGTH else Fault.UNPARSEABLE
            return [Candidate(None, (Violation(fault),), completion.id)]
        return [self._candidate(item, completion.id, space) for item in items]

    def _candidate(self, item: Item, call: int | None, space: CellSpace) -> Candidate:
        score = None if item.predicted is None else -self._objective.loss(item.predicted)
        legal, violations = self._checker.proposal(Proposal(item.params, short_names=self._told.short))
        outside = legal is not None and not space.holds(legal)
        return Candidate(item.params, violations, call, score, OUTSIDE if outside else None)

    def _marked(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates, with a note on each that was evaluated before or is repeated among them."""
        known = list(self._evaluated.params)
        marked = []
        for candidate in candidates:
            legal = self._checker.proposal(Proposal(candidate.params, short_names=self._told.short))[0]
            if candidate.note is None and legal is not None and legal in known:
                marked.append(dataclasses.replace(candidate, note=KNOWN))
                continue
            marked.append(candidate)
            if candidate.note is None and legal is not None:
                known.append(legal)
        return marked


def chosen(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """The ``count`` best predicted that are valid, new and in their cells; those without a prediction are last.

    If there is none: the first invalid one; otherwise the best predicted of all.
    """
    running = [candidate for candidate in candidates if not candidate.violations and candidate.note is None]
    invalid = [candidate for candidate in candidates if candidate.violations]
    if not running and invalid:
        return invalid[:1]
    best = sorted(running or candidates, key=lambda candidate: (candidate.score is None, -(candidate.score or 0.0)))
    return best[: count if running else 1]


def _proposal(candidate: Candidate, short_names: bool) -> Proposal:
    calls = () if candidate.call is None else (candidate.call,)
    truncated = any(violation.fault is Fault.TRUNCATED for violation in candidate.violations)
    return Proposal(
        candidate.params,
        calls=calls,
        note=candidate.note,
        truncated=truncated,
        proposer=Proposer.MODEL,
        short_names=short_names,
    )
