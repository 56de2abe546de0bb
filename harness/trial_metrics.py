"""Metrics from rows of ``trials.jsonl``, for live tracking and for publishing from disk."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.faults import Group, filed, knew_grid
from harness.incumbent import Incumbent
from harness.problem import Objective
from harness.repeats import Repeats
from harness.rows import drawn_candidates
from harness.trial import USAGE, Fault, Proposer

Metrics = dict[str, int | float]
COSTS = (*(each.column for each in USAGE), "ask_seconds", "evaluation_seconds")
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class TrialMetrics:
    """Running metrics of one run, from its ``run.json`` and its rows in order.

    A null in a row gives no key, and a total with an unmeasured part is left out.

    Keys of one trial:
        trial: its index. loss, value: first objective, as a loss and as reported. objectives/<name>: each objective,
        as reported. metrics/<name>: other measurements. cost/<item>: calls, tokens and seconds.
    Running keys:
        incumbent, incumbent_value: lowest loss so far at the highest fidelity, and its value as reported.
        regret: incumbent minus the optimum, as losses, if the optimum is known. invalid, invalid_rate: proposals
        with a fault, and their share of all trials. groups/<group>: proposals with a fault of each group;
        hallucination_rate: share of proposals with an invented fault. Both are left out for runs recorded before
        off_grid was a fault if a violation may be one. duplicates, failures: repeated proposals, failed
        evaluations. near_duplicates: proposals equal to an earlier one after rounding; only if every row has it.
        repeated: proposals that evaluated the same as an earlier trial. proposers/<who>: proposals by each proposer,
        and model_share, the model's share of all; only if every row has a proposer.
        faults/<kind>: violations (one proposal can have several). candidates, candidates_invalid: configurations drawn
        from a model inside an ask, the proposal included, and those with a fault; only for methods with
        candidates. total/<item>: costs so far; total/tokens is prompt plus completion tokens.
    """

    def __init__(self, run: Mapping[str, Any]) -> None:
        self._objectives = [
            Objective(o["name"], o["direction"], _number(o.get("optimum"))) for o in run.get("objectives") or ()
        ]
        self._faults: Counter[str] = Counter({fault.value: 0 for fault in Fault})
        self._groups: Counter[str] | None = Counter({group.value: 0 for group in Group})
        self._knew_grid = knew_grid(run)
        self._totals: dict[str, float | None] = dict.fromkeys(COSTS, 0)
        self._trials = self._invalid = self._duplicates = self._failures = 0
        self._candidates = self._candidates_invalid = 0
        self._near_duplicates: int | None = 0
        self._repeats, self._repeated = Repeats(), 0
        self._proposers: Counter[str] | None = Counter({proposer.value: 0 for proposer in Proposer})
        self._incumbent = Incumbent(self._objectives[0].name if self._objectives else "")

    def add(self, row: Mapping[str, Any]) -> Metrics:
        """The metrics of one row: its own and the running ones, without nulls."""
        outcome, costs = self._outcome(row), _costs(row)
        self._count(row)
        self._charge(costs, evaluated=row.get("executed") is not None)
        self._incumbent.add(row)
        own = {"trial": row["index"], **outcome, **{f"cost/{item}": cost for item, cost in costs.items()}}
        return {**_known(own), **self.running()}

    def running(self) -> Metrics:
        """The running metrics; after the last row, the summary of the run."""
        running: dict[str, float | None] = {
            "incumbent": self._incumbent.loss,
            "invalid": self._invalid,
            "invalid_rate": self._invalid / self._trials if self._trials else None,
            "duplicates": self._duplicates,
            "near_duplicates": self._near_duplicates,
            "repeated": self._repeated,
            "failures": self._failures,
        }
        if (loss := self._incumbent.loss) is not None:
            first = self._objectives[0]
            running["incumbent_value"] = first.value(loss)
            if first.optimum is not None:
                running["regret"] = loss - first.loss(first.optimum)
        if self._proposers is not None and self._trials:
            running |= {f"proposers/{who}": count for who, count in self._proposers.items()}
            running["model_share"] = self._proposers[Proposer.MODEL] / self._trials
        if self._candidates:
            running |= {"candidates": self._candidates, "candidates_invalid": self._candidates_invalid}
        if self._groups is not None and self._trials:
            running |= {f"groups/{group}": count for group, count in self._groups.items()}
            running["hallucination_rate"] = self._groups[Group.INVENTED] / self._trials
        running |= {f"faults/{kind}": count for kind, count in self._faults.items()}
        running |= {f"total/{item}": total for item, total in self._totals.items()}
        read, written = self._totals["prompt_tokens"], self._totals["completion_tokens"]
        running["total/tokens"] = None if read is None or written is None else read + written
        return _known(running)

    def summary(self, run: Mapping[str, Any]) -> dict[str, int | float | str]:
        """The final summary: running metrics, status, number of trials, best value."""
        summary: dict[str, int | float | str] = {**self.running(), "trials": self._trials}
        summary |= {key: str(run[key]) for key in ("status", "error") if run.get(key) is not None}
        if "incumbent_value" in summary:
            summary["best_value"] = summary["incumbent_value"]
        return summary

    def _count(self, row: Mapping[str, Any]) -> None:
        violations = row.get("violations") or ()
        self._trials += 1
        self._invalid += bool(violations)
        self._duplicates += row.get("duplicate_of") is not None
        if "near_duplicate_of" not in row:
            self._near_duplicates = None  # an older log lacks it
        elif self._near_duplicates is not None:
            self._near_duplicates += row["near_duplicate_of"] is not None
        self._failures += row.get("error") is not None
        self._repeated += self._repeats.row(row)
        if row.get("proposer") is None:
            self._proposers = None  # an older log, or a method without it
        elif self._proposers is not None:
            self._proposers[row["proposer"]] += 1
        groups = filed(violations, self._knew_grid).groups
        if None in groups.values():
            self._groups = None  # an older log cannot tell
        elif self._groups is not None:
            self._groups.update(group.value for group, found in groups.items() if found)
        self._faults.update(violation["fault"] for violation in violations)
        drawn = drawn_candidates(row)
        self._candidates += len(drawn)
        self._candidates_invalid += sum(bool(candidate["violations"]) for candidate in drawn)

    def _charge(self, costs: Mapping[str, float | None], *, evaluated: bool) -> None:
        for item, cost in costs.items():
            if item == "evaluation_seconds" and not evaluated:
                continue  # no evaluation, so nothing is missing
            total = self._totals[item]
            self._totals[item] = None if total is None or cost is None else total + cost

    def _outcome(self, row: Mapping[str, Any]) -> dict[str, float | None]:
        losses = row.get("losses") or {}
        outcome = {f"metrics/{name}": _number(value) for name, value in (row.get("metrics") or {}).items()}
        for objective in self._objectives:
            loss = _number(losses.get(objective.name))
            outcome[f"objectives/{objective.name}"] = None if loss is None else objective.value(loss)
        if self._objectives:
            first = self._objectives[0]
            outcome["loss"] = _number(losses.get(first.name))
            outcome["value"] = outcome[f"objectives/{first.name}"]
        return outcome


def _costs(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Cost of one row, by item; None if not measured."""
    usage = row.get("usage") or {}
    used = {each.column: usage.get(each.name) for each in USAGE}
    return {item: _number(used.get(item, row.get(item))) for item in COSTS}


def _number(value: Any) -> float | None:
    """A number of a row; texts such as "NaN" become floats."""
    if isinstance(value, str):
        return _NON_FINITE.get(value)
    return value if isinstance(value, int | float) else None


def _known(numbers: Mapping[str, float | None]) -> Metrics:
    return {key: number for key, number in numbers.items() if number is not None}
