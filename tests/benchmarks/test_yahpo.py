from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.yahpo.yahpo import Yahpo
from benchmarks.yahpo.yahpo_space import SCENARIOS
from harness.errors import SettingError
from harness.validity import Checker
from tests.support import shared_data

FOLDER = shared_data.FOLDER / "yahpo"
INSTANCES = {"lcbench": 34, "rbv2_xgboost": 119, "rbv2_rpart": 117, "iaml_glmnet": 4}
SAMPLED = [
    ("lcbench", "3945"),
    ("lcbench", "189906"),
    ("rbv2_xgboost", "12"),
    ("rbv2_rpart", "40499"),
    ("iaml_glmnet", "40981"),
]


def yahpo(task="3945", scenario="lcbench", **settings):
    return Yahpo(task, scenario, folder=str(FOLDER), **settings)


def sampled(benchmark, count):
    benchmark.problem.space.seed(0)
    return [dict(sample) for sample in benchmark.problem.space.sample_configuration(count)]


def random_fidelity(problem, random):
    """As the published statistics were made: uniform over the whole range."""
    return {
        known.name: int(random.integers(known.lower, known.upper + 1))
        if known.integer
        else float(random.uniform(known.lower, known.upper))
        for known in problem.fidelities
    }


def predicted(benchmark, given):
    """(configurations, targets) at once, through the encoding of single evaluations."""
    codes, numbers = zip(*(benchmark.inputs(*one) for one in given), strict=True)
    return benchmark.session.run(None, {"x_cat": np.array(codes, np.int32), "x_cont": np.array(numbers, np.float32)})[0]


def published(scenario, task):
    """(target, min or max) -> value, over 500,000 random configurations."""
    with open(FOLDER / "global_statistics" / "instance_target_statistics.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["scenario"], row["instance"]) == (scenario, task)]
    return {(row["metric"], row["statistic"]): float(row["value"]) for row in rows}


@pytest.mark.slow
@shared_data.needs_data
@pytest.mark.parametrize(("scenario", "task"), SAMPLED)
def test_the_least_of_a_random_sample_is_near_the_published_minimum(scenario, task):
    """10,000 against 500,000: each target's least is higher, by a tenth of the published range at most."""
    benchmark, random = yahpo(task, scenario), np.random.default_rng(0)
    values = predicted(
        benchmark, [(params, random_fidelity(benchmark.problem, random)) for params in sampled(benchmark, 10_000)]
    )
    known = published(scenario, task)
    gaps = {}
    for target, column in zip(SCENARIOS[scenario].targets, values.T, strict=True):
        low, high = known[target, "min"], known[target, "max"]
        gaps[target] = (column.min() - low) / (high - low)
    assert len(gaps) == len(known) / 2
    assert min(gaps.values()) > -0.01
    assert max(gaps.values()) < 0.1
    objective = benchmark.problem.objectives[0]
    losses = sorted(objective.loss(known[objective.name, end]) for end in ("min", "max"))
    best = min(objective.loss(value) for value in values[:, list(SCENARIOS[scenario].targets).index(objective.name)])
    assert -0.01 < (best - losses[0]) / (losses[1] - losses[0]) < 0.05


@shared_data.needs_data
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_single_evaluation_is_the_batch(scenario):
    task = next(example["task"] for example in Yahpo.examples if example["scenario"] == scenario)
    benchmark = yahpo(task, scenario)
    configurations, objective = sampled(benchmark, 20), benchmark.problem.objectives[0]
    batch = predicted(benchmark, [(params, None) for params in configurations])
    for params, values in zip(configurations, batch, strict=True):
        outcome = benchmark.evaluate(params, None, 0)
        known = dict(zip(SCENARIOS[scenario].targets, map(float, values), strict=True))
        assert objective.value(outcome.losses[objective.name]) == pytest.approx(known.pop(objective.name), rel=1e-4)
        assert outcome.metrics == pytest.approx(known, rel=1e-3, abs=1e-4)
        seconds = sum(known[name] for name in SCENARIOS[scenario].seconds)
        assert outcome.evaluation_seconds == pytest.approx(seconds, rel=1e-3)


@shared_data.needs_data
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_files_and_our_lists_fit(scenario):
    known, folder = SCENARIOS[scenario], FOLDER / scenario
    names = {raw["name"] for raw in json.loads((folder / "config_space.json").read_text())["hyperparameters"]}
    assert names == {known.instance, *known.categories, *known.numbers}
    benchmark = yahpo(next(iter(published_instances(scenario))), scenario)
    assert set(benchmark.problem.space) | {fidelity.name for fidelity in benchmark.problem.fidelities} == names - {
        known.instance
    }
    assert len(published_instances(scenario)) == INSTANCES[scenario]
    shapes = {given.name: given.shape[1] for given in benchmark.session.get_inputs()}
    assert shapes == {"x_cat": 1 + len(known.categories), "x_cont": len(known.numbers)}
    assert benchmark.session.get_outputs()[0].shape[1] == len(known.targets)


def published_instances(scenario):
    with open(FOLDER / "global_statistics" / "instance_target_statistics.csv", newline="") as file:
        return {row["instance"] for row in csv.DictReader(file) if row["scenario"] == scenario}


@shared_data.needs_data
def test_an_inactive_hyperparameter_changes_nothing_and_is_none_of_the_configuration():
    benchmark = yahpo("31", "rbv2_xgboost")
    linear = benchmark.problem.default
    assert linear["booster"] == "gblinear"
    assert "eta" not in linear
    codes, numbers = benchmark.inputs({**linear, "num.impute.selected.cpo": "impute.hist"}, {"trainsize": 0.1})
    codes_of = json.loads((FOLDER / "rbv2_xgboost" / "encoding.json").read_text())
    assert codes == [codes_of["task_id"]["31"], codes_of["booster"]["gblinear"], 1]
    given = dict(zip(SCENARIOS["rbv2_xgboost"].numbers, numbers, strict=True))
    assert (given["trainsize"], given["repl"], given["eta"], given["rate_drop"]) == (0.1, 10, 0.0, 0.0)
    _, violations = Checker(benchmark.problem.space).check({**linear, "eta": 0.1})
    assert [violation.fault for violation in violations] == ["inactive"]


@shared_data.needs_data
def test_cost_and_quality_follow_the_fidelity():
    benchmark = yahpo()
    fidelity = benchmark.problem.fidelities[0]
    assert (fidelity.name, fidelity.lower, fidelity.upper, fidelity.integer) == ("epoch", 1, 52, True)
    configurations = sampled(benchmark, 50)
    seconds = [
        sum(benchmark.evaluate(params, {"epoch": epoch}, 0).evaluation_seconds for params in configurations)
        for epoch in (1, 13, 52)
    ]
    assert seconds == sorted(seconds)
    assert seconds[2] > 10 * seconds[0]
    default = benchmark.problem.default
    assert benchmark.evaluate(default, {"epoch": 52}, 0) == benchmark.evaluate(default, None, 1)


@shared_data.needs_data
def test_the_numbers_are_the_same_in_another_process():
    code = (
        "from tests.benchmarks.test_yahpo import yahpo, sampled\n"
        "b = yahpo('31', 'rbv2_xgboost')\n"
        "print([b.evaluate(params, None, 0) for params in sampled(b, 20)])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    benchmark = yahpo("31", "rbv2_xgboost")
    assert told.strip() == str([benchmark.evaluate(params, None, 0) for params in sampled(benchmark, 20)])


@shared_data.needs_data
def test_objectives_by_name_and_test_scores_never():
    several = yahpo(objectives=["val_cross_entropy", "time"])
    assert [(one.name, one.direction, one.optimum) for one in several.problem.objectives] == [
        ("val_cross_entropy", "minimize", None),
        ("time", "minimize", None),
    ]
    outcome = several.evaluate(several.problem.default, None, 0)
    assert set(outcome.losses) == {"val_cross_entropy", "time"}
    assert {"test_cross_entropy", "test_balanced_accuracy", "val_accuracy"} <= set(outcome.metrics)
    with pytest.raises(SettingError, match="Unknown objective of yahpo lcbench 'test_cross_entropy'"):
        yahpo(objectives=["test_cross_entropy"])
    assert yahpo("40981", "iaml_glmnet").problem.objectives[0].name == "mmce"
    assert yahpo("31", "rbv2_rpart", objectives=["f1"]).problem.objectives[0].direction == "maximize"


@shared_data.needs_data
def test_settings_that_are_none():
    assert yahpo(3945).problem.name == "yahpo.3945"
    with pytest.raises(SettingError, match="Unknown yahpo task of lcbench '3946'; did you mean '3945'"):
        yahpo("3946")
    with pytest.raises(SettingError, match="did you mean 'lcbench'"):
        yahpo(scenario="lcbenhc")


def test_without_the_data_the_error_says_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    place = tmp_path / "hyperbole" / "yahpo" / "lcbench"
    with pytest.raises(
        SettingError, match=rf"cannot be read in {place} \(FileNotFoundError\); download https://\S+ at v1.0"
    ):
        Yahpo()


@shared_data.needs_data
def test_data_that_are_broken(tmp_path):
    shutil.copytree(FOLDER / "iaml_glmnet", tmp_path / "iaml_glmnet", copy_function=shutil.copyfile)
    (tmp_path / "iaml_glmnet").chmod(0o755)
    (tmp_path / "iaml_glmnet" / "model.onnx").write_bytes(b"cut off")
    with pytest.raises(SettingError, match=r"model\.onnx cannot be read"):
        Yahpo("40981", "iaml_glmnet", folder=str(tmp_path))
    (tmp_path / "iaml_glmnet" / "config_space.json").write_text("{")
    with pytest.raises(SettingError, match="JSONDecodeError"):
        Yahpo("40981", "iaml_glmnet", folder=str(tmp_path))
