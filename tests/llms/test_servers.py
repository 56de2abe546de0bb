"""Several equal servers: a run stays with one, moves when that one is away, and every call says who answered."""

from __future__ import annotations

import json
import socket
from collections import Counter
from typing import Any

import pytest

from harness.call_log import read_calls
from harness.chat import ChatRequest, Message
from harness.errors import ModelError, ServerError, SettingError
from harness.method import comparable
from llms.client import Client
from llms.models import endpoint
from llms.wire.route import ranked
from tests.support.fake_server import FakeServer, failure, reply

URLS = [f"http://gpu{number}:8000/v1" for number in range(5)]
RUNS = [f"x/toy.branin/llm_chat/{seed}" for seed in range(1000)]


def ask(text: str = "hi") -> ChatRequest:
    return ChatRequest((Message("user", text),))


def free_url() -> str:
    """A server that has ended."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


def client_of(*urls: str, **settings: Any) -> Client:
    return Client(list(urls), "tiny", **{"backoff_seconds": 0.01, "timeout_seconds": 5.0, **settings})


def test_a_client_stays_with_the_first_server():
    with FakeServer([reply("one")] * 3) as one, FakeServer([]) as other:
        client = client_of(one.url, other.url)
        found = [client.complete([ask()])[0] for _ in range(3)]
    assert [(each.text, each.server, each.usage.calls) for each in found] == [("one", one.url, 1)] * 3


def test_it_moves_from_a_server_that_has_ended_and_stays_away():
    with FakeServer([reply("other")] * 3) as other:
        gone = free_url()
        client = client_of(gone, other.url)
        first, second, third = (client.complete([ask()])[0] for _ in range(3))
    assert (first.usage.calls, second.usage.calls, third.usage.calls) == (2, 1, 1)
    assert first.failures[0].startswith(f"{gone}: no connection")
    assert client.server == first.server == other.url


@pytest.mark.parametrize("status", [502, 503, 504])
def test_it_moves_from_a_gateway_without_a_model(status):
    with FakeServer([failure(status, retry_after="60")]) as one, FakeServer([reply("other")]) as other:
        assert client_of(one.url, other.url).complete([ask()])[0].text == "other"


def test_it_moves_from_a_server_that_does_not_finish():
    with FakeServer([reply("late")], models=("tiny",)) as one, FakeServer([reply("other")]) as other:
        one._script[0].delay_seconds = 1.0
        found = client_of(one.url, other.url, timeout_seconds=0.3).complete([ask()])[0]
    assert (found.text, found.usage.calls) == ("other", 2)


@pytest.mark.parametrize("passing", [failure(429), failure(408), failure(500), reply(None, "abort")])
def test_it_stays_with_a_server_that_fails_in_passing(passing):
    with FakeServer([passing, reply("one"), reply("one")]) as one, FakeServer([]) as other:
        client = client_of(one.url, other.url)
        assert [client.complete([ask()])[0].text for _ in range(2)] == ["one", "one"]


def test_it_moves_from_a_server_that_keeps_failing():
    with FakeServer([failure(500)] * 2) as one, FakeServer([failure(500), reply("other")]) as other:
        found = client_of(one.url, other.url, max_attempts=2).complete([ask()])[0]
    assert (found.text, found.usage.calls) == ("other", 4)
    assert found.failures == (f"{one.url}: HTTP 500",) * 2 + (f"{other.url}: HTTP 500",)


def test_it_returns_to_the_first_when_the_second_is_away():
    with FakeServer([failure(503), reply("one")]) as one, FakeServer([failure(503)]) as other:
        found = client_of(one.url, other.url).complete([ask()])[0]
    assert (found.text, found.usage.calls) == ("one", 3)


def test_no_server_answers_is_one_sentence_with_all_of_them():
    gone = [free_url(), free_url()]
    with pytest.raises(ServerError) as caught:
        client_of(*gone, max_attempts=2).complete([ask()])
    told = str(caught.value)
    assert told.startswith(f"None of the servers of llm.base_url answers ({gone[0]}: no connection")
    assert f"; {gone[1]}: no connection" in told
    assert told.endswith("2 attempts each); start one, or set llm.base_url to running ones.")
    assert "\n" not in told
    assert (caught.value.spent.calls, caught.value.server) == (4, gone[1])


def test_a_refusal_is_final_and_names_its_server():
    gone = free_url()
    with FakeServer([failure(404, "The model `tiny` does not exist.")], models=("large",)) as other:
        with pytest.raises(ModelError, match="does not serve 'tiny' but 'large'") as caught:
            client_of(gone, other.url).complete([ask()])
        assert other.url in str(caught.value)


def test_requests_in_flight_move_together():
    with FakeServer([reply("other")] * 8) as other:
        gone = free_url()
        found = client_of(gone, other.url).complete([ask(str(number)) for number in range(8)])
    assert {each.server for each in found} == {other.url}
    assert all(each.usage.calls <= 2 for each in found)


def test_calls_jsonl_says_which_server_answered_each_call(tmp_path):
    with FakeServer([reply("one"), failure(503), failure(503)]) as one, FakeServer([reply("other")] * 3) as other:
        model = endpoint(
            name="n",
            base_url=[one.url, other.url],
            model="tiny",
            recording=tmp_path / "calls.jsonl",
            backoff_seconds=0.01,
        )
        model.prepare()
        model._model._route = type(model._model._route)([one.url, other.url])  # whatever the ports
        model.complete([ask("0")])
        model.complete([ask("1"), ask("2")])
        model.complete([ask("3")])
    rows = read_calls(tmp_path / "calls.jsonl")
    assert [row["server"] for row in rows] == [one.url, *[other.url] * 3]
    assert [row["attempts"] for row in rows] == [1, 2, 2, 1]


def test_routers_are_told_the_run(tmp_path):
    def session(seed: int, base: str) -> str | None:
        with FakeServer([reply()] * 2) as server:
            recording = tmp_path / base / f"x/toy.branin/llm_chat/{seed}/calls.jsonl"
            recording.parent.mkdir(parents=True, exist_ok=True)
            model = endpoint(name="n", base_url=server.url, model="tiny", recording=recording)
            model.complete([ask("0")])
            model.complete([ask("1")])
        assert len(set(server.sessions)) == 1
        return server.sessions[0]

    assert session(0, "here") == session(0, "there") != session(1, "here")


def test_runs_spread_evenly_whatever_the_order_of_the_servers():
    homes = {run: ranked(URLS, run)[0] for run in RUNS}
    assert homes == {run: ranked(URLS[::-1], run)[0] for run in RUNS}
    assert all(150 <= count <= 250 for count in Counter(homes.values()).values())


def test_runs_of_a_server_that_is_left_out_spread_over_the_others():
    homes = {run: ranked(URLS, run) for run in RUNS}
    after = {run: ranked(URLS[1:], run)[0] for run in RUNS}
    assert all(after[run] == home for run, (home, *_) in homes.items() if home != URLS[0])
    moved = Counter(after[run] for run, (home, *_) in homes.items() if home == URLS[0])
    assert len(moved) == 4
    assert all(after[run] == second for run, (home, second, *_) in homes.items() if home == URLS[0])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "empty list"),
        ([URLS[0], URLS[0] + "/"], "twice"),
        ([URLS[0], "gpu7"], "'gpu7'; give a URL"),
        ([URLS[0], 3], "not a URL"),
        ([[URLS[0]]], "not a URL"),
        ([URLS[0], "http://user:secret@gpu7/v1"], "holds credentials"),
        (3, "not a URL"),
    ],
)
def test_lists_that_are_none_are_refused(given, told):
    with pytest.raises(SettingError, match=told) as caught:
        Client(given, "tiny")
    assert "secret" not in str(caught.value)


def test_where_a_server_is_does_not_identify_a_run():
    def recorded(base_url: Any) -> str:
        config = {"llm": {"base_url": base_url, "model": "tiny", "recording": "./calls.jsonl"}}
        return json.dumps(comparable(config))

    assert recorded(URLS[0]) == recorded(URLS[1]) == recorded(URLS[:2])
