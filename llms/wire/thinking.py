"""Separate the thinking part of a reasoning model's reply from the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.chat import Token
from harness.errors import SettingError
from harness.objects import find_objects

Tags = tuple[str, str]
TAGS: Tags = ("<think>", "</think>")
"""The tags that most open models write around their thinking."""

Mark = tuple[int, int, bool]
"""Start and end of a tag in the reply, and whether it opens."""


def checked_tags(tags: Sequence[str] | None) -> Tags | None:
    """The setting ``llm.thinking_tags`` as a pair.

    Raises:
        SettingError: It is neither a pair of strings nor None, or the closing tag is empty.
    """
    if tags is None:
        return None
    pair = tuple(tags)
    if isinstance(tags, str) or len(pair) != 2 or not all(isinstance(tag, str) for tag in pair) or not pair[1]:
        raise SettingError(f"llm.thinking_tags is {tags!r}; give two texts such as [<think>, </think>], or null.")
    return pair[0], pair[1]


def split_thinking(text: str, tags: Tags | None) -> tuple[str | None, str]:
    """Split a reply that holds both thinking and answer.

    There may be several thinking parts, also nested ones; the answer is the text outside of all of them. A tag in a
    string of a complete JSON object belongs to the object. The first opening tag may be in the chat template, so that
    only the closing one is in the reply; without either, a reply that was truncated while thinking looks like an
    answer. With "" as the opening tag, everything up to the last closing tag is thinking. An opening tag that is never
    closed begins a last thinking part if it begins a line or follows another part; elsewhere it is ordinary text.

    Returns:
        The thinking parts without tags, separated by blank lines, or None if all are blank; and the answer, or "" if
        the reply ends inside the thinking.
    """
    if tags is None:
        return None, text
    if not tags[0]:
        thinking, closed, answer = text.rpartition(tags[1])
        return _joined([thinking if closed else answer]), answer.lstrip() if closed else ""
    blocks = list(_blocks(text, _marks(text, tags)))
    if not blocks:
        return None, text
    ends = [0, *(end for _, _, _, end in blocks)]
    starts = [*(start for start, _, _, _ in blocks), len(text)]
    answer = "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    return _joined([text[start:end] for _, start, end, _ in blocks]), answer.lstrip()


def _marks(text: str, tags: Tags) -> list[Mark]:
    """Every tag that is not part of an object. The first one is an opening tag, if necessary before the text."""
    either = re.compile("|".join(map(re.escape, sorted(set(tags), key=len, reverse=True))))
    found = list(either.finditer(text))
    objects = iter(find_objects(text).objects if found else [])
    start, end, _ = next(objects, (len(text), len(text), {}))
    marks: list[Mark] = []
    balance = lowest = 0
    for tag in found:
        while end <= tag.start() and start < len(text):
            start, end, _ = next(objects, (len(text), len(text), {}))
        if start < tag.start() < end:
            continue
        opens = tag[0] == tags[0] and (tags[0] != tags[1] or balance == 0)
        balance += 1 if opens else -1
        lowest = min(lowest, balance)
        marks.append((*tag.span(), opens))
    if lowest < 0 and not text.lstrip().startswith(tags[0]):
        marks.insert(0, (0, 0, True))
    return marks


def _blocks(text: str, marks: list[Mark]) -> Iterator[tuple[int, int, int, int]]:
    """Start of the opening tag, start and end of the thinking, end of the closing tag, of every thinking part."""
    last_closing = max((place for place, mark in enumerate(marks) if not mark[2]), default=-1)
    place, any_closed = 0, False
    while place < len(marks):
        start, inside, opens = marks[place]
        if not opens:  # closes nothing: ordinary text
            place += 1
        elif place < last_closing:
            place = _closing(marks, place, last_closing)
            yield start, inside, *marks[place][:2]
            any_closed = True
            place += 1
        elif any_closed or _begins_a_line(text, start):
            yield start, inside, len(text), len(text)
            return
        else:
            place += 1


def _closing(marks: list[Mark], place: int, last_closing: int) -> int:
    """The closing tag that belongs to an opening one; the last one if the tags are unbalanced."""
    depth = 0
    for number in range(place, last_closing + 1):
        depth += 1 if marks[number][2] else -1
        if depth == 0:
            return number
    return last_closing


def _begins_a_line(text: str, place: int) -> bool:
    while place and text[place - 1] in " \t\r":
        place -= 1
    return place == 0 or text[place - 1] == "\n"


def answer_tokens(tokens: Sequence[Token], answer: str) -> tuple[Token, ...] | None:
    """The tokens of the answer: the last ones of the reply.

    Returns:
        The tokens of the answer and of what follows it (the end-of-turn token); None if the tokens do not spell the
        answer, which happens with characters that are spread over several tokens.
    """
    if not (wanted := answer.strip()):
        return ()
    # Searched in the reversed text: searching backwards takes quadratic time for "aaaa".
    behind = "".join(token.text for token in tokens)[::-1].find(wanted[::-1])
    if behind < 0:
        return None
    characters = behind + len(wanted)
    for start in reversed(range(len(tokens))):
        characters -= len(tokens[start].text)
        if characters <= 0:
            return tuple(tokens[start:])
    return None


def _joined(parts: Sequence[str]) -> str | None:
    return "\n\n".join(part for part in parts if part.strip()) or None
