"""Prompts with a history, sent so that they fit the model's context: the oldest part of the history is left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.chat import ChatModel, ChatRequest, Completion, Message
from harness.errors import ContextError

Talk = str | Sequence[Message]
"""Prompt of a request: one user message, or a conversation."""


@dataclass(frozen=True, slots=True)
class PromptWithHistory:
    """A prompt that can be written with a part of its history.

    Attributes:
        entries: What the prompt tells of earlier trials; what matters least comes first.
        write: The prompt that tells the given entries, which may be none.
    """

    entries: Sequence[Any]
    write: Callable[[Sequence[Any]], Talk]

    def messages(self, left_out: int) -> tuple[Message, ...]:
        """The messages without the first ``left_out`` entries."""
        return messages_of(self.write(self.entries[left_out:]))


class Fitting:
    """Sends requests; where the server refuses a prompt as too long, half of its history is left out.

    Of the entries that the prompt still tells, the first half (rounded up) is left out, again and again until the
    server takes the prompt or nothing is left to leave out. What was left out stays out of all later prompts, so that
    these share their prefix and the server is not asked in vain each time. The rule needs no count of tokens, so it
    is the same with every server; a server that cuts prompts without a word cannot be noticed.

    Args:
        chat: Chat model. Of a batch that it refuses in part, it answers the others again at no cost (``Recorder``).
    """

    def __init__(self, chat: ChatModel) -> None:
        self._chat = chat
        self.left_out = 0
        """Number of entries at the start of the history that are left out."""

    def complete(
        self, talks: Sequence[Talk | PromptWithHistory], build: Callable[[Sequence[Message]], ChatRequest]
    ) -> list[Completion]:
        """One completion per prompt, in order; all requests are sent at once.

        Args:
            talks: The prompts.
            build: Makes the request of a prompt; called once per prompt, in order.

        Raises:
            ContextError: A prompt without any history does not fit.
            ServerError: The server is not reachable.
            ModelError: The server refuses a request for another reason.
        """
        left_out = [self.left_out] * len(talks)
        requests = [build(_messages(talk, self.left_out)) for talk in talks]
        while True:
            try:
                completions = self._chat.complete(requests)
            except ContextError as error:
                for place in error.places or range(len(talks)):
                    left_out[place] = _shorter(talks[place], left_out[place], error)
                    shorter = _messages(talks[place], left_out[place])
                    requests[place] = dataclasses.replace(requests[place], messages=shorter)
            else:
                self.left_out = max(self.left_out, *left_out)
                return completions


def messages_of(talk: Talk) -> tuple[Message, ...]:
    """The messages of a prompt."""
    return (Message("user", talk),) if isinstance(talk, str) else tuple(talk)


def _messages(talk: Talk | PromptWithHistory, left_out: int) -> tuple[Message, ...]:
    return talk.messages(left_out) if isinstance(talk, PromptWithHistory) else messages_of(talk)


def _shorter(talk: Talk | PromptWithHistory, left_out: int, error: ContextError) -> int:
    """The number of entries to leave out after a refusal, which is raised again if all are left out already."""
    told = len(talk.entries) - left_out if isinstance(talk, PromptWithHistory) else 0
    if told <= 0:
        raise error
    return left_out + (told + 1) // 2
