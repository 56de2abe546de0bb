"""The thinking part of a reasoning model's reply, told apart from the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.chat import Token
from harness.errors import SettingError
from harness.objects import find_objects

Tags = tuple[str, str]
TAGS: Tags = ("<think>", "</think>")
"""What most open models write around their thinking."""

Mark = tuple[int, int, bool]
"""Start and end of a tag in the reply, and whether it opens."""


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

    There may be several thinking parts, nested ones too, and the answer is what stands outside of all. A tag in a text
    inside a whole JSON object is that object's. The first opening tag may stand in the chat template, so that only the
    closing one is in the reply; where neither is, a reply that was cut off inside the thinking looks like an answer.
    With "" for the opening tag all is thinking up to the last closing one. An opening tag that is never closed begins
    a last thinking part if it begins a line, or follows another part; elsewhere it is a word like others.

    Returns:
        The thinking parts without their tags, a blank line between them, None if all are blank; and the answer, ""
        if the reply ends inside the thinking.
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
    """Every tag that is not part of an object; the first is an opening one, if need be before the text."""
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
        if not opens:  # closes nothing: a word like others
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
    """The closing tag that belongs to an opening one; the last of all where they do not pair."""
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
    """The last of a reply's tokens, as many as the answer is written in.

    Returns:
        They and what follows them (the end-of-turn token); None where the tokens do not spell the answer, as characters
        that are spread over several of them may not.
    """
    if not (wanted := answer.strip()):
        return ()
    # Found from behind, and by the reversed text: searching backwards takes time quadratic in "aaaa".
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
