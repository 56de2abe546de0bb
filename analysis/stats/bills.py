"""Estimated cost of the runs' language models: money and FLOPs, from tokens, call times and a price table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.runs.by_run import by_run
from analysis.runs.calls import Call, Span, read_calls, read_spans, waited_seconds
from analysis.runs.load import Experiment, Run
from analysis.stats.prices import HourPrice, ModelPrice, Prices, TokenPrice

Floats = npt.NDArray[np.float64]

_NO_PRICE = ModelPrice(None, None)


@dataclass(frozen=True, slots=True)
class Bill:
    """Estimated cost of one run's language model.

    Attributes:
        model: Name in the calls; None if not recorded.
        tokens: Prompt and completion tokens.
        flops: Estimate, 2 x parameters x tokens; None if the parameters are unknown.
        computed_flops: The same without cached prompt tokens; None also if their number is unknown.
        amounts: Money per trial, shape (trials,); None without a price, or if the priced quantity was not measured.
        price: The price used.
    """

    model: str | None
    tokens: int
    flops: float | None
    computed_flops: float | None
    amounts: Floats | None
    price: TokenPrice | HourPrice | None

    @property
    def money(self) -> float | None:
        """Total money."""
        return None if self.amounts is None else float(self.amounts.sum())


def bills(experiment: Experiment, prices: Prices) -> dict[str, Bill]:
    """Run id -> bill, of every run that used tokens."""
    used = _tokens(experiment)
    runs = [run for run in experiment.runs if run.id in used]
    models = {run.id: _model(run) for run in runs}
    known = {id_: prices.models.get(model or "", _NO_PRICE) for id_, model in models.items()}
    hours = _hour_amounts([run for run in runs if isinstance(known[run.id].price, HourPrice)], models, used)
    result = {}
    for run in runs:
        found, price = used[run.id], known[run.id].price
        seconds = hours.get(run.id)
        amounts = None
        if isinstance(price, TokenPrice):
            amounts = _token_amounts(found, price)
        elif price is not None and seconds is not None:
            amounts = seconds / 3600 * price.price
        parameters = known[run.id].parameters
        tokens = found["tokens"]
        flops, computed = _flops(tokens, parameters), _flops(tokens - found["cached_tokens"], parameters)
        result[run.id] = Bill(models[run.id], int(tokens.sum()), flops, computed, amounts, price)
    return result


def _tokens(experiment: Experiment) -> dict[str, dict[str, Floats]]:
    """Run id -> tokens per trial by kind, shape (trials,); NaN if cached tokens were not counted.

    Runs without tokens are left out.
    """
    names = ("prompt_tokens", "cached_tokens", "completion_tokens")
    found = {}
    for id_, counts in by_run(experiment.trials, *names).items():
        tokens = counts[0] + counts[2]
        if tokens.sum():
            found[id_] = {**dict(zip(names, counts, strict=True)), "tokens": tokens}
    return found


def _flops(tokens: Floats, parameters: int | None) -> float | None:
    """One multiplication and one addition per parameter and token (Kaplan et al. 2020, section 2.1)."""
    total = float(tokens.sum())
    return None if parameters is None or np.isnan(total) else 2 * parameters * total


def _token_amounts(found: dict[str, Floats], price: TokenPrice) -> Floats | None:
    amounts = price.amounts(*(found[name] for name in ("prompt_tokens", "cached_tokens", "completion_tokens")))
    return None if np.isnan(amounts).any() else amounts


def _hour_amounts(
    runs: list[Run], models: dict[str, str | None], used: dict[str, dict[str, Floats]]
) -> dict[str, Floats]:
    """Run id -> seconds of the model's machine that are attributed to each trial, shape (trials,).

    Runs that share a machine overlap, so the time in which it served any of them is divided by tokens.
    """
    spans = {run.id: read_spans(run.folder / "calls.jsonl") for run in runs}
    groups: dict[tuple[str | None, str], list[Run]] = {}
    for run in runs:
        if spans[run.id]:
            groups.setdefault((models[run.id], _machine(run)), []).append(run)
    charged: dict[str, Floats] = {}
    for together in groups.values():
        every: list[Span] = [span for run in together for span in spans[run.id]]
        tokens = sum(float(used[run.id]["tokens"].sum()) for run in together)
        charged |= {run.id: waited_seconds(every) * used[run.id]["tokens"] / tokens for run in together}
    return charged


def _machine(run: Run) -> str:
    """The machine that answered: the server's address, or the run's host for a local server."""
    call = _calls(run)[0]
    return f"{run.info.get('host')} {call.server}" if call.is_local else str(call.server)


def _model(run: Run) -> str | None:
    """The model's name in the calls, else in the configuration."""
    config = (run.info.get("config") or {}).get("llm") or {}
    names = [*(call.model for call in _calls(run)[:1]), config.get("served_name"), config.get("model")]
    return next((str(name) for name in names if name), None)


def _calls(run: Run) -> tuple[Call, ...]:
    return read_calls(run.folder / "calls.jsonl")
