"""Examples in a prompt, as the text of one message or as the turns of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from harness.chat import Message
from optimizers.chat.fitting import Talk

Style = Literal["message", "turns"]
STYLES: tuple[str, ...] = get_args(Style)


def few_shot(head: str, examples: Sequence[tuple[str, str]], query: str, style: Style) -> Talk:
    """A prompt with a task, examples with answers, and a question.

    Small instruct models continue a pattern of turns, but comment on a pattern of lines.

    Args:
        head: Text before the examples.
        examples: Questions, each with its answer.
        query: The question to answer.
        style: "message" puts everything into one message; "turns" presents the examples as turns of a conversation.
    """
    if style == "message":
        return "\n\n".join([head, *(f"{question} {answer}" for question, answer in examples), query])
    questions = [question for question, _ in examples] + [query]
    questions[0] = f"{head}\n\n{questions[0]}"
    asked = [Message("user", question) for question in questions]
    said = [Message("assistant", answer) for _, answer in examples]
    return [turn for pair in zip(asked, said, strict=False) for turn in pair] + [asked[-1]]
