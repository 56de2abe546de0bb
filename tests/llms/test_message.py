"""Every shape in which servers send a message: what was answered, thought and declined, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.runs.answers import read_answers
from harness.chat import ChatRequest, Message
from harness.clock import now
from harness.jsonl import encode
from llms.call_rows import completion_of, row_of
from llms.recorder import Recorder
from llms.wire.counts import UncountedError
from llms.wire.message import read_message
from llms.wire.replies import GarbledReplyError, read_completion
from llms.wire.thinking import TAGS, split_thinking
from optimizers.chat.parse import parse_reply

USAGE = {"prompt_tokens": 4, "completion_tokens": 2}
ASK = ChatRequest((Message("user", "hi"),))
OBJECT = '{"x": 1}'


def completion(message, **choice):
    return from_choices([{"index": 0, "message": message, "finish_reason": "stop", **choice}])


def from_choices(choices):
    return read_completion(json.dumps({"choices": choices, "usage": USAGE}).encode(), 1, 0.5)


def written(answered):
    """As the recorder writes it, which notes when it was sent."""
    return encode(row_of(0, ASK, answered) | {"started_at": now()})


@pytest.mark.parametrize(
    ("message", "thinking", "text"),
    [
        ({"content": [{"type": "text", "text": OBJECT}]}, None, OBJECT),
        ({"content": ['{"x"', ": 1}"]}, None, OBJECT),
        ({"content": {"type": "text", "text": OBJECT}}, None, OBJECT),
        ({"content": [{"type": "output_text", "text": {"value": OBJECT}}]}, None, OBJECT),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": OBJECT}]}, "hm", OBJECT),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"text": "m"}]}, OBJECT]},
            "hm",
            OBJECT,
        ),
        ({"content": [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": OBJECT}]}, "hm", OBJECT),
        ({"content": OBJECT, "reasoning": [{"type": "text", "text": "hm"}]}, "hm", OBJECT),
        ({"content": f"<think>b</think>{OBJECT}", "reasoning": "a"}, "a\n\nb", OBJECT),
        ({"content": [{"text": "<think>h"}, {"text": f"m</think>{OBJECT}"}]}, "hm", OBJECT),
        ({"content": [{"type": "image_url", "image_url": {"url": "u"}}]}, None, ""),
        ({"content": []}, None, ""),
        (OBJECT, None, OBJECT),
    ],
)
def test_shapes_of_a_content(message, thinking, text):
    answered = completion(message)
    assert (answered.thinking, answered.text) == (thinking, text)


@pytest.mark.parametrize("content", [3, True, {"x": 1}, 1.5])
def test_a_content_that_has_no_form_is_the_servers_fault(content):
    with pytest.raises(GarbledReplyError, match="message cannot be read"):
        completion({"content": content})


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "refusal": "LOST"},
        {"content": OBJECT, "reasoning_content": "a", "reasoning": "LOST"},
        {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": '{"x": "LOST"}'}}]},
        {"content": None, "audio": {"transcript": "LOST"}},
        {"content": OBJECT, "annotations": [{"url": "LOST"}]},
        {"content": [{"type": "image_url", "image_url": {"url": "LOST"}}, {"type": "text", "text": OBJECT}]},
        {"content": [{"type": "thinking", "thinking": "LOST"}, {"type": "text", "text": OBJECT}]},
        {"content": [{"type": "unheard-of", "value": {"deep": ["LOST"]}}]},
        {"content": [["LOST"]]},
        {"content": OBJECT, "reasoning": {"summary": "LOST"}},
        {"content": OBJECT, "role": "LOST"},
        {"content": "<think>a</think>so<think>LOST</think>{}"},
        {"content": OBJECT, "thinking_blocks": "LOST"},
        {"content": OBJECT, "refusal": ["LOST"]},
        "LOST",
        ["LOST"],
    ],
)
def test_nothing_of_a_message_is_missing_from_its_row(message):
    assert "LOST" in written(completion(message))


@pytest.mark.parametrize(
    "choices",
    [
        [{"text": "LOST"}],
        [{"delta": {"content": "LOST"}}],
        [None, {"message": {"content": "LOST"}}],
        [{"message": {"content": OBJECT}}, {"message": {"content": "LOST"}}],
        [{"message": {"content": OBJECT}}, "LOST"],
        [{"message": {"content": OBJECT}, "unheard_of": "LOST"}],
    ],
)
def test_nor_of_other_choices_and_protocols(choices):
    assert "LOST" in written(from_choices(choices))


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": OBJECT, "refusal": None, "tool_calls": [], "annotations": None},
        {"role": "assistant", "content": f"\n\n{OBJECT}", "reasoning": "hm"},
        {"content": f"<think>\nhm\n</think>\n\n{OBJECT}"},
        {"content": f"hm</think>{OBJECT}"},
        {"content": "<think>cut o"},
        {"content": None},
    ],
)
def test_an_ordinary_message_is_not_written_twice(message):
    assert completion(message, stop_reason=None, token_ids=None).choices is None


def test_a_refusal_told_apart_is_counted_and_comes_back(tmp_path: Path):
    for message in (
        {"content": None, "refusal": "Not with me."},
        {"content": [{"type": "refusal", "refusal": "Not with me."}]},
    ):
        answered = completion(message)
        assert (answered.text, answered.refusal) == ("", "Not with me.")
        path = tmp_path / "calls.jsonl"
        path.write_text(written(answered) + "\n")
        (counted,) = read_answers([{"calls": [0], "proposed": None, "fidelity": None}], path)
        assert counted["refusal"]
        assert Recorder(lambda: pytest.fail("not asked"), path).complete([ASK])[0].text == ""


def test_an_object_inside_a_refusal_is_not_executed():
    answered = completion({"content": None, "refusal": f"I will not run {OBJECT}."})
    assert parse_reply(answered.text, answered.finish_reason).params is None


@pytest.mark.parametrize(
    "text",
    [
        '<think>a {"x": 0}</think><think>b {"x": 0}</think>{"x": 1}',
        '<think>a {"x": 0}</think>\nThen:\n<think>b {"x": 0}</think>\n{"x": 1}',
        'a {"x": 0}</think><think>b {"x": 0}</think>{"x": 1}',
        '<think>a <think>b</think> {"x": 0}</think>{"x": 1}',
        'a <think>b</think> {"x": 0}</think>{"x": 1}',
        '<think>I could write <think> tags {"x": 0}</think>{"x": 1}',
        '{"x": 1}<think>hm {"x": 0}</think>',
        'Sure. <think>{"x": 0}</think>{"x": 1}',
        '<think>a</think>{"x": 1}\n<think>cut off {"x": 0}',
        '<think>a</think>{"x": 1} and <think>cut off {"x": 0}',
        '{"x": 1}\n<think>cut off {"x": 0}',
        '{"x": 1, "note": "<think>"}',
        '{"x": 1, "note": "</think>"}',
        '{"note": "<think>so</think>", "x": 1}',
    ],
)
def test_no_object_inside_a_thinking_part_is_taken(text):
    assert parse_reply(split_thinking(text, TAGS)[1], "stop").params["x"] == 1


def test_with_an_opening_tag_in_the_template_all_before_the_last_closing_one_is_thinking():
    assert split_thinking('a {"x": 0}</think>b {"x": 0}</think>{"x": 1}', ("", "</think>"))[1] == '{"x": 1}'
    assert completion({"content": OBJECT, "reasoning": "a"}).text == OBJECT
    assert read_message({"content": OBJECT, "reasoning": "a"}, ("", "</think>")).text == OBJECT


@pytest.mark.parametrize("piece", ["x <think>", "</think>", "<think> </think>", "<", '{"a": "<think>"}'])
def test_many_tags_are_read_in_one_go(piece):
    text = piece * 20_000
    split_thinking(text, TAGS)
    split_thinking("<think>" + text, TAGS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(OBJECT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "thinking", "refusal", "content", "role", "reasoning", "error", "x"]),
            inner | st.sampled_from(["text", "thinking", "refusal", "assistant"]),
            max_size=4,
        )
    ),
    max_leaves=8,
)
CHOICE = st.fixed_dictionaries(
    {}, optional={"message": JSON, "finish_reason": JSON, "logprobs": JSON, "delta": JSON, "error": JSON}
)


@settings(max_examples=400, deadline=None)
@given(st.lists(CHOICE, max_size=2) | JSON, JSON | st.just(USAGE))
def test_any_body_is_a_reply_or_the_servers_fault(choices, usage):
    body = json.dumps({"choices": choices, "usage": usage}).encode()
    try:
        answered = read_completion(body, 1, 0.5)
    except (GarbledReplyError, UncountedError):
        return
    row = json.loads(encode(row_of(0, ASK, answered)))
    assert completion_of(row).text == answered.text
    assert isinstance(parse_reply(answered.text, answered.finish_reason).note, str | None)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["<think>", "</think>", '{"x": 0}', '{"n": "</think>"}', "a", "\n", " "]), max_size=12))
def test_thinking_and_answer_hold_what_was_written(pieces):
    text = "".join(pieces)
    thinking, answer = split_thinking(text, TAGS)
    assert (thinking or "").count("a") + answer.count("a") == text.count("a")
