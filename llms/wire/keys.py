"""The API key: read from the environment, checked before it is sent, and never shown."""

from __future__ import annotations

import os
import re
from typing import Any

from harness.errors import ModelError, SettingError
from harness.masking import (
    SHORTEST_SECRET,
    environment_secrets,
    hidden,
    hidden_beginning,
    hidden_end,
    holds,
    without_secrets,
)

NO_KEY = "EMPTY"  # local servers accept any key
SHORTEST_HIDDEN = 4
"""A shorter key is not a secret, and hiding it would make texts unreadable."""
SENT_BESIDE = {"OPENAI_ORG_ID": "", "OPENAI_PROJECT_ID": "", "OPENAI_CUSTOM_HEADERS": " \t\r\n"}
"""Variables that the ``openai`` package sends as headers by itself, and further characters they may hold."""


class Key:
    """A key and the variable it came from.

    Args:
        variable: None for a server that needs no key.
        value: As it is sent.
    """

    def __init__(self, variable: str | None = None, value: str = NO_KEY) -> None:
        self.variable, self.value = variable, value
        self._known = [value] if variable is not None and len(value) >= SHORTEST_HIDDEN else []

    def __repr__(self) -> str:
        return f"Key({self.variable!r})"

    def hide(self, text: str) -> str:
        """The text without any form of the key or of another secret of the environment."""
        return without_secrets(hidden(text, self._known))

    def hide_beginning(self, text: str, most: int) -> str:
        """About the first ``most`` characters of the text, without secrets."""
        return hidden_beginning(text, most, [*self._known, *environment_secrets()])

    def hide_end(self, text: str, most: int) -> str:
        """About the last ``most`` characters of the text, without secrets."""
        return hidden_end(text, most, [*self._known, *environment_secrets()])

    def stands_in(self, text: str) -> bool:
        """Whether a reply holds a form of the key; a key as short as a word does not count."""
        return self.variable is not None and len(self.value) >= SHORTEST_SECRET and holds(text, self.value)

    def hide_inside(self, value: Any) -> Any:
        """A copy of a JSON value without any form of the key in its strings and names."""
        if isinstance(value, dict):
            return {hidden(name, [self.value]): self.hide_inside(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.hide_inside(item) for item in value]
        return hidden(value, [self.value]) if isinstance(value, str) else value


def checked_variable(name: object) -> str | None:
    """The setting ``llm.api_key_env``.

    Raises:
        SettingError: It is not the name of a variable. The value is not shown, as it may be the key itself.
    """
    if name is None:
        return None
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or _looks_like_a_key(name):
        raise SettingError(
            "llm.api_key_env is not the name of an environment variable; give the name of the variable with the key, "
            "e.g. OPENAI_API_KEY, never the key itself."
        )
    return name


def read_key(variable: str | None, url: str) -> Key:
    """The key for a server.

    Raises:
        ModelError: The key is not set, or no request could carry it.
    """
    for name, allowed in SENT_BESIDE.items():
        _check_sendable(name, os.environ.get(name, ""), allowed)
    if variable is None:
        return Key()
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ModelError(
            f"The server at {url} needs an API key; set the environment variable {variable} "
            "to it, or set llm.api_key_env=null if none is needed."
        )
    _check_sendable(variable, key)
    return Key(variable, key)


def _check_sendable(variable: str, value: str, allowed: str = "") -> None:
    """Refuse what no header can carry. The message names the kind of character and never shows the value."""
    odd = next((char for char in value if not "!" <= char <= "~" and char not in allowed), None)
    if odd is None:
        return
    if odd in "\r\n":
        what = "a line break"
    elif odd.isspace():
        what = "a space"
    else:
        what = "a control character" if odd.isascii() else "a character outside ASCII"
    raise ModelError(
        f"The environment variable {variable} contains {what}, which no request can carry; set it to the "
        "value alone, as one line of visible ASCII characters."
    )


def _looks_like_a_key(name: str) -> bool:
    """Whether a name is long, mixed and not set: likely a key given instead of the name of its variable."""
    mixed = re.search("[a-z]", name) and re.search("[0-9]", name)
    return bool(mixed) and len(name) >= 16 and name not in os.environ
