from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from hydra import compose, initialize_config_dir

from benchmarks.hpobench.hpobench_tables import HPOBenchTables
from benchmarks.openml.openml import OpenML
from benchmarks.tabulate.table_writer import Evaluation, write_table
from benchmarks.tabulate.tabulate import main, tabulate
from harness.build import build_budget, build_optimizer, build_repair
from harness.choice_files import CONF
from harness.composed import resolve
from harness.errors import RunError, SettingError
from harness.loop import run_loop
from harness.problem import EvaluationError
from tests.support import shared_data
from tests.support.command import TIMELESS, hyperbole, rows
from tests.support.tiny_live import TinyLive

ROOT = Path(__file__).parents[2]
SEEDS = (0, 3)
CELLS = 4 * (1 + 4) * 2 * 3  # widths, kinds and their rates, seeds, steps


def overrides(home, *more):
    """The tiny family lives outside of the repository's conf/, as a user's own would."""
    file = home / "conf" / "benchmark" / "tiny_live.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    settings = ("task: a", "space: grid", "objectives: null", "trace: null", "seconds: 0.0", "cache: user")
    file.write_text("\n".join(["_target_: tests.support.tiny_live.TinyLive", *settings]))
    return [f"hydra.searchpath=[file://{home / 'conf'}]", "benchmark=tiny_live", f"output={home / 'tables'}", *more]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a table of everything, and the cache that its evaluations went through."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        said = tabulate(overrides(folder, "seeds=[0, 3]", "fidelities={steps: [1, 3, 9]}", "jobs=2"))
        assert said.endswith(f": {CELLS} evaluations, 24 failed")
        yield folder


@pytest.fixture(scope="module")
def live(home):
    return TinyLive(cache=str(home / "cache" / "hyperbole" / "evaluations.sqlite"))


def test_a_probed_benchmark_is_no_table(tmp_path):
    with pytest.raises(SettingError, match="probe=none"):
        tabulate(["benchmark=toy", "probe=warped", f"output={tmp_path}"])


def table(home, **settings):
    return HPOBenchTables("a", "tiny_live", str(home / "tables"), **settings)


def play(benchmark, optimizer, seed, proposals):
    """A run's rows; the time of asking is the only thing that may differ, and that of what failed."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides=[f"optimizer={optimizer}", f"budget.proposals={proposals}"])
    settings = resolve(config, {"repair"}, ".") | {"seed": seed}
    optimizer = build_optimizer(settings, benchmark.problem, build_budget(settings))
    log = []
    run_loop(benchmark, optimizer, build_repair(settings, benchmark.problem), build_budget(settings), seed, log.append)
    for row in log:
        if row["error"] is not None:
            assert row.pop("evaluation_seconds") >= 0
    return [{key: value for key, value in row.items() if key not in TIMELESS} for row in log]


@pytest.mark.parametrize(
    ("optimizer", "seed", "proposals"),
    [("random_search", 0, 30), ("random_search", 3, 30), ("smac", 3, 12), ("hyperband", 0, 30), ("hyperband", 3, 30)],
)
def test_the_same_trials_as_the_live_family(home, live, optimizer, seed, proposals):
    trained = play(live, optimizer, seed, proposals)
    looked_up = play(table(home, table_seed="run"), optimizer, seed, proposals)
    assert looked_up == trained
    assert len(trained) == proposals
    assert any(row["fidelity"] for row in trained) == (optimizer == "hyperband")
    if optimizer == "random_search":
        assert any(row["error"] for row in trained)
        assert looked_up != play(table(home, table_seed=3 - seed), optimizer, seed, proposals)


def test_the_problem_is_the_live_ones(home, live):
    ours, theirs = table(home).problem, live.problem
    assert list(ours.space) == list(theirs.space)
    assert ours.space == theirs.space
    assert ours.space.to_serialized_dict() == theirs.space.to_serialized_dict()
    assert (ours.default, ours.fidelities) == (theirs.default, theirs.fidelities)
    assert (ours.description, ours.contexts, ours.hints) == (theirs.description, theirs.contexts, theirs.hints)
    plain = [dataclasses.replace(known, optimum=None, worst=None) for known in ours.objectives]
    assert tuple(plain) == theirs.objectives
    assert ours.name == "hpobench_tables.a"


@pytest.mark.slow
def test_a_failed_evaluation_fails_again(home):
    params = {"kind": "deep", "rate": 0.1, "version": 1, "width": 8}
    for seed in (None, 0, "run"):
        benchmark = table(home, table_seed=seed)
        with pytest.raises(EvaluationError, match=r"^ValueError: the solver diverged$") as error:
            benchmark.evaluate(params, {"steps": 3}, 3)
        assert error.value.seconds >= 0
        assert benchmark.random_search_curve(5) is None


@pytest.mark.slow
def test_other_objectives_of_the_table(home):
    benchmark = table(home, objectives=["train_seconds", "balanced_accuracy"])
    outcome = benchmark.evaluate({"kind": "flat", "version": 1, "width": 1}, {"steps": 1}, 0)
    assert outcome.losses["train_seconds"] == pytest.approx(0.03)
    assert set(outcome.metrics) == {"test_balanced_accuracy", "model_size"}


@pytest.mark.slow
def test_the_files_have_hpobenchs_layout(home):
    folder = home / "tables" / "tiny_live" / "a"
    names = {"tiny_live_a_data.parquet.gzip", "tiny_live_a_metadata.json"}
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == names
    read = pyarrow.parquet.read_table(folder / "tiny_live_a_data.parquet.gzip")
    assert read.column_names == ["kind", "rate", "version", "width", "steps", "seed", "result"]
    row = next(row for row in read.to_pylist() if row["kind"] == "flat" and row["steps"] == 9 and row["seed"] == 3)
    assert row["rate"] is None, "inactive"
    score = row["result"]["info"]["val_scores"]["bal_acc"]
    assert row["result"]["function_value"] == -score
    assert row["result"]["info"]["test_scores"]["bal_acc"] == pytest.approx(score - 0.01)
    metadata = json.loads((folder / "tiny_live_a_metadata.json").read_text())
    assert list(metadata["config_spaces"]) == ["x", "x_discrete", "z", "z_discrete"]
    parts = {part["name"]: part for part in json.loads(metadata["config_spaces"]["x_discrete"])["hyperparameters"]}
    assert (parts["width"]["sequence"], parts["width"]["default"]) == ([1, 2, 4, 8], 2)
    best = max(row["result"]["info"]["val_scores"]["bal_acc"] or 0 for row in read.to_pylist() if row["steps"] == 9)
    assert metadata["global_min"]["val"] == {"bal_acc": 1 - best}


def test_the_curve_of_conditions_is_what_random_search_finds(live, tmp_path):
    """All that does not fail, drawn as ConfigSpace draws it: deep three times as often as flat, four rates of deep."""
    problem = live.problem
    space = [("flat", None), *(("deep", rate) for rate in problem.space["rate"].sequence)]
    written = []
    for number, (kind, rate) in enumerate(space):
        for width in (1, 2, 4, 8):
            params = {"kind": kind, **({} if rate is None else {"rate": rate}), "version": 1, "width": width}
            measures = {"balanced_accuracy": number + width / 10}
            written.append(Evaluation(params, {"steps": 9}, 0, measures, None, None))
    files = tmp_path / "m_t_data.parquet.gzip", tmp_path / "m_t_metadata.json"
    write_table(*files, problem, {"steps": [9]}, written, {"task": "t", "model": "m"})
    benchmark = HPOBenchTables("t", "m", str(tmp_path))
    assert benchmark.problem.fidelities == ()
    assert benchmark.evaluate(written[0].params, None, 0).evaluation_seconds is None
    flat = sum(0.1 * width for width in (1, 2, 4, 8)) / 4
    assert benchmark.random_search_curve(1) == pytest.approx([-(flat + 0.75 * (1 + 2 + 3 + 4) / 4)])


def test_it_runs_as_a_benchmark_and_is_not_made_again(home, tmp_path):
    chosen = ["benchmark=hpobench_tables", f"benchmark.folder={home / 'tables'}", "benchmark.model=tiny_live"]
    done = hyperbole(*chosen, "benchmark.task=a", "benchmark.table_seed=run", "budget.proposals=5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [row["index"] for row in rows(tmp_path)] == list(range(5))
    plan = ("seeds=[3, 0]", "fidelities={steps: [9, 3, 1]}")
    assert tabulate(overrides(home, *plan)).endswith(": complete; skipped")
    with pytest.raises(RunError, match=r"another table \(seeds is \[0, 3\] there and \[0\] here\)"):
        tabulate(overrides(home, "fidelities={steps: [1, 3, 9]}"))


def test_nothing_that_lies_there_is_overwritten(tmp_path):
    metadata = tmp_path / "tables" / "tiny_live" / "a" / "tiny_live_a_metadata.json"
    metadata.parent.mkdir(parents=True)
    for content in ('{"config_spaces": {}}', "{", "[]"):
        metadata.write_text(content)
        with pytest.raises(RunError, match=r"another table \(task is None there and 'a' here\); set another output"):
            tabulate(overrides(tmp_path))
        assert metadata.read_text() == content


def running(home, *more):
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.tabulate", *overrides(home, *more)],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(home / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = home / "tables" / "tiny_live" / "a" / "tiny_live_a_rows.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not journal.exists() or journal.read_bytes().count(b"\n") < 5):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    return process, journal


@pytest.mark.parametrize(("how", "jobs"), [(signal.SIGKILL, 1), (signal.SIGINT, 2)])
def test_what_is_done_is_not_lost(tmp_path, how, jobs):
    """Without the evaluations' own cache, so that the rows alone are what is gone on with."""
    trace = tmp_path / "trace"
    trace.touch()
    more = (f"benchmark.trace={trace}", "benchmark.seconds=0.05", "benchmark.cache=none", f"jobs={jobs}")
    process, journal = running(tmp_path, *more)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "the same command continues" in said
        assert "Traceback" not in said
    assert not list(journal.parent.glob("*_data*"))
    kept = journal.read_bytes().count(b"\n") - 1
    with journal.open("ab") as file:
        file.write(b'{"cell":[0,0')  # torn, as a kill may leave it
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(alive(pid) for pid in set(trace.read_text().split())):
        time.sleep(0.05)
    begun = trace.read_text().count("\n")
    assert kept <= begun <= kept + 4, "two under way, and two that had come and were not written yet"
    assert tabulate(overrides(tmp_path, *more)).endswith(": 20 evaluations, 4 failed")
    assert trace.read_text().count("\n") == begun + 20 - kept
    assert not journal.exists()
    assert len(pyarrow.parquet.read_table(journal.with_name("tiny_live_a_data.parquet.gzip"))) == 20


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["benchmark.space=ranges"], r"infinitely many configurations, since rate .*benchmark\.space=grid"),
        (
            ["fidelities={steps: [1, 3]}"],
            r"steps is \[1, 3\]; each .* from 1 to 9, whole numbers, 9 included",
        ),
        (["fidelities={steps: [1.5, 9]}"], r"1\.5 is not a level: give levels from 1 to 9"),
        (["fidelities={step: [1, 9]}"], "Unknown fidelity 'step'; did you mean 'steps'"),
        (["fidelities=3"], "give levels by name"),
        (["seeds=[0, 0]"], r"seeds is \[0, 0\]; give different whole numbers"),
        (["seeds=[0.5]"], "give different whole numbers"),
        (["jobs=0"], "jobs is 0; give a whole number from 1"),
        (["benchmark.width=3"], "width"),
    ],
)
def test_mistakes(tmp_path, more, said):
    from harness.explain import explained

    with pytest.raises((SettingError, Exception), match=said) as error:
        tabulate(overrides(tmp_path, *more, "benchmark.cache=none"))
    assert not (tmp_path / "tables").exists()
    with pytest.raises(SystemExit) as ending, explained(more):
        raise error.value
    assert ending.value.code == 2


@pytest.mark.parametrize("wrong", [["seeds=[1"], ["benchmark=hpobench_alive"], ["jobs=x"]])
def test_the_command_says_a_mistake_in_one_sentence(wrong, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tabulate", "benchmark=fcnet", *wrong])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert wrong[0].partition("=")[2].strip("[") in said.err


@pytest.mark.slow
def test_where_everything_fails_there_is_no_table(tmp_path):
    with pytest.raises(RunError, match=r"All 20 evaluations failed .*FileNotFoundError"):
        tabulate(overrides(tmp_path, f"benchmark.trace={tmp_path / 'no' / 'folder'}"))


@pytest.mark.slow
@shared_data.needs_data
def test_a_real_family_on_levels_and_its_table_give_the_same_trials(tmp_path, monkeypatch):
    """Nearest neighbours on credit-g, two levels a number: sixteen trainings, then none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = str(shared_data.openml_folder())
    settings = ["benchmark=openml", "benchmark.task=31", "benchmark.model=knn", "benchmark.levels=2"]
    said = tabulate([*settings, f"benchmark.folder={folder}", f"output={tmp_path / 'tables'}"])
    assert said.endswith(": 16 evaluations, 0 failed")
    live = OpenML(31, "knn", levels=2, folder=folder)
    looked_up = HPOBenchTables(31, "knn", str(tmp_path / "tables"), table_seed="run")
    assert looked_up.problem.space == live.problem.space
    assert looked_up.problem.default == live.problem.default
    for optimizer in ("random_search", "smac"):
        assert play(looked_up, optimizer, 0, 12) == play(live, optimizer, 0, 12)
