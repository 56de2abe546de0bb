"""How replies are decoded: the ``decoding`` group of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from harness.chat import Mode, SchemaForm
from harness.errors import SettingError, unknown


@dataclass(frozen=True, slots=True)
class Decoding:
    """Format and sampling of replies.

    Attributes:
        mode: ``free`` text, any JSON object (``json_object``), or an object of the search space's JSON schema
            (``json_schema``, see ``llms.schema``).
        max_tokens: Limit of the reply in tokens; a longer one is truncated with finish reason "length". With several
            configurations per reply the limit holds for each, and requested reasoning gets additional tokens
            (``optimizers.chat.request``).
        temperature: Overrides the method's temperature; None keeps it.
        thinking_tokens: Limit of the thinking part of a reasoning model, in addition to ``max_tokens``. None: no
            separate limit; thinking then counts towards ``max_tokens``.
        schema: With ``json_schema``, whether the schema expresses conditions and forbidden combinations
            (``branches``) or not (``flat``); see ``llms.schema``.

    Raises:
        SettingError: A value is invalid.
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
