"""From a reply to a configuration. A reply is untrusted text: parsed as JSON, never evaluated.

The rules, in order:

1. A reply that is one JSON object is that object. Code fences and prose around an object are allowed, and noted.
2. Of several objects the first is taken (the last, where the model was asked to reason first), and it is noted.
3. An object with a key twice, or nested deeper than ``harness.objects.MOST_LEVELS``, is no configuration.
4. A member of an object that was cut off or is broken is no answer, except under ``ANSWER_KEY``.
5. Without an object the reply is unparseable; truncated, if it hit its token limit before any was whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.chat import LENGTH
from harness.objects import find_answers

ANSWER_KEY = "configuration"
"""Where a reply must be JSON from its first character on can hold more, this key holds the configuration."""
REASONING_KEY = "reasoning"
"""Where a reply must be one object, this key holds the reasoning that was asked for."""

_FENCE = re.compile(r"```\w*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A configuration or None, and how it was found.

    Attributes:
        params: The object, as written.
        truncated: No object was whole when the reply was cut off.
        note: What stood around it, or why there is none; None for a bare object.
        reason: The reasoning that was asked for, as text; None where there is no object, or none was asked for.
    """

    params: dict[str, Any] | None
    truncated: bool = False
    note: str | None = None
    reason: str | None = None


def parse_reply(text: str, finish_reason: str | None, last: bool = False, key: str | None = None) -> Parsed:
    """Find the configuration in a reply.

    Args:
        text: The raw reply.
        finish_reason: "length" if the reply was cut off.
        last: Of several objects, take the last; reasoning was asked for before it.
        key: The configuration is the value of this key of the object, where there is one, and reasoning was asked for
            under another.
    """
    answers = find_answers(text, ANSWER_KEY)
    objects, twins = answers.objects, answers.twins
    if not objects:
        truncated = finish_reason == LENGTH and not answers.unreadable
        return Parsed(None, truncated, f"the key {twins!r} stands twice in the object" if twins else None)
    start, end, found = objects[-1 if last else 0]
    notes = []
    if len(objects) > 1:
        notes.append(f"{len(objects)} objects, the {'last' if last else 'first'} taken")
    around = _FENCE.sub("", text[:start] + text[end:]) if len(objects) == 1 else ""
    if "```" in text:
        notes.append("code fence")
    if around.strip():
        notes.append("text around the object")
    stated = None if key is None else found.get(REASONING_KEY)
    reason = _reason(text[:start], text[end:], stated) if last or key is not None else None
    if key is not None and isinstance(found.get(key), dict):
        found = found[key]
    return Parsed(found, note=", ".join(notes) or None, reason=reason)


def _reason(before: str, after: str, stated: Any) -> str | None:
    """What the reply states as its reasoning; else what stands before the object, or after it if nothing does."""
    texts = (stated if isinstance(stated, str) else "", before, after)
    return next((bare for text in texts if (bare := _FENCE.sub("", text).strip())), None)
