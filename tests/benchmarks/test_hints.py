"""What a hint claims is true of the tables: a correct one names a better part, a misleading one a worse."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest

from benchmarks.fcnet import LEVELS as FCNET_LEVELS
from benchmarks.fcnet import FCNet
from benchmarks.hpobench.hpobench import LEVELS as HPOBENCH_LEVELS
from benchmarks.hpobench.hpobench import HPOBench
from benchmarks.nasbench201 import LEVELS as NASBENCH_LEVELS
from benchmarks.nasbench201 import NASBench201
from benchmarks.shared.hints import FOLDER, hints
from benchmarks.toy import Toy

LOWEST, HIGHEST = "-inf", "inf"

# What each text says, in its own numbers and words: (low, high) for a range, a set for a choice.
REGIONS = {
    ("hpobench", "correct"): {
        "learning_rate_init": ("0.0004", "0.007"),
        "width": ("256", HIGHEST),
        "alpha": (LOWEST, "0.01"),
    },
    ("hpobench", "misleading"): {
        "width": (LOWEST, "40"),
        "alpha": ("0.1", HIGHEST),
        "learning_rate_init": ("0.05", HIGHEST),
    },
    ("fcnet", "correct"): {
        "dropout_1": ("0.0", "0.0"),
        "dropout_2": ("0.0", "0.0"),
        "init_lr": (LOWEST, "0.001"),
        "n_units_1": ("64", HIGHEST),
    },
    ("fcnet", "misleading"): {
        "dropout_1": ("0.6", "0.6"),
        "dropout_2": ("0.6", "0.6"),
        "init_lr": ("0.05", HIGHEST),
        "n_units_1": (LOWEST, "32"),
    },
    ("nasbench201", "correct"): {
        "Op0": {"nor_conv_3x3"},
        "Op5": {"nor_conv_3x3"},
        "Op3": {"nor_conv_3x3", "skip_connect"},
    },
    ("nasbench201", "misleading"): {
        "Op0": {"avg_pool_3x3"},
        "Op3": {"avg_pool_3x3"},
        "Op5": {"avg_pool_3x3", "none"},
    },
    ("toy.branin", "correct"): {"x1": ("1", "5"), "x2": ("0", "5")},
    ("toy.branin", "misleading"): {"x1": ("-5", "-1"), "x2": ("0", "5")},
    ("toy.peak", "correct"): {"width": ("5", "9"), "rate": (LOWEST, "0.05"), "batch": ("32", HIGHEST)},
    ("toy.peak", "misleading"): {
        "width": (LOWEST, "3"),
        "solver": {"sgd"},
        "rate": ("0.1", HIGHEST),
        "batch": ("16", "16"),
    },
    ("toy.front", "correct"): {"solver": {"adam"}, "rate": ("0.002", "0.05")},
    ("toy.front", "misleading"): {"solver": {"sgd"}, "rate": ("0.2", HIGHEST)},
}
FAMILIES = {"hpobench": HPOBench, "fcnet": FCNet, "nasbench201": NASBench201, "toy": Toy}
LEVELS = {"hpobench": HPOBENCH_LEVELS, "fcnet": FCNET_LEVELS, "nasbench201": NASBENCH_LEVELS}
TASKS = [(family, task) for family, benchmark in FAMILIES.items() for task in benchmark.tasks]
DRAWS = 2000
"""From a space without a table."""
DIAGONAL = {"toy.branin"}
"""Where the valley is: neither coordinate says much without the other."""


def region_of(family, task, hint):
    return REGIONS.get((f"{family}.{task}", hint)) or REGIONS[family, hint]


def inside(values, wanted):
    """Which values of a column are in a region."""
    if isinstance(wanted, set):
        return np.isin(values, sorted(wanted))
    low, high = (float(bound) for bound in wanted)
    return (low <= values) & (values <= high)


def table(benchmark, levels):
    """Every configuration, a column a hyperparameter, and their losses."""
    grid = np.meshgrid(*(np.array(choices) for choices in levels.values()), indexing="ij")
    columns = {name: values.ravel() for name, values in zip(levels, grid, strict=True)}
    losses = benchmark.problem.objectives[0].loss(1.0) * benchmark._table._rows[:, 0]
    for row in (0, 1234, len(losses) - 1):  # the columns are in the table's order
        params = {name: values[row].item() for name, values in columns.items()}
        assert benchmark.evaluate(params, None, 0).losses == {benchmark.problem.objectives[0].name: losses[row]}
    return columns, losses


def draws(benchmark):
    """The same for configurations drawn from the space; NaN where a hyperparameter is not active."""
    objective = benchmark.problem.objectives[0]
    space = copy.deepcopy(benchmark.problem.space)
    space.seed(0)
    rows = [dict(configuration) for configuration in space.sample_configuration(DRAWS)]
    columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in space}
    return columns, np.array([benchmark.evaluate(row, None, 0).losses[objective.name] for row in rows])


def populations(family, task):
    benchmark = FAMILIES[family](task=task)
    yield table(benchmark, LEVELS[family]) if family in LEVELS else draws(benchmark)
    if family == "hpobench":
        yield draws(HPOBench(task=task, space="nearest"))


def gains(losses, chosen):
    """How much lower the quartile and the median of the chosen ones are."""
    return [np.quantile(losses, share) - np.quantile(losses[chosen], share) for share in (0.25, 0.5)]


@pytest.mark.parametrize(("family", "task"), TASKS)
def test_a_correct_hint_names_a_better_part_of_the_space_and_a_misleading_one_a_worse(family, task):
    for columns, losses in populations(family, task):
        for hint, sign in (("correct", 1), ("misleading", -1)):
            region = region_of(family, task, hint)
            clauses = {name: inside(columns[name], wanted) for name, wanted in region.items()}
            chosen = np.all(list(clauses.values()), axis=0)
            assert chosen.sum() >= 10
            assert all(sign * gain > 0 for gain in gains(losses, chosen)), hint
            # More: half of what a correct hint names is in the best quarter, of a misleading one in the worst.
            beyond = np.quantile(losses, 0.25 if hint == "correct" else 0.75)
            assert sign * (beyond - np.median(losses[chosen])) > 0, hint
            for name, alone in clauses.items():  # and it is not one clause that carries another
                if f"{family}.{task}" not in DIAGONAL:
                    assert all(sign * gain > 0 for gain in gains(losses, alone)), (hint, name)


@pytest.mark.parametrize(("family", "task"), TASKS)
@pytest.mark.parametrize("hint", ["correct", "misleading"])
def test_the_text_names_the_region(family, task, hint):
    text = FAMILIES[family](task=task).problem.hints[hint]
    words = set(re.findall(r"-?[\w.]*\w", text))
    for name, wanted in region_of(family, task, hint).items():
        assert name in words
        assert set(wanted) - {LOWEST, HIGHEST} <= words, (name, words)
    numbers = {word for word in words if re.fullmatch(r"-?\d[\d.]*", word)}
    meant = {bound for wanted in region_of(family, task, hint).values() for bound in wanted}
    assert numbers <= meant, "a number that no region stands for"


def test_every_text_is_checked():
    assert {tuple(path.name.removesuffix(".txt").rsplit(".", 1)) for path in FOLDER.glob("*.txt")} == set(REGIONS)


@pytest.mark.parametrize(("family", "task"), TASKS)
def test_a_hint_is_a_few_sentences_without_a_score(family, task):
    problem = FAMILIES[family](task=task).problem
    for text in problem.hints.values():
        assert not any(objective.name in text for objective in problem.objectives)
        assert len(re.findall(r"[.](?= |$)", text)) in (1, 2, 3), text


def test_a_file_for_one_task_wins_over_its_familys(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.shared.hints.FOLDER", tmp_path)
    (tmp_path / "hpobench.correct.txt").write_text("Try\nanything.\n")
    (tmp_path / "hpobench.misleading.txt").write_text("Try nothing.")
    (tmp_path / "hpobench.car.correct.txt").write_text("Drive.")
    (tmp_path / "hpobench_v2.correct.txt").write_text("Another family.")
    assert hints("hpobench", "kc1") == {"correct": "Try anything.", "misleading": "Try nothing."}
    assert hints("hpobench", "car") == {"correct": "Drive.", "misleading": "Try nothing."}
    assert hints("fcnet", "car") == {}
