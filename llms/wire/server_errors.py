"""Read a server's error message, and decide whether another attempt could succeed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.objects import levels_within

LONGEST_WORDS = 300
PASSING = frozenset({408, 409, 425, 429})
"""Temporary client errors; server errors are temporary too, except 501 (not implemented)."""
FINAL_CODES = frozenset(
    {
        "access_terminated", "account_deactivated", "account_suspended", "billing_error", "billing_hard_limit_reached",
        "billing_not_active", "content_policy_violation", "context_length_exceeded", "exceeded_current_quota_error",
        "insufficient_balance", "insufficient_credits", "insufficient_funds", "insufficient_quota",
        "insufficient_user_quota", "invalid_api_key", "model_not_found", "payment_required",
    }
)  # fmt: skip
FINAL_TYPES = frozenset(
    {"authentication_error", "invalid_request_error", "not_found_error", "permission_denied", "permission_error"}
)
"""Final unless the HTTP status says otherwise: some servers use these names for temporary errors."""
_NO_FUNDS = re.compile(
    r"insufficient (?:quota|credits?|balance|funds)|balance is (?:too low|insufficient)|payment required"
    r"|(?:out of|not enough|no(?: more)?|more) credits|exceeded your current quota|billing (?:hard )?limit"
    r"|account (?:is |has been |was )?(?:deactivated|suspended|not active)",
    re.IGNORECASE,
)
_NO_ACCESS = re.compile(
    r"(?:invalid|incorrect|missing|no) api[ _-]?key|unauthorized|model\b.{0,100}(?:does not exist|not found)",
    re.IGNORECASE,
)
_COME_BACK = re.compile(
    r"(?:try|retry)\b.{0,40}\b(?:in|after) \d|per (?:second|minute|hour|day)|rate.?limit", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Told:
    """An error reported by a server.

    Attributes:
        words: The message, on one line of at most 300 characters; "" if there is none.
        codes: Error codes and types, in lower case.
        status: The HTTP status in the body; None if there is none.
    """

    words: str = ""
    codes: frozenset[str] = frozenset()
    status: int | None = None


def told_in(body: bytes) -> Told:
    """Read an error's body, which may be anything."""
    text = body.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    readable = isinstance(found, dict | list | str) and levels_within(found)
    return told_by(found) if readable else Told(one_line(text))


def told_by(found: Any) -> Told:
    """Read a JSON value: ``{"error": {...}}`` and its variants, at most 100 levels deep."""
    if isinstance(found, list) and found:
        found = found[0]  # Gemini's
    inner = found.get("error") or found if isinstance(found, dict) else found
    if not isinstance(inner, dict):
        return Told(one_line(inner if isinstance(inner, str) else json.dumps(inner)))
    named = (inner.get(name) for name in ("message", "detail", "msg", "error_msg"))
    message = next((value for value in named if value), inner)
    words = message if isinstance(message, str) else json.dumps(message)
    metadata = inner.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):
        words = f"{words}: {metadata['raw']}"  # OpenRouter's: the message of the provider behind it
    return Told(one_line(words), *_codes(inner))


def _codes(inner: Mapping[str, Any]) -> tuple[frozenset[str], int | None]:
    values = [inner.get(name) for name in ("code", "type", "status")]
    texts = [str(value) for value in values if isinstance(value, str | int) and not isinstance(value, bool)]
    numbers = [int(text) for text in texts if re.fullmatch("[1-5][0-9][0-9]", text)]
    codes = frozenset(text.strip().lower() for text in texts)
    return codes, next(iter(numbers), None)


def one_line(text: str) -> str:
    """The text on one line without control characters; truncated, but to more than is shown."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 100 * LONGEST_WORDS]).split())


def is_final(status: int, told: Told, wait_seconds: float = 0.0) -> bool:
    """Whether no further attempt could succeed.

    Args:
        status: HTTP status; 200 if the error came instead of a reply.
        told: The server's error.
        wait_seconds: The wait that the server asks for; if it does, it expects a retry to succeed.
    """
    if told.codes & FINAL_CODES:
        return True
    if status < 300:
        status = told.status or status
        if told.codes & FINAL_TYPES or _NO_ACCESS.search(told.words):
            return True
    if (300 <= status < 500 and status not in PASSING) or status == 501:
        return True
    return bool(_NO_FUNDS.search(told.words)) and not wait_seconds and not _COME_BACK.search(told.words)


def lacks_funds(status: int, told: Told) -> bool:
    """Whether the account's quota or credit is used up."""
    money = re.compile("quota|credit|balance|fund|billing|payment")
    return 402 in (status, told.status) or any(map(money.search, told.codes)) or bool(_NO_FUNDS.search(told.words))
