"""Choices that JSON writes otherwise than Python, behind probes and in tables."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Constant, EqualsCondition, OrdinalHyperparameter

from benchmarks.hpobench.hpobench_tables import HPOBenchTables
from benchmarks.lookup.discretize import configurations, gridded
from benchmarks.probes.probe import probed
from benchmarks.tabulate.table_writer import Evaluation, write_table
from harness.choices import loggable
from harness.jsonl import encode
from harness.probe import Family
from harness.problem import Objective, Problem
from harness.space import Decoder, default_of, refuse_unsound
from harness.validity import Checker
from optimizers.chat.prompt import space_lines
from tests.support.fakes import Mixed


class Finite(Mixed):
    """The same on a grid."""

    def __init__(self):
        super().__init__()
        space = gridded(self.problem.space, 3)
        self.problem = dataclasses.replace(self.problem, space=space, default=default_of(space))


@pytest.mark.parametrize(
    "guise",
    [{"names": "anonymous"}, {"space": "warped"}, {"space": "shifted"}, {"names": "anonymous", "space": "shifted"}],
    ids=str,
)
def test_a_probe_shows_them_and_reads_them_back(guise):
    benchmark = Mixed()
    shown = probed(benchmark, Family((), lambda task: benchmark), 1, **guise)
    refuse_unsound(shown.problem)
    read, check = Decoder(shown.problem.space), Checker(shown.problem.space).check
    for drawn in shown.problem.space.sample_configuration(60):
        params = read(drawn)
        written = json.loads(encode(loggable(params)))
        assert check(written) == (params, ())
        outcome = shown.evaluate(params, None, 0)
        assert Checker(benchmark.problem.space).check(outcome.evaluated)[1] == ()
    if "names" in guise:
        text = "\n".join(space_lines(shown.problem))
        assert not any(word in text for word in ("sqrt", "depth", "hidden", "True", "None"))
        assert "null" in text


def test_losses_can_be_dealt_out_anew():
    benchmark = Finite()
    shown = probed(benchmark, Family((), lambda task: benchmark), 1, responses="permuted")
    read = Decoder(shown.problem.space)
    params = [read(one) for one in shown.problem.space.sample_configuration(30)]
    first = [shown.evaluate(each, None, 0).losses for each in params]
    assert first == [shown.evaluate(each, None, 0).losses for each in params]


def test_every_configuration_is_listed_once():
    found = [encode(loggable(params)) for params in configurations(Finite().problem.space)]
    assert len(found) == len(set(found))


class Small:
    """A few configurations, one of them with an inactive hyperparameter."""

    def __init__(self):
        space = ConfigurationSpace(name="small", seed=0)
        hidden = Categorical("hidden", [(64, 64), (128,), None])
        flags = Categorical("flags", [{"a": 1}, {"a": "x"}, {"a": np.int64(2)}])
        depth = OrdinalHyperparameter("depth", [np.int64(1), [2], "deep"], default_value=[2])
        space.add(hidden, flags, depth, Constant("kind", (1, None)))
        space.add(EqualsCondition(depth, hidden, (128,)))
        self.problem = Problem("small.a", space, (Objective("accuracy", "maximize"),), default_of(space))


def test_a_table_of_them_is_read_back(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    problem = Small().problem
    listed = list(configurations(problem.space))
    rows = [Evaluation(params, {}, 0, {"accuracy": place / 100}, 1.0, None) for place, params in enumerate(listed)]
    write_table(
        tmp_path / "m_a_data.parquet.gzip",
        tmp_path / "m_a_metadata.json",
        problem,
        {},
        rows,
        {"task": "a", "model": "m"},
    )
    table = HPOBenchTables("a", "m", str(tmp_path))
    refuse_unsound(table.problem)
    assert loggable(table.problem.default) == loggable(problem.default)
    for place, params in enumerate(listed):
        written = json.loads(encode(loggable(params)))
        read, violations = Checker(table.problem.space).check(written)
        assert violations == ()
        assert table.evaluate(read, None, 0).losses == {"accuracy": -place / 100}
    assert len(listed) == 3 * 3 + 3 * 2
