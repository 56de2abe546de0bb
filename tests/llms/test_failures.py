"""Attempts that fail: what is tried again and what is not, in whose words, and with what on record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chat import ChatRequest, Message
from harness.errors import HyperboleError, ModelError, ServerError
from llms.client import Client
from llms.recorder import Recorder
from llms.wire.attempts import LONGEST_BODY, GivenUpError, RefusedError, recorded
from llms.wire.counts import token_count
from llms.wire.keys import Key
from llms.wire.server_errors import Told, is_final, told_in
from tests.support.fake_server import Answer, FakeServer, failure, reply

ASK = ChatRequest((Message("user", "hi"),))
DEEP = b'{"choices": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"


def sent(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(body).encode(), status, headers)


def chat(message: Any = None, usage: Any = None, **choice: Any) -> Answer:
    """A 200 with these parts in the usual places."""
    counts = {"prompt_tokens": 7, "completion_tokens": 2} if usage is None else usage
    return sent({"choices": [{"message": message or {"content": "x"}, **choice}], "usage": counts})


def settle(*script: Any, folder: Path | None = None, **changes: Any) -> tuple[Any, list[dict[str, Any]]]:
    """What became of one request, and the rows it left."""
    with FakeServer(script) as server:
        client = Client(server.url, "tiny", **{"backoff_seconds": 0.01, "timeout_seconds": 5.0, **changes})
        if folder is None:
            return client.settle([ASK])[0], []
        try:
            result: Any = Recorder(lambda: client, folder / "calls.jsonl").complete([ASK])[0]
        except HyperboleError as error:
            result = error
    return result, [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


FINAL = [
    (sent({"error": {"message": "Insufficient credits", "code": 402}}), "Insufficient credits"),
    (sent({"error": {"message": "Insufficient credits"}}), "Insufficient credits"),
    (sent({"error": "Insufficient credits"}), "Insufficient credits"),
    (sent([{"error": {"message": "Your credit balance is too low"}}], 429), "credit balance is too low"),
    (
        sent({"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}, 429),
        "exceeded your quota",
    ),
    (sent({"error": {"message": "Check your plan", "type": "insufficient_quota", "code": None}}, 429), "your plan"),
    (sent({"error": {"message": "Plan ended", "code": "insufficient_quota"}}, 503), "Plan ended"),
    (sent({"error": {"message": "Incorrect API key provided"}}), "Incorrect API key"),
    (sent({"error": {"message": "no such thing", "type": "invalid_request_error"}}), "no such thing"),
    (sent({"error": {"message": "The model `tiny` does not exist"}}), "does not exist"),
    (sent({"error": {"message": "flagged", "code": "content_policy_violation"}}, 400), "flagged"),
    (sent({"object": "error", "message": "gone for good", "code": 404}), "gone for good"),
    (sent({"error": {"message": "bad key", "code": "invalid_api_key"}}, 401), "bad key"),
    (sent({"error": {"message": "Country not supported"}}, 403), "Country not supported"),
    (sent({"detail": "Payment needed"}, 402), "Payment needed"),
    (sent({"error": {"message": "Not for you"}}, 501), "Not for you"),
    (sent({"choices": [{"message": {"content": ""}, "error": {"message": "out of credits", "code": 402}}]}), "credits"),
]


@pytest.mark.parametrize(("answer", "words"), FINAL)
def test_what_cannot_succeed_is_not_tried_again_and_says_why(answer, words, tmp_path):
    error, (row,) = settle(answer, folder=tmp_path)
    assert isinstance(error, RefusedError)
    assert words in str(error)
    assert (row["id"], row["attempts"], row["error"]) == (None, 1, str(error))
    assert words in row["failed_bodies"][0]


PASSING = [
    failure(429, "Rate limit reached in organization org-x on tokens per min; see /account/billing."),
    failure(429, "You exceeded your current quota. Please retry in 34 s."),
    failure(429, "You exceeded your current quota", retry_after="0.01"),
    failure(500, "Insufficient memory"),
    failure(409, "Conflict"),
    sent({"error": {"message": "Provider returned error", "code": 502, "metadata": {"raw": "upstream overloaded"}}}),
    sent({"error": {"message": "Overloaded", "code": "429"}}),
    sent({"error": {"message": "x"}}),
    sent({"error": None, "message": "busy"}),
    sent([], 503),
]


@pytest.mark.parametrize("answer", PASSING)
def test_what_may_pass_is_tried_again(answer):
    completion, _ = settle(answer, reply("at last"))
    assert (completion.text, completion.usage.calls) == ("at last", 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_by_nobody_and_named(status, tmp_path):
    away = Answer(b"Moved for good", status, {"Location": "https://elsewhere.example/v1/chat/completions"})
    error, (row,) = settle(away, folder=tmp_path)
    assert isinstance(error, ModelError)
    for part in (f"HTTP {status}", "https://elsewhere.example/v1", "Moved for good", "llm.base_url"):
        assert part in str(error)
    assert row["failed_bodies"] == ["Moved for good"]


@pytest.mark.parametrize("content", ["", None, "half an ans"])
@pytest.mark.parametrize("finish", ["error", "ERROR", "abort", "network_error", "insufficient_system_resource"])
def test_a_server_that_says_it_failed_failed(finish, content):
    failed = chat({"content": content}, finish_reason=finish)
    completion, _ = settle(failed, reply("at last"))
    assert (completion.text, completion.usage.calls) == ("at last", 2)
    assert completion.usage.prompt_tokens == 17, "what the failed one cost is counted"
    assert finish in completion.failures[0]


@pytest.mark.parametrize("finish", ["content_filter", "tool_calls", "unheard of", 3, ["stop"], None])
def test_other_finish_reasons_are_the_models(finish):
    completion, _ = settle(chat({"content": "x"}, finish_reason=finish))
    assert completion.text == "x"
    assert completion.finish_reason in (finish, json.dumps(finish))


@pytest.mark.parametrize("empty", [{}, "", [], {"message": None, "code": None}, None])
def test_an_error_field_that_says_nothing_is_none(empty):
    body = {"choices": [{"message": {"content": "x"}, "error": empty}], "error": empty, "usage": {"prompt_tokens": 1}}
    assert settle(sent(body))[0].text == "x"


HUGE = b'{"choices": [{"message": {"content": "PAID"}}], "usage": {"prompt_tokens": %s, "completion_tokens": 1}}'
COUNTS = [b"Infinity", b"NaN", b"1e999", b"-3", b"true", b'"many"', b'"12"', b"1.5", b"1e30", b"[]", b"9" * 5000]


@pytest.mark.parametrize("count", COUNTS)
def test_counts_that_count_nothing_are_a_failed_attempt_with_its_bytes(count, tmp_path):
    error, (row,) = settle(Answer(HUGE % count), Answer(HUGE % count), folder=tmp_path, max_attempts=2)
    assert isinstance(error, ServerError)
    assert "\n" not in str(error)
    assert all("PAID" in body for body in row["failed_bodies"])
    assert len(row["failures"]) == len(row["failed_bodies"]) == 2


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 7, "completion_tokens": True},
        {"prompt_tokens": 7, "completion_tokens": ""},
        {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": -1}},
        {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 8}},
        {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": "none"},
        {"prompt_tokens": 7, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": "x"}},
        [7, 2],
        "7",
    ],
)
def test_so_are_others_of_the_same_kind(usage):
    completion, _ = settle(chat(usage=usage), reply("at last"))
    assert (completion.text, completion.usage.calls, completion.usage.prompt_tokens) == ("at last", 2, 10)


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": None}])
def test_tokens_that_nobody_counted_end_the_run_with_the_paid_reply_on_record(usage, tmp_path):
    error, (row,) = settle(chat({"content": "PAID"}, usage=usage), folder=tmp_path)
    assert isinstance(error, ModelError)
    assert "PAID" in row["failed_bodies"][0]


@pytest.mark.parametrize("value", ["-0.1", True, None, [], 5.0, float("nan"), float("-inf"), float("inf")])
def test_logprobs_that_are_none_are_a_failed_attempt(value, tmp_path):
    content = [{"token": "x", "logprob": -0.1, "top_logprobs": [{"token": "x", "logprob": value}]}]
    completion, (row,) = settle(chat({"content": "PAID"}, logprobs={"content": content}), reply("ok"), folder=tmp_path)
    assert completion.text == "ok"
    assert row["failures"] == ["its log-probabilities cannot be read"]
    assert "PAID" in row["failed_bodies"][0]


def test_a_token_that_is_no_text_is_one_too():
    content = [{"token": 3, "logprob": -0.1, "top_logprobs": []}]
    assert settle(chat(logprobs={"content": content}), reply("ok"))[0].usage.calls == 2


@pytest.mark.parametrize("status", [200, 400, 404, 429, 500])
def test_a_body_nested_too_deep_is_no_traceback(status):
    answer = Answer(DEEP, status)
    result, _ = settle(answer, max_attempts=1)
    assert isinstance(result, HyperboleError)
    deep_field = b'{"choices": [{"message": {"content": "x", "y": %s1%s}}], "usage": {"prompt_tokens": 1}}'
    assert settle(Answer(deep_field % (b"[" * 300, b"]" * 300)), reply("ok"))[0].usage.calls == 2


@pytest.mark.slow
def test_the_limit_is_for_the_whole_attempt():
    drip = reply("never whole")
    drip.pause_seconds = 0.05
    error, _ = settle(drip, timeout_seconds=0.4, max_attempts=1)
    assert isinstance(error, GivenUpError)
    assert "0.4 s" in str(error)
    assert settle(drip, reply("quick"), timeout_seconds=2)[0].text == "quick"


@pytest.mark.parametrize("status", [200, 400])
def test_a_reply_that_cannot_be_decompressed_is_no_missing_server(status):
    error, _ = settle(Answer(b"garbage", status, {"Content-Encoding": "gzip"}), max_attempts=1)
    assert "kept failing (undecodable reply" in str(error)


def test_bodies_on_record_are_bounded_and_can_be_written(tmp_path):
    for body in (b"\xff\x00\x1b[2J" * 100_000, "é\ud800".encode("utf-8", "surrogatepass") * 100_000):
        error, (row,) = settle(Answer(body), folder=tmp_path, max_attempts=1)
        (tmp_path / "calls.jsonl").unlink()
        assert len(row["failed_bodies"][0]) < LONGEST_BODY + 100
        assert "characters left out" in row["failed_bodies"][0]
        assert str(error).isprintable()


def test_words_of_a_server_are_one_printable_line():
    error, _ = settle(failure(400, "bad\x1b[2J\nthing\u202e \ud800" + "x" * 1000))
    assert str(error).isprintable()
    assert len(str(error)) < 500


def test_both_ends_of_a_long_body_are_kept():
    text = recorded(b"BEGIN" + b"x" * LONGEST_BODY + b"END", Key())
    assert text.startswith("BEGIN")
    assert text.endswith("END")
    assert len(text) < LONGEST_BODY + 100


def test_a_refused_call_is_not_played_back(tmp_path):
    settle(failure(400, "no"), folder=tmp_path)
    with FakeServer([reply("fine")]) as server:
        client = Client(server.url, "tiny")
        assert Recorder(lambda: client, tmp_path / "calls.jsonl").complete([ASK])[0].id == 0


@pytest.mark.parametrize("value", [0, 1, 12.0, 10**9])
def test_counts(value):
    assert token_count(value) == value


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ERROR = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("error", "message", "code", "type", "status", "detail", "metadata", "msg"), ANYTHING)
)


@settings(max_examples=200, deadline=None)
@given(ERROR | st.fixed_dictionaries({"error": ERROR}) | ANYTHING | st.binary(max_size=50))
def test_any_error_is_told_in_one_line(thing):
    told = told_in(thing if isinstance(thing, bytes) else json.dumps(thing).encode())
    assert told.words.isprintable()
    assert isinstance(is_final(500, told), bool)


def test_status_of_a_body_counts_where_http_says_nothing():
    assert not is_final(200, Told("x"))
    assert is_final(200, Told("x", status=402))
    assert not is_final(200, Told("x", status=429))
    assert not is_final(500, Told("x", status=402))
