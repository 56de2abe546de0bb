"""Recitation: a model is asked what it remembers of a public benchmark, without any history."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any

from harness.budget import Budget, Spent
from harness.chat import ChatRequest, Completion, Message
from harness.errors import SettingError
from harness.problem import Problem
from harness.trial import Proposal, Proposer, Trial
from llms.decoding import Decoding
from llms.schema import REASONING, closed_object, json_schema
from optimizers.chat.advisor import total
from optimizers.chat.candidate_list import number
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.parse import ANSWER_KEY, REASONING_KEY, parse_reply
from optimizers.chat.prompt import Prompt, placeholder, space_lines, template
from optimizers.chat.request import Requests
from optimizers.shared.batch_size import batch_size

SCORE_KEY = "score"
SCORE: dict[str, Any] = {"type": "number", "minimum": -1e6, "maximum": 1e6, "multipleOf": 1e-6}
"""Limits the digits of a number that is decoded under a schema, which models may repeat endlessly."""


class Recitation:
    """Asks for the best known configuration and its score, repeatedly and without any history.

    A probe for contamination, not an optimization method: what a model knows of a task before it has seen any result
    comes from its training. Use: ``python -m harness.run optimizer=recitation``.

    Related work, neither of it on hyperparameter optimization: verbatim recall of training data, Carlini et al. 2021,
    "Extracting Training Data from Large Language Models" (USENIX Security, arXiv 2012.07805); asking a chat model to
    complete a named data set from memory, Bordt, Nori, Rodrigues, Nushi and Caruana 2024, "Elephants Never Forget:
    Memorization and Learning of Tabular Data in Large Language Models" (COLM, arXiv 2404.06209).

    Departures, all our own:

    * The best configuration and its score are asked for, in our wording.
    * The search space is shown, so that the answer can be looked up.
    * A recitation is scored by the share of all configurations that are better (``recitation.py``). A model need not
      remember to score well: general knowledge of such models suffices. The difference to ``probe=no_task`` is the
      effect of the name.
    * The recited score is the proposal's ``predicted``. All samples are independent and have the same prompt, so
      they are sent at once; each is a trial, charged even if it is a repeat or invalid.

    Args:
        problem: Task to ask for.
        seed: Seeds the sampling of replies.
        budget: Limits the last batch.
        chat_settings: Model, prompt and decoding. The benchmark is named only if the prompt names the task: not without
            context, nor at its level ``statistics``, nor if the task has no texts, as under ``probe=no_task``.
        samples: Recitations requested at once.

    Raises:
        SettingError: ``samples`` is too small, or the task lacks a text that the prompt needs.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        chat_settings: ChatSettings,
        samples: int = 10,
    ) -> None:
        prompt, decoding = chat_settings.prompt, chat_settings.decoding
        prompt.refuse_repeats("recitation")
        if samples < 1:
            raise SettingError(f"optimizer.samples is {samples}; give a whole number from 1.")
        self._samples, self._budget, self._spent = samples, budget, Spent()
        self._chat, self._prompt = chat_settings.chat, prompt
        self._names = frozenset(problem.space)
        told = prompt.told(problem)
        self._short, problem = told.short, told.problem
        self._requests = Requests(problem, chat_settings, seed)
        self._schema = schema(problem, decoding, self._requests.reasoned) if decoding.mode == "json_schema" else None
        self._queue: deque[Proposal] = deque()
        before = f'"{REASONING_KEY}": "...", ' if self._requests.reasoned else ""
        form = f'{{{before}"{ANSWER_KEY}": {placeholder(problem)}, "{SCORE_KEY}": y}}'
        macros: Any = template("recitation")
        said = macros.task(problem, prompt, named(problem, prompt), space_lines(problem), form, problem.objectives[0])
        self._message = Message("user", str(said).strip())

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._chat.prepare()

    def ask(self) -> Proposal:
        """The next recitation; the first of a batch reports the cost of all."""
        if not self._queue:
            size = batch_size(self._samples, self._budget, self._spent)
            completions = self._chat.complete([self._request() for _ in range(size)])
            proposals = [self._proposal(completion) for completion in completions]
            self._queue.append(dataclasses.replace(proposals[0], usage=total(completions)))
            self._queue.extend(proposals[1:])
        return self._queue.popleft()

    def tell(self, trial: Trial) -> None:
        """Count the trial; no learning."""
        self._spent.add(trial)

    def _request(self) -> ChatRequest:
        return dataclasses.replace(self._requests.build([self._message]), schema=self._schema)

    def _proposal(self, completion: Completion) -> Proposal:
        last = self._prompt.reasoning and not self._requests.reasoned
        parsed = parse_reply(completion.text, completion.finish_reason, last=last)
        params, score = (None, None) if parsed.params is None else read(parsed.params, self._names)
        stated = (parsed.params or {}).get(REASONING_KEY) if self._requests.reasoned else None
        return Proposal(
            params,
            calls=() if completion.id is None else (completion.id,),
            note=parsed.note,
            truncated=parsed.truncated,
            reason=stated if isinstance(stated, str) else parsed.reason,
            predicted=score,
            proposer=Proposer.MODEL,
            short_names=self._short,
        )


def read(reply: Mapping[str, Any], names: Collection[str]) -> tuple[dict[str, Any], float | None]:
    """The configuration and its score (None without a finite number); both may be in one object.

    Args:
        reply: A JSON object, untrusted.
        names: Names of the hyperparameters; if one equals the key of the score, an object is all configuration.
    """
    params = reply.get(ANSWER_KEY)
    if isinstance(params, dict):
        return params, number(reply.get(SCORE_KEY))
    if SCORE_KEY in names:
        return dict(reply), None
    return {key: value for key, value in reply.items() if key != SCORE_KEY}, number(reply.get(SCORE_KEY))


def named(problem: Problem, prompt: Prompt) -> tuple[str, str] | None:
    """Names of benchmark and task, if the prompt names the task; else None."""
    if prompt.context == "statistics" or not prompt.about(problem):
        return None
    benchmark, _, task = problem.name.partition(".")
    return (benchmark, task) if task else None


def schema(problem: Problem, decoding: Decoding, reasoning: bool) -> dict[str, Any]:
    """JSON schema of the reply: the configuration, within the bounds of the space, and its score."""
    asked = {ANSWER_KEY: json_schema(problem.space, decoding.schema), SCORE_KEY: SCORE}
    return closed_object({REASONING_KEY: REASONING} | asked if reasoning else asked)
