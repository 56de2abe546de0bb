"""OPRO: several new solutions per step are sampled from a meta-prompt that lists the best solutions so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from harness.budget import Budget, Spent
from harness.choices import text_of
from harness.errors import SettingError
from harness.problem import Problem
from harness.trial import Proposal, Proposer, Trial
from optimizers.chat.advisor import Advisor, proposals_of
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.fitting import PromptWithHistory
from optimizers.chat.prompt import dumps, template
from optimizers.shared.batch_size import batch_size
from optimizers.shared.draws import Draws
from optimizers.shared.history import History, Observation


class OPRO:
    """Yang, Wang, Lu, Liu, Le, Zhou and Chen 2023, "Large Language Models as Optimizers" (ICLR 2024, arXiv 2309.03409).

    Section 2 is the method, section 3.1 (linear regression, mathematical optimization as here) the source of
    the defaults: 5 random starting points, then per step a meta-prompt with the 20 best of all evaluated solutions and
    their scores in ascending order of quality, from which 8 solutions are sampled at temperature 1; the authors' code
    (google-deepmind/opro) has the same numbers. Use: ``python -m harness.run optimizer=opro``.

    Departures:

    * The wording is our own; solutions are shown and answered as JSON, with unrounded numbers (the paper rounds w and b
      to integers). The space and the form of an answer precede the solutions, for the prefix cache.
    * Each of the 8 samples is a trial, charged even if it is a repeat or invalid (the paper drops both).
    * A step samples no more than the budget has left.
    * As in the paper, the meta-prompt has solutions with scores only: invalid and failed ones are not fed back, and
      ``prompt.feedback`` has no effect. Of a configuration that was evaluated twice the better score is shown; in a
      tie the earlier solution is the better.

    Args:
        problem: Problem to optimize.
        seed: Seeds the starting points and the sampling of replies.
        budget: Limits the last step.
        chat_settings: Model, prompt and decoding.
        initial: Number of random starting points, including trials of a start.
        samples: Solutions sampled per step.
        shown: Maximum number of solutions in the meta-prompt.

    Raises:
        SettingError: A number is too small.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        chat_settings: ChatSettings,
        initial: int = 5,
        samples: int = 8,
        shown: int = 20,
    ) -> None:
        chat_settings.prompt.refuse_repeats("opro")
        for name, value, least in (("initial", initial, 0), ("samples", samples, 1), ("shown", shown, 1)):
            if value < least:
                raise SettingError(f"optimizer.{name} is {value}; give a whole number from {least}.")
        self._initial, self._samples, self._shown = initial, samples, shown
        self._budget, self._spent = budget, Spent()
        self._objective = problem.objectives[0]
        self._draws = Draws(problem.space, seed)
        self._advisor = Advisor(problem, seed, chat_settings)
        self._history = History(self._objective)
        self._queue: deque[Proposal] = deque()
        self._macros: Any = template("opro")
        task = self._macros.task(problem, chat_settings.prompt, self._advisor.lines, self._advisor.form)
        self._task = str(task).strip()

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._advisor.prepare()

    def ask(self) -> Proposal:
        """A random starting point, or the next of the step's samples."""
        if self._spent.proposals < self._initial:
            return Proposal(dict(self._draws.next()), note="start: random", proposer=Proposer.RANDOM)
        if not self._queue:
            self._queue.extend(self._step())
        return self._queue.popleft()

    def tell(self, trial: Trial) -> None:
        """Record a solution that has a score."""
        self._spent.add(trial)
        self._history.add(trial)

    def _step(self) -> list[Proposal]:
        """One batch: the same prompt once per sample, each with its own sampling seed."""
        size = batch_size(self._samples, self._budget, self._spent)
        prompt = PromptWithHistory(solutions(self._history, self._shown), self._meta_prompt)
        answers = self._advisor.ask([prompt] * size)
        return proposals_of(answers)

    def _meta_prompt(self, shown: Sequence[Observation]) -> str:
        told = self._advisor.told
        lines = [(dumps(seen.params, told), f"{seen.value:.5g}") for seen in shown]
        return f"{self._task}\n{str(self._macros.solutions(lines, self._objective)).strip()}"


def solutions(history: History, count: int) -> list[Observation]:
    """The best ``count`` distinct configurations, worst first; in a tie the earlier last."""
    distinct: dict[str, Observation] = {}
    for seen in history.best(len(history)):
        distinct.setdefault(text_of(seen.params), seen)
    return list(distinct.values())[:count][::-1]
