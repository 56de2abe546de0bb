"""Models trained live: in a process of its own, which a time limit really ends, and never twice.

A family names a *trainer*: a class that is built once in the training process, from settings of builtin types, and has

    train(params, fidelity, seed) -> dict[str, float]

with params as JSON has them (a tuple arrives as a list), every fidelity named and every measure as reported. What it
raises fails the trial, as do the end of the process and of its time; the next evaluation finds a new process. An
evaluation costs the wall time of ``train``, unless a measure named ``evaluation_seconds`` says what it should: without
what is scored for the record alone.
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
"""Those whose version can change what every live family measures; a family adds its own."""

LONGEST_SECONDS = 1e8
"""Of a limit: three years; the system waits for no time much longer."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one evaluation measured, as reported, and what it cost."""

    values: dict[str, float]
    seconds: float


class Live:
    """One trainer in one process.

    Args:
        trainer: Where its class is: ``benchmarks.openml.openml_trainer:Trainer``.
        settings: Its arguments, of builtin types; a checksum of its data among them. ``folder``, where the data lie,
            is the only one that no number depends on.
        version: The family's name and the number that its author raises when it measures something else.
        limit_seconds: Longest evaluation; a longer one is stopped and fails. None for no limit. Reading
            the data comes before it.
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
        """Train, or say what came of it the last time: ``measure`` as a benchmark's outcome.

        Args:
            problem: Its objectives are measured, and its fidelities completed.
            params: A valid configuration, in the trainer's words.
            fidelity: As a proposal names it.
            seed: Of the training.

        Raises:
            EvaluationError: The training failed, crashed or ran out of time.
        """
        measured = self.measure(params, complete(fidelity, problem), seed)
        return outcome(measured.values, problem.objectives, measured.seconds)

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
        """Whether its process is there: it is started by the first evaluation that the cache does not have."""
        return self._process.running

    def close(self) -> None:
        """End the process; the next evaluation starts another."""
        self._process.close()


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    from importlib import metadata

    return {package: metadata.version(package) for package in packages}
