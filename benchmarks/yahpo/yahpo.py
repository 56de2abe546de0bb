"""YAHPO Gym: surrogates that predict the score of a configuration, at any fidelity, on many data sets.

Source: Pfisterer, Schneider, Moosbauer, Binder and Bischl, "YAHPO Gym: An Efficient Multi-Objective Multi-Fidelity
Benchmark for HPO", AutoML-Conf 2022; its data (v1.0, https://github.com/slds-lmu/yahpo_data): per scenario a neural
network as an ONNX file, the space and the codes of categories. The package yahpo-gym needs ConfigSpace 0, so the files
are used directly.

Scenarios: lcbench (34 OpenML tasks, fidelity epoch), rbv2_xgboost (119 data sets, conditions; fidelities trainsize and
repl), rbv2_rpart (117; the same fidelities), iaml_glmnet (4; trainsize). All measures are *predictions*, including
seconds: of training up to the epoch (lcbench), of training and predicting (the others).

As in YAHPO Gym: inputs in the order of ``yahpo_space``, categories as codes, an inactive number as 0 and an
inactive category as ``#na#``; scaling is part of the network, and outputs are not clipped (an accuracy may be
slightly above 1). Numbers have single precision. There is no noise: the noisy models are not used.

Departures, and why:

* lcbench's test scores cannot be objectives: they are only recorded, since optimizers never see test scores.
* f1 is maximized (YAHPO Gym lists it as minimized). val_accuracy is in percent and memory in megabytes, as in the data.
* The cost of rbv2 and iaml is training plus predicting; YAHPO Gym counts training only. It is clipped at 0.
* The optimum is None: the published minima (``global_statistics``) are the best of 500,000 random configurations at
  random fidelities, which an optimizer may beat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.shared.measures import chosen, outcome
from benchmarks.shared.setting_checks import one_of
from benchmarks.yahpo.yahpo_space import MEANINGS, SCENARIOS, Scenario, read_description, search_space
from harness.cache import data_folder
from harness.errors import SettingError
from harness.problem import Description, Objective, Outcome, Params, Problem

MISSING = "#na#"
Inputs = tuple[list[int], list[float]]
"""Codes of the categories, instance first; and the numbers."""


class Yahpo:
    """One scenario on one instance; YAHPO's default objective is accuracy, or misclassification for iaml.

    Args:
        task: An instance: an OpenML task for lcbench, an OpenML data set for the others.
        scenario: One of ``SCENARIOS``.
        objectives: One or several of the scenario's targets except test scores; None for the default.
        folder: Folder of YAHPO's data; None for ``$XDG_DATA_HOME/hyperbole/yahpo``.

    Raises:
        SettingError: A setting is invalid, or the data are missing.
    """

    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"task": "3945", "scenario": "lcbench"},
        {"task": "31", "scenario": "rbv2_xgboost"},
        {"task": "1590", "scenario": "rbv2_rpart"},
        {"task": "40981", "scenario": "iaml_glmnet"},
    )
    data = "yahpo"

    def __init__(
        self,
        task: str | int = "3945",
        scenario: str = "lcbench",
        objectives: Sequence[str] | None = None,
        folder: str | None = None,
    ) -> None:
        self._scenario = SCENARIOS[one_of("yahpo scenario", scenario, SCENARIOS)]
        place = (data_folder() / "yahpo" if folder is None else Path(folder).expanduser()) / scenario
        try:
            description = read_description(place / "config_space.json", self._scenario)
            self._codes = json.loads((place / "encoding.json").read_text(encoding="utf-8"))
            one_of(f"yahpo task of {scenario}", str(task), description.instances)
            self.session = open_session(place / "model.onnx")
        except (OSError, ValueError, KeyError) as error:
            raise SettingError(_absent(place, error)) from None
        self._instance = self._codes[self._scenario.instance][str(task)]
        self._highest = {fidelity.name: fidelity.upper for fidelity in description.fidelities}
        name = f"yahpo.{task}"
        space = search_space(name, description, MEANINGS[scenario])
        self.problem = Problem(
            name=name,
            space=space,
            objectives=chosen(objectives, _objectives(self._scenario), f"yahpo {scenario}"),
            default=dict(space.get_default_configuration()),
            fidelities=description.fidelities,
            description=describe(self._scenario, str(task)),
        )

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Predict the targets and evaluation_seconds of one configuration; the seed is not used."""
        import numpy as np

        codes, numbers = self.inputs(params, fidelity)
        given = {"x_cat": np.array([codes], np.int32), "x_cont": np.array([numbers], np.float32)}
        values = self.session.run(None, given)[0][0].tolist()
        measured = dict(zip(self._scenario.targets, values, strict=True))
        seconds = max(0.0, sum(measured[name] for name in self._scenario.seconds))
        return outcome(measured, self.problem.objectives, seconds)

    def inputs(self, params: Params, fidelity: Mapping[str, float] | None) -> Inputs:
        """A configuration as the surrogate's inputs."""
        known: dict[str, Any] = {**params, **self._highest, **(fidelity or {})}
        codes = [self._codes[name][known.get(name, MISSING)] for name in self._scenario.categories]
        return [self._instance, *codes], [known.get(name, 0.0) for name in self._scenario.numbers]

    def random_search_curve(self, evaluations: int) -> None:
        """None: the curve of a continuous space is not known exactly."""


@cache
def open_session(file: Path) -> Any:
    """Load a surrogate, once per process; it computes in one thread, since runs share the machine.

    Raises:
        OSError: The file is missing.
        ValueError: It is not an ONNX model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    file.stat()
    try:
        return onnxruntime.InferenceSession(str(file), sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base class
        raise ValueError(str(error)) from None


def describe(scenario: Scenario, task: str) -> Description:
    """Model and data, for prompts."""
    return Description(
        f"The hyperparameters of a {scenario.model} are tuned.", f"The data set is {scenario.data} {task}."
    )


def _objectives(scenario: Scenario) -> dict[str, Objective]:
    names = [scenario.objective, *(name for name in scenario.targets if name != scenario.objective)]
    return {name: Objective(name, scenario.targets[name]) for name in names if not name.startswith("test_")}


def _absent(place: Path, error: Exception) -> str:
    return (
        f"YAHPO's files config_space.json, encoding.json and model.onnx cannot be read in {place} "
        f"({type(error).__name__}); download https://github.com/slds-lmu/yahpo_data at v1.0 and set its folder with "
        "benchmark.folder."
    )
