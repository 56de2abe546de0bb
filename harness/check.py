"""Check whether a plug-in keeps the contract, also one from outside the repository; says in sentences what it breaks.

python -m harness.check optimizer=hill_climbing 'hydra.searchpath=[DIR]'
python -m harness.check benchmark=trees 'hydra.searchpath=[DIR]'

Takes the overrides of harness.run; what is named is checked. An optimizer is played through short runs: on the tasks of
benchmark=toy, or on the benchmark that is named, which is then checked too. No language model is asked: a stand-in
answers at once, with faults now and then. budget.proposals=N says how long a run is.
Exit codes: 0 the contract is kept, 1 something is broken, 2 a mistake in the command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import ContractError, SettingError, SpaceError
from harness.explain import explained
from harness.visible import visible

TASKS = ("branin", "peak", "front")
"""Of benchmark=toy: with conditions; with forbidden combinations, an ordinal and a constant; with two objectives."""
TRIALS = 16
GROUPS = ("benchmark", "optimizer")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one plug-in.

    Attributes:
        what: As it was named: ``optimizer=smac``.
        breaches: What it breaks, one sentence each.
        notes: What it was not tried on, and why.
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
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # runs are short: threads would only wait for one another
    broken = 0
    with explained(arguments):
        for verdict in check(arguments):
            broken += len(verdict.breaches)
            for sentence in [*verdict.notes, *(verdict.breaches or ["keeps the contract."])]:
                print(visible(f"{verdict.what}: {sentence}"), flush=True)
    raise SystemExit(1 if broken else 0)


def check(overrides: Sequence[str]) -> Iterator[Verdict]:
    """Check what the overrides name, the benchmark first.

    Raises:
        SettingError: Nothing is named, a name or value is wrong, or the optimizer refuses every benchmark.
    """
    named = {text.lstrip("+~").partition("=")[0].partition(".")[0] for text in overrides}
    config = _resolved(overrides)
    if named.isdisjoint(GROUPS):
        raise SettingError("Nothing to check; name it: optimizer=NAME, benchmark=NAME or both.")
    configs = [config]
    if "benchmark" in named:
        verdict = _benchmark(f"benchmark={_choice('benchmark', overrides)}", config)
        yield verdict
        if verdict.breaches:
            return  # what an optimizer does on it would say nothing about the optimizer
    else:
        configs = [_resolved([*overrides, "benchmark=toy", f"benchmark.task={task}"]) for task in TASKS]
    if "optimizer" in named:
        trials = config["budget"].get("proposals") if "budget" in named else TRIALS
        yield _optimizer(f"optimizer={_choice('optimizer', overrides)}", configs, trials or TRIALS)


def _resolved(overrides: Sequence[str]) -> dict[str, Any]:
    from omegaconf import OmegaConf

    from harness.experiment import compose_with, resolve
    from harness.method import used_groups

    config, _ = compose_with(overrides, {})
    return resolve(config, used_groups(OmegaConf.to_container(config.optimizer, resolve=False)), ".")


def _choice(group: str, overrides: Sequence[str]) -> str:
    from harness.choice_files import default_choices

    given = [text.partition("=")[2] for text in overrides if text.lstrip("+").partition("=")[0] == group]
    return given[-1] if given else str(default_choices()[group])


def _benchmark(what: str, config: Mapping[str, Any]) -> Verdict:
    """Check a benchmark, behind its probe."""
    from harness.build import build_benchmark
    from harness.checks.bench import Bench, close
    from harness.checks.benchmark_checks import breaches
    from harness.checks.elsewhere import measured_elsewhere, measured_otherwise
    from harness.checks.witness import BrokenError, given_by

    node = config["benchmark"]
    anew = {**config, "benchmark": node | ({"cache": False} if "cache" in node else {})}  # it is to evaluate again
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
    """Check an optimizer on benchmarks that keep the contract."""
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
                break  # on the next one it would stop at the same place
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
