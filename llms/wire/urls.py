"""The setting ``llm.base_url``."""

from __future__ import annotations

from urllib.parse import urlsplit

from harness.errors import SettingError

_EXAMPLE = "give a URL such as http://127.0.0.1:8077/v1"


def checked_urls(base_url: object) -> list[str]:
    """The setting ``llm.base_url`` as a list without slashes at the end.

    Raises:
        SettingError: It is neither a URL nor a list of URLs, or names one twice. A URL that may hold a secret is not
            shown.
    """
    if not isinstance(base_url, list | tuple):
        return [_checked_url(base_url)]
    urls = [_checked_url(url) for url in base_url]
    if not urls:
        raise SettingError(f"llm.base_url is an empty list; {_EXAMPLE}.")
    if (twice := next((url for url in urls if urls.count(url) > 1), None)) is not None:
        raise SettingError(f"llm.base_url names {twice!r} twice; name each server once.")
    return urls


def _checked_url(url: object) -> str:
    if not isinstance(url, str) or not url.isprintable() or " " in url:
        raise SettingError(f"llm.base_url is not a URL; {_EXAMPLE}.")
    if "@" in url:
        raise SettingError("llm.base_url holds credentials; put them into the variable that llm.api_key_env names.")
    if "?" in url or "#" in url:
        raise SettingError(
            f"llm.base_url has a query or fragment ('?' or '#'); {_EXAMPLE}, and put a key into the "
            "variable that llm.api_key_env names."
        )
    try:
        parts = urlsplit(url)
        found = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # invalid port, unclosed bracket
        found = None
    if not found:
        raise SettingError(f"llm.base_url is {url!r}; {_EXAMPLE}.")
    return url.rstrip("/")
