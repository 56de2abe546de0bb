"""Check whether a plug-in keeps the contract, also one from outside of the repository, and print what it breaks.

python -m harness.check optimizer=hill_climbing 'hydra.searchpath=[DIR]'
python -m harness.check benchmark=trees 'hydra.searchpath=[DIR]'

Takes the overrides of harness.run and checks the optimizer, the benchmark or both. An optimizer is tried in short runs
on the tasks of benchmark=toy, or on the given benchmark, which is then checked too. No language model is used: a
stand-in answers immediately, with occasional faults. budget.proposals=N sets the length of a run.
Exit codes: 0 the contract is kept, 1 something is broken, 2 a mistake in the command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cache import NONE
from harness.errors import ContractError, SettingError, SpaceError
from harness.explain import explained
from harness.visible import visible

TASKS = ("branin", "peak", "front")
"""Tasks of benchmark=toy: conditions; forbidden combinations, an ordinal and a constant; two objectives."""
TRIALS = 16
GROUPS = ("benchmark", "optimizer")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking one plug-in.

    Attributes:
        what: The override: ``optimizer=smac``.
        breaches: One sentence per broken rule.
        notes: Benchmarks on which it was not tried, and why.
    """

    what: str
    breaches: list[str]
    notes: tuple[str, ...] = ()


def main() -> None:
    """The command."""
    arguments = sys.argv[1:]
    if not arguments or {"-h", "--help"} & set(arguments):
        print(__doc__)
        raise SystemExit(0 if arguments else 2)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # runs are short, and threads would slow them down
    broken = 0
    with explained(arguments):
        for verdict in check(arguments):
            broken += len(verdict.breaches)
            for sentence in [*verdict.notes, *(verdict.breaches or ["keeps the contract."])]:
                print(visible(f"{verdict.what}: {sentence}"), flush=True)
    raise SystemExit(1 if broken else 0)


def check(overrides: Sequence[str]) -> Iterator[Verdict]:
    """Check the plug-ins of the overrides, the benchmark first.

    Raises:
        SettingError: There is nothing to check, a name or value is wrong, or the optimizer refuses every benchmark.
    """
    named = {text.lstrip("+~").partition("=")[0].partition(".")[0] for text in overrides}
    config = _resolved(overrides)
    if named.isdisjoint(GROUPS):
        raise SettingError("Nothing to check; give optimizer=NAME, benchmark=NAME or both.")
    configs = [config]
    if "benchmark" in named:
        verdict = _benchmark(f"benchmark={_choice('benchmark', overrides)}", config)
        yield verdict
        if verdict.breaches:
            return  # an optimizer cannot be judged on a broken benchmark
    else:
        configs = [_resolved([*overrides, "benchmark=toy", f"benchmark.task={task}"]) for task in TASKS]
    if "optimizer" in named:
        trials = config["budget"].get("proposals") if "budget" in named else TRIALS
        yield _optimizer(f"optimizer={_choice('optimizer', overrides)}", configs, trials or TRIALS)


def _resolved(overrides: Sequence[str]) -> dict[str, Any]:
    from omegaconf import OmegaConf

    from harness.composed import resolve
    from harness.experiment import compose_with
    from harness.method import used_groups

    config, _ = compose_with(overrides, {})
    return resolve(config, used_groups(OmegaConf.to_container(config.optimizer, resolve=False)), ".")


def _choice(group: str, overrides: Sequence[str]) -> str:
    from harness.choice_files import default_choices

    given = [text.partition("=")[2] for text in overrides if text.lstrip("+").partition("=")[0] == group]
    return given[-1] if given else str(default_choices()[group])


def _benchmark(what: str, config: Mapping[str, Any]) -> Verdict:
    """Check a benchmark, with its probe."""
    from harness.build import build_benchmark
    from harness.checks.benchmark_checks import breaches
    from harness.checks.elsewhere import measured_elsewhere, measured_otherwise
    from harness.checks.evaluations import Bench, close
    from harness.checks.witness import BrokenError, given_by

    node = config["benchmark"]
    off = NONE if isinstance(node.get("cache"), str) else False  # a plug-in may have a truth value there
    anew = {**config, "benchmark": node | ({"cache": off} if "cache" in node else {})}  # so that it evaluates again
    made = f"{str(node.get('_target_')).rpartition('.')[2]}.__init__"
    try:
        benchmark = given_by(lambda: build_benchmark(config), made, "built with its settings")
        bench = Bench(lambda: given_by(lambda: build_benchmark(anew), made, "built a second time"), benchmark)
        found = breaches(bench) or list(measured_otherwise(bench, measured_elsewhere(anew)))
    except (BrokenError, ContractError, SpaceError) as error:
        return Verdict(what, [str(error)])
    close(benchmark)
    return Verdict(what, found)


def _optimizer(what: str, configs: Sequence[Mapping[str, Any]], trials: int) -> Verdict:
    """Check an optimizer on valid benchmarks."""
    from harness.checks.elsewhere import decided_elsewhere, left_behind
    from harness.checks.optimizer_checks import breaches
    from harness.checks.stage import Stage
    from harness.checks.witness import BrokenError, distinct

    found: dict[str, None] = {}
    notes, played, refused = [], [], None
    for config in configs:
        stage = Stage(config, trials)
        try:
            found.update(dict.fromkeys(breaches(stage)))
            if not stage.gets_through:
                break  # it would fail in the same way on the next one
            played.append(stage)
        except SettingError as error:
            refused = error
            notes.append(f"not tried on {stage.benchmark().problem.name}, which it refuses: {error}")
    if refused is not None and not played:
        raise refused
    if not found:
        try:
            for stage, decided in zip(played, decided_elsewhere(played), strict=True):
                found.update(dict.fromkeys(left_behind(stage, decided)))
        except BrokenError as error:
            found[f"In a fresh process: {error}"] = None
    return Verdict(what, distinct(found), tuple(notes))


if __name__ == "__main__":
    main()
