"""Live training in a separate process, with a hard time limit and a cache.

A family provides a *trainer*: a class that is built once in the training process, from settings of builtin types, with

    train(params, fidelity, seed) -> dict[str, float]

with params as in JSON (a tuple arrives as a list), a value for every fidelity, and measures as reported. An exception,
the end of the process or the time limit fails the trial; the next evaluation gets a new process. The cost of an
evaluation is the wall time of ``train``, unless it returns a measure ``evaluation_seconds``, which excludes e.g. scores
that are only recorded.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.shared.measures import outcome
from benchmarks.training.evaluation_cache import EvaluationCache
from benchmarks.training.training_process import DiedError, OutOfTimeError, TrainingProcess
from harness.choices import loggable
from harness.errors import SettingError
from harness.problem import EvaluationError, Outcome, Params, Problem, complete

PACKAGES = ("numpy", "scikit-learn", "scipy")
"""Packages whose version can affect the measures of all live families; a family adds its own."""

LONGEST_SECONDS = 1e8
"""Largest time limit: three years; the operating system does not support much longer ones."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Reported measures and cost of one evaluation."""

    values: dict[str, float]
    seconds: float


class Live:
    """A trainer in a process of its own.

    Args:
        trainer: Import path of its class: ``benchmarks.openml.openml_trainer:Trainer``.
        settings: Its arguments, of builtin types, with a checksum of its data. ``folder``, the folder of the data, is
            the only one that does not affect results.
        version: The family's name, and a number that its author increases when measures change.
        limit_seconds: Time limit per evaluation; a longer one is stopped and fails. None for no limit. Reading the data
            does not count.
        cache: ``user`` for the user's cache of evaluations, ``none`` for none, or the path of another database.
        packages: Further distributions whose version affects the family's results, besides ``PACKAGES``.
        needs: Measures that a cached evaluation must hold.

    Raises:
        SettingError: The limit is invalid.
    """

    def __init__(
        self,
        trainer: str,
        settings: Mapping[str, Any],
        version: str,
        limit_seconds: float | None,
        cache: str,
        packages: tuple[str, ...] = (),
        needs: Collection[str] = (),
    ) -> None:
        if limit_seconds is not None and (isinstance(limit_seconds, bool) or not 0 < limit_seconds <= LONGEST_SECONDS):
            raise SettingError(
                f"limit_seconds is {limit_seconds!r}; give seconds above 0, at most {LONGEST_SECONDS:.0f}, or null for "
                "no limit."
            )
        self._trainer, self._settings, self._limit_seconds = trainer, dict(settings), limit_seconds
        self._identity = {
            "version": version,
            "settings": {name: value for name, value in settings.items() if name != "folder"},
            "packages": _versions(PACKAGES + packages),
        }
        self._cache = EvaluationCache(cache)
        self._needs = frozenset(needs)
        self._process = TrainingProcess()

    def evaluate(self, problem: Problem, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Train, or return the cached result, as a benchmark's outcome.

        Args:
            problem: The problem, for objectives and missing fidelities.
            params: A valid configuration, as the trainer expects it.
            fidelity: The fidelity of a proposal.
            seed: Seed of the training.

        Raises:
            EvaluationError: The training failed, crashed or ran out of time.
        """
        measured = self.measure(params, complete(fidelity, problem), seed)
        return outcome(measured.values, problem.objectives, measured.seconds)

    def measure(self, params: Params, fidelity: Mapping[str, float], seed: int) -> Measured:
        """Train, or return the cached result.

        Args:
            params: A valid configuration.
            fidelity: Value of every fidelity.
            seed: Seed of the training.

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
        """The cache key: everything that affects the results, as text that is the same in every process."""
        level = {name: float(value) for name, value in fidelity.items()}
        return json.dumps([self._identity, loggable(params), level, seed], sort_keys=True)

    def _train(self, params: Params, fidelity: Mapping[str, float], seed: int) -> Measured:
        job = {
            "trainer": self._trainer,
            "settings": self._settings,
            "params": loggable(params),
            "fidelity": dict(fidelity),
            "seed": seed,
        }
        try:
            answer = self._process.ask(job, self._limit_seconds)
        except OutOfTimeError as error:
            reason = f"Out of time: stopped after {self._limit_seconds:g} s."
            raise EvaluationError(reason, error.seconds) from None
        except DiedError as error:
            reason = f"The training process died ({error})."
            raise EvaluationError(reason, error.seconds) from None
        if "failure" in answer:
            raise EvaluationError(answer["failure"], answer["seconds"])
        return Measured(answer["values"], answer["seconds"])

    @property
    def running(self) -> bool:
        """Whether the process runs; the first evaluation that is not cached starts it."""
        return self._process.running

    def close(self) -> None:
        """End the process; the next evaluation starts a new one."""
        self._process.close()


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    from importlib import metadata

    return {package: metadata.version(package) for package in packages}
