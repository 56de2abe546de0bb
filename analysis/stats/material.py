"""What tables and figures are made from: runs, and what is worked out from them once, when it is first asked for."""

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
        experiment: Its runs; those of a table may be without the trials beyond the budget that all runs of a task had.
        prices: The price table.
    """

    experiment: Experiment
    prices: Prices = field(default_factory=read_prices)

    @cached_property
    def comparison(self) -> Comparison:
        """Those of the runs that can be compared."""
        return compare(self.experiment)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The costs that regret can be drawn against."""
        return cost_axes(self.experiment, self.prices)

    @cached_property
    def reasons(self) -> dict[str, list[Reasoned]]:
        """Method -> its proposals, of the methods that gave reasons.

        Raises:
            RunError: A log is damaged.
        """
        return read_reasons(self.experiment)
