"""LLAMBO's zero-shot warm start: one reply that lists the first configurations (Liu et al. 2024, section 4)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from harness.chat import LENGTH, ChatRequest, Completion, Message
from harness.choices import Choices, has_choices
from harness.objects import object_texts
from harness.problem import Description, Problem
from harness.trial import Proposal, Usage
from llms.schema import json_schema, list_schema
from optimizers.chat.advisor import Answer
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.parse import ANSWER_KEY, Parsed, parse_reply
from optimizers.chat.prompt import Prompt, placeholder, space_lines, template
from optimizers.chat.request import Requests

LIST_KEY = "configurations"
"""Key of the list in a reply that must be one JSON object (``decoding=json_object`` or ``json_schema``)."""


class WarmStart:
    """Requests ``count`` configurations in one reply, as in the paper, which allows to ask for diversity.

    Context is cumulative. ``none``: hyperparameters, their types and ranges. ``partial``: the model and the
    metric. ``full``: the data as well. With ``prompt.context=none`` every level is ``none``.

    The reply may have ``decoding.max_tokens`` tokens per configuration. Missing configurations are not
    replaced: each is an unparseable or truncated proposal.

    Args:
        problem: Problem to optimize.
        requests: Builds the request, one per warm start.
        chat_settings: Model, prompt and decoding: in the JSON modes the reply is an object that
            holds the list.
        context: "none", "partial" or "full".
        count: Number of configurations requested.
    """

    def __init__(
        self,
        problem: Problem,
        requests: Requests,
        chat_settings: ChatSettings,
        context: str,
        count: int,
    ) -> None:
        prompt, decoding = chat_settings.prompt, chat_settings.decoding
        self._requests, self._chat, self._decoding = requests, chat_settings.chat, decoding
        self._reasoning, self._count = prompt.reasoning, count
        self._context = "none" if prompt.context == "none" else context
        told = prompt.told(problem)
        self._short, problem = told.short, told.problem
        self._schema = (
            list_schema(json_schema(problem.space, decoding.schema), LIST_KEY, count, prompt.reasoning)
            if decoding.mode == "json_schema"
            else None
        )
        self._text = self._prompt_text(problem, prompt)

    def ask(self) -> list[Proposal]:
        """``count`` proposals, parsed from one reply; the first one reports the cost."""
        completion = self._chat.complete([self._request()])[0]
        last = self._reasoning and self._decoding.mode == "free"
        parsed = parse_list(completion, self._count, last)
        costs = [completion.usage] + [Usage()] * (self._count - 1)
        note = f"warm start: {'no' if self._context == 'none' else self._context} context"
        return [
            Answer(completion, one, short_names=self._short).proposal(cost, note)
            for one, cost in zip(parsed, costs, strict=True)
        ]

    def _request(self) -> ChatRequest:
        plain = self._requests.plain([Message("user", self._text)], self._requests.longest(self._count))
        return dataclasses.replace(plain, mode=self._decoding.mode, schema=self._schema)

    def _prompt_text(self, problem: Problem, prompt: Prompt) -> str:
        known = problem.description
        description = {"none": Description(), "partial": Description(model=known.model), "full": known}[self._context]
        form = f"[{placeholder(problem)}, ...]"
        if self._decoding.mode != "free":
            reasoning = '"reasoning": "...", ' if prompt.reasoning else ""
            form = f'{{{reasoning}"{LIST_KEY}": {form}}}'
        macros: Any = template("llambo")
        contexts = problem.contexts if self._context == "full" else dict.fromkeys(problem.contexts, "")
        told = dataclasses.replace(problem, description=description, contexts=contexts)
        objective = None if self._context == "none" else problem.objectives[0]
        nullable = any(None in Choices(each).forms for each in problem.space.values() if has_choices(each))
        lines = space_lines(problem)
        return str(macros.warm_start(told, prompt, lines, objective, self._count, form, nullable)).strip()


def parse_list(completion: Completion, count: int, last: bool) -> list[Parsed]:
    """Parse a reply that should list ``count`` configurations.

    Each outermost JSON object is one, wherever it is: in a list, numbered, in fences or in prose. An object with
    the key ``configurations`` holds them instead. Surplus ones are left out and missing ones are unparseable; both
    are noted.

    Args:
        completion: The reply; untrusted.
        count: Number of configurations requested.
        last: If there are too many, use the last ones, because the model reasoned first.

    Returns:
        Exactly ``count``, in the reply's order, missing ones at the end.
    """
    pieces = object_texts(completion.text, ANSWER_KEY)
    for piece in pieces:
        start = piece.find(f'"{LIST_KEY}"')
        if start >= 0 and _holds_list(piece):
            pieces = object_texts(piece[start:])
            break
    kept = pieces[-count:] if last else pieces[:count]
    note = None if len(pieces) == count else f"{len(pieces)} configurations in the reply, not {count}"
    parsed = [parse_reply(piece, "stop") for piece in kept]
    missing = Parsed(None, truncated=completion.finish_reason == LENGTH)
    parsed += [missing] * (count - len(parsed))
    return [
        dataclasses.replace(one, note=", ".join(text for text in (note, one.note) if text) or None) for one in parsed
    ]


def _holds_list(piece: str) -> bool:
    """Whether an object holds the list; an unreadable item does not invalidate the others."""
    try:
        return isinstance(json.loads(piece).get(LIST_KEY), list)
    except (ValueError, RecursionError):  # a number with too many digits, or nested too deep
        return True
