"""NAS-Bench-201's tables: the facts they rest on."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from benchmarks.lookup.lookup import Grid
from benchmarks.lookup.table_cache import read_table
from benchmarks.nasbench201 import DEFAULT, EDGES, LEVELS, MEASURES, OPERATIONS, NASBench201
from harness.errors import SettingError
from harness.problem import Params

COLUMNS = [column for column, _ in MEASURES.values()]

GRID = Grid(LEVELS)
CHANCE = {"cifar10": 10.0, "cifar100": 1.0, "imagenet": 100 / 120}


def connected(cell: tuple[str, ...]) -> bool:
    """Whether anything but ``none`` leads from node 0 to node 3."""
    reached = {0}
    for operation, (start, end) in sorted(zip(cell, EDGES.values(), strict=True), key=lambda edge: edge[1]):
        if operation != "none" and start in reached:
            reached.add(end)
    return 3 in reached


@pytest.mark.parametrize("task", NASBench201.tasks)
def test_shape_and_extremes(task: str) -> None:
    values = read_table("nasbench201", task, GRID.sizes, COLUMNS)
    assert values.shape == (3, 15_625, 4)
    mean = np.array([row[~np.isnan(row)].mean() for row in values[:, :, 0].T])
    for seed, column in [(None, mean), (0, values[0, :, 0]), (1, values[1, :, 0])]:
        (objective,) = NASBench201(task, table_seed=seed).problem.objectives
        assert (objective.name, objective.direction) == ("accuracy_percent", "maximize")
        assert (objective.optimum, objective.worst) == pytest.approx((column.max(), column.min()), rel=1e-12)


@pytest.mark.parametrize("task", NASBench201.tasks)
def test_cells_without_a_way_through_guess(task: str) -> None:
    """Proves which hyperparameter is which edge: cells whose output is cut off score chance, the others more."""
    benchmark = NASBench201(task)
    cells = list(product(OPERATIONS, repeat=6))
    cut_off = [cell for cell in cells if not connected(cell)]
    others = [cell for cell in cells if connected(cell)]

    def score(cell: tuple[str, ...]) -> float:
        return -benchmark.evaluate(dict(zip(EDGES, cell, strict=True)), None, 0).losses["accuracy_percent"]

    assert len(cut_off) > 300
    assert all(score(cell) == pytest.approx(CHANCE[task], rel=0.03) for cell in cut_off)
    assert sum(score(cell) < 2 * CHANCE[task] for cell in others) <= 1  # one cell diverged on ImageNet


def test_the_default_is_the_residual_block_and_the_spaces() -> None:
    problem = NASBench201().problem
    assert problem.default == DEFAULT == dict(problem.space.get_default_configuration())
    ways = [EDGES[name] for name, operation in DEFAULT.items() if operation != "none"]
    assert ways == [(0, 1), (1, 2), (0, 3), (2, 3)]


def test_a_cell_without_weights_is_the_smallest() -> None:
    benchmark = NASBench201("cifar10")
    bare: Params = dict.fromkeys(EDGES, "skip_connect")
    full: Params = dict.fromkeys(EDGES, "nor_conv_3x3")
    sizes = [benchmark.evaluate(cell, None, 0).metrics["model_weights_millions"] for cell in (bare, DEFAULT, full)]
    assert sizes == sorted(sizes)
    assert sizes[0] == pytest.approx(0.073306)


def test_words_cannot_be_ranges() -> None:
    with pytest.raises(SettingError, match=r"needs numbers .* nasbench201 has none; use benchmark\.space=grid"):
        NASBench201(space="nearest")
