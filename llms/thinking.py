"""The thinking part of a reasoning model's reply, told apart from the answer."""

from __future__ import annotations

from collections.abc import Sequence

from harness.chat import Token
from harness.errors import SettingError

Tags = tuple[str, str]
TAGS: Tags = ("<think>", "</think>")
"""What most open models write around their thinking."""


def checked_tags(tags: Sequence[str] | None) -> Tags | None:
    """The setting ``llm.thinking_tags`` as a pair.

    Raises:
        SettingError: It is neither a pair of texts nor None, or the closing one is empty.
    """
    if tags is None:
        return None
    pair = tuple(tags)
    if isinstance(tags, str) or len(pair) != 2 or not all(isinstance(tag, str) for tag in pair) or not pair[1]:
        raise SettingError(f"llm.thinking_tags is {tags!r}; give two texts such as [<think>, </think>], or null.")
    return pair[0], pair[1]


def split_thinking(text: str, tags: Tags | None) -> tuple[str | None, str]:
    """Thinking and answer of a reply in which the server left both.

    The opening tag may stand in the chat template, so that only the closing one is in the reply. Where neither is, a
    reply that was cut off inside the thinking looks like an answer; with "" for the opening tag it is all thinking.

    Returns:
        The thinking part without its tags, None if there is none or it is blank; and the answer, "" if the reply ends
        inside the thinking.
    """
    if tags is None:
        return None, text
    opening, closing = tags
    thinking, closed, answer = text.partition(closing)
    if not closed and not text.lstrip().startswith(opening):
        return None, text
    return _unless_blank(thinking.lstrip().removeprefix(opening)), answer.lstrip()


def read_message(message: object, tags: Tags | None) -> tuple[str | None, str]:
    """Thinking and answer of a ``message`` as a server sent it: split by the server, else by the tags.

    vLLM 0.32 and OpenRouter call the thinking part ``reasoning``, DeepSeek and Alibaba ``reasoning_content``.
    """
    fields = message if isinstance(message, dict) else {}
    content = fields.get("content")
    text = content if isinstance(content, str) else ""
    for name in ("reasoning", "reasoning_content"):
        if isinstance(fields.get(name), str) and fields[name].strip():
            return fields[name], text.lstrip()
    return split_thinking(text, tags)


def answer_tokens(tokens: Sequence[Token], answer: str) -> tuple[Token, ...] | None:
    """The last of a reply's tokens, as many as the answer is written in.

    Returns:
        They and what follows them (the end-of-turn token); None where the tokens do not spell the answer, as characters
        that are spread over several of them may not.
    """
    if not (wanted := answer.strip()):
        return ()
    text = ""
    for start in reversed(range(len(tokens))):
        text = tokens[start].text + text
        if wanted in text:
            return tuple(tokens[start:])
    return None


def _unless_blank(text: str) -> str | None:
    return text if text.strip() else None
