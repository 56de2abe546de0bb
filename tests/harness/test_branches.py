"""What the branches of a space leave out, as recorded in run.json; their contents are tested with ``llms.schema``."""

from __future__ import annotations

from ConfigSpace import ConfigurationSpace, Float, ForbiddenLessThanRelation

from harness.branches import schema_leaves_out
from harness.parts import Interval, atoms, union, whole
from tests.support.fakes import rich_space


def test_what_the_schema_of_a_run_does_not_say():
    space = rich_space()
    assert schema_leaves_out(space, None) is None
    assert schema_leaves_out(space, {"mode": "free", "schema": "branches"}) is None
    assert schema_leaves_out(space, {"mode": "json_schema", "schema": "branches"}) == []
    flat = schema_leaves_out(space, {"mode": "json_schema", "schema": "flat"})
    assert flat == schema_leaves_out(space, {"mode": "json_schema"}), "as runs of before were"
    assert flat == [
        'degree only if kernel == "poly"',
        'coef0 only if (kernel == "poly" and degree > 2)',
        'not (kernel == "linear" and batch == 64)',
    ]


def test_a_relation_of_two_ranges_is_left_out():
    space = ConfigurationSpace({"a": Float("a", (0.0, 1.0)), "b": Float("b", (0.0, 1.0))})
    space.add(ForbiddenLessThanRelation(space["a"], space["b"]))
    assert schema_leaves_out(space, {"mode": "json_schema", "schema": "branches"}) == ["not a < b"]


def test_a_range_is_cut_at_bounds_and_put_together_again():
    rate = Float("rate", (0.0, 1.0))
    parts = atoms(rate, [lambda value: value > 0.5], [0.5])
    assert parts == [(Interval(0.0, 0.5),), (Interval(0.5, 1.0, above=True),)]
    assert union(rate, parts) == whole(rate)
    apart = atoms(rate, [lambda value: value == 0.5], [0.5])
    assert (Interval(0.0, 0.5, below=True), Interval(0.5, 1.0, above=True)) in apart
