"""The model that answers while a language-model method is checked: no server, and every kind of reply."""

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
    """A chat model whose reply is a function of the request alone; it never stands in a run.

    It proposes configurations of a space as a hash of the prompt decides, several where the prompt shows the form of a
    list, and with a fault now and then: a made-up hyperparameter, a missing one, no configuration at all. Where the
    prompt asks for a number between ##, it answers one, with log-probabilities if they are asked for, and with nonsense
    now and then.

    Args:
        space: Of the problem that is optimized; read, never changed.

    Attributes:
        requests: Those it has answered, in order.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self._space = copy.deepcopy(space)
        self._read = Decoder(self._space)
        self.requests: list[ChatRequest] = []

    def prepare(self) -> None:
        """Nothing is to be started."""

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """One reply a request, in order."""
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
        """A number from 0 to 1, or the nearer digit with the log-probabilities of both; one reply in five is none."""
        chance = key % 1009 / 1009
        words = ["Hm", "."] if key % 5 == 0 else ["##", f" {round(chance) if logprobs else f'{chance:.4f}'}", " ##"]
        top = {" 0": math.log(1.001 - chance), " 1": math.log(0.001 + chance), "##": -9.0}
        usage = Usage(1, 100, 0, len(words), 0.25)
        tokens = tuple(Token(word, top) for word in words) if logprobs else None
        return Completion("".join(words), "stop", usage, len(self.requests) - 1, tokens=tokens)


def models_in(settings: Any, llm: Any) -> list[Any]:
    """The configurations of language models among an optimizer's settings: ``${llm}``, and those like one."""
    if isinstance(settings, Mapping):
        if (llm is not None and settings == llm) or (TARGET in settings and set(settings) >= ANSWERED):
            return [settings]
        return [found for value in settings.values() for found in models_in(value, llm)]
    return [found for value in settings for found in models_in(value, llm)] if isinstance(settings, list) else []


def with_model(settings: Any, llm: Any, chat: StandIn) -> Any:
    """An optimizer's settings, with a model that answers at once in place of each that would have to be served."""
    if isinstance(settings, Mapping):
        if models_in(settings, llm) == [settings]:
            return chat
        return {key: with_model(value, llm, chat) for key, value in settings.items()}
    return [with_model(value, llm, chat) for value in settings] if isinstance(settings, list) else settings
