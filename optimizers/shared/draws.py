"""Random configurations: independent draws from the space's own distribution."""

from __future__ import annotations

import copy
from collections import deque

from ConfigSpace import Configuration, ConfigurationSpace

from harness.problem import Params
from harness.space import Decoder

BATCH = 64


class Draws:
    """An endless sequence of draws, with replacement.

    Args:
        space: Copied, and the copy seeded.
        seed: Seeds the copy.
    """

    def __init__(self, space: ConfigurationSpace, seed: int) -> None:
        self._space = copy.deepcopy(space)
        self._space.seed(seed)
        self._read = Decoder(self._space)
        self._drawn: deque[Configuration] = deque()

    def next(self) -> Params:
        """A new draw; drawn in batches of a fixed size, which is faster in ConfigSpace."""
        if not self._drawn:
            self._drawn.extend(self._space.sample_configuration(BATCH))
        return self._read(self._drawn.popleft())
