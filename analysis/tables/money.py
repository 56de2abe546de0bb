"""Estimated cost of the language models: money and FLOPs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from analysis.present.table import OVER_WHOLE_RUNS, Column, Entry, Findings, Table, frame_of
from analysis.stats.bills import Bill, bills
from analysis.stats.material import Material
from analysis.stats.prices import HourPrice, Prices, TokenPrice
from harness.visible import visible

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("model", ("model",), "text"),
    Column("tokens", ("tokens",)),
    Column("est. FLOPs (10^12)", ("teraflops",)),
    Column("without cached (10^12)", ("computed_teraflops",)),
    Column("est. money", ("money",)),
    Column("currency", ("currency",), "text"),
    Column("paid by", ("basis",), "text"),
    Column("price as of", ("as_of",), "text"),
)


def money_findings(of: Material) -> Findings:
    """The table of estimates, if a language model was used."""
    experiment = of.experiment
    found = bills(experiment, of.prices)
    if not found:
        return Findings()
    by_method: dict[str, list[Bill]] = {}
    for run in experiment.runs:
        if run.id in found:
            by_method.setdefault(run.method, []).append(found[run.id])
    rows = [{"method": method, **_row(of_method)} for method, of_method in by_method.items()]
    of_price = ("currency", "basis", "as_of")
    absent = frozenset((number, key) for number, row in enumerate(rows) for key in of_price if row[key] is None)
    title, notes = "Estimated cost of the language models", _notes(found.values(), of.prices)
    return Findings((Table("money", title, frame_of(rows, COLUMNS), COLUMNS, notes, absent),))


def _row(found: list[Bill]) -> dict[str, object]:
    """One method; a mean is null if the value of any run is unknown."""
    known = [bill.price for bill in found if bill.amounts is not None and bill.price is not None]
    return {
        "runs": len(found),
        "model": _listed(None if bill.model is None else visible(bill.model) for bill in found),
        "tokens": _mean([bill.tokens for bill in found]),
        "teraflops": _in_tera(bill.flops for bill in found),
        "computed_teraflops": _in_tera(bill.computed_flops for bill in found),
        "money": _mean([bill.money for bill in found]) if len({price.currency for price in known}) == 1 else None,
        "currency": _listed(price.currency for price in known),
        "basis": _listed("tokens" if isinstance(price, TokenPrice) else "machine hours" for price in known),
        "as_of": _listed(price.as_of for price in known),
    }


def _notes(found: Iterable[Bill], prices: Prices) -> tuple[str, ...]:
    every = list(found)
    notes = [
        "Estimates, means per run; methods without a language model have no such cost. FLOPs: 2 x parameters x tokens, "
        "without attention; without cached: the same without cached prompt tokens, which a server does not compute "
        "again.",
        f"Money: from the price table {prices.name}. Machine hours: time with any call of the experiment to the model "
        "in progress, divided among its runs by tokens; idle time of the server and the machine of the optimizer are "
        "not included.",
    ]
    priced = {bill.model: bill.price for bill in every if bill.price is not None}
    notes += [f"{model}: {_price_text(price)}, as of {price.as_of}: {price.source}." for model, price in priced.items()]
    missing = sorted({visible(bill.model or "not recorded") for bill in every if bill.price is None})
    if missing:
        notes.append(f"No price is known for {', '.join(missing)}; set a price table with --prices FILE.")
    return tuple(notes)


def _price_text(price: TokenPrice | HourPrice) -> str:
    if isinstance(price, HourPrice):
        return f"{price.price:g} {price.currency} per machine hour"
    parts = f"{price.prompt:g} prompt, {price.cached_prompt:g} cached prompt, {price.completion:g} completion"
    return f"{parts} {price.currency} per million tokens"


def _in_tera(flops: Iterable[float | None]) -> float | None:
    return _mean([None if each is None else each / 1e12 for each in flops])


def _mean(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if None in known else float(np.mean(np.array(known, dtype=np.float64)))


def _listed(values: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(value for value in values if value)) or None


TABLE = Entry(200, money_findings, whole=OVER_WHOLE_RUNS)
