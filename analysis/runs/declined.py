"""Detect refusals with a short list of phrases, which finds plain refusals only."""

from __future__ import annotations

import re

from harness.objects import find_objects

PHRASES = (
    "I cannot",
    "I can't",
    "I can not",
    "I am unable",
    "I'm unable",
    "I am not able",
    "I'm not able",
    "I will not",
    "I won't",
    "I must decline",
    "I decline",
    "I refuse",
    "I am sorry",
    "I'm sorry",
    "Sorry, I",
    "Sorry, but",
    "I apologize",
    "I apologise",
    "As an AI",
    "As a language model",
    "As a large language model",
)
"""Beginnings of a refusal, in any case, with an optional "Unfortunately, " and straight or curly apostrophes."""

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07\u00b4`", "'"))
_DECLINES = re.compile(rf"\W*(?:unfortunately,? )?(?:{'|'.join(map(re.escape, PHRASES))})\b", re.IGNORECASE)
_BEGINNING_CHARACTERS = 200


def is_refusal(reply: str) -> bool:
    """Whether a reply begins with one of the ``PHRASES`` and holds no JSON object.

    Characters before the first word (quotation marks, line breaks) and the spacing of words are ignored.

    Args:
        reply: Untrusted text.
    """
    beginning = " ".join(reply[:_BEGINNING_CHARACTERS].translate(_APOSTROPHES).split())
    if _DECLINES.match(beginning) is None:
        return False
    found = find_objects(reply)
    return not found.objects and found.twins is None
