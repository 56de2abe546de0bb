"""LLM-TPE: for each trial, a chat model or TPE proposes at random; both learn from all trials."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from harness.budget import Budget
from harness.errors import SettingError, unknown
from harness.problem import Problem
from harness.trial import Proposal, Trial
from optimizers.chat.advisor import Advisor
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.fitting import PromptWithHistory
from optimizers.chat.prompt import answer_of, dumps, result, template
from optimizers.shared.history import History
from optimizers.tpe import TPE

INIT_METHODS = ("llm", "random")
MODEL, SAMPLER = "LLM", "TPE"
"""Who proposed, for a proposal's note."""


class LLMTPE:
    """LLM-TPE (Mahammadli and Ertekin 2024, "Sequential Large Language Model-Based Hyper-parameter Optimization").

    The LLM-TPE sampler of SLLMBO (arXiv 2410.20302): the model proposes the first configuration; a fair coin selects
    each later proposer. TPE learns from all trials. The model is shown the ranges, the best configuration and score,
    and all trials, with those of TPE marked. The paper's fully-LLM modes are ``llm_chat``.
    Use: ``python -m harness.run optimizer=llm_tpe``.

    Defaults are those of the authors' code (one half, TPE as in Optuna 4, and 0.7, the default temperature of
    LangChain's client); they were not checked against the paper's text.

    Departures from the code, following the method:

    * The coin is thrown once per trial. The code throws it again for each hyperparameter if Optuna has no relative
      search space (after TPE's turn, and in TPE's random phase): one configuration can be a mixture of both.
    * With ``init_method=random`` the first configuration is TPE's random draw. The code asks the model for each of its
      hyperparameters under either method.
    * The model sees the memory. The code's prompt does not contain it, and Optuna never calls the method that was to
      write results into it: its model sees the best configuration and score only.
    * A failed or invalid reply is charged (law 1); the code uses the middle of the range if it has no model to ask.
    * Categorical hyperparameters, conditions and logarithmic scales are supported; the code has linear numbers only.

    Other departures: the wording is our own, and the model proposes a whole configuration, never one hyperparameter.

    Args:
        problem: Problem to optimize.
        seed: Seeds the coins, the sampling of replies and TPE, each with its own stream.
        budget: Passed to TPE.
        chat_settings: Model, prompt and decoding.
        llm_share: Probability that the model proposes a trial.
        init_method: Proposer of the first trial, "llm" or "random"; a start replaces it.

    Raises:
        SettingError: The share is not a probability, or the method is unknown.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        chat_settings: ChatSettings,
        llm_share: float = 0.5,
        init_method: Literal["llm", "random"] = "llm",
    ) -> None:
        if not 0 <= llm_share <= 1:
            raise SettingError(f"optimizer.llm_share is {llm_share}; give a probability, 0 to 1, e.g. 0.5.")
        if init_method not in INIT_METHODS:
            raise unknown("init_method", init_method, INIT_METHODS)
        self._share, self._init_method, self._prompt = llm_share, init_method, chat_settings.prompt
        self._coins = np.random.default_rng((seed, 1))  # the advisor draws from default_rng(seed)
        self._advisor = Advisor(problem, seed, chat_settings)
        self._objective = problem.objectives[0]
        self._tpe = TPE(dataclasses.replace(problem, objectives=(self._objective,)), seed, budget)
        self._history = History(self._objective)
        self._macros: Any = template("llm_tpe")
        task = self._macros.task(problem, self._prompt, self._advisor.lines, self._advisor.form, self._objective)
        self._task = str(task).strip()
        self._entries: list[str] = []
        self._proposer: str | None = None

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._advisor.prepare()

    def ask(self) -> Proposal:
        """The model's or TPE's proposal, at random."""
        first = not self._entries
        if self._init_method == "llm" if first else self._coins.random() < self._share:
            self._proposer = MODEL
            answer = self._advisor.ask([PromptWithHistory(self._entries, self._message)])[0]
            return answer.proposal(answer.completion.usage, MODEL)
        self._proposer = SAMPLER
        proposal = self._tpe.ask()
        return dataclasses.replace(proposal, note=", ".join(filter(None, (SAMPLER, proposal.note))))

    def tell(self, trial: Trial) -> None:
        """Tell TPE what was executed, independent of its proposer; the model's memory has all trials."""
        self._tpe.tell(trial)
        self._history.add(trial)
        params = answer_of(trial, self._advisor.told)
        outcome = result(trial, self._objective, self._prompt, told=self._advisor.told)
        entry = self._macros.entry(trial.index + 1, params, outcome, self._proposer == SAMPLER)
        self._entries.append(str(entry).strip())

    def _message(self, entries: Sequence[str]) -> str:
        best = self._history.best(1)
        shown = (dumps(best[0].params, self._advisor.told), best[0].value) if best else None
        memory = str(self._macros.memory(entries, shown, self._objective)).strip()
        return f"{self._task}\n{memory}"
