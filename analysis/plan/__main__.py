"""``python -m analysis.plan``: what a command of ``harness.run`` would take; ``dry=true`` in that command is the same.

It takes the arguments of ``harness.run``, and ``--prices FILE`` for another price table. Nothing is started or written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.arguments import Parser, in_order, without_dry
from harness.console import tell
from harness.explain import explained
from harness.provenance import ROOT


def main(arguments: Sequence[str]) -> None:
    """Print the plan.

    Exit codes: 0; 2 for a mistake that the user can fix (one sentence on standard error), also in one job of a sweep.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"
    parser = Parser.of_module("analysis.plan", __doc__)
    parser.add_argument("--prices", type=Path, metavar="FILE", help="price table (default: analysis/stats/prices.yaml)")
    options, overrides = parser.parse_known_args(list(arguments))
    with explained(overrides):
        from analysis.plan.forecast import forecast
        from analysis.plan.page import SHOWN, page
        from analysis.stats.prices import OURS, read_prices
        from harness.engine.asked import asked

        prices = read_prices(options.prices or OURS)
        wanted = asked(without_dry(in_order(overrides))[0])
        folders = {path.resolve(): path for path in (Path("runs"), Path("results"), ROOT / "results")}
        tell(page(wanted, forecast(wanted, folders.values(), prices), prices))
        first, *others = dict.fromkeys(map(str, wanted.mistakes)) or [None]
        for mistake in others[:SHOWN]:
            sys.stderr.write(f"{mistake}\n")
        if first is not None:
            raise wanted.mistakes[0]


if __name__ == "__main__":
    main(sys.argv[1:])
