"""Modules of classes that records name and that lie elsewhere since: ``harness.migrate`` writes the new place.

A class that no configuration file ever named as ``_target_`` is not here: no record names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.values import TARGET

MOVED = {
    "benchmarks.bayesmark": "benchmarks.bayesmark.bayesmark",
    "benchmarks.conditional": "benchmarks.conditional.conditional",
    "benchmarks.fairness": "benchmarks.fairness.fairness",
    "benchmarks.hpobench": "benchmarks.hpobench.hpobench",
    "benchmarks.hpobench_live": "benchmarks.hpobench.hpobench_live",
    "benchmarks.hpobench_tables": "benchmarks.hpobench.hpobench_tables",
    "benchmarks.openml": "benchmarks.openml.openml",
    "benchmarks.probe": "benchmarks.probes.probe",
    "benchmarks.yahpo": "benchmarks.yahpo.yahpo",
    "harness.wandb_tracker": "harness.wandb.wandb_tracker",
    "optimizers.hollm": "optimizers.hollm.hollm",
    "optimizers.hyperband": "optimizers.multifidelity.hyperband",
    "optimizers.llambo": "optimizers.llambo.llambo",
    "optimizers.llinbo": "optimizers.llinbo.llinbo",
    "optimizers.prompt": "optimizers.chat.prompt",
    "optimizers.smac_multifidelity": "optimizers.multifidelity.smac_multifidelity",
    "optimizers.successive_halving": "optimizers.multifidelity.successive_halving",
}
"""Module as it was -> module as it is. Names of classes have stayed."""


def renewed(config: Any) -> Any:
    """A recorded configuration whose classes are named where they lie now.

    Args:
        config: Builtin JSON values.
    """
    if isinstance(config, list):
        return [renewed(each) for each in config]
    if not isinstance(config, Mapping):
        return config
    found = {key: renewed(value) for key, value in config.items()}
    if isinstance(target := found.get(TARGET), str):
        module, _, name = target.rpartition(".")
        found[TARGET] = f"{MOVED.get(module, module)}.{name}" if module else target
    return found
