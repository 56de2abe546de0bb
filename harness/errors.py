"""Errors for users. Each message is one sentence: what was wrong, the nearest valid value, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from harness.masking import without_secrets

_PART = 3  # shortest part of a name, in characters, by which the name is suggested


class HyperboleError(Exception):
    """An error that the user can fix; commands print it as one sentence and exit with ``exit_code``.

    Args:
        message: The sentence; secrets of the environment are removed.
    """

    exit_code = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(without_secrets(message))


class SettingError(HyperboleError):
    """A name or value in the configuration is invalid."""


class SpaceError(SettingError):
    """A benchmark's search space cannot be used; the benchmark is at fault, not the command line."""


class ContractError(HyperboleError):
    """A plug-in breaks its contract; the message names the class and the expectation."""


class RunError(HyperboleError):
    """A run folder on disk does not match the requested run."""


class PackError(HyperboleError):
    """The Parquet files of a packed experiment cannot be read, so nothing is known of its runs."""


class FruitlessError(HyperboleError):
    """Every evaluation of a run failed: it is complete and recorded, but has no result."""

    exit_code = 1


class DiskError(HyperboleError):
    """A file cannot be used, e.g. because the disk is full. Earlier records are intact."""


class ServerError(HyperboleError):
    """No language-model server answers, and none could be started."""


class ModelError(HyperboleError):
    """The server answers, but cannot serve the request: unknown model, context too long, refused credentials."""


class ContextError(ModelError):
    """A prompt and its reply do not fit the model's context.

    Attributes:
        places: Positions of such requests in the batch; empty if not known.
    """

    def __init__(self, message: str, places: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.places = places


class RecordingError(HyperboleError):
    """A replay needs a completion that was not recorded."""


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
    """The error for an unknown name, with the nearest match and all valid names."""
    known = sorted(str(option) for option in options)
    folded = {option.casefold(): option for option in known}
    given = str(name).casefold()
    near = difflib.get_close_matches(given, folded, n=1, cutoff=0.5)
    near = near or [option for option in folded if len(given) >= _PART and given in option]
    hint = f"; did you mean {folded[near[0]]!r}?" if near else "."
    valid = f"{hint} Valid: {', '.join(known)}." if known else "; there are none."
    return SettingError(f"Unknown {kind} {str(name)!r}{valid}")
