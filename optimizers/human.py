"""A person at the terminal as the optimizer, measured like a model."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from harness.budget import Budget
from harness.chat import ChatModel, Message
from harness.errors import SettingError
from harness.problem import Problem
from harness.trial import Proposal, Trial
from llms.decoding import Decoding
from optimizers.chat.advisor import Advisor
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.parse import Parsed
from optimizers.chat.prompt import Prompt, dumps, result, template
from optimizers.shared.history import History, Observation

NAME = re.compile(r"[\s,]*([^\s,=]+)\s*=\s*")
WORD = re.compile(r"[^\s,]+")
AFTER_JSON = re.compile(r"[\s,]|$")


class Human:
    """A baseline of our own (no paper): quality, time and invalid rate of a person.

    The person is shown what a model is shown (space, task, budget, hint), sees the trials as a table, and answers with
    a JSON object or with ``name=value name=value``. Answers are checked by the same rules as a model's: an invalid one
    is charged as a trial, and the next question has its violations. Rows and tables count the answers as the
    model's (``proposer``). Use: ``python -m harness.run optimizer=human``.

    Args:
        problem: Problem to optimize.
        seed: No effect on a person; distinguishes the recorded answers of different runs.
        budget: Its number of trials is shown.
        chat: The person; ``llms.models.person``.
        prompt: Contents of the prompt; ``reasoning`` has no effect.
        rows: Number of latest trials in the table, which always contains the best one.

    Raises:
        SettingError: ``rows`` is not a positive whole number.
    """

    def __init__(
        self, problem: Problem, seed: int, budget: Budget, *, chat: ChatModel, prompt: Prompt, rows: int = 15
    ) -> None:
        if type(rows) is not int or rows < 1:
            raise SettingError(f"optimizer.rows is {rows!r}; give a whole number from 1, e.g. 15.")
        self._objective, self._rows = problem.objectives[0], rows
        self._prompt = dataclasses.replace(prompt, reasoning=False)
        self._advisor = Advisor(problem, seed, ChatSettings(chat, self._prompt, Decoding(), temperature=0.0))
        self._macros: Any = template("human")
        task = self._macros.task(problem, prompt, self._advisor.lines, self._advisor.form, self._objective)
        self._task = Message("system", f"{str(task).strip()}\n{_budget_text(budget)}")
        self._history = History(self._objective)
        self._lines: dict[int, str] = {}
        self._told: str | None = None

    def prepare(self) -> None:
        """No preparation."""
        self._advisor.prepare()

    def ask(self) -> Proposal:
        """The typed answer, parsed."""
        number = len(self._lines) + 1
        question = str(self._macros.question(number, self._told, self._table())).strip()
        answer = self._advisor.ask([[self._task, Message("user", question)]])[0]
        if answer.parsed.params is None:
            answer = dataclasses.replace(answer, parsed=read_assignments(answer.completion.text))
        return answer.proposal(answer.completion.usage)

    def tell(self, trial: Trial) -> None:
        """Add a row to the table, and store the result of the last answer."""
        seen = self._history.add(trial)
        self._told = f"Trial {trial.index + 1}: {result(trial, self._objective, self._prompt, told=self._advisor.told)}"
        shown = trial.proposal.params if trial.params is None else trial.params
        outcome = _outcome_text(trial, seen)
        params = "(no configuration)" if shown is None else dumps(shown, self._advisor.told)
        self._lines[trial.index] = f"{trial.index + 1:>4}  {outcome:>10}  {params}"

    def _table(self) -> list[str]:
        """The latest trials and the best one, which is marked."""
        best = [seen.index for seen in self._history.best(1)]
        kept = sorted({*best, *sorted(self._lines)[-self._rows :]})
        return [f"{'*' if index in best else ' '}{self._lines[index]}" for index in kept]


def read_assignments(text: str) -> Parsed:
    """A configuration typed as ``name=value name=value``, with or without commas.

    A value is parsed as JSON if possible (numbers, true, false, null, lists, "text in quotes"), else it is a string.
    """
    params: dict[str, Any] = {}
    position, end = 0, len(text.rstrip(" \t\r\n,"))
    while position < end:
        found = NAME.match(text, position)
        value, position = _value(text, position if found is None else found.end())
        if found is None or value is None:
            return Parsed(None)
        if found[1] in params:
            return Parsed(None, note=f"{found[1]} is given twice")
        params[found[1]] = value[0]
    return Parsed(params, note="name=value") if params else Parsed(None)


def _value(text: str, position: int) -> tuple[tuple[Any] | None, int]:
    """The value that begins there, and where it ends; None if there is none."""
    try:
        value, end = json.JSONDecoder().raw_decode(text, position)
        if AFTER_JSON.match(text, end):
            return (value,), end
    except (ValueError, RecursionError):
        pass
    word = WORD.match(text, position)
    return (None, position) if word is None else ((word[0],), word.end())


def _outcome_text(trial: Trial, seen: Observation | None) -> str:
    if seen is not None:
        return f"{seen.value:.5g}"
    return "invalid" if trial.params is None else "failed"


def _budget_text(budget: Budget) -> str:
    trials = "" if budget.trials is None else f"There are {budget.trials} trials; an invalid answer uses one up. "
    return f"{trials}Type quit to stop; the same command goes on later."
