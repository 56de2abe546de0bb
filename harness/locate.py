"""Find the code of a plug-in: from ``module.Class`` to the class, with import errors in one sentence."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import HyperboleError, SettingError, unknown
from harness.moved import class_now

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("analysis", "benchmarks", "harness", "llms", "optimizers")
"""This project's packages, which can be hidden by other folders of the same name, or hide them."""

_ABSENT = object()
LONGEST = 300
"""Longest text of an import error that is quoted, in characters."""


def locate(path: object, group: str) -> Any:
    """The class or function named by ``_target_``.

    Args:
        path: ``module.Class``, with any number of parent packages.
        group: The group that names it, for the error.

    Raises:
        SettingError: It does not exist, is abstract, or cannot be imported; the message names the file and line.
    """
    if not isinstance(path, str) or not all(part.isidentifier() for part in path.split(".")) or "." not in path:
        raise SettingError(
            f"{group}._target_ is {path!r}; give a class as module.Class, e.g. my_optimizer.MyOptimizer."
        )
    if (now := class_now(path)) != path:
        raise SettingError(f"{group}._target_={path} is an old spelling; give {now}.")
    found: Any = None
    reached = ""
    for part in path.split("."):
        inside, reached = reached, f"{reached}.{part}".lstrip(".")
        if inside and (member := _member(found, part, inside, group)) is not _ABSENT:
            found = member
        elif inside and not hasattr(found, "__path__"):
            raise _no_member(found, inside, part, group)
        else:
            found = _imported(reached, path, group)
    if inspect.isabstract(found):
        left = ", ".join(sorted(found.__abstractmethods__))
        raise SettingError(f"{group}._target_ is {path}, which is abstract: it does not define {left}; define them.")
    if not callable(found):
        raise SettingError(f"{group}._target_ is {path}, which is a {type(found).__name__}; name a class or function.")
    return found


def refuse_hidden_packages() -> None:
    """Make sure that this project's packages are the imported ones.

    Raises:
        SettingError: Another folder of the same name precedes one on Python's path.
    """
    for name in PACKAGES[1:]:  # a script called analysis.py hides nothing that a run needs
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        if not any(Path(place).resolve() == ROOT / name for place in places):
            where = places[0] if places else (spec.origin if spec is not None else "nowhere")
            raise SettingError(
                f"The package {name} of Hyperbole ({ROOT / name}) is hidden by {where}, which comes first on Python's "
                f"path; rename your own; it must not be called {', '.join(PACKAGES)}."
            )


def _imported(name: str, path: str, group: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise _no_module(name, path, group) from error
        raise _broken(error, name, group) from error
    except (HyperboleError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a script without a main guard exits during import
        raise _broken(error, name, group) from error


def _member(found: Any, part: str, inside: str, group: str) -> Any:
    """A member of a module or class; some modules import it on access."""
    try:
        return getattr(found, part, _ABSENT)
    except (HyperboleError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise _broken(error, inside, group) from error


def _no_module(name: str, path: str, group: str) -> SettingError:
    package = name.partition(".")[0]
    if package in PACKAGES and package != name:
        elsewhere = _elsewhere(package)
        hidden = (
            f"; {elsewhere} is hidden by Hyperbole's own package {package}, so rename that folder"
            if elsewhere is not None
            else ""
        )
        return SettingError(
            f"{group}._target_ is {path}, and {ROOT / package} has no {name.rpartition('.')[2]}{hidden}."
        )
    return SettingError(
        f"{group}._target_ is {path}, and Python finds no module {name}; correct the name, or put the folder that "
        f"holds {package}.py on Python's path, e.g. PYTHONPATH=. python -m harness.run ..."
    )


def _elsewhere(package: str) -> Path | None:
    """A folder of a package's name on Python's path that is not this project's."""
    for entry in sys.path:
        folder = Path(entry or ".").resolve() / package
        if folder.is_dir() and folder != ROOT / package:
            return folder
    return None


def _no_member(found: Any, inside: str, part: str, group: str) -> SettingError:
    where = getattr(found, "__file__", None) or inside
    own = [name for name, value in vars(found).items() if getattr(value, "__module__", None) == inside]
    return unknown(f"{group}._target_ in {where}", part, own)


def _broken(error: BaseException, name: str, group: str) -> SettingError:
    """The error for a failed import, with its last line outside Python's import machinery."""
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    else:
        frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<frozen")]
        frames = [each for each in frames if Path(each.filename) not in (Path(__file__), Path(importlib.__file__))]
        file, line = (frames[-1].filename, frames[-1].lineno) if frames else (_file(name), None)
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    place = file if line is None else f"{file}, line {line}"
    said = f"{type(error).__name__} in {place}{': ' if text else ''}{text[:LONGEST].rstrip('.')}"
    return SettingError(f"The {group} cannot be imported: {said}.")


def _file(name: str) -> str:
    """The file of a module that Python could not read, e.g. one with zero bytes in it."""
    try:
        spec = importlib.util.find_spec(name)
    except Exception:
        return name
    return name if spec is None or spec.origin is None else spec.origin
