"""What Hydra's launcher does with the jobs of a sweep: complete runs are skipped, the others go to the workers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from harness.engine.families import Families
from harness.engine.plan import Plan, keep_reasons
from harness.engine.pool import Task, Workers
from harness.errors import HyperboleError
from harness.job import Done, Job, done_already, refuse_unlike
from harness.masking import without_secrets
from harness.sweep_record import overrides_told
from harness.tally import Tally

SHOWN = 10
"""Reasons of failed jobs that are printed besides the first."""


@dataclass(slots=True)
class Launch:
    """The jobs of one batch and what became of them.

    Args:
        loader: Hydra's.
        config: The composed configuration of the command.
        workers: Who does those that are not complete.
    """

    loader: ConfigLoader
    config: DictConfig
    workers: Workers

    def run(self, batch: Sequence[Sequence[str]], first: int) -> list[JobReturn]:
        """Do the jobs.

        Args:
            batch: The overrides of each job.
            first: The number of the first one.

        Returns:
            One result per job, in order.

        Raises:
            HydraException: A job cannot be composed; none has run.
        """
        returns = [JobReturn(overrides=list(overrides)) for overrides in batch]
        tally, families = Tally.found(), Families(self.loader, self.config)
        same: dict[str, list[int]] = {}
        jobs: dict[str, Job] = {}
        tasks: list[Task] = []
        errors: dict[int, BaseException] = {}
        traces: set[str] = set()

        def end(place: str, done: Done | None, error: BaseException | None) -> None:
            for again, number in enumerate(same[place]):
                status = ("skipped" if again else done.status) if done is not None else "failed"
                _fill(returns[number], done, error, bool(again))
                if error is not None:
                    errors[number] = error
                if tally is not None:
                    tally.add(
                        status, done.folder if done is not None else jobs[place].folder.path if place in jobs else None
                    )

        for number, overrides in enumerate(batch):
            try:
                job = families.job(overrides, first + number)
                refuse_unlike(jobs.setdefault(job.place, job), job)
            except HyperboleError as error:
                same[f"{number}"] = [number]
                end(f"{number}", None, error)
                continue
            same.setdefault(job.place, []).append(number)
            if len(same[job.place]) == 1:
                tasks.append((number, job))
        self._write_plans([job for _, job in tasks])
        missing = []
        for number, job in tasks:
            if (done := done_already(job)) is not None:
                end(job.place, done, None)
            else:
                missing.append((number, job))
        places = {number: job.place for number, job in missing}
        if tally is not None:
            tally.planned(Counter(job.identity["llm"] or "" for _, job in missing))
        for result in self.workers.results(missing):
            if result.trace is not None and result.trace not in traces:  # runs of one plug-in fail alike
                sys.stderr.write(result.trace)
                traces.add(result.trace)
            end(places[result.number], result.done, result.error)
        _keep_reasons(jobs.values(), {job.place: str(errors[number]) for number, job in missing if number in errors})
        _tell_others([errors[number] for number in sorted(errors)])
        return returns

    def _write_plans(self, jobs: Sequence[Job]) -> None:
        """Leave the runs of each experiment beside them: ``name`` may be swept over as well."""
        for experiment, wanted in _by_experiment(jobs).items():
            Plan(overrides_told(self.config), list(wanted)).write(experiment)


def _keep_reasons(jobs: Collection[Job], failed: Mapping[str, str]) -> None:
    """Leave why runs failed that have no folder, in which run.json would say it."""
    for experiment, tried in _by_experiment(jobs).items():
        lost = {place: job for place, job in tried.items() if job.place in failed and not job.folder.path.exists()}
        keep_reasons(experiment, tried, {place: without_secrets(failed[job.place]) for place, job in lost.items()})


def _by_experiment(jobs: Collection[Job]) -> dict[Path, dict[str, Job]]:
    """Folder of each experiment -> its jobs by their places in it."""
    found: dict[Path, dict[str, Job]] = {}
    for job in jobs:
        found.setdefault(job.folder.path.parents[2], {})[job.place.partition("/")[2]] = job
    return found


def _tell_others(errors: Sequence[BaseException]) -> None:
    """Print why jobs failed, each reason once; Hydra reports the first job's."""
    others = list(dict.fromkeys(map(str, errors)))[1:]
    for text in others[:SHOWN]:
        sys.stderr.write(f"{text}\n")
    if len(others) > SHOWN:
        sys.stderr.write(f"... and {len(others) - SHOWN} more reasons; python -m harness.status names the runs.\n")


def _fill(returned: JobReturn, done: Done | None, error: BaseException | None, again: bool) -> None:
    returned.status = JobStatus.FAILED if error is not None else JobStatus.COMPLETED
    returned.return_value = error if error is not None else None if done is None or again else done.loss
