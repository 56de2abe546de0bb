"""The person at the terminal: what is shown, what is read, and how it ends."""

from __future__ import annotations

import io

import pytest

from harness.chat import ChatRequest, Message
from harness.errors import SettingError
from harness.trial import Usage
from llms.models import person
from llms.person import Person

TASK = Message("system", "The task.")


def question(text):
    return ChatRequest((TASK, Message("user", text)))


@pytest.fixture
def types(monkeypatch):
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("x=1\nx=2\n", "x=1"),
        ("\n  \nx=1\n", "x=1"),
        ('{"x":\n 1,\n\n', '{"x":\n 1,'),
        ('{"x":\r\n 1}\r\nx=2\n', '{"x":\n 1}'),
        ('{"x": {"y": 1\n}}\n', '{"x": {"y": 1\n}}'),
        ("no end", "no end"),
        ('{"cut', '{"cut'),
        ("quit it\n", "quit it"),
    ],
)
def test_an_answer_is_a_line_or_a_whole_object(types, typed, read):
    types(typed)
    (completion,) = Person("me").complete([question("First?")])
    assert (completion.text, completion.finish_reason, completion.thinking) == (read, "stop", None)


def test_an_answer_costs_seconds_and_no_tokens(types):
    types("x=1\n")
    usage = Person("me").complete([question("First?")])[0].usage
    assert usage == Usage(calls=1, seconds=usage.seconds)
    assert (usage.tokens, usage.cached_tokens, usage.reasoning_tokens) == (0, 0, 0)
    assert usage.seconds > 0


def test_what_was_shown_is_not_shown_again(types, capsys):
    types("a\nb\n")
    chat = Person("me")
    chat.complete([question("First?"), question("Second?")])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [shown.err.count(text) for text in ("The task.", "First?", "Second?")] == [1, 1, 1]


@pytest.mark.parametrize("word", ["quit", " Exit ", "QUIT"])
def test_quitting_is_an_interruption(types, word):
    types(f"{word}\n")
    with pytest.raises(KeyboardInterrupt):
        Person("me").complete([question("First?")])


def test_the_end_of_input_is_an_interruption_once_somebody_answered(types):
    types("a\n")
    chat = Person("me")
    chat.complete([question("First?")])
    with pytest.raises(KeyboardInterrupt):
        chat.complete([question("Second?")])


def test_without_anybody_it_is_a_mistake(types, monkeypatch):
    types("")
    with pytest.raises(SettingError, match="No answer can be read"):
        Person("me").complete([question("First?")])
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SettingError, match="No answer can be read"):
        Person("me")
    with open("/dev/null") as null:
        monkeypatch.setattr("sys.stdin", null)
        with pytest.raises(SettingError, match="No answer can be read"):
            Person("me")


def test_answers_are_on_record(types, tmp_path):
    types("x=1\n")
    path = tmp_path / "calls.jsonl"
    (first,) = person(name="me", recording=path).complete([question("First?")])
    types("")
    (again,) = person(name="me", recording=path, live=False).complete([question("First?")])
    assert again == first
    assert '"server":"terminal","model":"me"' in path.read_text()
