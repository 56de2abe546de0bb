"""The command line before Hydra reads it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.arguments import check_overrides, in_order
from harness.errors import SettingError

JARGON = ("mismatched", "expecting", "viable", "EOF", "Lexer", "Error parsing", "usage:", "token")


@pytest.mark.parametrize(
    ("given_line", "read"),
    [
        (["seed=1"], ["--", "seed=1"]),
        (["benchmark=toy", "-m", "seed=0,1"], ["-m", "--", "benchmark=toy", "seed=0,1"]),
        (["-m", "benchmark=toy", "seed=0,1"], ["-m", "--", "benchmark=toy", "seed=0,1"]),
        (["seed=0,1", "--multirun"], ["--multirun", "--", "seed=0,1"]),
        (["a=1", "--multirun", "--", "seed=range(3)"], ["--multirun", "--", "a=1", "seed=range(3)"]),
        (["seed=1", "--cfg", "job", "name=x"], ["--cfg", "job", "--", "seed=1", "name=x"]),
        (["seed=0,1", "hydra.mode=MULTIRUN"], ["--", "seed=0,1", "hydra.mode=MULTIRUN"]),
        (
            ["objectives=[a,b]", "name='a,b'", "x={a: 1,b: 2}"],
            ["--", "objectives=[a,b]", "name='a,b'", "x={a: 1,b: 2}"],
        ),
        ([], []),
        (["-m"], ["-m"]),
    ],
)
def test_flags_may_be_anywhere(given_line, read):
    assert in_order(given_line) == read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("params={", "its { is not closed"),
        ("a=[1", "its [ is not closed"),
        ("seed={a:1", "its { is not closed"),
        ("seed=choice(1,2", "its ( is not closed"),
        ("a=${b", "its { is not closed"),
        ("'x", "its ' is not closed"),
        ('name="a', 'its " is not closed'),
        ("optimizer.x=}", "its } is not opened"),
        ("a=[1}", "its } is not opened"),
        ("=3", "it has no setting"),
        ("+", "it has no setting"),
        ("++", "it has no setting"),
        ("~", "it has no setting"),
        ("", "an argument is empty"),
        (" ", "an argument is empty"),
        ("seed", "it has no value"),
        ("+x", "it has no value"),
        ("seed==3", "quotes"),
        ("seed=foo(1)", "quotes"),
    ],
)
def test_an_unreadable_override_is_reported_without_hydras_grammar(text, told):
    with pytest.raises(SettingError) as caught:
        in_order(["-m", text])
    assert told in str(caught.value)
    assert repr(text.strip()) in str(caught.value)
    assert not [word for word in JARGON if word in str(caught.value)]


@pytest.mark.parametrize("text", ["seed=0,1", "optimizer=smac,tpe", "seed=range(3)", "a=choice(1,2)", "llm=glob(*)"])
def test_several_values_ask_for_m(text):
    with pytest.raises(SettingError, match="several values: add -m") as caught:
        in_order(["benchmark=toy", text])
    assert repr(text) in str(caught.value)
    assert in_order(["-m", text]) == ["-m", "--", text]
    with pytest.raises(SettingError, match="give this command one"):
        check_overrides([text], "give this command one")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["--foo"], "Unknown option '--foo'"),
        (["-x", "seed=1"], "Unknown option '-x'"),
        (["--multi-run", "seed=1"], "did you mean '--multirun'?"),
        (["--hel"], "did you mean '--help'?"),
        (["--seed=3"], "e.g. seed=3;"),
        (["-seed=3"], "e.g. seed=3;"),
        (["--seed", "3"], "Unknown option '--seed'"),
        (["--cfg"], "expected one argument"),
        (["--cfg", "everything"], "invalid choice: 'everything'"),
        (["-1"], "Unknown option '-1'"),
        (["-x y"], "Unknown option '-x y'"),
    ],
)
def test_a_wrong_option_is_one_sentence(line, told):
    with pytest.raises(SettingError) as caught:
        in_order(line)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab=+~-{}[](),'\"$: m.\\", max_size=8), max_size=3))
def test_any_command_line_is_read_or_refused_in_a_sentence(line):
    try:
        told = " ".join(in_order(line))
    except SettingError as error:
        told = str(error)
    assert not [word for word in JARGON if word in told]
