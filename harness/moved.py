"""What records name otherwise than this version: classes that lie elsewhere, and values that are spelled otherwise.

Every reader of a record sees the new words (``harness.record``), and ``harness.migrate`` writes them. A class that no
configuration file ever named as ``_target_`` is not here: no record names it.
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
"""Module as it was -> module as it is. Names of classes have stayed."""


CLASSES = {"harness.probe.no_probe": PROBED, "benchmarks.probes.probe.Probe": PROBED}
"""Class as it was -> class as it is, where its name has changed too."""

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
"""Class and setting -> each value as it was and as it is."""


def class_now(target: str) -> str:
    """Where a class lies now."""
    module, _, name = target.rpartition(".")
    moved = f"{MOVED.get(module, module)}.{name}" if module else target
    return CLASSES.get(moved, moved)


def respelled(target: str, setting: str, value: Any) -> str | None:
    """How a value is spelled now; None if it is spelled as ever.

    Args:
        target: Dotted path of the class.
        setting: Name of the setting.
        value: Its value.
    """
    return next((new for old, new in RESPELLED.get((target, setting), ()) if same(old, value)), None)


def renewed(config: Any) -> Any:
    """A recorded configuration in the words of this version.

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
