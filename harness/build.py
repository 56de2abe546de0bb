"""Build objects from the configuration; plug-ins are found by ``_target_`` only."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

from harness.budget import Budget
from harness.contract import check_benchmark, check_optimizer, check_part
from harness.errors import SettingError, SpaceError, causes
from harness.locate import ROOT, locate
from harness.method import GROUPS
from harness.probe import Family
from harness.problem import Benchmark, Problem
from harness.repair import Repair
from harness.seeds import derived_seeds
from harness.signature import check_settings, gathered, settings_of
from harness.space import refuse_unsound
from harness.start import Start, begin_with
from harness.tracker import Tracker
from harness.trial import Optimizer

HYDRAS = frozenset({"_target_", "_partial_", "_recursive_", "_convert_"})
"""Keys of a configuration for Hydra, which are not settings."""
_GIVEN = {
    "benchmark": (),
    "probe": ("benchmark", "family", "seed"),
    "optimizer": ("problem", "seed", "budget"),
    "start": (),
    "repair": ("problem", "seed"),
    "tracker": (),
}
"""Group -> the arguments that are not settings, of each group that is built."""


def choices_of(group: str) -> list[str]:
    """The choices of a group in conf/."""
    return sorted(file.stem for file in (ROOT / "conf" / group).glob("*.yaml"))


def build_benchmark(config: Mapping[str, Any], seeds: Mapping[str, int] | None = None) -> Benchmark:
    """The benchmark of a resolved configuration, with its probe if there is one.

    Args:
        config: Resolved configuration.
        seeds: Seeds of the run's parts (``harness.seeds``); None for those of a new run.

    Raises:
        SettingError: A setting is invalid, or (SpaceError) the search space cannot be used.
    """
    node: Any = config.get("benchmark")
    factory = _factory(node, "benchmark")
    benchmark = _benchmark(factory)
    probe = config.get("probe")  # missing in older runs
    if probe is None:
        return benchmark
    family = Family(
        tuple(getattr(factory.func, "tasks", ())),
        lambda task: _benchmark(_factory({**node, "task": task}, "benchmark")),
    )
    given = {"benchmark": benchmark, "family": family, "seed": _seed(config, seeds, "probe")}
    return _benchmark(_factory(probe, "probe", *given), **given)


def _benchmark(factory: Any, **given: Any) -> Benchmark:
    """Build a benchmark, and check its search space."""
    try:
        benchmark = check_benchmark(factory(**given))
        refuse_unsound(benchmark.problem)
    except (TypeError, ValueError) as error:
        if not _raised_in_configspace(error):
            raise
        said = " ".join(str(error).split())
        raise SpaceError(f"ConfigSpace refuses the search space of {factory.func.__qualname__}: {said}") from error
    return benchmark


def _raised_in_configspace(error: Exception) -> bool:
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").startswith("ConfigSpace.") for frame in frames)


def build_budget(config: Mapping[str, Any]) -> Budget:
    """The budget of a resolved configuration."""
    return cast(Budget, check_part(_factory(config.get("budget"), "budget")(), Budget, "budget"))


def build_tracker(config: Mapping[str, Any]) -> Tracker:
    """The tracker of a resolved configuration."""
    return cast(Tracker, check_part(_factory(config.get("tracker"), "tracker")(), Tracker, "tracker"))


def build_optimizer(
    config: Mapping[str, Any], problem: Problem, budget: Budget, seeds: Mapping[str, int] | None = None
) -> Optimizer:
    """The optimizer of a resolved configuration; it sees neither the benchmark nor the optimum (law 4)."""
    shared = {group: config.get(group) for group in GROUPS}
    factory = _factory(config.get("optimizer"), "optimizer", *_GIVEN["optimizer"], shared=shared)
    objectives = tuple(replace(objective, optimum=None, worst=None) for objective in problem.objectives)
    shown = replace(problem, objectives=objectives)
    optimizer = check_optimizer(factory(problem=shown, seed=_seed(config, seeds, "optimizer"), budget=budget))
    start = config.get("start")  # missing in older runs
    if start is None:
        return optimizer
    return begin_with(check_part(_factory(start, "start")(), Start, "start"), problem, optimizer)


def build_repair(config: Mapping[str, Any], problem: Problem, seeds: Mapping[str, int] | None = None) -> Repair:
    """The repair of a resolved configuration."""
    factory = _factory(config.get("repair"), "repair", *_GIVEN["repair"])
    repair = factory(problem=problem, seed=_seed(config, seeds, "repair"))
    return cast(Repair, check_part(repair, Repair, "repair"))


def _seed(config: Mapping[str, Any], seeds: Mapping[str, int] | None, part: str) -> int:
    return (derived_seeds(config) if seeds is None else seeds)[part]


def build_all(config: Mapping[str, Any]) -> None:
    """Build every part as a check.

    Raises:
        SettingError: A setting is invalid.
    """
    problem = build_benchmark(config).problem
    build_optimizer(config, problem, build_budget(config))
    build_repair(config, problem)
    build_tracker(config)


def check_all(config: Mapping[str, Any]) -> None:
    """Check the names and types of all settings, and a task that the benchmark does not list, without building more.

    Raises:
        SettingError: A setting is invalid.
    """
    shared = {group: config.get(group) for group in GROUPS}
    for group, given in _GIVEN.items():
        if config.get(group) is not None:
            _check(config[group], group, given, shared if group == "optimizer" else {})
    build_budget(config).check_ends(uses_model=config.get("llm") is not None)
    node: Any = config["benchmark"]
    benchmark = locate(node["_target_"], "benchmark")
    tasks = [str(task) for task in getattr(benchmark, "tasks", ())]
    if tasks and not getattr(benchmark, "other_tasks", False) and str(node.get("task", tasks[0])) not in tasks:
        _factory(node, "benchmark")()  # its class says what is wrong


def _factory(node: Any, group: str, *given: str, shared: Mapping[str, Any] | None = None) -> Any:
    """The target with bound settings.

    Args:
        node: The group's configuration.
        group: Its name.
        given: Arguments that are not settings.
        shared: Groups that the node may refer to (``chat: ${llm}``), by name, for the names of their settings.

    Raises:
        SettingError: The target cannot be found, or a setting is invalid.
    """
    from hydra.errors import InstantiationException  # not needed by skipped runs
    from hydra.utils import instantiate
    from omegaconf.errors import OmegaConfBaseException

    if node is None:
        raise SettingError(f"{group} needs one choice; give {group}=<one of {', '.join(choices_of(group))}>.")
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise SettingError(f"The {group} configuration has no _target_; name the class to build there.")
    _check(node, group, given, shared or {})
    try:
        factory = instantiate(_literal(node), _partial_=True, _convert_="all")
    except (InstantiationException, OmegaConfBaseException) as error:
        raise _explained(error, group) from error
    for name, setting in settings_of(factory.func)[0].items():
        if setting.part is not None and name in factory.keywords:
            place = next((key for key, value in (shared or {}).items() if value == node.get(name)), f"{group}.{name}")
            check_part(factory.keywords[name], setting.part, place)
    return partial(factory.func, *factory.args, **gathered(factory.func, factory.keywords))


def _check(node: Mapping[str, Any], path: str, given: tuple[str, ...], shared: Mapping[str, Any]) -> None:
    """Find the target and check its settings, then those of nested objects."""
    target = locate(node["_target_"], path)
    settings = {name: value for name, value in node.items() if name not in HYDRAS}
    if "_args_" not in settings or given:  # positional arguments have no names to check
        check_settings(target, settings, path, given)
    for name, inner in _built_inside(settings, path):
        group = next((group for group, value in shared.items() if value == inner), None)
        _check(inner, group or name, (), shared)


def _built_inside(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The outermost objects to build inside a value, with their names."""
    for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        if isinstance(item, Mapping) and "_target_" in item:
            yield f"{path}.{key}", item
        elif isinstance(item, Mapping | list | tuple):
            yield from _built_inside(item, f"{path}.{key}")


def _literal(value: Any) -> Any:
    """A resolved value that Hydra uses literally: ``${...}`` in it is text and reads no environment variable."""
    if isinstance(value, str):
        for _ in range(2):  # Hydra resolves twice
            value = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
        return value
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, list | tuple) else value


def _explained(error: Exception, group: str) -> Exception:
    """The user's mistake behind an instantiation error, or the error itself."""
    for cause in causes(error):
        if isinstance(cause, SettingError):
            return cause
    return SettingError(f"The {group} cannot be built: {str(error).splitlines()[0]}")
