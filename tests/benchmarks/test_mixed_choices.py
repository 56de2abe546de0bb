"""Choices that JSON writes otherwise than Python, behind probes and in tables."""

from __future__ import annotations

import json

import pytest

from benchmarks.discretize import configurations, gridded
from benchmarks.probe import Probe
from harness.check import Checker
from harness.choices import loggable
from harness.jsonl import encode
from harness.probe import Family
from harness.space import Decoder, refuse_unsound
from optimizers.prompt import space_lines
from tests.fakes import Mixed


class Finite(Mixed):
    """The same on a grid."""

    def __init__(self):
        import dataclasses

        super().__init__()
        self.problem = dataclasses.replace(self.problem, space=gridded(self.problem.space, 3), default={})


@pytest.mark.parametrize(
    "guise",
    [{"names": "anonymous"}, {"space": "warped"}, {"space": "shifted"}, {"names": "anonymous", "space": "shifted"}],
    ids=str,
)
def test_a_probe_shows_them_and_reads_them_back(guise):
    benchmark = Mixed()
    shown = Probe(benchmark, Family((), lambda task: benchmark), 1, **guise)
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
    shown = Probe(benchmark, Family((), lambda task: benchmark), 1, responses="permuted")
    read = Decoder(shown.problem.space)
    params = [read(one) for one in shown.problem.space.sample_configuration(30)]
    first = [shown.evaluate(each, None, 0).losses for each in params]
    assert first == [shown.evaluate(each, None, 0).losses for each in params]


def test_every_configuration_is_listed_once():
    found = [encode(loggable(params)) for params in configurations(Finite().problem.space)]
    assert len(found) == len(set(found))
