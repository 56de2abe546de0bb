"""calls.jsonl grows with the texts that are new, and every text comes back as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.call_log import LEAST_CHARACTERS, LINE, CallAppender, read_calls
from harness.errors import RunError
from harness.jsonl import Appender, read_rows
from tests.support.run_folders import call

SCHEMA = {"type": "object", "properties": {"depth": {"type": "integer", "minimum": 1}}, "required": ["depth"]}


def written(path, rows):
    log = CallAppender(path)
    for row in rows:
        log.write(row)
    log.close()
    return path


def asked(number, *texts, schema=SCHEMA):
    roles = ("user", "assistant")
    messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
    row = call(number, "{}", messages=messages)
    return row | {"sampling": row["sampling"] | {"schema": schema}}


def history(length):
    """One message that repeats a history, as the compressed history of llm_chat does."""
    rows = []
    for number in range(length):
        trials = [f"Trial {each}: depth {each % 7}, rate {1 / (each + 1):.6f}: 0.71" for each in range(number)]
        text = "\n".join(["You tune a classifier." + " Context." * 40, *trials, "Propose the next configuration."])
        rows.append(asked(number, text))
    return rows


def conversation(length):
    """One more pair of messages per call."""
    turns = [f"{'Question' if place % 2 == 0 else 'Answer'} number {place}. {'x' * 90}" for place in range(2 * length)]
    return [asked(number, *turns[: 2 * number + 1]) for number in range(length)]


@pytest.mark.parametrize("rows", [history(40), conversation(40)], ids=["history", "conversation"])
def test_every_text_comes_back(tmp_path, rows):
    assert read_calls(written(tmp_path / "calls.jsonl", rows)) == rows


@pytest.mark.parametrize("kind", [history, conversation])
def test_the_bytes_of_a_call_do_not_grow_with_the_run(tmp_path, kind):
    lines = written(tmp_path / "calls.jsonl", kind(300)).read_bytes().splitlines()
    assert len(lines[299]) <= 1.5 * len(lines[30])
    assert len(lines[0]) < 2000


def test_the_first_line_and_what_is_new_can_be_read_by_eye(tmp_path):
    first, _, third = map(json.loads, written(tmp_path / "calls.jsonl", history(3)).read_text().splitlines())
    assert first["messages"] == history(1)[0]["messages"]
    assert first["sampling"]["schema"] == SCHEMA
    assert third["sampling"]["schema"] == {LINE: 1}
    content = third["messages"][0]["content"]
    assert set(content) == {LINE, "characters", "then"}
    assert content["then"].endswith("Propose the next configuration.")


def test_a_resumed_log_refers_to_what_is_there(tmp_path):
    rows = history(80)
    path = written(tmp_path / "calls.jsonl", rows[:70])
    with path.open("ab") as file:
        file.write(b'{"id": 70, "messages": [{"torn')
    assert read_calls(written(path, rows[70:])) == rows
    assert all(LINE in str(row["messages"]) for row in read_rows(path)[1:])


def test_a_log_without_references_is_read_as_it_is(tmp_path):
    log = Appender(tmp_path / "calls.jsonl")
    for row in history(5):
        log.write(row)
    log.close()
    assert read_calls(tmp_path / "calls.jsonl") == history(5)


def test_rows_without_messages_are_kept(tmp_path):
    rows = [call(0, "{}", messages=None), asked(1, "x" * 500), call(2, "{}", messages=[]), asked(3, "x" * 500)]
    assert read_calls(written(tmp_path / "calls.jsonl", rows)) == rows


TEXT = st.text(st.sampled_from("ab é\ud800\n"), max_size=6).map(lambda text: text * (LEAST_CHARACTERS // 3))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(TEXT, max_size=4), st.sampled_from([None, SCHEMA, {}])), max_size=8))
def test_any_texts_come_back(tmp_path_factory, given_rows):
    rows = [asked(number, *texts, schema=schema) for number, (texts, schema) in enumerate(given_rows)]
    assert read_calls(written(tmp_path_factory.mktemp("any") / "calls.jsonl", rows)) == rows


@pytest.mark.parametrize(
    "messages",
    [
        [{LINE: 0, "messages": 9}],
        [{LINE: 1, "messages": 1}],
        [{LINE: -1, "messages": 1}],
        [{LINE: 0, "messages": True}],
        [{LINE: "0", "messages": 1}],
        [{LINE: 0}],
        [{"role": "user", "content": {LINE: 0, "characters": 10**9, "then": ""}}],
        [{"role": "user", "content": {LINE: 0, "characters": 3, "then": 5}}],
        [{"role": "user", "content": {LINE: 7, "characters": 3, "then": ""}}],
        [{"role": "user", "content": "a"}, {"role": "user", "content": {LINE: 0, "characters": 1, "then": ""}}],
    ],
)
def test_a_reference_to_nothing_is_damage(tmp_path, messages):
    log = Appender(tmp_path / "calls.jsonl")
    for row in (asked(0, "x" * 300), call(1, "{}", messages=messages)):
        log.write(row)
    log.close()
    with pytest.raises(RunError, match=r"Line 2 of .* refers to a text that is not there"):
        read_calls(tmp_path / "calls.jsonl")
