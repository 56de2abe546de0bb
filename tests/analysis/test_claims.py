"""The rule by which a reason's claims are found, sentence by sentence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.runs.claims import claims

NAMES = ("depth", "width", "learning_rate_init", "alpha", "batch_size", "max_depth", "lower_bound", "C")


@pytest.mark.parametrize(
    ("reason", "claimed"),
    [
        ("Increase the depth.", {"depth": "up"}),
        ("A DEEPER net: raise `Depth`!", {"depth": "up"}),
        ("**alpha**: decrease", {"alpha": "down"}),
        ("keep the width unchanged but use a larger batch size", {"width": "same", "batch_size": "up"}),
        ("We should lower learning_rate_init", {"learning_rate_init": "down"}),
        ("a higher learning rate, a smaller batch-size", {"learning_rate_init": "up", "batch_size": "down"}),
        ("The depth was raised from 2 to 3, which gave 0.5. Less alpha!", {"depth": "up", "alpha": "down"}),
        ("set depth to a higher value", {"depth": "up"}),
    ],
)
def test_a_name_and_a_direction_in_one_clause_are_a_claim(reason, claimed):
    assert claims(reason, NAMES) == claimed


@pytest.mark.parametrize(
    ("reason", "claimed"),
    [
        ("increase depth, width and alpha", {"depth": "up", "width": "up", "alpha": "up"}),
        ("increase depth and also the width", {"depth": "up", "width": "up"}),
        ("increase depth and change width", {"depth": "up"}),
        ("increase depth. Width", {"depth": "up"}),
        ("alpha is larger than depth", {"alpha": "up"}),
        ("do not increase depth, width", {}),
    ],
)
def test_a_bare_name_takes_over_the_direction_before_it(reason, claimed):
    assert claims(reason, NAMES) == claimed


@pytest.mark.parametrize(
    "reason",
    ["do not increase the depth", "I won’t raise depth", "I don't want a higher depth", "Never lower depth"],
)
def test_a_negated_clause_claims_nothing(reason):
    assert claims(reason, NAMES) == {}


@pytest.mark.parametrize(
    ("reason", "claimed"),
    [
        ("increase width rather than increasing depth", {"width": "up"}),
        ("increase width rather than depth", {"width": "up"}),
        ("Instead of raising depth, lower alpha", {"alpha": "down"}),
        ("more width without increasing alpha", {"width": "up"}),
    ],
)
def test_a_negation_ends_with_its_clause(reason, claimed):
    assert claims(reason, NAMES) == claimed


@pytest.mark.parametrize(
    ("reason", "claimed"),
    [
        ("increase depth to reduce overfitting", {"depth": "up"}),
        ("reduce overfitting with a larger alpha", {"alpha": "up"}),
        ("lower alpha because the width is large", {"alpha": "down"}),
        ("keep the depth higher", {}),
        ("increase depth; decrease depth", {}),
        ("increase depth, and increase depth", {"depth": "up"}),
    ],
)
def test_two_directions_in_one_clause_or_for_one_name_cancel_out(reason, claimed):
    assert claims(reason, NAMES) == claimed


@pytest.mark.parametrize(
    ("reason", "claimed"),
    [
        ("larger depths and a larger mydepth", {}),
        ("max depth should be larger", {"max_depth": "up"}),
        ("the lower_bound", {}),
        ("the lower bound is larger", {"lower_bound": "up"}),
        ("c is larger", {}),
        ("C is larger", {"C": "up"}),
        ("a higher learning curve", {}),
        ("a wider net", {}),
        ("", {}),
        ("depth \x00 0 \x00 more", {"depth": "up"}),
    ],
)
def test_names_are_words_of_their_own(reason, claimed):
    assert claims(reason, NAMES) == claimed


def test_leading_words_count_where_no_other_name_begins_with_them():
    assert claims("raise the learning rate", ["learning_rate_init", "learning_rate_decay"]) == {}
    assert claims("raise the learning rate", ["learning_rate_init", "learning_rate"]) == {"learning_rate": "up"}
    assert claims("raise learning_rate_init", ["learning_rate_init", "learning_rate"]) == {"learning_rate_init": "up"}
    assert claims("raise x1", ["x1", "x12", "_", "-"]) == {"x1": "up"}


PIECES = st.sampled_from(["depth", "learning rate", " ", "increase", "lower", "and", ", ", ". ", "not", "to ", "\x00"])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_text_is_read(reason):
    assert set(claims(reason, NAMES).items()) <= {(name, way) for name in NAMES for way in ("up", "down", "same")}
