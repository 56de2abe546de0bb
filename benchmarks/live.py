"""Models trained live: in a process of its own, which a time limit really ends, and never twice.

A family names a *trainer*: a class that is built once in the training process, from settings of builtin types, and has

    train(params, fidelity, seed) -> dict[str, float]

with every fidelity named and every measure as reported. What it raises fails the trial, as do the end of the process
and of its time; the next evaluation finds a new process. An evaluation costs the wall time of ``train``, unless a
measure named ``evaluation_seconds`` says what it should: without what is scored for the record alone.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.evaluation_cache import EvaluationCache
from harness.errors import SettingError
from harness.problem import EvaluationError, Params

if TYPE_CHECKING:
    from pebble import ProcessPool

PACKAGES = ("numpy", "scikit-learn", "scipy")
"""Those whose version can change what every live family measures; a family adds its own."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one evaluation measured, as reported, and what it cost."""

    values: dict[str, float]
    seconds: float


class Live:
    """One trainer in one process.

    Args:
        trainer: Where its class is: ``benchmarks.openml_trainer:Trainer``.
        settings: Its arguments, of builtin types; a checksum of its data among them. ``folder``, where the data lie,
            is the only one that no number depends on.
        version: The family's name and the number that its author raises when it measures something else.
        limit_seconds: Longest evaluation; a longer one is stopped and fails. None for no limit. The first one of a
            process may also take the time that reading its data takes.
        cache: Whether evaluations are kept and taken from the user's cache; or the path of a database of your own.
        packages: Distributions whose version the family's numbers depend on, besides ``PACKAGES``.
        needs: Measures that an evaluation from the cache must hold to be of use.

    Raises:
        SettingError: The limit is none.
    """

    def __init__(
        self,
        trainer: str,
        settings: Mapping[str, Any],
        version: str,
        limit_seconds: float | None,
        cache: bool | str,
        packages: tuple[str, ...] = (),
        needs: Collection[str] = (),
    ) -> None:
        if limit_seconds is not None and (isinstance(limit_seconds, bool) or not limit_seconds > 0):
            raise SettingError(f"limit_seconds is {limit_seconds!r}; give seconds above 0, or null for no limit.")
        self._trainer, self._settings, self._limit_seconds = trainer, dict(settings), limit_seconds
        self._identity = {
            "version": version,
            "settings": {name: value for name, value in settings.items() if name != "folder"},
            "packages": _versions(PACKAGES + packages),
        }
        self._cache = EvaluationCache(cache)
        self._needs = frozenset(needs)
        self._pool: ProcessPool | None = None

    def measure(self, params: Params, fidelity: Mapping[str, float], seed: int) -> Measured:
        """Train, or say what came of it the last time.

        Args:
            params: A valid configuration.
            fidelity: Every fidelity by name.
            seed: Of the training.

        Raises:
            EvaluationError: The training failed, crashed or ran out of time.
        """
        key = self.key(params, fidelity, seed)
        with self._cache.claim(key) as kept:
            if kept is not None and self._needs <= kept[0].keys():
                return Measured(*kept)
            measured = self._train(params, fidelity, seed)
            self._cache.keep(key, measured.values, measured.seconds)
            return measured

    def key(self, params: Params, fidelity: Mapping[str, float], seed: int) -> str:
        """Everything the numbers depend on, as text that is the same in every process."""
        level = {name: float(value) for name, value in fidelity.items()}
        return json.dumps([self._identity, params, level, seed], sort_keys=True)

    def _train(self, params: Params, fidelity: Mapping[str, float], seed: int) -> Measured:
        from pebble import ProcessExpired

        from benchmarks.training_process import Failure, train

        clock = time.perf_counter()
        pool = self._started()
        job = pool.schedule(
            train,
            args=[self._trainer, self._settings, dict(params), dict(fidelity), seed],
            timeout=self._limit_seconds,
        )
        try:
            result = job.result()
        except TimeoutError:
            seconds = time.perf_counter() - clock
            raise EvaluationError(f"Out of time: stopped after {self._limit_seconds:g} s.", seconds) from None
        except ProcessExpired as error:
            seconds = time.perf_counter() - clock
            raise EvaluationError(f"The training process died ({_cause(error.exitcode)}).", seconds) from None
        except BaseException:
            self.close()  # an interrupted run leaves no training behind
            raise
        if isinstance(result, Failure):
            raise EvaluationError(result.reason, result.seconds)
        return Measured(*result)

    def _started(self) -> ProcessPool:
        if self._pool is None:
            from multiprocessing import get_context

            from pebble import ProcessPool

            from benchmarks.training_process import begin

            # Spawned, not forked: a forked child of a process with threads can hang.
            self._pool = ProcessPool(max_workers=1, context=get_context("spawn"), initializer=begin)
            weakref.finalize(self, _stop, self._pool)
        return self._pool

    def close(self) -> None:
        """End the process; the next evaluation starts another."""
        if self._pool is not None:
            _stop(self._pool)
            self._pool = None


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _cause(exit_code: int | None) -> str:
    import signal

    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return signal.Signals(-exit_code).name


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    from importlib import metadata

    return {package: metadata.version(package) for package in packages}
