"""Every error a user can act on. Each message is one sentence: what was wrong, the nearest valid value, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from harness.masking import without_secrets


class HyperboleError(Exception):
    """Something the user can put right; commands print it as one sentence and exit with ``exit_code``.

    Args:
        message: The sentence; secrets of the environment are taken out, whoever quoted them.
    """

    exit_code = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(without_secrets(message))


class SettingError(HyperboleError):
    """A name or value in the configuration is not one that exists."""


class SpaceError(SettingError):
    """A benchmark's search space cannot be used: what is wrong is in the benchmark, not on the command line."""


class ContractError(HyperboleError):
    """A plug-in does not do what one of its kind must: the sentence names the class, and what was wanted."""


class RunError(HyperboleError):
    """A run folder on disk does not fit the run that was asked for."""


class FruitlessError(HyperboleError):
    """Every evaluation of a run failed: it is complete and on record, and has no result."""

    exit_code = 1


class DiskError(HyperboleError):
    """A file of this machine cannot be used: the disk is full, say. What was recorded before is whole."""


class ServerError(HyperboleError):
    """No language-model server answers, and none could be started."""


class ModelError(HyperboleError):
    """The server answers, but cannot serve the request: unknown model, context too long, refused credentials."""


class RecordingError(HyperboleError):
    """A replay asked for a completion that was never recorded."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, its cause, the cause of that, and so on, each once.

    OmegaConf makes some errors their own cause: in a debugger, and where ``OC_CAUSE`` is 1.
    """
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and not any(cause is each for each in seen):
        yield cause
        seen.append(cause)
        cause = cause.__cause__


def unknown(kind: str, name: object, options: Iterable[object]) -> SettingError:
    """The error for a misspelt name: says what is unknown, the nearest match and every valid name."""
    known = sorted(str(option) for option in options)
    folded = {option.casefold(): option for option in known}
    near = difflib.get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.5)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    valid = f"{hint}Valid: {', '.join(known)}." if known else "there are none."
    return SettingError(f"Unknown {kind} {str(name)!r}; {valid}")
