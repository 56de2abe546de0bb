"""The forecast as lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from analysis.plan.forecast import Group, Range, elapsed, total
from analysis.stats.prices import HourPrice, Prices
from harness.console import duration
from harness.engine.asked import Asked
from harness.visible import visible

SHOWN = 10
"""Sources that are listed."""
UNKNOWN = "unknown"


def page(asked: Asked, groups: Sequence[Group], prices: Prices) -> str:
    """How many runs, trials, calls and tokens, how long, how much money, and from which recorded runs."""
    lines = [_runs(asked)]
    if groups:
        lines += [f"  {name:<18}{text}" for name, text in _figures(asked, groups, prices)]
        lines += ["Figures are means of recorded runs:", *_sources(groups)]
    return "\n".join([*lines, "Nothing was started."])


def _runs(asked: Asked) -> str:
    resumed, missing = len(asked.resumed), len(asked.missing)
    every = asked.complete + resumed + missing + asked.busy
    parts = [f"{asked.complete:,} complete", f"{resumed:,} to resume", f"{missing:,} missing"]
    parts += [f"{asked.busy:,} in another process"] if asked.busy else []
    jobs = f"{_count(asked.jobs, 'job')}, " if asked.jobs != every else ""
    refused = f"; {_count(len(asked.mistakes), 'job')} refused" if asked.mistakes else ""
    where = ", ".join(f"runs/{name}" for name in asked.experiments)
    return f"{where}: {jobs}{_count(every, 'run')}: {', '.join(parts)}{refused}"


def _figures(asked: Asked, groups: Sequence[Group], prices: Prices) -> Iterator[tuple[str, str]]:
    names = {"trials": "trials", "calls": "model calls", "prompt_tokens": "prompt tokens"}
    for name, title in (names | {"completion_tokens": "completion tokens"}).items():
        value, missing = total(groups, name)
        yield title, _known(f"{value:,.0f}", missing, groups)
    seconds, missing = elapsed(groups, asked)
    yield "time", _known(_between(seconds, duration), missing, groups, f", {_at_a_time(asked, groups)}")
    if any(group.model is not None for group in groups):
        yield "money", _money(groups, prices)


def _money(groups: Sequence[Group], prices: Prices) -> str:
    paid = [group for group in groups if group.model is not None]
    texts = []
    for currency in dict.fromkeys(group.price.currency for group in paid if group.price is not None):
        own = [group for group in paid if group.price is not None and group.price.currency == currency]
        known = [amount for group in own if (amount := group.money) is not None]
        if known:
            ends = (sum(low for low, _ in known), sum(high for _, high in known))
            texts.append(f"{_between(ends, _amount)} {currency}")
    priced = [group.price for group in paid if group.price is not None]
    bases = dict.fromkeys("machine hours" if isinstance(price, HourPrice) else "tokens" for price in priced)
    missing = sum(group.runs for group in paid if group.money is None)
    aside = f" by {' and '.join(bases)}, {prices.name}" if texts else ""
    return _known(" + ".join(texts), missing, paid, aside) + _unpriced(paid, prices)


def _unpriced(paid: Iterable[Group], prices: Prices) -> str:
    models = dict.fromkeys(visible(str(group.model)) for group in paid if group.price is None)
    return f"; {prices.name} has no price of {', '.join(models)}" if models else ""


def _known(text: str, missing: int, groups: Iterable[Group], aside: str = "") -> str:
    """The figure, and for how many runs it is not known."""
    runs = sum(group.runs for group in groups)
    if missing >= runs:
        return UNKNOWN
    return (
        f"{text} for {runs - missing:,} runs{aside}; {UNKNOWN} for the other {missing:,}" if missing else text + aside
    )


def _at_a_time(asked: Asked, groups: Sequence[Group]) -> str:
    if asked.at_a_time == 1:
        return "one run at a time"
    parts = []
    for uses_model, slots in ((True, asked.with_model), (False, asked.classical)):
        if runs := sum(group.runs for group in groups if (group.model is not None) == uses_model):
            parts.append(f"{min(runs, slots or runs):,} with{'' if uses_model else 'out'} a language model")
    start = " (the start of a server comes on top)" if any(group.model is not None for group in groups) else ""
    return f"{' and '.join(parts)} at a time{start}"


def _sources(groups: Sequence[Group]) -> Iterator[str]:
    """Method, number of runs, and where its figures are from; tasks whose figures are from one place are one line."""
    found: dict[tuple[str, str], list[Group]] = {}
    for group in groups:
        found.setdefault((group.method, _where(group)), []).append(group)
    for (method, where), own in list(found.items())[:SHOWN]:
        tasks = own[0].task if len(own) == 1 else f"{len(own):,} tasks"
        recorded = sum(group.recorded for group in own)
        number = f"{_count(recorded, 'run')} " if recorded else ""
        planned = _count(sum(each.runs for each in own), "run")
        yield f"  {visible(method)} on {visible(tasks)} ({planned}): {number}{where}"
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN:,} more"


def _where(group: Group) -> str:
    if group.source is None:
        return "nothing was recorded of this optimizer"
    aside = f" ({'; '.join(group.notes)})" if group.notes else ""
    if group.is_same:
        return f"of the same method and task in {visible(str(group.source.experiment))}{aside}"
    return f"of {group.source.label}{aside}"


def _between(ends: Range, said: Callable[[float], str]) -> str:
    low, high = (said(each) for each in ends)
    return low if low == high else f"{low} to {high}"


def _amount(value: float) -> str:
    return f"{value:.2f}" if value >= 10 else f"{value:.2g}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
