"""Mask secrets in configurations and texts."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

MASK = "***"
SHORTEST_SECRET = 8
"""Shortest value that is masked for its variable's name alone, in characters: "true" and "1" are not secrets."""
FOLDERS = frozenset({"PWD", "OLDPWD"})
"""Variables of the shell whose names look like a password's; messages may show their folders."""
_SECRET = re.compile(
    r"(?<![a-z])(?:key|keys|pwd|pass|auth)(?![a-z])|(?:api|access|private|secret)keys?(?![a-z])"
    r"|passw|passphrase|secret|credential|authorization|bearer|cookie"
)
_TOKEN = re.compile(r"tokens?(?![a-z])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BACKSLASH = r"(?:\\|%(?:25){0,4}5c)"
_USERINFO = re.compile(r"(?<=://)[^/?#\s]+(?=@)")


def masked(value: Any) -> Any:
    """A copy of a configuration with every value that looks like a secret replaced by ``***``.

    Judged by the key: key, token, password, secret and similar names. Not masked are null, numbers under a token key
    (counts such as max_tokens) and names of environment variables (api_key_env). In any text, the user part of a URL is
    masked.
    """
    if isinstance(value, dict):
        return {str(key): MASK if is_secret(str(key), item) else masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return _USERINFO.sub(MASK, value) if isinstance(value, str) else value


def is_secret(key: str, value: Any) -> bool:
    """Whether a value looks like a secret, judged by its key."""
    words = _CAMEL.sub("_", key).lower()
    if value is None or words.endswith(("_env", "_env_var", "_environment_variable")):
        return False
    if _SECRET.search(words):
        return True
    return bool(_TOKEN.search(words)) and not isinstance(value, int | float)


def without_secrets(text: str) -> str:
    """A text with secrets of the environment, in any encoding, and the user part of URLs replaced by ``***``."""
    return hidden(_USERINFO.sub(MASK, text), environment_secrets())


def brief(text: str) -> str:
    """An error's text on one line, without secrets and without a full stop; 300 characters at most."""
    return " ".join(without_secrets(text).split())[:300].rstrip(" .")


def environment_secrets() -> list[str]:
    """Values of environment variables whose names look like a secret's (OPENAI_API_KEY, HF_TOKEN, ...)."""
    return [
        value
        for name, value in os.environ.items()
        if len(value) >= SHORTEST_SECRET and name not in FOLDERS and is_secret(name, value)
    ]


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text with every form of each secret as ``***``: literal, escaped, URL-encoded, in base64 or in hex.

    In secrets of several lines or words each long part is masked too: messages often show only the first.
    """
    for secret in secrets:
        text = _forms(secret).sub(MASK, text)
    return text


def hidden_beginning(text: str, most: int, secrets: Sequence[str]) -> str:
    """The first ``most`` characters of a text, masked; a secret cut by the limit is masked too."""
    end = min(most, len(text))
    for secret in secrets:
        window = text[: most + _longest_form(secret)]
        end = max([end, *(each.end() for each in _forms(secret).finditer(window) if each.start() < most < each.end())])
    return hidden(text[:end], secrets)


def hidden_end(text: str, most: int, secrets: Sequence[str]) -> str:
    """The last ``most`` characters of a text, masked likewise."""
    first = start = max(0, len(text) - most)
    for secret in secrets:
        begin = max(0, first - _longest_form(secret))
        matches = _forms(secret).finditer(text[begin:])
        spans = [(begin + each.start(), begin + each.end()) for each in matches]
        start = min([start, *(left for left, right in spans if left < first < right)])
    return hidden(text[start:], secrets)


def holds(text: str, secret: str) -> bool:
    """Whether the text contains a form of the secret."""
    return _forms(secret).search(text) is not None


def _longest_form(secret: str) -> int:
    return 16 * len(secret) + 64


@lru_cache(maxsize=256)
def _forms(secret: str) -> re.Pattern[str]:
    pieces = {secret, *(piece for piece in secret.split() if len(piece) >= SHORTEST_SECRET)}
    # A backslash before a character, itself escaped or not, is part of it; repetitions are bounded to keep matching
    # linear in a text of backslashes.
    between = rf"{_BACKSLASH}{{0,8}}"
    forms = [between.join(map(_spelt, piece)) for piece in sorted(pieces, key=len, reverse=True)]
    forms += [form for piece in pieces for form in _encoded(piece.encode("utf-8", "surrogateescape"))]
    return re.compile("|".join(forms), re.IGNORECASE)


def _spelt(char: str) -> str:
    """A pattern of all ways to write a character: raw, or as its code in Python, JSON, URLs and HTML."""
    code, data = ord(char), char.encode("utf-8", "surrogateescape")
    forms = [re.escape(each) for each in {char, repr(char)[1:-1], ascii(char)[1:-1], json.dumps(char)[1:-1]}]
    forms += [rf"[ux]\{{?0{{0,8}}{code:x}\}}?", rf"0{{0,2}}{code:o}", rf"&(?:amp;){{0,4}}#(?:0*{code}|x0*{code:x});"]
    if (entity := html.escape(char)) != char:
        forms.append(rf"&(?:amp;){{0,4}}{entity[1:]}")
    forms += [
        "".join(f"%(?:25){{0,4}}{byte:02x}" for byte in data),
        rf"{_BACKSLASH}{{1,8}}".join(f"x{byte:02x}" for byte in data),
    ]
    return f"(?:{'|'.join(forms)})"


def _encoded(data: bytes) -> list[str]:
    """Patterns of the bytes in hex, and in base64 at each alignment."""
    found = [data.hex()]
    for before, unsure in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(bytes(before) + data).decode().rstrip("=")[unsure:]
        text = text if (before + len(data)) % 3 == 0 else text[:-1]
        if len(text) >= SHORTEST_SECRET:
            found.append(re.escape(text).replace(r"\+", r"(?:\+|-|%2b)").replace("/", r"(?:\\{0,8}/|_|%2f)"))
    return found
