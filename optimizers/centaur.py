"""Centaur: CMA-ES proposes, and on some trials a chat model that sees its state proposes instead."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

from harness.budget import Budget
from harness.errors import SettingError, unknown
from harness.problem import Params, Problem
from harness.trial import Proposal, Trial
from optimizers.chat.advisor import Advisor
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.fitting import PromptWithHistory
from optimizers.chat.prompt import answer_of, dumps, result, template
from optimizers.cma_es import CMAES
from optimizers.shared.history import History

SCHEDULES = ("share", "interval")
BEST, LAST = 5, 20
"""Numbers of trials shown to the model: the best and the latest."""


class Centaur:
    """Centaur (Ferreira, Wobbe, Krishnakumar, Hutter and Zela 2026, arXiv 2603.24647): CMA-ES with a language model.

    Paper: "Can LLMs Beat Classical Hyperparameter Optimization Algorithms? A Study on autoresearch". CMA-ES proposes
    every trial. After a warm-up of 10 trials, on 30 % of the trials, the model sees the space, CMA-ES's mean, step
    size, covariance matrix and suggestion, the 5 best and the 20 latest trials, and proposes instead (temperature
    0.7). CMA-ES is told what was executed. Use: ``python -m harness.run optimizer=centaur``.

    The defaults are from ``centaur.md`` and the code in the paper's repository; the paper's text was not checked.

    Departures from the code, following the description:

    * Exactly 30 %: of the trials after the warm-up, number t = 0, 1, ... is the model's if floor((t + 1) 0.3) >
      floor(t 0.3). The code asks at every third trial, 33 %; the published numbers come from it, and
      ``schedule=interval`` is its rule. Both count all trials of the run, including those of a start.
    * The mean is shown, as a configuration; the code reads it but does not print it.
    * Nothing is clamped or filled in: the code silently sets missing hyperparameters to defaults. An invalid reply is
      charged, CMA-ES is told nothing, and its suggestion is kept for the next trial.

    Other departures:

    * The wording is our own, without the paper's task; the state is at the end of the prompt, for the prefix cache.
    * Our CMA-ES (``cma_es`` lists its differences from Optuna's) also has categorical hyperparameters.
    * Failures count as the worst loss so far, not as 100.
    * Invalid proposals are among the 20 latest trials, with their violations.

    Args:
        problem: Problem to optimize.
        seed: Seeds CMA-ES and the sampling of replies.
        budget: Passed to CMA-ES.
        chat_settings: Model, prompt and decoding.
        llm_ratio: Share of the trials after the warm-up that the model proposes.
        llm_warmup: Number of first trials without the model.
        schedule: "share", or "interval" for every round(1 / llm_ratio)-th trial.

    Raises:
        SettingError: A setting is out of its range.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        chat_settings: ChatSettings,
        llm_ratio: float = 0.3,
        llm_warmup: int = 10,
        schedule: Literal["share", "interval"] = "share",
    ) -> None:
        if not 0 <= llm_ratio <= 1:
            raise SettingError(f"optimizer.llm_ratio is {llm_ratio}; give a share, 0 to 1, e.g. 0.3.")
        if schedule not in SCHEDULES:
            raise unknown("schedule", schedule, SCHEDULES)
        self._ratio, self._warmup, self._schedule = llm_ratio, llm_warmup, schedule
        self._prompt, self._objective = chat_settings.prompt, problem.objectives[0]
        self._advisor = Advisor(problem, seed, chat_settings)
        self._cma = CMAES(problem, seed, budget)
        self._history = History(self._objective)
        self._macros: Any = template("centaur")
        task = self._macros.task(problem, self._prompt, self._advisor.lines, self._advisor.form, self._objective)
        self._task = str(task).strip()
        self._entries: list[str] = []

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._advisor.prepare()

    def ask(self) -> Proposal:
        """CMA-ES's suggestion, or the model's proposal instead."""
        suggestion = self._cma.ask()
        if not is_models_turn(len(self._entries), self._ratio, self._warmup, self._schedule):
            return dataclasses.replace(suggestion, note=", ".join(filter(None, ("CMA-ES", suggestion.note))))
        latest = self._entries[-LAST:]
        prompt = PromptWithHistory(latest, lambda entries: self._message(entries, suggestion.params or {}))
        answer = self._advisor.ask([prompt])[0]
        return answer.proposal(answer.completion.usage, "LLM")

    def tell(self, trial: Trial) -> None:
        """Tell CMA-ES what was executed, independent of its proposer."""
        self._cma.tell(trial)
        self._history.add(trial)
        told = self._advisor.told
        became = result(trial, self._objective, self._prompt, told=told)
        entry = self._macros.entry(trial.index + 1, answer_of(trial, told), became)
        self._entries.append(str(entry).strip())

    def _message(self, entries: Sequence[str], suggestion: Params) -> str:
        state, told = self._cma.distribution, self._advisor.told
        covariance = [[f"{entry:.4f}" for entry in row] for row in state.covariance]
        mean = "forbidden" if state.configuration is None else dumps(state.configuration, told)
        best = [(dumps(seen.params, told), seen.value) for seen in self._history.best(BEST)]
        latest = str(self._macros.latest(entries)).strip()
        shown = self._macros.state(state, mean, covariance, dumps(suggestion, told), best, self._objective)
        return f"{self._task}\n{latest}\n{str(shown).strip()}"


def is_models_turn(trial: int, ratio: float, warmup: int, schedule: str) -> bool:
    """Whether the model proposes a trial.

    Args:
        trial: Its 0-based index in the run.
        ratio: Share of trials that the model proposes.
        warmup: Number of first trials without the model.
        schedule: "share" or "interval".
    """
    if trial < warmup or ratio == 0:
        return False
    if schedule == "interval":
        return trial % max(1, round(1 / ratio)) == 0
    share = Fraction(str(ratio))  # 0.29 * 100 is 28.999... in floating point
    since = trial - warmup
    return math.floor((since + 1) * share) > math.floor(since * share)
