"""Torture sweeps: ``python -m tests.torture --kills 300 --seed 0`` (``make torture``).

Prints a table: each kind of fault, how often it struck, and what came of it. Exit code 1 if a record differed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from tests.torture.campaign import Campaign

METHODS = ("random_search", "smac", "llm_chat", "opro")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="number of faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--proposals", type=int, default=12)
    parser.add_argument("--only", default="", help="only faults whose name contains this text")
    parser.add_argument("--ray", action="store_true", help="also kill the head of Ray clusters")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hyperbole-torture-"))
    campaign = Campaign(folder, options.seed, options.methods.split(","), options.proposals, options.only, options.ray)
    campaign.run(options.kills, say=lambda text: print(text, flush=True))
    print(campaign.table())
    if campaign.failures:
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
