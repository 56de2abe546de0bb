"""From a line of ``trials.jsonl`` to the flat row for tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.errors import RunError
from harness.faults import Group, filed
from harness.incumbent import counted_loss, counts, loss_below
from harness.levels import SNAP_STEPS, SNAP_STEPS_MAX, is_number
from harness.rows import drawn_candidates
from harness.scalars import finite
from harness.trial import USAGE, Fault, Quantity
from harness.visible import visible

LARGEST = 2**53
"""Upper limit of counts and durations; floats are exact up to here."""


def flatten(row: dict[str, Any], run: str, objectives: Sequence[str], knew: bool = True) -> dict[str, Any]:
    """Flatten one row of the log: the columns of ``analysis.runs.columns.TRIALS`` that follow from the row alone.

    ``losses`` are those of all objectives, null unless all count for the incumbent (``harness.incumbent``); ``below``
    says that it was evaluated with success below the highest fidelity.

    Args:
        row: As it stands in ``trials.jsonl``.
        run: Id of the run: its folder below the experiment's.
        objectives: Their names; the first is the one that methods are compared in.
        knew: Whether the run was judged by rules that know what is off the grid.

    Raises:
        RunError: The row lacks a field of the contract or names a fault that does not exist.
    """
    try:
        usage, fidelity = row["usage"], row["fidelity"]
        executed, failed = row["executed"] is not None, row["error"] is not None
        below = loss_below(row["losses"], fidelity, objectives[0])
        losses = [counted_loss(row["losses"], fidelity, name) for name in objectives]
        known = [loss for loss in losses if loss is not None]
        if row["losses"] is not None and (failed or not executed):
            raise ValueError("it has losses and " + ("an error" if failed else "nothing was executed"))
        sorted_out = filed(row["violations"], knew)
        return dict(
            run=run,
            index=int(row["index"]),
            loss=losses[0],
            losses=known if len(known) == len(losses) else None,
            below=below is not None,
            fidelity=None if fidelity is None else level_text(fidelity),
            loss_below=below,
            test=finite((row["metrics"] or {}).get(f"test_{objectives[0]}")) if counts(fidelity) else None,
            invalid=bool(row["violations"]),
            executed=executed,
            failed=failed,
            error=None if row["error"] is None else visible(str(row["error"])),
            faults=list(dict.fromkeys(Fault(violation["fault"]).value for violation in row["violations"])),
            off_steps=[each["steps"] for each in row["violations"] if each.get("steps") is not None],
            outside=sum(each["fault"] == Fault.NOT_A_CHOICE and is_number(each["value"]) for each in row["violations"]),
            confused=sum(each.get("confused") is not None for each in row["violations"]),
            invented=sorted_out.groups[Group.INVENTED],
            imprecise=sorted_out.groups[Group.IMPRECISE],
            redundant=sorted_out.groups[Group.REDUNDANT],
            unreadable=sorted_out.groups[Group.UNREADABLE],
            filed=sorted_out.fault,
            duplicate=row["duplicate_of"] is not None,
            # Older records do not say.
            near_duplicate=row["near_duplicate_of"] is not None if "near_duplicate_of" in row else None,
            proposer=row.get("proposer"),
            repaired=row["repair"] is not None,
            predicted=finite(row.get("predicted")),
            ask_seconds=_seconds(row["ask_seconds"]),
            evaluation_seconds=finite(row["evaluation_seconds"]),
            **{each.column: _amount(each, each.read(usage)) for each in USAGE},
            candidates=len(drawn := drawn_candidates(row)),
            candidates_invalid=sum(bool(candidate["violations"]) for candidate in drawn),
            snap_steps=finite((row["metrics"] or {}).get(SNAP_STEPS)),
            snap_steps_max=finite((row["metrics"] or {}).get(SNAP_STEPS_MAX)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else f"cannot be read ({error})"
        raise RunError(f"A trial of {run} {reason}; move the run's folder away and run it again.") from None


def level_text(fidelity: object) -> str:
    """A fidelity below the highest in words; an invented one, which is untrusted, as what it is."""
    if not isinstance(fidelity, dict):
        return "invented"
    numbers = {name: value for name, value in fidelity.items() if isinstance(value, int | float)}
    return ", ".join(f"{name}={value:g}" for name, value in numbers.items()) if numbers == fidelity else "invented"


def _amount(quantity: Quantity, value: object) -> float | None:
    if value is None and quantity.null_when != "never":
        return None
    return _count(value) if quantity.whole else _seconds(value)


def _count(value: object) -> int:
    """A count of the log.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST:
        raise ValueError(f"{str(value)[:40]!r} is not a count")
    return value


def _seconds(value: object) -> float:
    """Seconds of the log.

    Raises:
        ValueError: They are none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LARGEST:
        raise ValueError(f"{str(value)[:40]!r} is not a number of seconds")
    return float(value)
