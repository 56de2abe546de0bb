"""``python -m analysis runs/<experiment>``: write tables, figures and the report page, and print the tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from harness.arguments import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Analyze one experiment.

    Returns:
        0; 1 if damaged runs were left out; 2 if there is nothing to analyze or the command is wrong. Mistakes are
        reported on stderr; damaged runs are named before the tables, on stdout.
    """
    parser = Parser(prog="python -m analysis", description="Runs on disk -> tables, figures, report.")
    parser.add_argument("experiment", type=Path, help="folder of the runs, such as runs/quickstart")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to write (default: the experiment's folder)")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="price table (default: analysis/stats/prices.yaml)")
    options = parser.parse_args(arguments)

    from analysis.report.outputs import present
    from analysis.runs.load import load
    from analysis.stats.prices import OURS
    from harness.errors import DiskError, HyperboleError
    from harness.explain import silence
    from harness.files import usable

    try:
        with usable("Standard output"):
            experiment = load(options.experiment)
            present(experiment, options.output or options.experiment, options.prices or OURS)
            sys.stdout.flush()
    except DiskError as error:
        print(str(error).replace(", then repeat", " or choose another --output, then repeat"), file=sys.stderr)
        silence()
        return 2
    except HyperboleError as error:
        print(error, file=sys.stderr)
        silence()
        return 2
    if experiment.damaged:
        number = len(experiment.damaged)
        runs = "1 run is damaged and was" if number == 1 else f"{number} runs are damaged and were"
        print(f"{runs} left out; see the sentences before the tables for the runs and their repair.", file=sys.stderr)
    return 1 if experiment.damaged else 0


if __name__ == "__main__":
    sys.exit(main())
