"""Settings of all language-model methods: model, prompt and decoding."""

from __future__ import annotations

from dataclasses import dataclass

from harness.chat import ChatModel
from harness.signature import spread
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt


@spread
@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Settings of a method's language model.

    Attributes:
        chat: The model.
        prompt: Contents of the prompt.
        decoding: Sampling of the replies.
        temperature: The method's default; ``decoding.temperature`` overrides it.
    """

    chat: ChatModel
    prompt: Prompt
    decoding: Decoding
    temperature: float

    @property
    def sampling_temperature(self) -> float:
        """Temperature of requests for configurations."""
        return self.temperature if self.decoding.temperature is None else self.decoding.temperature
