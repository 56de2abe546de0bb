"""Every invalid proposal with its raw replies. Replies are untrusted and only used as text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from analysis.runs.escape import spreadsheet, spreadsheet_json
from analysis.runs.lines import call_lines
from analysis.runs.load import Experiment, InvalidProposal, Run
from harness.faults import GROUP_OF, UNSURE, describe, filed, knew_grid
from harness.trial import Fault, Violation

VALUE_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class Reply:
    """One raw reply of a language model."""

    call: int
    text: str
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An invalid proposal with its evidence.

    Attributes:
        run: Its run.
        index: Its trial.
        candidate: Its number among the trial's candidates if it was not proposed; None if proposed.
        group: Group of ``fault``: invented, imprecise, redundant or unreadable; None if unknown.
        fault: The fault under which it is listed (``harness.faults.filed``).
        violations: One sentence per violation.
        proposed: As proposed.
        calls: Ids of its calls.
        replies: Replies of its calls, in order, as far as recorded.
    """

    run: Run
    index: int
    candidate: int | None
    group: str | None
    fault: str
    violations: tuple[str, ...]
    proposed: Any
    calls: tuple[int, ...]
    replies: tuple[Reply, ...]


def exhibits(experiment: Experiment) -> Iterator[Exhibit]:
    """Every invalid proposal in the order of the runs; the replies of one run at a time are in memory."""
    for run, proposals in groupby(experiment.invalid, key=lambda proposal: proposal.run):
        replies = _replies(run.folder / "calls.jsonl")
        for proposal in proposals:
            yield _exhibit(proposal, replies)


def _exhibit(proposal: InvalidProposal, replies: dict[int, Reply]) -> Exhibit:
    row = proposal.row
    shown, calls = row, tuple(row.get("calls") or ())
    if proposal.candidate is not None:
        shown = row["candidates"][proposal.candidate]
        calls = () if shown["call"] is None else (shown["call"],)
    fault = filed(shown["violations"], knew_grid(proposal.run.info)).fault
    assert fault is not None, "an invalid proposal has violations"
    return Exhibit(
        run=proposal.run,
        index=int(row["index"]),
        candidate=proposal.candidate,
        group=None if fault == UNSURE else str(GROUP_OF[Fault(fault)]),
        fault=fault,
        violations=tuple(violation_in_words(violation) for violation in shown["violations"]),
        proposed=shown["proposed"],
        calls=calls,
        replies=tuple(replies[call] for call in calls if call in replies),
    )


def _replies(path: Path) -> dict[int, Reply]:
    found = {}
    for row in call_lines(path):
        if row["reply"] is None or row["id"] is None:  # given up: it has no proposal
            continue
        text = row["reply"] or row.get("refusal") or ""  # a refusal that the server reported separately
        found[int(row["id"])] = Reply(int(row["id"]), str(text), row.get("finish_reason"))
    return found


def violation_in_words(violation: dict[str, Any]) -> str:
    """One violation as a clause without a full stop, as in prompts."""
    return describe(Violation(Fault(violation["fault"]), violation["name"], violation["value"]), VALUE_CHARACTERS)


def write_csv(file: IO[str], found: list[Exhibit]) -> None:
    """Write all as CSV for programs. Model output is ASCII JSON: one line, lossless, no spreadsheet formula."""
    writer = csv.writer(file, lineterminator="\n")
    place = ("method", "label", "task", "seed", "trial", "candidate", "group", "fault")
    writer.writerow([*place, "violations", "proposed", "calls", "finish_reasons", "replies"])
    for item in found:
        run = item.run
        texts = [reply.text for reply in item.replies]
        reasons = [reply.finish_reason for reply in item.replies]
        shown = (item.violations, item.proposed, item.calls, reasons, texts)
        where = (run.folder_method, run.method, run.task, run.seed, item.index, item.candidate, item.group, item.fault)
        writer.writerow([*map(spreadsheet, where), *map(spreadsheet_json, shown)])
