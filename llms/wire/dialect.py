"""Request fields whose names differ between servers; the rest of the OpenAI protocol is the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from harness.chat import ChatRequest
from harness.errors import SettingError, unknown
from llms.wire.thinking import TAGS, Tags

MaxTokensField = Literal["max_tokens", "max_completion_tokens"]
MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens")
TAKEN = frozenset(
    {"model", "messages", "temperature", "seed", "top_p", "logprobs", "top_logprobs", "response_format"}
).union(MAX_TOKENS_FIELDS)
"""Request fields that already have another meaning."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Field names of one server.

    Attributes:
        max_tokens_field: Field for the limit of the reply, thinking included.
        thinking_field: Field for the limit of the thinking part, in tokens; dots lead into objects
            (``reasoning.max_tokens``). None: the number of thinking tokens cannot be limited.
        thinking_tags: Tags around the thinking part of a reply that the server does not split itself.
        tokenize_url: URL at which vLLM counts the tokens of a text; None if there is none.

    Raises:
        SettingError: A field does not exist or has another meaning.
    """

    max_tokens_field: MaxTokensField = "max_tokens"
    thinking_field: str | None = None
    thinking_tags: Tags | None = TAGS
    tokenize_url: str | None = None

    def __post_init__(self) -> None:
        if self.max_tokens_field not in MAX_TOKENS_FIELDS:
            raise unknown("llm.max_tokens_field", self.max_tokens_field, MAX_TOKENS_FIELDS)
        field = self.thinking_field
        if field is not None and (not isinstance(field, str) or not all(field.split(".")) or field in TAKEN):
            raise SettingError(
                f"llm.thinking_field is {field!r}; give the server's field for the limit of thinking tokens, e.g. "
                "thinking_token_budget, or null."
            )

    def check(self, request: ChatRequest) -> None:
        """Refuse a limit that the server would silently ignore.

        Raises:
            SettingError: The thinking part shall be limited, but the server has no field for it.
        """
        if request.thinking_tokens is not None and self.thinking_field is None:
            raise SettingError(
                f"decoding.thinking_tokens is {request.thinking_tokens}, but this server has no field for it; set "
                "llm.reasoning_parser for a local vLLM server (e.g. qwen3) or llm.thinking_field for "
                "another server, or decoding.thinking_tokens=null."
            )

    def body(self, model: str, request: ChatRequest) -> dict[str, Any]:
        """The request as keyword arguments of ``openai``'s ``chat.completions.create``."""
        thinking = request.thinking_tokens
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": turn.role, "content": encodable(turn.content)} for turn in request.messages],
            "temperature": request.temperature,
            self.max_tokens_field: request.max_tokens + (thinking or 0),
        }
        if request.seed is not None:
            body["seed"] = request.seed
        if request.top_p != 1:
            body["top_p"] = request.top_p
        if request.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        if thinking is not None and self.thinking_field is not None:
            body["extra_body"] = _nested(self.thinking_field, thinking)
        if request.mode == "json_object":
            body["response_format"] = {"type": "json_object"}
        elif request.mode == "json_schema":
            schema = {"name": "configuration", "schema": dict(request.schema or {}), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body


def encodable(text: str) -> str:
    """The text with lone surrogates replaced, which UTF-8 cannot encode; an earlier reply may have held one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _nested(path: str, value: int) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    return {first: _nested(rest, value) if rest else value}
