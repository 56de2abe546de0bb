"""Read a server's ``message`` in any of its formats: answer, thinking part and refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llms.wire.thinking import Tags, split_thinking

REASONING = ("reasoning", "reasoning_content")
"""vLLM 0.32 and OpenRouter call the thinking part ``reasoning``, DeepSeek and Alibaba ``reasoning_content``."""
THINKING_PARTS = ("thinking", "reasoning", "reasoning_text", "reasoning_content")
"""Types of content parts that hold thinking: Mistral and Anthropic use ``thinking``."""


@dataclass(frozen=True, slots=True)
class Said:
    """The content of a message.

    Attributes:
        text: The answer; "" if there is none.
        thinking: The thinking part; None if there is none.
        refusal: Why the model declines, if the server reports that separately.
        whole: Whether these fields hold everything that was sent; if not, the message itself must be kept.
    """

    text: str
    thinking: str | None = None
    refusal: str | None = None
    whole: bool = True


@dataclass(slots=True)
class _Parts:
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)


def read_message(message: object, tags: Tags | None) -> Said:
    """Read a message whose content is a string, null, a part, or a list of parts.

    Args:
        message: As sent; usually an object. Any other value is read as a content.
        tags: Tags around a thinking part that the server did not split off.

    Raises:
        ValueError: The content has none of these formats.
    """
    fields = message if isinstance(message, dict) else {"content": message}
    parts = _Parts()
    _collect(fields.get("content"), parts)
    apart = [_flat(fields.get(name)) for name in REASONING]
    thoughts = [text for text in dict.fromkeys([*apart, *parts.thinking]) if text.strip()]
    content = "".join(parts.text)
    if thoughts and tags is not None and not tags[0] and tags[1] not in content:
        tags = None  # the thinking is in another field, so the content is not truncated thinking
    inside, text = split_thinking(content, tags)
    thinking = "\n\n".join([*thoughts, inside] if inside else thoughts) or None
    told = [text for text in (_flat(fields.get("refusal")), *parts.refusal) if text.strip()]
    said = Said(text if thinking is None else text.lstrip(), thinking, "\n\n".join(told) or None)
    whole = isinstance(message, dict) and _is_whole(message, said, tags)
    return Said(said.text, said.thinking, said.refusal, whole)


def _collect(content: Any, parts: _Parts) -> None:
    if content is None:
        return
    if isinstance(content, str):
        parts.text.append(content)
    elif isinstance(content, list):
        for part in content:
            _collect_part(part, parts)
    elif isinstance(content, dict) and ("type" in content or "text" in content):
        _collect_part(content, parts)
    else:
        raise ValueError(f"content of type {type(content).__name__}")


def _collect_part(part: Any, parts: _Parts) -> None:
    """Add one part; a part without text (an image, a tool call) is ignored."""
    fields: Mapping[str, Any] = part if isinstance(part, dict) else {"text": part}
    kind = fields.get("type")
    if kind in THINKING_PARTS:
        parts.thinking.append(_flat([fields.get(name) for name in ("thinking", "reasoning", "text", "content")]))
    elif kind == "refusal":
        parts.refusal.append(_flat(fields.get("refusal")))
    else:
        parts.text.append(_flat(fields.get("text")))


def _flat(value: Any) -> str:
    """The text of a value that is a string or holds parts with strings."""
    if isinstance(value, list):
        return "".join(_flat(item) for item in value)
    if isinstance(value, dict):
        return _flat(value.get("text", value.get("value")))
    return value if isinstance(value, str) else ""


def _is_whole(message: Mapping[str, Any], said: Said, tags: Tags | None) -> bool:
    """Whether answer and thinking hold the whole message, except for surrounding white space."""
    rest = {name: value for name, value in message.items() if value not in (None, "", [], {})}
    thinking = said.thinking or ""
    apart = [name for name in REASONING if rest.get(name) == thinking]
    for name in apart:
        del rest[name]
    opening, closing = ("", "") if apart or not thinking or tags is None else tags
    within = "" if apart else thinking
    forms = {f"{start}{within}{end}{said.text}" for start in (opening, "") for end in (closing, "")}
    content = rest.pop("content", "")
    spelt = isinstance(content, str) and _squeezed(content) in map(_squeezed, forms)
    return spelt and rest.pop("role", "assistant") == "assistant" and not rest


def _squeezed(text: str) -> str:
    return "".join(text.split())
