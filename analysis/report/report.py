"""report/index.html: headline, tables, figures, provenance, and invalid proposals with their replies.

Model output is always escaped by Jinja, and the page's content security policy allows only its own script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from analysis.figures.figures import INK
from analysis.present.render import cells
from analysis.present.table import Table
from analysis.runs.reasoned import Reasoned
from analysis.tables.invalid_proposals import Exhibit
from harness.faults import Group as FaultGroup
from harness.files import replace_file
from harness.visible import listed, visible

MOST_SHOWN = 500
MOST_REASONS = 12
"""Largest number shown per method."""
REPLY_CHARACTERS = 2_000
_MOST_REPLIES = 3
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shown:
    """One exhibit on the page: visible text, truncated to keep the page fast."""

    name: str
    violations: tuple[str, ...]
    proposed: str
    replies: tuple[tuple[str, str], ...]
    note: str


@dataclass(frozen=True, slots=True)
class Group:
    """The invalid proposals of one method: their number, and the shown ones by group and fault."""

    method: str
    count: int
    shown: int
    faults: Mapping[str, tuple[Shown, ...]]


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Some reasons of one method: trial, verdicts on its claims, text, and the proposals."""

    method: str
    count: int
    shown: tuple[tuple[str, str, str, str, str], ...]
    """(name, verdicts, reason, evaluated before, proposed)"""


@dataclass(frozen=True, slots=True)
class Page:
    """The contents of the page, in order."""

    experiment: str
    headlines: tuple[str, ...]
    remarks: tuple[str, ...]
    tables: tuple[Table, ...]
    figures: tuple[tuple[str, str, str], ...]
    """(file stem, caption, SVG)"""
    provenance: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    reasons: tuple[ReasonGroup, ...] = ()


def write_report(page: Page, folder: Path) -> Path:
    """Write ``index.html`` to ``folder``; equal pages give equal bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    html = environment.get_template("report.html.jinja").render(
        page=page,
        tables=[(table, cells(table)) for table in page.tables],
        figures=[(name, caption, inline_svg(name, svg)) for name, caption, svg in page.figures],
        style=(_HERE / "report.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        most_shown=MOST_SHOWN,
    )
    path = folder / "index.html"
    replace_file(path, html)
    return path


def inline_svg(name: str, svg: str) -> str:
    """The ``<svg>`` element only, in the page's text colour, with ids that are unique on the page."""
    element = svg[svg.index("<svg") :].replace(INK, "currentColor")
    element = re.sub(r"(\bid=\"|url\(#|href=\"#)", rf"\g<1>{name}-", element)
    return element.replace("<svg", '<svg role="img" aria-labelledby="caption-' + name + '"', 1)


def group_exhibits(found: Iterable[Exhibit], most: int = MOST_SHOWN) -> tuple[Group, ...]:
    """Exhibits by method, group and fault. Above ``most`` per method the faults alternate, to show rare ones too."""
    by_method: dict[str, dict[str, list[Exhibit]]] = {}
    for item in found:
        by_method.setdefault(_heading(item), {}).setdefault(_filed(item), []).append(item)
    groups = []
    for method, faults in by_method.items():
        turns = chain.from_iterable(zip_longest(*faults.values()))
        kept = {id(item) for item in [item for item in turns if item is not None][:most]}
        shown = {
            fault: tuple(_shown(item) for item in items if id(item) in kept)
            for fault, items in sorted(faults.items(), key=lambda pair: (_place(pair[1][0]), -len(pair[1])))
        }
        groups.append(Group(method, sum(map(len, faults.values())), len(kept), shown))
    return tuple(groups)


def group_reasons(reasons: Mapping[str, Iterable[Reasoned]]) -> tuple[ReasonGroup, ...]:
    """Reasons by method: those with a judged claim first, then the others, in the order of the runs."""
    groups = []
    for method, found in reasons.items():
        given = [each for each in found if each.reason is not None]
        shown = sorted(given, key=lambda each: not each.verdicts)[:MOST_REASONS]
        groups.append(ReasonGroup(method, len(given), tuple(map(_shown_reason, shown))))
    return tuple(groups)


def _shown_reason(each: Reasoned) -> tuple[str, str, str, str, str]:
    name = f"{each.run.task}, seed {each.run.seed}, trial {each.index}"
    judged = each.verdicts
    said = [f"{name} {claim}: {judged.get(name, 'cannot be judged')}" for name, claim in each.claims.items()]
    shown, proposed = (json.dumps(params, ensure_ascii=False) for params in (each.shown, each.proposed))
    return visible(name), visible("; ".join(said) or "no claim"), _cut(each.reason or ""), _cut(shown), _cut(proposed)


def _filed(item: Exhibit) -> str:
    """``invented: out of range``."""
    fault = item.fault.replace("_", " ")
    return fault if item.group is None else f"{item.group}: {fault}"


def _place(item: Exhibit) -> int:
    """Position of its group on the page; an unknown group comes last."""
    groups = list(map(str, FaultGroup))
    return len(groups) if item.group is None else groups.index(item.group)


def _heading(item: Exhibit) -> str:
    return item.run.method if item.candidate is None else f"{item.run.method}, candidates that were not proposed"


def _shown(item: Exhibit) -> Shown:
    calls = item.calls
    named = f", calls {listed([str(call) for call in calls], _MOST_REPLIES)}" if calls else ""
    note = ""
    if len(item.replies) < len(calls):
        note = f"{len(calls) - len(item.replies)} of {len(calls)} replies are not recorded."
    elif not calls:
        note = "No language model was asked for this proposal."
    return Shown(
        name=visible(f"{item.run.task}, seed {item.run.seed}, trial {item.index}{named}"),
        violations=tuple(visible(sentence) for sentence in item.violations),
        proposed=_cut(json.dumps(item.proposed, ensure_ascii=False)),
        replies=tuple(
            (visible(f"call {reply.call}, finish reason: {reply.finish_reason or 'not recorded'}"), _cut(reply.text))
            for reply in item.replies[:_MOST_REPLIES]
        ),
        note=note,
    )


def _cut(text: str) -> str:
    shown = visible(text[:REPLY_CHARACTERS])
    if len(text) <= REPLY_CHARACTERS:
        return shown
    return f"{shown}\n[... {len(text) - REPLY_CHARACTERS:,} more characters, in tables/invalid_proposals.csv]"
