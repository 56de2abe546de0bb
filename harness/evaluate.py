"""Check and evaluate one configuration, and print the trial's row as JSON.

python -m harness.evaluate benchmark=hpobench benchmark.task=credit_g 'params={depth: 2, width: 64, ...}'

Takes the overrides of ``harness.run`` with ``params`` and, for benchmarks with fidelities, ``fidelity``.
Exit codes: 0 evaluated, 1 invalid (see the row) or failed, 2 mistake in the command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from harness.errors import SettingError
from harness.explain import explained

EXTRA = {"params": None, "fidelity": None}


def main() -> None:
    """The command."""
    arguments = sys.argv[1:]
    if not arguments or {"-h", "--help"} & set(arguments):
        print(__doc__)
        raise SystemExit(0 if arguments else 2)
    with explained(arguments):
        row = evaluate(arguments)
    print(json.dumps(row, indent=1, allow_nan=False))
    raise SystemExit(0 if row["losses"] is not None else 1)


def evaluate(overrides: Sequence[str]) -> dict[str, Any]:
    """The row of one trial, which is not recorded.

    Raises:
        HyperboleError: An override is invalid, or there are no params.
    """
    from harness.build import build_benchmark, build_repair
    from harness.clock import now
    from harness.composed import resolve
    from harness.experiment import compose_with
    from harness.jsonl import encode
    from harness.loop import Judge, evaluated
    from harness.rows import to_row
    from harness.trial import Proposal, Trial

    config, given = compose_with(overrides, EXTRA)
    if not isinstance(given["params"], dict):
        raise SettingError("Nothing to evaluate; give a configuration, e.g. 'params={depth: 2, width: 64}'.")
    settings = resolve(config, {"repair", "probe"}, ".")
    benchmark = build_benchmark(settings)
    judge = Judge(benchmark.problem, build_repair(settings, benchmark.problem))
    trial = judge(Trial(0, Proposal(given["params"], given["fidelity"])))
    row = to_row(evaluated(trial, benchmark, settings["seed"]), now())
    return dict(json.loads(encode(row)))


if __name__ == "__main__":
    main()
