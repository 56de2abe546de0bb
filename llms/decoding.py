"""How replies are decoded: the ``decoding`` group of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from harness.chat import Mode, SchemaForm
from harness.errors import SettingError, unknown


@dataclass(frozen=True, slots=True)
class Decoding:
    """What a reply may look like, and how it is sampled.

    Attributes:
        mode: ``free`` text, any JSON object (``json_object``), or an object of the search space's JSON schema
            (``json_schema``, see ``llms.schema``).
        max_tokens: Longest reply in tokens; a longer one is cut off and its finish reason is "length". Several
            configurations in one reply may take as many each, and reasoning that is asked for has room of its own
            (``optimizers.chat.request``).
        temperature: Overrides the method's own; None keeps it.
        thinking_tokens: Longest thinking part of a reasoning model, on top of ``max_tokens``; None sets it no limit of
            its own: it then counts within ``max_tokens``.
        schema: Under ``json_schema``, whether the schema says conditions and forbidden combinations (``branches``) or
            not (``flat``); see ``llms.schema``.

    Raises:
        SettingError: A value that no server could be asked for.
    """

    mode: Mode = "free"
    max_tokens: int = 200
    temperature: float | None = None
    thinking_tokens: int | None = None
    schema: SchemaForm = "branches"

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise unknown("decoding.mode", self.mode, get_args(Mode))
        if self.schema not in get_args(SchemaForm):
            raise unknown("decoding.schema", self.schema, get_args(SchemaForm))
        if type(self.max_tokens) is not int or self.max_tokens < 1:
            raise SettingError(f"decoding.max_tokens is {self.max_tokens!r}; give a whole number from 1, e.g. 200.")
        number = isinstance(self.temperature, int | float) and not isinstance(self.temperature, bool)
        if self.temperature is not None and not (number and 0 <= self.temperature <= 2):
            raise SettingError(
                f"decoding.temperature is {self.temperature!r}; give a number from 0 to 2, or null for the method's."
            )
        thinking = self.thinking_tokens
        if thinking is not None and (type(thinking) is not int or thinking < 0):
            raise SettingError(f"decoding.thinking_tokens is {thinking!r}; give a whole number from 0, or null.")
