"""HPOBench's official tables (SVM, LR, RF, XGB, NN on 20 OpenML tasks) and those of ``python -m benchmarks.tabulate``.

Source: Eggensperger et al., "HPOBench: A Collection of Reproducible Multi-Fidelity Benchmark Problems for HPO",
NeurIPS 2021 Datasets and Benchmarks; the files that its ``TabularDataManager`` loads (on figshare, zipped per model):
``<model>_<task>_data.parquet.gzip``, one row per evaluation (hyperparameters and fidelities in single precision, a
seed and a nested ``result``), and ``<model>_<task>_metadata.json``. They are read from the folder where they were
unzipped.

Space: the tables' levels, ordinal; the default is the level nearest to HPOBench's (``table_metadata.py``);
``space=nearest`` shows ranges instead.
Fidelities: those with more than one level, named as in the files (subsample, iter, n_estimators), by default the
highest. A fidelity between the tabulated levels has the score and cost of the nearest level (in log space if the
levels are positive; midway counts as the lower one). Splits: fold 0 of the task; a third of its training part is
validation. Measures: balanced accuracy, accuracy, and macro-averaged F1 and precision on the validation rows; the same
on the test fold as metrics ``test_<name>``; ``train_seconds`` is the time of fitting, evaluation_seconds the tabulated
cost (fitting, and scoring the validation rows once).

Departures: HPOBench's table minimizes 1 - accuracy by default; here balanced accuracy is the default, as in
the other families. Its cost is the fit time plus the *score* (it reads ``val_scores`` where
``val_costs`` is meant), summed over the seeds; here it is the file's own cost, a mean over the seeds.

In version ``v1`` the models were trained on the training *and* validation rows before the validation rows were scored:
objectives to look up, not estimates of generalization. Corrected tables exist upstream in the same layout.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.hpobench.table_metadata import OBJECTIVES, SECONDS, read_metadata
from benchmarks.lookup.draw_weights import draw_weights
from benchmarks.lookup.nearest import midpoints, nearest_of
from benchmarks.lookup.order_statistics import expected_minima
from benchmarks.lookup.parquet_index import ParquetIndex
from benchmarks.lookup.table_files import find_table
from benchmarks.shared.hints import hints
from benchmarks.shared.measures import chosen, outcome
from benchmarks.shared.setting_checks import one_of
from harness.errors import SettingError
from harness.problem import EvaluationError, Objective, Outcome, Params, Problem


class HPOBenchTables:
    """Looks up evaluations of HPOBench or of ``benchmarks.tabulate``.

    A tabulated evaluation that failed fails again, with the same reason; a mean over seeds fails if one of them did.

    Args:
        task: OpenML task id, or the part of the file's name.
        model: svm, lr, rf, xgb or nn for HPOBench's own tables, or the part of the file's name.
        folder: Folder of the files, or of ``<task>/`` or ``<model>/<task>/`` with the files.
        version: ``v1`` or ``corrected``: which of HPOBench's tables the folder holds. The files do not tell; the
            setting only labels the run. Tables of ``benchmarks.tabulate`` record their origin themselves.
        space: ``grid``: the table's own space; or ``nearest``: ranges of its numbers, where a configuration is
            *defined* to score what the nearest levels scored (``benchmarks.lookup.nearest``).
        table_seed: None for the mean over the table's seeds, one of them, or ``run`` for the run's own seed (if it is
            not tabulated, evaluations fail).
        objectives: Names; None for the table's default.

    Raises:
        SettingError: A setting is invalid, or the files are missing or damaged.
    """

    tasks: ClassVar[tuple[str, ...]] = ()
    """The tasks of the tables in the folder; empty without a folder."""

    def __init__(
        self,
        task: int | str = 31,
        model: str = "svm",
        folder: str = "tables",
        version: Literal["v1", "corrected"] = "v1",
        space: Literal["grid", "nearest"] = "grid",
        table_seed: int | Literal["run"] | None = None,
        objectives: Sequence[str] | None = None,
    ) -> None:
        one_of("hpobench_tables version", version, ("v1", "corrected"))
        name = f"hpobench_tables.{task}"
        data, metadata = find_table(Path(folder).expanduser(), model, str(task))
        known = read_metadata(metadata, name, model, str(task))
        self._nearest = nearest_of("hpobench_tables", space, known.space)
        self._index = ParquetIndex(data, known.columns)
        self._seed: Any = checked_seed(table_seed, self._index.seeds)
        self._measures = self._index.measures
        self._fidelities = {key: (at, _cuts(at)) for key, at in known.columns.fidelities.items()}
        own = [objective.name for objective in known.objectives]
        possible = {objective.name: objective for objective in known.objectives}
        possible |= {key: OBJECTIVES[key] for key in OBJECTIVES if key in self._measures and key not in possible}
        kind = f"{model}_{task}"
        self.problem = Problem(
            name=name,
            space=known.space if self._nearest is None else self._nearest.space,
            objectives=tuple(map(self._bounded, chosen(own if objectives is None else objectives, possible, kind))),
            default=dict(known.default),
            fidelities=known.fidelities,
            description=known.description,
            contexts=dict(known.contexts),
            hints={**known.hints, **hints("hpobench_tables", str(task))},
        )

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Look up one evaluation.

        Raises:
            EvaluationError: The tabulated evaluation failed, or it is not in the table.
            ValueError: The table has no such fidelity.
        """
        if self._nearest is None:
            return self._look_up(params, fidelity, seed)
        return self._nearest.outcome(params, lambda on_levels: self._look_up(on_levels, fidelity, seed))

    def _look_up(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        at = seed if self._seed == "run" else self._seed
        if at is not None and at not in self._index.seeds:
            raise EvaluationError(
                f"Seed {at} is not tabulated; with table_seed=run a run's seed is one of {_listed(self._index.seeds)}."
            )
        level = self._level(fidelity or {})
        try:
            row = self._index.row(params)
        except KeyError:
            raise EvaluationError("This configuration is not in the table.") from None
        measured = {
            name: value
            for name, value in zip(self._measures, self._index.values(row, level, at), strict=True)
            if not math.isnan(value)
        }
        seconds = measured.pop(SECONDS, None)
        reason = self._index.reason(row, level, at)
        if reason is not None or any(objective.name not in measured for objective in self.problem.objectives):
            raise EvaluationError(reason or "This evaluation is not in the table.", seconds)
        return outcome(measured, self.problem.objectives, seconds)

    def random_search_curve(self, evaluations: int) -> list[float] | None:
        """Exact E[lowest loss of k configurations sampled by ConfigSpace, with replacement], k = 1..evaluations.

        None if it is unknown: some evaluations failed, or the table's seed depends on the run.
        """
        objective = self.problem.objectives[0]
        losses = objective.loss(1.0) * self._column(objective.name, None)
        weights = draw_weights(self.problem.space, self._index.digits())
        if self._seed == "run" or weights is None or not np.isfinite(losses).all():
            return None
        return expected_minima(losses, evaluations, weights)

    def _level(self, fidelity: Mapping[str, float]) -> int:
        if not fidelity.keys() <= self._fidelities.keys():
            raise ValueError(f"{self.problem.name} has the fidelities {list(self._fidelities)}, not {dict(fidelity)}.")
        return self._index.level(
            [
                bisect_left(cuts, fidelity[name]) if name in fidelity else len(levels) - 1
                for name, (levels, cuts) in self._fidelities.items()
            ]
        )

    def _column(self, name: str, seed: int | None) -> NDArray[np.float64]:
        """(configurations,) values of a measure at the highest fidelity; the seed is used if it depends on the run."""
        at = seed if self._seed == "run" else self._seed
        return self._index.highest(at)[:, self._measures.index(name)]

    def _bounded(self, objective: Objective) -> Objective:
        """The objective with its best and worst values at the highest fidelity."""
        seeds: Sequence[int | None] = self._index.seeds if self._seed == "run" else (None,)
        values = np.concatenate([self._column(objective.name, seed) for seed in seeds])
        values = values[np.isfinite(values)]
        if not len(values):
            return objective
        low, high = float(values.min()), float(values.max())
        best, worst = (low, high) if objective.direction == "minimize" else (high, low)
        return Objective(objective.name, objective.direction, best, worst)


def checked_seed(value: Any, seeds: Sequence[int]) -> int | Literal["run"] | None:
    """Check that the value is None, ``run`` or one of the seeds.

    Raises:
        SettingError: It is not.
    """
    if value is None or value == "run" or (type(value) is int and value in seeds):
        return value  # type: ignore[no-any-return]
    near = f"did you mean {min(seeds, key=lambda seed: abs(seed - value))}? " if type(value) is int else ""
    raise SettingError(
        f"table_seed is {value!r}; {near}Give one of {_listed(seeds)}, null for their mean, or run for the run's own."
    )


def _cuts(levels: Sequence[float]) -> list[float]:
    return midpoints(list(levels), log=levels[0] > 0)


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
