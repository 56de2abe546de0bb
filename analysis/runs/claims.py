"""Find the claims of a reason by rules: which hyperparameter goes up, goes down or stays.

The rules:

1. A hyperparameter is recognized by its name, in any case, with spaces or hyphens for underscores; or by at least two
   leading words with which no other hyperparameter begins ("learning rate" for ``learning_rate_init``). The case of a
   one-letter name matters. A name must be a whole word: ``depth`` is not in "max_depth" or "depths".
2. The text is split into clauses: at ends of sentences and lines, at semicolons, commas, parentheses, "and" and "or",
and
   before words that begin a clause (but, while, because, so, if, which, with, without, rather, than, ...) and "to" with
   a verb, so that "increase depth to reduce overfitting" has one direction.
3. A clause with one kind of direction word (``UP``, ``DOWN``, ``SAME``) and a name claims this direction for every
   hyperparameter it names. Two kinds in one clause cancel out: nothing is claimed.
4. A clause with a negation (not, never, without, avoid, instead of, rather than, ...) claims nothing.
5. A clause with nothing but a name ("and width") has the direction of the preceding clause of the sentence.
6. Contradictory claims about a hyperparameter in one reason are dropped.

The rules know no grammar: "the higher the depth, the better" counts as a claim that depth goes up. The chance level of
``analysis.tables.reasons`` shows the effect of such errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Direction = Literal["up", "down", "same"]

LONGEST_REASON = 20_000
"""Number of characters that are read."""

UP = "increas(?:e|es|ed|ing) rais(?:e|es|ed|ing) higher larger bigger greater more deeper wider longer stronger"
DOWN = "decreas(?:e|es|ed|ing) reduc(?:e|es|ed|ing) lower(?:s|ed|ing)? smaller less fewer shallower "
DOWN += "narrower shorter weaker"
SAME = "keep(?:s|ing)? kept same unchanged maintain(?:s|ed|ing)? stay(?:s|ing)?"

_BY_DIRECTION: tuple[tuple[Direction, str], ...] = (("up", UP), ("down", DOWN), ("same", SAME))
_WORDS = {
    direction: re.compile(rf"\b(?:{'|'.join(words.split())})\b", re.IGNORECASE) for direction, words in _BY_DIRECTION
}
_NEGATION = re.compile(
    r"\b(?:not|never|no|neither|nor|without|avoid(?:s|ed|ing)?|cannot|instead of|rather than)\b|n['’]t\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"[.!?](?!\d)|\n")
_JOINTS = (
    "but while whereas although though because since as so if when unless then that which thus hence therefore for "
    r"with without instead rather relative compared (?<!rather\s)than"
)
_CUT = re.compile(
    r"[;,()]|\b(?:and|or)\b"
    rf"|(?=\b(?:{'|'.join(_JOINTS.split())})\b)"
    r"|(?=\bto\s+(?!(?:a|an|the|its|be|higher|larger|bigger|greater|lower|smaller)\b)[a-z])",
    re.IGNORECASE,
)
_FILLER = re.compile(r"\b(?:the|both|also|its|our|a|an|value|values|of)\b|\W+", re.IGNORECASE)
_MARK = re.compile(r"\x00(\d+)\x00")


def claims(reason: str, names: Iterable[str]) -> dict[str, Direction]:
    """The claims of a reason.

    Args:
        reason: Model output; untrusted.
        names: Names of the hyperparameters.

    Returns:
        Hyperparameter -> direction, in the order of the text.
    """
    found: dict[str, set[Direction]] = {}
    text, named = _marked(reason, tuple(names))
    for sentence in _SENTENCE.split(text):
        before: Direction | None = None
        for clause in _CUT.split(sentence):
            numbers = [int(number) for number in _MARK.findall(clause)]
            bare = _MARK.sub("", clause)
            direction = _direction(bare)
            if direction is None and numbers and not _FILLER.sub("", bare):
                direction = before
            if direction is not None:
                for number in numbers:
                    found.setdefault(named[number], set()).add(direction)
            before = direction if clause.strip() else before
    return {name: next(iter(directions)) for name, directions in found.items() if len(directions) == 1}


def _marked(reason: str, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """The text with numbered marks instead of names, and the hyperparameters of the numbers.

    Words of a name are thus not read as a direction ("lower_bound").
    """
    text, named = reason[:LONGEST_REASON].replace("\x00", " "), list[str]()
    for pattern, name in _spoken(names):
        text = pattern.sub(f" \x00{len(named)}\x00 ", text)
        named.append(name)
    return text, named


def _direction(clause: str) -> Direction | None:
    if _NEGATION.search(clause):
        return None
    found = [direction for direction, words in _WORDS.items() if words.search(clause)]
    return found[0] if len(found) == 1 else None


def _spoken(names: tuple[str, ...]) -> list[tuple[re.Pattern[str], str]]:
    """All spellings of the hyperparameters' names, the longest first."""
    ways: dict[tuple[str, ...], set[str]] = {}
    for name in names:
        words = tuple(re.split(r"[_\s-]+", name.strip("_ -")))
        for length in range(min(2, len(words)), len(words) + 1):
            ways.setdefault(words[:length], set()).add(name)
    whole = {tuple(re.split(r"[_\s-]+", name.strip("_ -"))): name for name in names}
    kept = [(words, whole.get(words) or next(iter(of))) for words, of in ways.items() if words in whole or len(of) == 1]
    kept.sort(key=lambda way: -sum(map(len, way[0])))
    return [(_pattern(words), name) for words, name in kept if any(words)]


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    joined = r"[_\s-]+".join(map(re.escape, words))
    one_letter = len(words) == 1 and len(words[0]) == 1
    return re.compile(rf"(?<![\w\x00-]){joined}(?![\w\x00-])", re.NOFLAG if one_letter else re.IGNORECASE)
