"""Parse a reply to a configuration. A reply is untrusted text: parsed as JSON, never evaluated.

The rules, in order:

1. A reply that is one JSON object is that object. Code fences and prose around an object are allowed, and noted.
2. Of several objects the first is used (the last, if the model was asked to reason first), and this is noted.
3. An object with a duplicate key, or nested deeper than ``harness.objects.MOST_LEVELS``, is not a configuration.
4. A member of a truncated or broken object is not an answer, except under ``ANSWER_KEY``.
5. Without an object the reply is unparseable; truncated, if it reached its token limit before any was complete.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.chat import LENGTH
from harness.objects import find_answers

ANSWER_KEY = "configuration"
"""Key of the configuration in a JSON reply with other members."""
REASONING_KEY = "reasoning"
"""Key of the requested reasoning in a reply that must be one object."""

_FENCE = re.compile(r"```\w*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A configuration or None, and notes on the reply.

    Attributes:
        params: The object, as written.
        truncated: The reply was truncated before an object was complete.
        note: Text or objects around it, or why there is none; None for a bare object.
        reason: The requested reasoning, as text; None without an object or a request.
    """

    params: dict[str, Any] | None
    truncated: bool = False
    note: str | None = None
    reason: str | None = None


def parse_reply(text: str, finish_reason: str | None, last: bool = False, key: str | None = None) -> Parsed:
    """Find the configuration in a reply.

    Args:
        text: The raw reply.
        finish_reason: "length" if the reply was truncated.
        last: Of several objects, use the last; reasoning was requested before it.
        key: The configuration is the value of this key of the object, if it exists, and reasoning was requested
            under another key.
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
    """The reasoning that the reply states; else the text before the object, or after it if there is none before."""
    texts = (stated if isinstance(stated, str) else "", before, after)
    return next((bare for text in texts if (bare := _FENCE.sub("", text).strip())), None)
