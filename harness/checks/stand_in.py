"""A stand-in model for checks of language-model methods, without a server."""

from __future__ import annotations

import copy
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from ConfigSpace import ConfigurationSpace

from harness.chat import ChatRequest, Completion, Token
from harness.space import Decoder
from harness.trial import Usage
from harness.trust import ANSWERED
from harness.values import TARGET


class StandIn:
    """A chat model whose reply depends only on the request; never used in a run.

    It proposes configurations of a space according to a hash of the prompt, several if the prompt shows a list format,
    with occasional faults: an invented hyperparameter, a missing one, or no configuration. If the prompt asks for a
    number between ##, it returns one, with log-probabilities if requested, and sometimes nonsense.

    Args:
        space: The problem's space; it is not changed.

    Attributes:
        requests: The answered requests, in order.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self._space = copy.deepcopy(space)
        self._read = Decoder(self._space)
        self.requests: list[ChatRequest] = []

    def prepare(self) -> None:
        """Do nothing."""

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """Return one reply per request, in order."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: ChatRequest) -> Completion:
        self.requests.append(request)
        key = zlib.crc32(repr((request.messages, request.seed)).encode())
        text = request.messages[0].content
        if "in the format ## " in text:
            return self._number(key, request.top_logprobs > 0)
        if "}, ...]" in text:
            reply = f"[{', '.join(self._configuration(key + i) for i in range(3 + key % 4))}]"
        elif key % 4 == 1:
            reply = "I would rather not say."
        else:
            reply = f"Sure: {self._configuration(key)}"
        characters = sum(len(message.content) for message in request.messages)
        return Completion(reply, "stop", Usage(1, characters // 4, 0, len(reply) // 4, 0.25), len(self.requests) - 1)

    def _configuration(self, key: int) -> str:
        self._space.seed(key % 2**32)
        params: dict[str, Any] = self._read(self._space.sample_configuration())
        if key % 4 == 2:
            params["made_up"] = 1
        if key % 4 == 3:
            params.popitem()
        return json.dumps(params)

    def _number(self, key: int, logprobs: bool) -> Completion:
        """A number from 0 to 1, or the nearer digit with log-probabilities of both; one reply in five has no number."""
        chance = key % 1009 / 1009
        words = ["Hm", "."] if key % 5 == 0 else ["##", f" {round(chance) if logprobs else f'{chance:.4f}'}", " ##"]
        top = {" 0": math.log(1.001 - chance), " 1": math.log(0.001 + chance), "##": -9.0}
        usage = Usage(1, 100, 0, len(words), 0.25)
        tokens = tuple(Token(word, top) for word in words) if logprobs else None
        return Completion("".join(words), "stop", usage, len(self.requests) - 1, tokens=tokens)


def models_in(settings: Any, llm: Any) -> list[Any]:
    """The configurations of language models in an optimizer's settings: ``${llm}`` and similar ones."""
    if isinstance(settings, Mapping):
        if (llm is not None and settings == llm) or (TARGET in settings and set(settings) >= ANSWERED):
            return [settings]
        return [found for value in settings.values() for found in models_in(value, llm)]
    return [found for value in settings for found in models_in(value, llm)] if isinstance(settings, list) else []


def with_model(settings: Any, llm: Any, chat: StandIn) -> Any:
    """An optimizer's settings, with stand-ins instead of models that need a server."""
    if isinstance(settings, Mapping):
        if models_in(settings, llm) == [settings]:
            return chat
        return {key: with_model(value, llm, chat) for key, value in settings.items()}
    return [with_model(value, llm, chat) for value in settings] if isinstance(settings, list) else settings
