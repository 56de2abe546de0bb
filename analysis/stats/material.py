"""The input of tables and figures: runs, and cached results computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from analysis.runs.comparison import Comparison, compare
from analysis.runs.load import Experiment
from analysis.runs.reasoned import Reasoned, read_reasons
from analysis.stats.axes import Axis, cost_axes
from analysis.stats.prices import Prices, read_prices


@dataclass(frozen=True)
class Material:
    """An experiment and the price table.

    Attributes:
        experiment: The runs, for some tables without trials beyond the common budget of each task.
        prices: The price table.
    """

    experiment: Experiment
    prices: Prices = field(default_factory=read_prices)

    @cached_property
    def comparison(self) -> Comparison:
        """The comparable runs."""
        return compare(self.experiment)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The measured costs for the x axis of regret."""
        return cost_axes(self.experiment, self.prices)

    @cached_property
    def reasons(self) -> dict[str, list[Reasoned]]:
        """Method -> proposals, for the methods that gave reasons.

        Raises:
            RunError: A log is damaged.
        """
        return read_reasons(self.experiment)
