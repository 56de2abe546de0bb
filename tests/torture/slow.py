"""toy.branin with evaluations long enough to be killed in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.toy import Toy
from harness.problem import Outcome, Params

EVALUATION_SECONDS = 0.03


class Slow(Toy):
    """See ``benchmarks.toy.Toy``."""

    def evaluate(self, params: Params, fidelity: Mapping[str, Any] | None, seed: int) -> Outcome:
        """Wait, then evaluate."""
        time.sleep(EVALUATION_SECONDS)
        return super().evaluate(params, fidelity, seed)
