"""A chat model as the optimizer: it is shown the space and the history, and proposes the next configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from harness.budget import Budget
from harness.chat import Message
from harness.errors import unknown
from harness.problem import Problem
from harness.trial import Proposal, Trial
from optimizers.chat.advisor import Advisor
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.fitting import PromptWithHistory, Talk
from optimizers.chat.prompt import answer_of, fidelity_lines, result, template

HISTORIES = ("compressed", "conversation")


class LLMChat:
    """Zhang, Desai, Bae, Lorraine and Ba 2023, "Using Large Language Models for Hyperparameter Optimization".

    Section 3: the model is told the space, the task and the budget, and after each trial its result; it answers with a
    configuration. ``history`` is the paper's choice between a compressed message that lists the trials and the full
    conversation; ``prompt.reasoning`` is its chain of thought. Use: ``python -m harness.run optimizer=llm_chat``.

    The defaults, the compressed message and temperature 0, were not checked against the paper's text.

    Departures:

    * The wording is our own.
    * An invalid answer is charged as a trial, not asked for again; the next message has its violations (law 3).
    * The form of an answer is shown without values, since an example configuration would be a warm start.
    * Several objectives are all named as goals, with all values. With ``prompt.fidelity`` the model is shown the
      fidelities, may give one with each configuration, and sees at which one a result was obtained.

    Args:
        problem: Problem to optimize.
        seed: Seeds the sampling of replies.
        budget: Its number of trials is shown to the model.
        chat_settings: Model, prompt and decoding.
        history: "compressed" or "conversation".

    Raises:
        SettingError: The history is unknown, or the task lacks a text that the prompt needs.
    """

    multi_objective: ClassVar[bool] = True

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        chat_settings: ChatSettings,
        history: Literal["compressed", "conversation"] = "compressed",
    ) -> None:
        if history not in HISTORIES:
            raise unknown("history", history, HISTORIES)
        self._objectives = problem.objectives
        self._prompt, self._history = chat_settings.prompt, history
        self._advisor = Advisor(problem, seed, chat_settings)
        self._macros: Any = template("llm_chat")
        form = self._advisor.form
        fidelities = fidelity_lines(self._prompt.fidelities(problem))
        task = self._macros.task(problem, self._prompt, self._advisor.lines, form, budget.trials, fidelities)
        self._task = str(task).strip()
        self._entries: list[str] = []
        self._turns: list[tuple[str, str]] = []
        self._reply: str | None = None

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._advisor.prepare()

    def ask(self) -> Proposal:
        """One reply, parsed."""
        prompt = PromptWithHistory(self._entries, self._compressed)
        if self._turns:
            prompt = PromptWithHistory(self._turns, self._conversation)
        answer = self._advisor.ask([prompt])[0]
        self._reply = answer.completion.text
        return answer.proposal(answer.completion.usage)

    def tell(self, trial: Trial) -> None:
        """Add the result of the last answer to the history; trials of a start are listed in the first message."""
        first, *others = self._objectives
        told = self._advisor.told
        outcome = result(trial, first, self._prompt, others, told)
        if self._history == "conversation" and self._reply is not None:
            self._turns.append((self._reply, str(self._macros.next(outcome)).strip()))
            return
        self._entries.append(str(self._macros.entry(trial.index + 1, answer_of(trial, told), outcome)).strip())

    def _compressed(self, entries: Sequence[str]) -> str:
        """One message that lists trials."""
        last = self._macros.history(entries) if entries else self._macros.first()
        return f"{self._task}\n{str(last).strip()}"

    def _conversation(self, turns: Sequence[tuple[str, str]]) -> Talk:
        """The first message, then replies, each with its result."""
        said = [turn for reply, result in turns for turn in (Message("assistant", reply), Message("user", result))]
        return [Message("user", self._compressed(self._entries)), *said]
