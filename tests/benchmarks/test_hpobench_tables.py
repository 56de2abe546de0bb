from __future__ import annotations

import atexit
import copy
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.hpobench import hpobench
from benchmarks.hpobench.hpobench_spaces import MODELS, search_space
from benchmarks.hpobench.hpobench_tables import HPOBenchTables
from benchmarks.lookup.draw_weights import draw_weights
from harness.checks.evaluations import Bench
from harness.errors import SettingError

# Everything that a benchmark must be, on two tables in the official layout.
from tests.contracts.test_benchmark_contract import *  # noqa: F403
from tests.contracts.test_benchmark_contract import FILES, build
from tests.support import official_table

FOLDER = Path(tempfile.mkdtemp(prefix="hyperbole-tables-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
TRUTH = {"svm": official_table.write(FOLDER / "svm" / "31"), "nn": official_table.write(FOLDER, "nn", 3)}
(FILE,) = (file for file in FILES if file.stem == "hpobench_tables")
CASES = [
    (FILE, {"task": 31, "model": "svm", "folder": str(FOLDER)}),
    (FILE, {"task": 3, "model": "nn", "folder": str(FOLDER), "table_seed": 665}),
    (FILE, {"task": 31, "model": "svm", "folder": str(FOLDER), "space": "nearest"}),
]


@pytest.fixture(scope="module", params=CASES, ids=["svm", "nn", "nearest"])
def case(request):
    file, settings = request.param
    return Bench(lambda: build(file, settings), build(file, settings)), f"hpobench_tables.{settings['task']}"


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def svm(**settings):
    return HPOBenchTables(31, "svm", str(FOLDER), **settings)


def nn(**settings):
    return HPOBenchTables(3, "nn", str(FOLDER), **settings)


def entry(model, params, fidelity, seed):
    """The truth about a configuration of the cleaned levels: the numbers in single precision are the same."""
    single = tuple(tuple(float(np.float32(value)) for value in values) for values in (params.values(), fidelity))
    return TRUTH[model][(*single, seed)]


def test_the_space_has_the_tables_levels_and_hpobenchs_nearest_defaults():
    problem = nn().problem
    assert problem.space["alpha"].sequence == hpobench.LEVELS["alpha"], "as the levels of hpobench.py, in 8 digits"
    assert problem.space["depth"].sequence == (1, 2, 3)
    assert type(problem.space["width"].sequence[0]) is int
    assert problem.default == {"alpha": hpobench.GRID_DEFAULT["alpha"], "depth": 3, "width": 128}
    assert list(svm().problem.space) == ["C", "gamma"]
    assert svm().problem.default == {"C": 1.0, "gamma": pytest.approx(0.0992, abs=1e-3)}


def test_models_of_hpobench_are_described_as_the_live_ones_and_others_are_not(tmp_path):
    assert svm().problem.space["C"].meta == search_space("", "svm", grid=True)["C"].meta
    assert svm().problem.description.text.startswith(MODELS["svm"].title)
    assert "credit-g (OpenML task 31): 1000 rows" in svm().problem.description.text
    assert "that of OpenML task 3." in nn().problem.description.text
    for part in ("data.parquet.gzip", "metadata.json"):
        shutil.copy(FOLDER / f"nn_3_{part}", tmp_path / f"mine_3_{part}")
    problem = HPOBenchTables(3, "mine", str(tmp_path)).problem
    assert problem.description.text.startswith("The model mine is tuned.")
    assert problem.space["depth"].meta is None


def test_fidelities_are_those_with_levels():
    (iterations,) = nn().problem.fidelities
    assert (iterations.name, iterations.lower, iterations.upper, iterations.integer) == ("iter", 3, 27, True)
    (subsample,) = svm().problem.fidelities
    assert (subsample.name, subsample.lower, subsample.upper, subsample.integer) == ("subsample", 0.1, 1.0, False)


@pytest.mark.parametrize("seed", official_table.SEEDS)
def test_every_measure_is_the_files(seed):
    benchmark = svm(table_seed=seed)
    params = benchmark.problem.default
    for level in (0.1, 1 / 3, 1.0):
        truth = entry("svm", params, (level,), seed)
        outcome = benchmark.evaluate(params, {"subsample": level}, 0)
        assert outcome.losses == {"balanced_accuracy": -truth["info"]["val_scores"]["bal_acc"]}
        assert outcome.evaluation_seconds == truth["cost"]
        named = {"accuracy": "acc", "f1": "f1", "precision": "precision"}
        expected = {name: truth["info"]["val_scores"][key] for name, key in named.items()}
        named["balanced_accuracy"] = "bal_acc"
        expected |= {f"test_{name}": truth["info"]["test_scores"][key] for name, key in named.items()}
        assert outcome.metrics == {**expected, "train_seconds": truth["info"]["model_cost"]}


def test_the_mean_and_the_runs_own_seed():
    params = svm().problem.default
    each = [svm(table_seed=seed).evaluate(params, None, 0) for seed in official_table.SEEDS]
    mean = svm().evaluate(params, None, 0)
    assert mean.losses["balanced_accuracy"] == pytest.approx(np.mean([one.losses["balanced_accuracy"] for one in each]))
    assert mean.evaluation_seconds == pytest.approx(np.mean([one.evaluation_seconds for one in each]))
    own = svm(table_seed="run")
    assert [own.evaluate(params, None, seed) for seed in official_table.SEEDS] == each
    assert own.random_search_curve(5) is None
    with pytest.raises(Exception, match=r"Seed 7 is not tabulated; .* 665, 1319, 7222\."):
        own.evaluate(params, None, 7)
    bests = [svm(table_seed=seed).problem.objectives[0].optimum for seed in official_table.SEEDS]
    assert own.problem.objectives[0].optimum == max(bests)


@pytest.mark.parametrize(
    ("value", "level"), [(0.1, 0.1), (0.18, 0.1), (0.19, 1 / 3), (0.57, 1 / 3), (0.58, 1.0), (1.0, 1.0)]
)
def test_between_the_levels_the_nearest_in_log_space(value, level):
    benchmark = svm()
    params = benchmark.problem.default
    assert benchmark.evaluate(params, {"subsample": value}, 0) == benchmark.evaluate(params, {"subsample": level}, 0)


def test_an_unknown_fidelity():
    with pytest.raises(ValueError, match="subsample"):
        svm().evaluate(svm().problem.default, {"epochs": 3}, 0)


def test_several_objectives():
    benchmark = svm(objectives=["accuracy", "train_seconds"])
    assert [known.direction for known in benchmark.problem.objectives] == ["maximize", "minimize"]
    outcome = benchmark.evaluate(benchmark.problem.default, None, 0)
    assert outcome.losses["train_seconds"] > 0 > outcome.losses["accuracy"]
    assert "balanced_accuracy" in outcome.metrics
    with pytest.raises(SettingError, match="did you mean 'accuracy'"):
        svm(objectives=["acuracy"])


def test_the_table_is_found_in_every_layout_of_folders(tmp_path):
    (FOLDER / "svm" / "31" / "svm_31_data.parquet.gzip").stat()
    for place in ("", "31", "svm", "svm/31"):
        folder = tmp_path / (place.replace("/", "_") or "flat")
        shutil.copytree(FOLDER / "svm" / "31", folder / place)
        problem = HPOBenchTables("31", "svm", str(folder)).problem
        assert problem.default == svm().problem.default


def test_mistakes_are_one_sentence(tmp_path):
    with pytest.raises(SettingError, match=r"Unknown table of .* 'svm_13'; did you mean 'svm_31'.*figshare.*tabulate"):
        HPOBenchTables(13, "svm", str(FOLDER))
    with pytest.raises(SettingError, match=r"does not exist; unzip HPOBench's there \(https.*30469920"):
        HPOBenchTables(31, "xgb", str(tmp_path / "nowhere"))
    with pytest.raises(SettingError, match="holds no tables"):
        HPOBenchTables(31, "xgb", str(tmp_path))
    with pytest.raises(SettingError, match=r"did you mean 665\? Give one of 665, 1319, 7222, null .* or run"):
        svm(table_seed=666)
    with pytest.raises(SettingError, match="did you mean 'corrected'"):
        svm(version="correct")


@pytest.mark.parametrize("damage", ["cut", "empty", "no metadata", "text", "other levels", "no spaces"])
def test_damaged_files_are_one_sentence(tmp_path, damage):
    shutil.copytree(FOLDER / "svm" / "31", tmp_path, dirs_exist_ok=True)
    data, metadata = tmp_path / "svm_31_data.parquet.gzip", tmp_path / "svm_31_metadata.json"
    if damage == "cut":
        data.write_bytes(data.read_bytes()[:-100])
    elif damage == "empty":
        data.write_bytes(b"")
    elif damage == "no metadata":
        metadata.unlink()
    elif damage == "text":
        metadata.write_text("{")
    elif damage == "no spaces":
        metadata.write_text(json.dumps({"config_spaces": {"x": "[]"}}))
    else:
        metadata.write_text(metadata.read_text().replace("1024.0", "1023.0"))
    with pytest.raises(SettingError, match=r"unpack (it again|both again|both files again)\.$") as error:
        HPOBenchTables(31, "svm", str(tmp_path))
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_the_odds_of_drawing_what_conditions_switch_off():
    from tests.support.tiny_live import TinyLive

    space = TinyLive(cache="none").problem.space
    digits = {
        "kind": np.array([0, 1, 1]),  # of the choices flat (1 in 4) and deep
        "rate": np.array([4, 0, 3]),  # inactive, first, last of four
        "version": np.array([0, 0, 0]),
        "width": np.array([0, 0, 3]),
    }
    assert draw_weights(space, digits) == pytest.approx([1 / 16, 3 / 64, 3 / 64])


def test_between_the_levels_of_hyperparameters_the_nearest_scores():
    grid, nearest = svm(), svm(space="nearest")
    levels = {name: each.sequence for name, each in grid.problem.space.items()}
    near = nearest.evaluate({"C": 1.1, "gamma": levels["gamma"][0]}, {"subsample": 0.1}, 0)
    on = grid.evaluate({"C": 1.0, "gamma": levels["gamma"][0]}, {"subsample": 0.1}, 0)
    assert near.losses == on.losses
    assert {
        **on.metrics,
        "snap_steps": near.metrics["snap_steps"],
        "snap_steps_max": near.metrics["snap_steps_max"],
    } == near.metrics
    assert near.metrics["snap_steps_max"] == pytest.approx(2 * near.metrics["snap_steps"]) != 0


def test_the_curve_of_ranges_against_real_random_search():
    nearest = nn(space="nearest")
    space = copy.deepcopy(nearest.problem.space)
    space.seed(0)
    draws = [
        nearest.evaluate(dict(each), None, 0).losses["balanced_accuracy"] for each in space.sample_configuration(4000)
    ]
    best = np.minimum.accumulate(np.array(draws).reshape(800, 5), axis=1)
    errors = best.std(axis=0, ddof=1) / np.sqrt(len(best))
    assert np.all(np.abs(best.mean(axis=0) - nearest.random_search_curve(5)) < 4.5 * errors)
