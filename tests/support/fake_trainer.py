"""A trainer for the tests of live evaluations: it is built in the training process, from its module's name."""

from __future__ import annotations

import os
import signal
import time


class Trainer:
    def __init__(self, scale=1.0, folder=None, build_seconds=0.0):
        time.sleep(build_seconds)
        if scale == 0:
            raise FileNotFoundError("no data\nwhatever")
        self.scale = scale

    def train(self, params, fidelity, seed):
        what = params["what"]
        if what == "raise":
            raise ValueError("the solver\n  diverged")
        if what == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "hang":
            while True:  # pure Python that no exception ends
                try:
                    time.sleep(1)
                except BaseException:
                    continue
        if what == "nan":
            return {"score": float("nan"), "pid": os.getpid()}
        if what == "slow":
            time.sleep(0.5)
        measured = {"score": self.scale * fidelity["steps"] + seed, "pid": os.getpid()}
        return measured | ({"evaluation_seconds": 1e-9} if what == "quick" else {})
