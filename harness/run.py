"""The main command: ``python -m harness.run optimizer=smac benchmark.task=kc1 seed=3``; ``-m`` runs a sweep."""

from __future__ import annotations

import os
import runpy
import socket
import sys
from typing import TYPE_CHECKING

from harness.arguments import asks_for_help, in_order, without_dry
from harness.errors import HyperboleError
from harness.explain import explained
from harness.sweep_mode import trust_the_flags

if TYPE_CHECKING:
    from omegaconf import DictConfig

PLAN = "analysis.plan"
"""The command behind ``dry=true``: it needs prices, which ``analysis`` has, so it is named here as plug-ins are."""


def main() -> None:
    """Run one job or a sweep.

    Exit codes: 0 done, 1 every evaluation of a run failed, 2 a mistake that the user can fix (one sentence on
    standard error), 130 interrupted.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors are handled here instead of being printed with Hydra's traceback
    here = f"{socket.gethostname()}:{os.getpid()}"
    os.environ.setdefault("HYPERBOLE_SESSION", here)  # who a started server ends with
    os.environ["HYPERBOLE_COMMAND"] = here  # who workers end with (harness.orphans)
    if asks_for_help(sys.argv[1:]):
        from harness.console import tell
        from harness.help import page

        with explained(sys.argv[1:]):
            tell(page(sys.argv[1:]))
        return
    with explained(sys.argv[1:]):
        sys.argv[1:] = in_order(sys.argv[1:])
        if without_dry(sys.argv[1:])[1]:
            runpy.run_module(PLAN, run_name="__main__", alter_sys=True)
            return
        trust_the_flags(sys.argv[1:])
        import hydra
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        from harness.choice_files import CONF
        from harness.experiment import execute

        mistakes: list[HyperboleError] = []

        def job(config: DictConfig) -> float | None:
            try:
                return execute(config)
            except HyperboleError as error:
                if HydraConfig.get().mode is RunMode.MULTIRUN:
                    raise  # Hydra runs the other jobs, then reports the failed one
                mistakes.append(error)
                return None

        hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(job)()
        if mistakes:
            raise mistakes[0]


if __name__ == "__main__":
    main()
