"""Build requests from conversations: decoding mode, schema, temperature and seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.chat import ChatRequest, Message
from harness.problem import Fidelity, Problem
from llms.schema import REASONING, closed_object, fidelity_schema, json_schema, with_optional
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.parse import ANSWER_KEY
from optimizers.chat.prompt import FIDELITY_KEY

REASONING_TOKENS = 200
"""Token limit of requested reasoning, added to ``decoding.max_tokens``; a schema allows it 400 characters."""


class Requests:
    """Builds the requests of one optimizer.

    Args:
        problem: Its space defines the schema.
        settings: Temperature, decoding mode, token limits, and whether reasoning is requested.
        seed: Seeds one generator; each request takes its sampling seed from it, in order.
        top_p: The method's nucleus sampling probability.
        fidelities: Fidelities that may be given with a configuration.
    """

    def __init__(
        self,
        problem: Problem,
        settings: ChatSettings,
        seed: int,
        top_p: float = 1.0,
        fidelities: Sequence[Fidelity] = (),
    ) -> None:
        decoding, reasoning = settings.decoding, settings.prompt.reasoning
        self._decoding, self._temperature = decoding, settings.sampling_temperature
        self._top_p = top_p
        self._rng = np.random.default_rng(seed)
        self._reasoning_tokens = REASONING_TOKENS if reasoning else 0
        self.reasoned = reasoning and decoding.mode != "free"
        """Whether the reply is an object that also holds the reasoning."""
        configuration = self._schema_of(problem, fidelities) if decoding.mode == "json_schema" else {}
        # Servers such as OpenAI's accept anyOf everywhere except at the root.
        self.wrapped = self.reasoned or "anyOf" in configuration
        """Whether the configuration is under a key of the reply."""
        self._schema = self._reply_schema(configuration) if configuration else None

    def build(self, messages: Sequence[Message]) -> ChatRequest:
        """The next request for a configuration."""
        return ChatRequest(
            tuple(messages),
            self._decoding.mode,
            self._schema,
            self._temperature,
            self.longest(),
            int(self._rng.integers(2**31)),
            self._top_p,
            thinking_tokens=self._decoding.thinking_tokens,
        )

    def longest(self, count: int = 1) -> int:
        """Token limit of a reply with ``count`` configurations; ``decoding.max_tokens`` is the limit for one."""
        return count * self._decoding.max_tokens + self._reasoning_tokens

    def plain(
        self, messages: Sequence[Message], max_tokens: int, temperature: float | None = None, top_logprobs: int = 0
    ) -> ChatRequest:
        """The next request for another answer, in free text regardless of the decoding mode."""
        return ChatRequest(
            tuple(messages),
            temperature=self._temperature if temperature is None else temperature,
            max_tokens=max_tokens,
            seed=int(self._rng.integers(2**31)),
            top_p=self._top_p,
            top_logprobs=top_logprobs,
            thinking_tokens=self._decoding.thinking_tokens,
        )

    def _schema_of(self, problem: Problem, fidelities: Sequence[Fidelity]) -> dict[str, Any]:
        schema = json_schema(problem.space, self._decoding.schema)
        if fidelities:
            schema = with_optional(schema, FIDELITY_KEY, fidelity_schema(fidelities))
        return schema

    def _reply_schema(self, configuration: dict[str, Any]) -> dict[str, Any]:
        if not self.wrapped:
            return configuration
        return closed_object(({"reasoning": REASONING} if self.reasoned else {}) | {ANSWER_KEY: configuration})
