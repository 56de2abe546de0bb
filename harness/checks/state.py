"""Shared state during checks: the problem, the global random state, class attributes."""

from __future__ import annotations

import contextlib
import inspect
import os
import pickle
import random
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from harness.problem import Problem


def fingerprint(problem: Problem) -> dict[str, Any]:
    """All parts of a problem that an optimizer could change, as text."""
    space = problem.space
    kind, keys, *place = space.random.get_state()
    parts = {
        "the random state of problem.space": repr((kind, np.asarray(keys).tolist(), place)),
        "problem.space": repr([str(space), *((name, each.meta, _weights(each)) for name, each in space.items())]),
        "problem.default": repr(problem.default),
        "the texts of the problem": repr((problem.description, problem.contexts, problem.hints)),
    }
    return parts


def _weights(hyperparameter: Any) -> Any:
    probabilities = getattr(hyperparameter, "probabilities", None)
    return None if probabilities is None else np.asarray(probabilities).tolist()


def differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The first part that differs between two fingerprints."""
    return next((what for what in before if before[what] != after[what]), None)


def scrambler() -> Callable[[], None]:
    """A function that changes the global random state at every call."""
    seeds = iter(range(1000, 10**9))

    def scramble() -> None:
        seed = next(seeds)
        random.seed(seed)
        np.random.seed(seed)

    return scramble


@contextlib.contextmanager
def kept_random_state() -> Iterator[None]:
    """Restore the global random state."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def process_state() -> dict[str, Any]:
    """What all code of the process shares, besides the global random state, as text."""
    return {
        "the working directory (os.chdir)": os.getcwd(),
        "NumPy's handling of errors (numpy.seterr)": repr(np.geterr()),
    }


@contextlib.contextmanager
def kept_process() -> Iterator[None]:
    """Restore what ``process_state`` reads."""
    folder, errors = os.getcwd(), np.geterr()
    try:
        yield
    finally:
        os.chdir(folder)
        np.seterr(**errors)


def random_state() -> str:
    """The global random state, as text."""
    kind, keys, *place = np.random.get_state()
    return repr((random.getstate(), kind, np.asarray(keys).tolist(), place))


def shared_state(kind: type) -> dict[str, bytes]:
    """Mutable state shared by all instances of a class: class attributes, default arguments, module globals."""
    found: dict[str, Any] = {}
    for base in kind.__mro__[:-1]:
        for name, value in vars(base).items():
            if inspect.isfunction(value):
                found[f"a default argument of {base.__name__}.{name}"] = (value.__defaults__, value.__kwdefaults__)
            elif not name.startswith("__"):
                found[f"{base.__name__}.{name}"] = value
        module = inspect.getmodule(base)
        for name, value in vars(module).items() if module is not None else ():
            if not name.startswith("__") and not isinstance(value, type | types.ModuleType):
                found[f"{base.__module__}.{name}"] = value
    return {name: text for name, value in found.items() if (text := _pickled(value)) is not None}


def _pickled(value: Any) -> bytes | None:
    try:
        return pickle.dumps(value)
    except Exception:
        return None


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str | None:
    """The first name whose value has changed, or None."""
    return next((name for name in after if before.get(name) != after[name]), None)
