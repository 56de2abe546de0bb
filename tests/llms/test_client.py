"""The client against a scripted server: retries, refusals, order, concurrency, cost."""

from __future__ import annotations

import json
import logging
import pickle
import re
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from harness.chat import ChatRequest, Message
from harness.errors import ContextError, HyperboleError, ModelError, ServerError, SettingError
from harness.trial import Usage
from llms.client import Client
from llms.wire.attempts import GivenUpError
from tests.support.fake_server import Answer, FakeServer, failure, reply

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def ask(text: str = "hi", **settings: Any) -> ChatRequest:
    return ChatRequest((Message("system", "be brief"), Message("user", text)), **settings)


def client_of(server: FakeServer, **settings: Any) -> Client:
    return Client(server.url, "tiny", **{"backoff_seconds": 0.01, "timeout_seconds": 5.0, **settings})


def complete(*script: Any, request: ChatRequest | None = None, **settings: Any) -> Any:
    with FakeServer(script) as server:
        return client_of(server, **settings).complete([request or ask()])[0]


def refuse(*script: Any, kind: type[HyperboleError], **settings: Any) -> str:
    with pytest.raises(kind) as caught:
        complete(*script, **settings)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_reply_and_cost_are_read():
    completion = complete(reply("some text", "length", cached=8, prompt_tokens=20, completion_tokens=5))
    assert (completion.text, completion.finish_reason, completion.id) == ("some text", "length", None)
    assert completion.usage == Usage(1, 20, 8, 5, completion.usage.seconds)
    assert completion.usage.seconds > 0


def test_cached_tokens_the_server_does_not_report_are_unknown():
    assert complete(reply()).usage.cached_tokens is None
    assert complete(reply(cached=0)).usage.cached_tokens == 0


def test_what_is_sent():
    with FakeServer([reply()] * 3) as server:
        model = client_of(server)
        model.complete([ask(temperature=0.7, max_tokens=9, seed=4)])
        model.complete([ask(mode="json_object")])
        model.complete([ask(mode="json_schema", schema=SCHEMA)])
    free, json_object, json_schema = server.requests
    assert free == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "temperature": 0.7,
        "max_tokens": 9,
        "seed": 4,
    }
    assert json_object["response_format"] == {"type": "json_object"}
    assert "seed" not in json_object
    assert json_schema["response_format"]["type"] == "json_schema"
    assert json_schema["response_format"]["json_schema"]["schema"] == SCHEMA
    assert json_schema["response_format"]["json_schema"]["strict"] is True


def test_newer_word_for_the_longest_reply():
    with FakeServer([reply()]) as server:
        client_of(server, max_tokens_field="max_completion_tokens").complete([ask(max_tokens=7)])
    assert server.requests[0]["max_completion_tokens"] == 7
    assert "max_tokens" not in server.requests[0]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_passing_failures_are_tried_again_and_counted(status):
    completion = complete(failure(status), failure(status), reply("at last"))
    assert completion.text == "at last"
    assert completion.usage.calls == 3


@pytest.mark.slow
def test_retry_after_is_waited_for():
    completion = complete(failure(429, retry_after="0.4"), reply())
    assert completion.usage.seconds >= 0.4
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    completion = complete(failure(503, retry_after=later), reply())
    assert completion.usage.seconds >= 0.5  # the date has whole seconds


@pytest.mark.parametrize(
    "value",
    ["soon", "nan", "-3", "", f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", f"Mon, 01 Jan 2026 00:00:00 +{'9' * 20}"],
)
def test_odd_retry_after_is_ignored(value):
    assert complete(failure(429, retry_after=value), reply("ok")).text == "ok"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00garbage",
        b"<html>busy</html>",
        b"",
        b"[]",
        b"null",
        b'{"error": {"message": "x"}}',
        b'{"choices": 3}',
    ],
)
def test_garbled_bodies_are_the_servers_fault(body):
    assert complete(Answer(body), reply("ok")).usage.calls == 2
    message = refuse(Answer(body), Answer(body), kind=ServerError, max_attempts=2)
    assert "2 attempts" in message


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"", b"<html>" * 1000])
def test_garbled_refusals_are_refusals(body):
    assert "HTTP 400" in refuse(Answer(body, 400), kind=ModelError)


@pytest.mark.parametrize(
    "choices",
    ["[]", "[null]", '[{"message": null}]', '[{"message": {"content": null}, "finish_reason": "stop"}]', "[{}]"],
)
def test_replies_without_text_are_empty(choices):
    body = f'{{"choices": {choices}, "usage": {{"prompt_tokens": 4, "completion_tokens": 0}}}}'
    assert complete(Answer(body.encode())).text == ""


def test_unmeasured_tokens_are_refused_not_invented():
    body = b'{"choices": [{"message": {"content": "x"}}]}'
    assert "tokens" in refuse(Answer(body), kind=ModelError)


def test_any_text_comes_through_and_can_be_sent_back():
    text = '{"a": NaN}\u0000\U0001f600 caf\u00e9 \ud800'
    with FakeServer([reply(text), reply()]) as server:
        model = client_of(server)
        assert model.complete([ask()])[0].text == text
        model.complete([ask(text)])
    assert server.requests[1]["messages"][1]["content"] == text.replace("\ud800", "\ufffd")


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(ServerError, match=re.escape(url)) as caught:
            Client(url, "tiny", max_attempts=2, backoff_seconds=0.01).complete([ask()])
    assert "make serve" in str(caught.value)


def test_time_out_is_tried_again():
    slow = reply()
    slow.delay_seconds = 1.0
    assert complete(slow, reply("quick"), timeout_seconds=0.3).text == "quick"
    message = refuse(slow, slow, kind=ServerError, timeout_seconds=0.1, max_attempts=2)
    assert "0.1 s" in message
    assert "llm.timeout_seconds" in message


def test_server_that_keeps_failing():
    assert "HTTP 500" in refuse(failure(500), failure(500), kind=ServerError, max_attempts=2)


def test_context_overflow_names_both_numbers_and_the_ways_out():
    told = (
        "This model's maximum context length is 8192 tokens. However, your request has 9100 input tokens. "
        "Please reduce the length of the input messages."
    )
    message = refuse(failure(400, told), kind=ContextError)
    assert "9100" in message
    assert "8192" in message
    for way_out in ("llm.max_model_len", "decoding.max_tokens", "prompt.context=none"):
        assert way_out in message


def test_context_overflow_of_an_older_server():
    told = (
        "This model's maximum context length is 4096 tokens. "
        "However, you requested 4200 tokens (4000 in the messages, 200 in the completion)."
    )
    message = refuse(failure(400, told), kind=ModelError)
    assert "4200" in message
    assert "4096" in message


@pytest.mark.parametrize(
    "told",
    [
        "The decoder prompt (length 5213) is longer than the maximum model length of 4096.",
        "the request exceeds the available context size (4096 tokens), try increasing it",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "The input token count (1048579) exceeds the maximum number of tokens allowed (1048576).",
        "Please reduce the length of the messages or completion.",
    ],
)
def test_context_overflow_in_the_words_of_other_servers(told):
    refuse(failure(400, told), kind=ContextError)


def test_a_rate_limit_is_no_context_overflow():
    message = refuse(failure(429, "Rate limit: too many tokens per minute"), max_attempts=1, kind=ServerError)
    assert "per minute" in message


def test_unknown_model_names_the_nearest_first():
    script = [failure(404, "The model `tiny` does not exist.")]
    with FakeServer(script, models=("large-model", "tiny-2")) as server, pytest.raises(ModelError) as caught:
        client_of(server).complete([ask()])
    assert "'tiny-2', 'large-model'" in str(caught.value)


def test_wrong_path_says_so():
    assert "/v1" in refuse(failure(404, "Not Found"), kind=ModelError)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_names_its_variable_and_never_shows_it(status, monkeypatch, caplog):
    monkeypatch.setenv("TINY_KEY", "sk-very-secret")
    caplog.set_level(logging.DEBUG)
    with FakeServer([failure(status, "bad key sk-very-secret"), failure(400, "bad sk-very-secret"), reply()]) as server:
        model = client_of(server, api_key_env="TINY_KEY")
        with pytest.raises(ModelError, match="TINY_KEY") as refused:
            model.complete([ask()])
        with pytest.raises(ModelError) as bad:
            model.complete([ask()])
        model.complete([ask()])
    assert server.keys == ["Bearer sk-very-secret"] * 3
    shown = [repr(model), str(vars(model)), str(refused.value), str(bad.value), caplog.text]
    assert not any("very-secret" in text for text in shown)


def test_missing_key_is_named_before_anything_is_sent(monkeypatch):
    monkeypatch.delenv("TINY_KEY", raising=False)
    assert "TINY_KEY" in refuse(kind=ModelError, api_key_env="TINY_KEY")


def test_batch_is_sent_at_once():
    together = threading.Barrier(8)

    def answer(body: dict[str, Any]) -> Answer:
        together.wait(timeout=10)  # passes only when 8 requests are in flight
        return reply(body["messages"][1]["content"])

    with FakeServer([answer] * 8) as server:
        completions = client_of(server, max_attempts=1).complete([ask(str(i)) for i in range(8)])
    assert [completion.text for completion in completions] == [str(i) for i in range(8)]


def test_concurrency_is_a_limit():
    flying, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def answer(_: dict[str, Any]) -> Answer:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        pause.wait(0.05)
        with lock:
            flying -= 1
        return reply()

    with FakeServer([answer] * 9) as server:
        client_of(server, concurrency=3).complete([ask(str(i)) for i in range(9)])
    assert most == 3


def test_order_is_that_of_the_requests_not_of_the_replies():
    def answer(body: dict[str, Any]) -> Answer:
        number = int(body["messages"][1]["content"])
        answered = reply(str(number))
        answered.delay_seconds = 0.2 - number * 0.04
        return answered

    with FakeServer([answer] * 5) as server:
        completions = client_of(server).complete([ask(str(i)) for i in range(5)])
    assert [completion.text for completion in completions] == list("01234")


def test_one_failure_does_not_take_the_batch_with_it():
    def answer(body: dict[str, Any]) -> Answer:
        return failure(400, "no") if body["messages"][1]["content"] == "1" else reply("fine")

    with FakeServer([answer] * 6) as server:
        model = client_of(server)
        first, second, third = model.settle([ask(str(i)) for i in range(3)])
        assert isinstance(second, ModelError)
        assert [first.text, third.text] == ["fine", "fine"]
        with pytest.raises(ModelError):
            model.complete([ask(str(i)) for i in range(3)])


def test_empty_batch_needs_no_server():
    assert Client("http://127.0.0.1:9/v1", "tiny").complete([]) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "localhost:8000"},
        {"base_url": "http://user:pass@host/v1"},
        {"timeout_seconds": 0},
        {"max_attempts": True},
        {"concurrency": -1},
        {"max_tokens_field": "max_token"},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(SettingError) as caught:
        Client(**{"base_url": "http://127.0.0.1:9/v1", "model": "tiny", **settings})
    assert "pass" not in str(caught.value)


def test_proxies_of_the_environment_are_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert complete(reply("direct"), max_attempts=1).text == "direct"


def test_bodies_are_json_any_server_reads():
    with FakeServer([reply()]) as server:
        client_of(server).complete([ask('tab\t quote" \u2028')])
    assert json.dumps(server.requests[0])


def test_every_failed_attempt_is_named_in_order():
    slow = reply()
    slow.delay_seconds = 1.0
    script = (failure(503), slow, Answer(b"<html>"), failure(429), reply("at last"))
    completion = complete(*script, timeout_seconds=0.3)
    first, late, *rest = completion.failures
    assert (completion.text, first, late.rpartition(" after ")[0]) == ("at last", "HTTP 503", "time-out")
    assert rest == ["its reply is not JSON in UTF-8 (JSONDecodeError)", "HTTP 429"]
    assert completion.usage.calls == 5
    assert completion.usage.seconds >= 0.3, "of all attempts"
    assert complete(reply()).failures == ()


def test_a_garbled_reply_that_holds_its_usage_is_paid_for():
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    odd_logprobs = {"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{}]}}], "usage": usage}
    script = [Answer(json.dumps(body).encode()) for body in ({"choices": 3, "usage": usage}, odd_logprobs)]
    completion = complete(*script, reply("ok", cached=1))
    spent = completion.usage
    assert (spent.calls, spent.prompt_tokens, spent.cached_tokens, spent.completion_tokens) == (3, 24, 9, 7)
    assert completion.failures == ("its reply has no choices", "its log-probabilities cannot be read")
    unreadable = Answer(b'{"choices": 3, "usage": {"prompt_tokens": "many"}}')
    assert complete(unreadable, reply()).usage.prompt_tokens == 10


def test_a_call_that_is_given_up_says_what_it_cost():
    garbled = Answer(b'{"choices": 3, "usage": {"prompt_tokens": 7, "completion_tokens": 2}}')
    with FakeServer([failure(500), garbled]) as server:
        (error,) = client_of(server, max_attempts=2).settle([ask()])
    assert isinstance(error, GivenUpError)
    assert error.failures == ("HTTP 500", "its reply has no choices")
    assert (error.spent.calls, error.spent.prompt_tokens, error.spent.completion_tokens) == (2, 7, 2)
    assert error.spent.seconds > 0
    again = pickle.loads(pickle.dumps(error))  # as it comes back from a sweep's worker
    assert (str(again), again.failures, again.spent) == (str(error), error.failures, error.spent)
