from __future__ import annotations

import pytest

from benchmarks.shared import measures
from benchmarks.shared.measures import ENERGY, chosen, outcome
from harness.errors import SettingError
from harness.problem import Objective

KNOWN = {"accuracy": Objective("accuracy", "maximize", 1.0, 0.0), "loss": Objective("loss", "minimize")}


def test_the_first_is_the_familys_own_and_others_come_by_name():
    assert chosen(None, KNOWN, "x") == (KNOWN["accuracy"],)
    assert chosen("loss", KNOWN, "x") == (KNOWN["loss"],)
    assert chosen(["loss", "accuracy"], KNOWN, "x") == (KNOWN["loss"], KNOWN["accuracy"])
    with pytest.raises(SettingError, match="did you mean 'loss'"):
        chosen(["los"], KNOWN, "x")


def test_objectives_become_losses_and_the_rest_metrics():
    found = outcome({"accuracy": 0.75, "loss": 2, "test_accuracy": 0.5}, (KNOWN["accuracy"],), 3.0)
    assert found.losses == {"accuracy": -0.75}
    assert found.metrics == {"loss": 2.0, "test_accuracy": 0.5}
    assert found.evaluation_seconds == 3.0


def test_energy_is_an_objective_only_where_it_is_measured(monkeypatch):
    known = {**KNOWN, ENERGY.name: ENERGY}
    monkeypatch.setattr(measures, "read_counters", lambda: None)
    with pytest.raises(SettingError, match="cannot be measured here"):
        chosen(["accuracy", "energy_joules"], known, "x")
    monkeypatch.setattr(measures, "read_counters", lambda: {"intel-rapl:0": (1, 2)})
    assert chosen(["accuracy", "energy_joules"], known, "x")[1] is ENERGY
