"""The settings that every language-model method has: who answers, what it is told, how its replies are sampled."""

from __future__ import annotations

from dataclasses import dataclass

from harness.chat import ChatModel
from harness.signature import spread
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt


@spread
@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What the YAML file of a method says of its model.

    Attributes:
        chat: Who answers.
        prompt: What it is told.
        decoding: How its replies are sampled.
        temperature: The method's own; ``decoding.temperature`` overrides it.
    """

    chat: ChatModel
    prompt: Prompt
    decoding: Decoding
    temperature: float

    @property
    def sampling_temperature(self) -> float:
        """That of a configuration's request."""
        return self.temperature if self.decoding.temperature is None else self.decoding.temperature
