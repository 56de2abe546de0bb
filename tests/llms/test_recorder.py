"""The recorder: every call written once, played back in order, never invented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.chat import ChatModel, ChatRequest, Completion, Message, Token
from harness.errors import ContextError, HyperboleError, ModelError, RecordingError, RunError, ServerError
from harness.trial import Usage
from llms.client import Arrived
from llms.in_flight import NAME
from llms.recorder import Recorder, request_hash
from llms.wire.attempts import GivenUpError, TooLongError
from llms.wire.replies import Answered

KEYS = [
    "id", "hash", "messages", "sampling", "reply", "thinking", "refusal", "choices", "masked", "tokens",
    "finish_reason", "usage", "seconds", "attempts", "failures", "failed_bodies", "error", "server", "model",
    "serving", "started_at",
]  # fmt: skip


def ask(text: str, temperature: float = 0.0) -> ChatRequest:
    return ChatRequest((Message("user", text),), temperature=temperature, seed=1)


class Live:
    """Numbers its replies; refuses what is called "bad", gives up what is called "lost"."""

    server, model, serving = "http://here/v1", "tiny", {"dtype": "float32", "threads": "auto", "why": "no bfloat16"}

    def prepare(self) -> None:
        pass

    def __init__(self) -> None:
        self.count = 0

    def settle(self, requests: Sequence[ChatRequest], arrived: Arrived) -> list[Completion | HyperboleError]:
        results = []
        for place, request in enumerate(requests):
            results.append(self._answer(request))
            arrived(place, results[-1])
        return results

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        raise AssertionError("the recorder should settle")

    def _answer(self, request: ChatRequest) -> Completion | HyperboleError:
        text = request.messages[-1].content
        if text == "bad":
            return ModelError("Bad request.")
        if text == "lost":
            return GivenUpError("Nobody answers.", Usage(2, 7, None, 0, 3.5), ("HTTP 500", "HTTP 503"), "2026-01-02")
        self.count += 1
        return Completion(f"{text} {self.count}", "stop", Usage(2, 10, None, 3, 0.5))


def nobody() -> ChatModel:
    raise AssertionError("the live model should not be needed")


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def texts(completions: Sequence[Completion]) -> list[str]:
    return [completion.text for completion in completions]


def test_every_call_is_a_line(tmp_path):
    path = tmp_path / "new" / "calls.jsonl"
    recorder = Recorder(Live, path)
    completions = recorder.complete([ask("a"), ask("b")])
    assert [completion.id for completion in completions] == [0, 1]
    assert recorder.complete([ask("c")])[0].id == 2
    first = rows(path)[0]
    assert list(first) == KEYS
    assert first["sampling"] == {"mode": "free", "schema": None, "temperature": 0.0, "max_tokens": 256, "seed": 1}
    assert (first["reply"], first["attempts"], first["seconds"]) == ("a 1", 2, 0.5)
    assert (first["server"], first["model"]) == ("http://here/v1", "tiny")
    assert first["serving"]["dtype"] == "float32"
    assert first["usage"]["cached_tokens"] is None
    assert [row["id"] for row in rows(path)] == [0, 1, 2]


def test_building_touches_nothing(tmp_path):
    Recorder(nobody, tmp_path / "calls.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_recorded_calls_come_back_without_the_model(tmp_path):
    path = tmp_path / "calls.jsonl"
    first = Recorder(Live, path).complete([ask("a"), ask("b")])
    again = Recorder(nobody, path).complete([ask("a"), ask("b")])
    assert again == first
    assert len(rows(path)) == 2


def test_equal_requests_are_served_in_recorded_order(tmp_path):
    path = tmp_path / "calls.jsonl"
    Recorder(Live, path).complete([ask("a"), ask("b"), ask("a")])
    recorder = Recorder(nobody, path)
    assert texts(recorder.complete([ask("a")])) == ["a 1"]
    assert texts(recorder.complete([ask("a"), ask("b")])) == ["a 3", "b 2"]


def test_resuming_asks_only_for_what_is_new(tmp_path):
    path = tmp_path / "calls.jsonl"
    Recorder(Live, path).complete([ask("a"), ask("b")])
    recorder = Recorder(Live, path)
    completions = recorder.complete([ask("b"), ask("new"), ask("a")])
    assert texts(completions) == ["b 2", "new 1", "a 1"]
    assert [completion.id for completion in completions] == [1, 2, 0]


def test_torn_last_line_is_asked_for_again(tmp_path):
    path = tmp_path / "calls.jsonl"
    Recorder(Live, path).complete([ask("a"), ask("b")])
    path.write_bytes(path.read_bytes()[:-20])
    completions = Recorder(Live, path).complete([ask("a"), ask("b")])
    assert texts(completions) == ["a 1", "b 1"]
    assert [row["id"] for row in rows(path)] == [0, 1]


def test_damaged_recording_is_refused(tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_text("no json\n{}\n")
    with pytest.raises(RunError):
        Recorder(nobody, path).complete([ask("a")])


def test_without_a_live_model_an_unrecorded_request_is_an_error(tmp_path):
    path = tmp_path / "calls.jsonl"
    Recorder(Live, path).complete([ask("a")])
    recorder = Recorder(nobody, path, live=False)
    assert texts(recorder.complete([ask("a")])) == ["a 1"]
    with pytest.raises(RecordingError, match=r"llm\.live=true"):
        recorder.complete([ask("a")])


def test_what_succeeded_is_kept_when_another_fails(tmp_path):
    path = tmp_path / "calls.jsonl"
    recorder = Recorder(Live, path)
    with pytest.raises(ModelError):
        recorder.complete([ask("a"), ask("bad"), ask("b")])
    assert [(row["id"], row["reply"]) for row in rows(path)] == [(0, "a 1"), (1, "b 2")]
    assert texts(Recorder(nobody, path).complete([ask("a"), ask("b")])) == ["a 1", "b 2"]


def test_models_that_only_complete_are_recorded_too(tmp_path):
    class Plain:
        def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
            return [Completion("x") for _ in requests]

    path = tmp_path / "calls.jsonl"
    Recorder(Plain, path).complete([ask("a")])
    assert (rows(path)[0]["server"], rows(path)[0]["model"]) == (None, None)


def test_thinking_and_tokens_come_back_too(tmp_path):
    class Thinking:
        def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
            tokens = (Token("5", {"5": -0.1, "6": -2.5}), Token("!", {}))
            return [Completion("5!", "stop", Usage(reasoning_tokens=None), thinking="hm", tokens=tokens)]

    path = tmp_path / "calls.jsonl"
    (first,) = Recorder(Thinking, path).complete([ask("a")])
    assert Recorder(nobody, path).complete([ask("a")]) == [first]
    assert (first.thinking, first.usage.reasoning_tokens, first.tokens[0].top["6"]) == ("hm", None, -2.5)


def test_replay_copies_another_runs_calls(tmp_path):
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    Recorder(Live, old).complete([ask("a"), ask("b"), ask("a")])
    Recorder(nobody, new, replay=old, live=False).complete([ask("a"), ask("b")])
    resumed = Recorder(nobody, new, replay=old, live=False)
    assert texts(resumed.complete([ask("a"), ask("b"), ask("a")])) == ["a 1", "b 2", "a 3"]
    assert new.read_bytes() == old.read_bytes()
    with pytest.raises(RecordingError):
        resumed.complete([ask("a")])


def test_replay_that_is_not_there(tmp_path):
    with pytest.raises(RecordingError, match=r"llm\.replay"):
        Recorder(nobody, tmp_path / "new.jsonl", replay=tmp_path / "none.jsonl").complete([ask("a")])


def test_any_text_survives(tmp_path):
    path = tmp_path / "calls.jsonl"
    odd = 'NaN \ud800 \u2028 "\\ \x00 \U0001f600\n'
    first = Recorder(Live, path).complete([ask(odd)])
    assert Recorder(nobody, path).complete([ask(odd)]) == first


def test_hash_is_that_of_messages_and_sampling():
    assert request_hash(ask("a")) == request_hash(ask("a", 0))
    different = [
        ask("a"),
        ask("b"),
        ask("a", 0.5),
        ChatRequest((Message("system", "a"),), seed=1),
        ChatRequest((Message("user", "a"),), seed=2),
        ChatRequest((Message("user", "a"),), seed=1, max_tokens=9),
        ChatRequest((Message("user", "a"),), seed=1, mode="json_object"),
        ChatRequest((Message("user", "a"),), seed=1, schema={"type": "object"}),
    ]
    assert len({request_hash(request) for request in different}) == len(different)
    canonical = (
        '{"messages":[{"content":"a","role":"user"}],'
        '"sampling":{"max_tokens":256,"mode":"free","schema":null,"seed":1,"temperature":0.0}}'
    )
    assert request_hash(ask("a")) == hashlib.sha256(canonical.encode()).hexdigest()


def test_a_live_recorder_connects_once_when_prepared(tmp_path: Path) -> None:
    connected = []

    def connect() -> ChatModel:
        connected.append(1)
        return Live()

    recorder = Recorder(connect, tmp_path / "calls.jsonl")
    assert connected == []
    recorder.prepare()
    recorder.prepare()
    recorder.complete([ask("a")])
    assert connected == [1]


def test_one_that_may_find_every_reply_on_record_does_not(tmp_path: Path) -> None:
    Recorder(nobody, tmp_path / "calls.jsonl", live=False).prepare()
    Recorder(nobody, tmp_path / "calls.jsonl", replay=tmp_path / "other.jsonl").prepare()


def test_a_call_that_was_given_up_is_a_line_that_nobody_is_served(tmp_path):
    path = tmp_path / "calls.jsonl"
    with pytest.raises(ServerError, match="Nobody answers"):
        Recorder(Live, path).complete([ask("a"), ask("lost"), ask("b")])
    first, lost, last = rows(path)
    assert list(lost) == list(first) == KEYS
    assert [row["id"] for row in (first, lost, last)] == [0, None, 2], "1 is left to the call that is asked again"
    assert (lost["reply"], lost["error"], lost["failures"]) == (None, "Nobody answers.", ["HTTP 500", "HTTP 503"])
    assert (lost["attempts"], lost["seconds"], lost["usage"]["prompt_tokens"]) == (2, 3.5, 7)
    assert (lost["started_at"], lost["hash"]) == ("2026-01-02", request_hash(ask("lost")))

    resumed = Recorder(Live, path)
    assert texts(resumed.complete([ask("a"), ask("b"), ask("new")])) == ["a 1", "b 2", "new 1"]
    assert rows(path)[-1]["id"] == 1
    with pytest.raises(RecordingError):
        Recorder(nobody, path, live=False).complete([ask("lost")])
    copied = Recorder(nobody, tmp_path / "copy.jsonl", replay=path, live=False)
    assert [completion.id for completion in copied.complete([ask("a"), ask("b"), ask("new")])] == [0, 1, 2]
    assert [row["id"] for row in rows(tmp_path / "copy.jsonl")] == [0, 1, 2]


def test_failures_are_recorded_and_older_lines_are_read_without(tmp_path):
    class Flaky:
        def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
            return [Answered("x", "stop", Usage(2), failures=("HTTP 503",)) for _ in requests]

    path = tmp_path / "calls.jsonl"
    (first,) = Recorder(Flaky, path).complete([ask("a")])
    (row,) = rows(path)
    assert (row["failures"], row["error"]) == (["HTTP 503"], None)
    new = ("failures", "failed_bodies", "error", "refusal", "choices", "masked")
    older = {key: value for key, value in row.items() if key not in new}
    path.write_text(json.dumps(older) + "\n")
    assert Recorder(nobody, path).complete([ask("a")]) == [first]


@pytest.mark.parametrize(
    "change",
    [{"usage": 3}, {"id": "x"}, {"hash": []}, {"tokens": [1]}, {"usage": {"a": 1}}],
    ids=json.dumps,
)
def test_a_line_that_is_no_call_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    """A damaged recording, or a stranger's: a sentence, no traceback."""
    path = tmp_path / "calls.jsonl"
    Recorder(Live, path).complete([ask("hello")])
    line = json.dumps(json.loads(path.read_text()) | change)
    path.write_text(f"{line}\n{line}\n")
    recorders = [Recorder(nobody, path, live=False), Recorder(nobody, tmp_path / "new.jsonl", path, live=False)]
    for recorder in recorders[: 1 if "id" in change else 2]:  # a copy gets an id of its own
        with pytest.raises(RecordingError, match=r"calls\.jsonl"):
            recorder.complete([ask("hello")])


class Narrow(Live):
    """Refuses prompts of more than three characters as too long."""

    def _answer(self, request: ChatRequest) -> Completion | HyperboleError:
        if len(request.messages[-1].content) > 3:
            self.count += 1
            return TooLongError("Too long.", Usage(1, 0, None, 0, 0.25), ("HTTP 400",), "2026-01-02")
        return super()._answer(request)


def test_a_refusal_for_length_names_its_place_and_the_others_are_not_asked_again(tmp_path):
    model = Narrow()
    with pytest.raises(ContextError) as caught:
        (recorder := Recorder(lambda: model, tmp_path / "calls.jsonl")).complete([ask("a"), ask("long one"), ask("b")])
    assert caught.value.places == (1,)
    texts = [each.text for each in recorder.complete([ask("a"), ask("cut"), ask("b")])]
    assert texts == ["a 1", "cut 4", "b 3"]
    rows = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [0, None, 1, 2]
    assert [row.get("too_long") for row in rows] == [None, True, None, None]


@pytest.mark.parametrize("other", [False, True])
def test_a_recorded_refusal_for_length_is_replayed(tmp_path, other):
    path, model = tmp_path / "calls.jsonl", Narrow()
    first = Recorder(lambda: model, path)
    with pytest.raises(ContextError):
        first.complete([ask("a"), ask("long one")])
    first.complete([ask("a"), ask("cut")])
    new = tmp_path / "copy.jsonl" if other else path
    again = Recorder(nobody, new, replay=path if other else None, live=False)
    with pytest.raises(ContextError) as caught:
        again.complete([ask("a"), ask("long one")])
    assert caught.value.places == (1,)
    assert [each.text for each in again.complete([ask("a"), ask("cut")])] == ["a 1", "cut 3"]


class Killed(BaseException):
    """Stands for the end of the process."""


class Mortal(Live):
    """Answers until a request is called "kill"."""

    def _answer(self, request: ChatRequest) -> Completion | HyperboleError:
        if request.messages[-1].content == "kill" and type(self) is Mortal:
            raise Killed
        return super()._answer(request)


class Risen(Mortal):
    """Answers "kill" as well."""


def interrupted(path: Path, *texts: str) -> None:
    """A recorder that is killed while it asks."""
    recorder = Recorder(Mortal, path)
    recorder.complete([ask("first")])
    with pytest.raises(Killed):
        recorder.complete([ask(text) for text in texts])


def test_calls_in_flight_at_a_kill_are_shown_and_those_answered_before_are_kept(tmp_path):
    path = tmp_path / "calls.jsonl"
    interrupted(path, "a", "kill", "b")
    assert [row["id"] for row in rows(path)] == [0]
    resumed = Recorder(Risen, path)
    completions = resumed.complete([ask("first"), ask("a"), ask("kill"), ask("b")])
    assert texts(completions) == ["first 1", "a 2", "kill 1", "b 2"], "what was answered is not asked again"
    assert [completion.id for completion in completions] == [0, 1, 2, 3]
    _, kept, lost, other, *asked = rows(path)
    assert (kept["id"], kept["reply"]) == (1, "a 2")
    assert [row["id"] for row in asked] == [2, 3]
    for row, text in ((lost, "kill"), (other, "b")):
        assert list(row) == KEYS
        assert (row["id"], row["hash"], row["model"]) == (None, request_hash(ask(text)), "tiny")
        assert [row[key] for key in ("messages", "reply", "usage", "seconds", "attempts")] == [None] * 5
        assert row["error"].startswith("in flight when its process ended")
    assert list(tmp_path.iterdir()) == [path]


def test_ids_are_those_of_a_run_without_interruption(tmp_path):
    path = tmp_path / "calls.jsonl"
    interrupted(path, "kill", "a")  # nothing was answered
    interrupted_again = Recorder(Mortal, path)
    assert interrupted_again.complete([ask("first")])[0].id == 0
    with pytest.raises(Killed):
        interrupted_again.complete([ask("a"), ask("kill")])
    completions = Recorder(Risen, path).complete([ask("a"), ask("kill"), ask("c")])
    assert [completion.id for completion in completions] == [1, 2, 3]
    with pytest.raises(ServerError):
        Recorder(Live, path).complete([ask("lost"), ask("d")])
    assert rows(path)[-1]["id"] == 5, "4 is left to the call that was given up"
    assert Recorder(Live, path).complete([ask("e"), ask("d")])[0].id == 4


@pytest.mark.parametrize("cut", [1, 20, 200, 10_000])
def test_a_torn_note_of_calls_in_flight_loses_no_more_than_its_end(tmp_path, cut):
    path = tmp_path / "calls.jsonl"
    interrupted(path, "a", "kill")
    note = tmp_path / NAME
    note.write_bytes(note.read_bytes()[:-cut])
    completions = Recorder(Risen, path).complete([ask("first"), ask("a"), ask("kill")])
    assert [completion.id for completion in completions] == [0, 1, 2]
    assert texts(completions)[2] in ("kill 1", "kill 2")
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_while_leftovers_are_recorded_doubles_nothing(tmp_path):
    path = tmp_path / "calls.jsonl"
    interrupted(path, "a", "kill", "b")
    note = (tmp_path / NAME).read_bytes()
    Recorder(Risen, path, live=False).complete([ask("first"), ask("a")])
    once = path.read_bytes()
    for kept in (2, 3, 4):
        path.write_bytes(b"".join(once.splitlines(keepends=True)[:kept]))
        (tmp_path / NAME).write_bytes(note)
        Recorder(Risen, path, live=False).complete([ask("first"), ask("a")])
        assert path.read_bytes() == once


def test_a_request_that_was_never_sent_is_not_in_flight(tmp_path):
    class NoKey(Live):
        def settle(self, requests: Sequence[ChatRequest], arrived: Arrived) -> list[Completion | HyperboleError]:
            raise ModelError("The key is not set.")

    with pytest.raises(ModelError):
        Recorder(NoKey, tmp_path / "calls.jsonl").complete([ask("a")])
    assert list(tmp_path.iterdir()) == []


def test_a_strange_note_is_named(tmp_path):
    (tmp_path / NAME).write_text('{"hashes": 3}\n')
    with pytest.raises(RunError, match=r"\.in_flight\.jsonl is not a note"):
        Recorder(Live, tmp_path / "calls.jsonl").complete([ask("a")])
