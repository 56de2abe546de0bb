"""Secrets stay at home: what a configuration shows to others."""

from __future__ import annotations

import re
from typing import Any

MASK = "***"
_SECRET = re.compile(
    r"(?<![a-z])(?:key|keys|pwd|pass|auth)(?![a-z])|(?:api|access|private|secret)keys?(?![a-z])"
    r"|passw|passphrase|secret|credential|authorization|bearer|cookie"
)
_TOKEN = re.compile(r"tokens?(?![a-z])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def masked(value: Any) -> Any:
    """A copy of a configuration in which everything that looks like a secret reads ``***``.

    Judged by the key: key, token, password, secret and their kin. Kept are null, numbers under a token key (they are
    counts, such as max_tokens) and names of environment variables (api_key_env). In any text, the user part of a URL is
    masked.
    """
    if isinstance(value, dict):
        return {str(key): MASK if _is_secret(str(key), item) else masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return _USERINFO.sub(MASK, value) if isinstance(value, str) else value


def _is_secret(key: str, value: Any) -> bool:
    words = _CAMEL.sub("_", key).lower()
    if value is None or words.endswith(("_env", "_env_var", "_environment_variable")):
        return False
    if _SECRET.search(words):
        return True
    return bool(_TOKEN.search(words)) and not isinstance(value, int | float)
