"""Evaluate every configuration of a finite space and write the results as a table.

python -m benchmarks.tabulate benchmark=hpobench_live benchmark.task=31 benchmark.model=svm benchmark.space=grid
    'seeds=[0, 1]' 'fidelities={subsample: [0.1, 1.0]}' output=tables jobs=2

Takes the overrides of ``harness.run``, and
    seeds       seeds of the evaluations; default: [0]
    fidelities  fidelity -> levels to evaluate, including the highest; default: only the highest
    output      folder of the table; default: tables
    jobs        number of parallel evaluations, each with its own training process; default: 1

The table is written to OUTPUT/MODEL/TASK/ in HPOBench's layout (MODEL is the family's name if it has no model). Read it
with benchmark=hpobench_tables benchmark.folder=OUTPUT benchmark.model=MODEL benchmark.task=TASK. Finished evaluations
are kept in a file of rows beside it, so the same command resumes after an interruption. Failed evaluations stay in the
table with their reason. Exit codes: 0 written (or already complete), 2 mistake in the command, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.lookup.table_files import DATA, METADATA
from harness.errors import RunError, SettingError
from harness.explain import explained

if TYPE_CHECKING:
    from benchmarks.tabulate.table_writer import Evaluation
    from benchmarks.tabulate.tabulate_plan import Cell, Plan
    from harness.problem import Benchmark

EXTRA = {"seeds": [0], "fidelities": {}, "output": "tables", "jobs": 1}
IRRELEVANT = ("cache", "folder")
"""Settings of a benchmark that do not affect results."""


def main() -> None:
    """The command."""
    arguments = sys.argv[1:]
    if not arguments or {"-h", "--help"} & set(arguments):
        print(__doc__)
        raise SystemExit(0 if arguments else 2)
    with explained(arguments):
        print(tabulate(arguments))


def tabulate(overrides: Sequence[str]) -> str:
    """Evaluate and write the table.

    Returns:
        A summary in one line.

    Raises:
        HyperboleError: An override is invalid, the space is infinite, or the folder holds another table.
    """
    from filelock import FileLock, Timeout

    from benchmarks.tabulate.tabulate_plan import plan_of
    from harness.build import build_benchmark
    from harness.composed import resolve
    from harness.experiment import compose_with
    from harness.names import part
    from harness.probe import leaves_as_is

    config, given = compose_with(overrides, EXTRA)
    settings = resolve(config, {"probe"}, ".")
    if not leaves_as_is(settings["probe"]):
        raise SettingError(
            "A table needs a benchmark without a probe; use probe=none here, and probe the table instead."
        )
    jobs = _jobs(given["jobs"])
    benchmark = build_benchmark(settings)
    plan = plan_of(benchmark.problem, given["seeds"], given["fidelities"])
    family, _, task = benchmark.problem.name.partition(".")
    model, task = part(str(settings["benchmark"].get("model", family)), ".=+"), part(task, ".=+")
    folder = Path(str(given["output"])).expanduser() / model / task
    identity = _identity(settings["benchmark"], benchmark, plan)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{model}_{task}.lock", timeout=0):  # the kernel releases it when the process ends
            benchmarks = [benchmark, *(build_benchmark(settings) for _ in range(jobs - 1))]
            return _make(folder, {"task": task, "model": model, "family": family, **identity}, plan, benchmarks)
    except Timeout:
        raise RunError(
            f"Another process is writing this table in {folder}; wait for it, or set another output."
        ) from None
    except OSError as error:
        raise SettingError(f"Cannot write to {folder} ({error}); set output to another folder.") from None


def _make(folder: Path, said: Mapping[str, Any], plan: Plan, benchmarks: Sequence[Benchmark]) -> str:
    """Run the missing evaluations, then write the table."""
    from benchmarks.tabulate.table_writer import write_table
    from harness.provenance import git_state, versions

    stem = f"{said['model']}_{said['task']}"
    data, metadata = folder / f"{stem}_{DATA}", folder / f"{stem}_{METADATA}"
    journal = folder / f"{stem}_rows.jsonl"
    if metadata.exists():
        _refuse_other(_said_in(metadata), said, metadata)
        return f"{data}: complete; skipped"
    done = _evaluated(journal, said, plan, benchmarks)
    rows = [_evaluation(plan, cell, done[cell]) for cell in plan.cells()]
    failed = [row for row in rows if row.error is not None]
    if len(failed) == len(rows):
        raise RunError(
            f"All {len(rows)} evaluations failed (the first: {failed[0].error}); fix the cause and delete {journal}."
        )
    problem = benchmarks[0].problem
    write_table(data, metadata, problem, plan.levels, rows, {**said, "git": git_state(), "versions": versions()})
    journal.unlink()
    return f"{data}: {len(rows)} evaluations, {len(failed)} failed"


def _evaluated(
    journal: Path, said: Mapping[str, Any], plan: Plan, benchmarks: Sequence[Benchmark]
) -> dict[Cell, dict[str, Any]]:
    """All evaluations: those in the journal, and the missing ones, which are appended to it."""
    from benchmarks.tabulate.tabulate_jobs import side_by_side
    from harness.jsonl import Appender, read_rows

    logged = read_rows(journal)
    if logged:
        _refuse_other(logged[0], said, journal)
    done = {tuple(row["cell"]): row for row in logged[1:]}
    cells = plan.cells()
    todo = [cell for cell in cells if cell not in done]
    appender = Appender(journal)
    try:
        if not logged:
            appender.write(said)
        coming = contextlib.closing(side_by_side(todo, plan, benchmarks))
        with coming as rows, _progress(len(cells), len(cells) - len(todo)) as advance:
            for row in rows:
                appender.write(row)
                done[tuple(row["cell"])] = row
                advance()
    finally:
        appender.close()
    return done


def _evaluation(plan: Plan, cell: Cell, row: Mapping[str, Any]) -> Evaluation:
    from benchmarks.tabulate.table_writer import Evaluation

    configuration, level, seed = cell
    measures = row["measures"]
    return Evaluation(
        plan.configurations[configuration],
        plan.fidelities[level],
        seed,
        None if measures is None else {name: float(value) for name, value in measures.items()},
        row["seconds"],
        row["error"],
    )


def _jobs(given: Any) -> int:
    if type(given) is not int or given < 1:
        raise SettingError(f"jobs is {given!r}; give a whole number from 1.")
    return given


def _identity(settings: Mapping[str, Any], benchmark: Benchmark, plan: Plan) -> dict[str, Any]:
    """The settings that must be equal to resume from existing rows; live families have a VERSION."""
    return {
        "version": getattr(sys.modules[type(benchmark).__module__], "VERSION", None),
        "settings": {name: value for name, value in settings.items() if name not in IRRELEVANT},
        "space": benchmark.problem.space.to_serialized_dict(),
        "levels": {name: list(levels) for name, levels in plan.levels.items()},
        "seeds": list(plan.seeds),
    }


def _said_in(metadata: Path) -> dict[str, Any]:
    """The origin that a table records; empty if it is HPOBench's or damaged."""
    from benchmarks.hpobench.table_metadata import OWN

    with contextlib.suppress(ValueError, KeyError, TypeError):
        return dict(json.loads(metadata.read_bytes())[OWN])
    return {}


def _refuse_other(found: Mapping[str, Any], said: Mapping[str, Any], file: Path) -> None:
    for name, value in json.loads(json.dumps(said)).items():
        if found.get(name) != value:
            what = f"{name} is {found.get(name)!r} there and {value!r} here" if name != "space" else "the space differs"
            raise RunError(f"{file} belongs to another table ({what}); set another output, or move the file away.")


@contextlib.contextmanager
def _progress(total: int, done: int) -> Iterator[Any]:
    """A function to call after each row; it draws nothing if stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    speed = TextColumn("{task.fields[speed]}")
    columns = (BarColumn(), MofNCompleteColumn(), TaskProgressColumn(), speed, TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("rows", total=total, completed=done, speed="")

        def advance() -> None:
            progress.advance(task)
            rate = progress.tasks[0].speed
            progress.update(task, speed="" if rate is None else f"{rate:.1f} rows/s")

        yield advance
