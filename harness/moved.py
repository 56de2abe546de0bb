"""Former names in records: classes that were moved, and values that were renamed.

Readers of records convert to the new names (``harness.record``), and ``harness.migrate`` writes them. Only
classes that configuration files named as ``_target_`` are listed: records name no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.cache import NONE, USER
from harness.probe import ORIGINAL, PROBED
from harness.values import TARGET, same

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
"""Old module -> new module; names of classes are unchanged."""


CLASSES = {"harness.probe.no_probe": PROBED, "benchmarks.probes.probe.Probe": PROBED}
"""Old class -> new class, if its name has changed too."""

_PROMPT = "optimizers.chat.prompt.Prompt"
_LIVE = (
    "benchmarks.bayesmark.bayesmark.Bayesmark",
    "benchmarks.conditional.conditional.Conditional",
    "benchmarks.fairness.fairness.Fairness",
    "benchmarks.hpobench.hpobench_live.HPOBenchLive",
    "benchmarks.openml.openml.OpenML",
)
RESPELLED: dict[tuple[str, str], list[tuple[Any, str]]] = {
    (_PROMPT, "context"): [(True, "task"), (False, "none")],
    **{(PROBED, name): [(True, ORIGINAL), ("true", ORIGINAL)] for name in ("names", "task", "space", "responses")},
    **{(target, "cache"): [(True, USER), (False, NONE)] for target in _LIVE},
}
"""Class and setting -> old and new spelling of each value."""


def class_now(target: str) -> str:
    """The current path of a class."""
    module, _, name = target.rpartition(".")
    moved = f"{MOVED.get(module, module)}.{name}" if module else target
    return CLASSES.get(moved, moved)


def respelled(target: str, setting: str, value: Any) -> str | None:
    """The current spelling of a value; None if it is unchanged.

    Args:
        target: Dotted path of the class.
        setting: Name of the setting.
        value: Its value.
    """
    return next((new for old, new in RESPELLED.get((target, setting), ()) if same(old, value)), None)


def renewed(config: Any) -> Any:
    """A recorded configuration with current names.

    Args:
        config: Builtin JSON values.
    """
    if isinstance(config, list):
        return [renewed(each) for each in config]
    if not isinstance(config, Mapping):
        return config
    found = {key: renewed(value) for key, value in config.items()}
    if isinstance(target := found.get(TARGET), str):
        target = class_now(target)
        spelled = {key: respelled(target, key, value) for key, value in found.items()}
        found |= {TARGET: target} | {key: value for key, value in spelled.items() if value is not None}
    return found
