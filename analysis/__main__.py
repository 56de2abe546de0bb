"""``python -m analysis runs/<experiment>``: tables, figures and the report page, and the tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from harness.arguments import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Analyze one experiment.

    Returns:
        0, or 2 where the user can put something right; the reason is one sentence on standard error.
    """
    parser = Parser(prog="python -m analysis", description="Runs on disk -> tables, figures, report.")
    parser.add_argument("experiment", type=Path, help="folder of the runs, such as runs/quickstart")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to write (default: the experiment's folder)")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="price table (default: analysis/prices.yaml)")
    options = parser.parse_args(arguments)

    from analysis.prices import OURS
    from analysis.publish import publish
    from harness.errors import HyperboleError

    try:
        publish(options.experiment, options.output or options.experiment, options.prices or OURS)
    except HyperboleError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"Cannot use {error.filename or options.output}: {error.strerror}; choose another --output.",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
