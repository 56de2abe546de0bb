"""Reasoning models: thinking told apart from the answer, counted apart, and held to a budget."""

from __future__ import annotations

import json

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from harness.chat import ChatRequest, Message, Token
from harness.choice_files import CONF
from harness.errors import SettingError
from harness.trial import Usage
from llms.client import Client
from llms.decoding import Decoding
from llms.recorder import Recorder
from llms.server.server_settings import ServerSettings, server_settings
from llms.wire.dialect import Dialect
from llms.wire.thinking import TAGS, answer_tokens, checked_tags, split_thinking
from optimizers.chat.advisor import Advisor
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.prompt import Prompt
from optimizers.chat.request import Requests
from tests.support.fake_server import Answer, FakeServer, failure, reply, thought
from tests.support.fakes import Line, ScriptedChat

ASK = ChatRequest((Message("user", "hi"),))
COUNT_7 = Answer(b'{"count": 7, "max_model_len": 64, "tokens": [1, 2, 3, 4, 5, 6, 7]}')


def complete(*script, request=ASK, tokenize=False, **settings):
    with FakeServer(script) as server:
        url = f"{server.url.removesuffix('/v1')}/tokenize" if tokenize else None
        client = Client(server.url, "tiny", backoff_seconds=0.01, timeout_seconds=5.0, tokenize_url=url, **settings)
        return client.complete([request])[0], server


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("<think>\nhm\n</think>\n\n{}", "\nhm\n", "{}"),
        ("hm</think>{}", "hm", "{}"),
        ("\n<think>hm", "hm", ""),
        ("<think></think>{}", None, "{}"),
        ("<think>\n\n</think>\n\n{}", None, "{}"),
        ("<think>a</think>b</think>c", "a", "b</think>c"),
        ("<think>hm</think>", "hm", ""),
        ('{"x": 1} \n', None, '{"x": 1} \n'),
        ("I <think> so", None, "I <think> so"),
        ("", None, ""),
    ],
)
def test_tags_in_the_text_split_it(text, thinking, answer):
    assert split_thinking(text, TAGS) == (thinking, answer)


def test_a_template_that_opens_the_thinking_and_other_tags():
    assert split_thinking("cut off inside", ("", "</think>")) == ("cut off inside", "")
    assert split_thinking("hm</think>{}", ("", "</think>")) == ("hm", "{}")
    assert split_thinking("[THINK]hm[/THINK]{}", ("[THINK]", "[/THINK]")) == ("hm", "{}")
    assert split_thinking("<think>hm</think>{}", None) == (None, "<think>hm</think>{}")


@pytest.mark.parametrize("tags", ["<think>", ["<think>"], ["<think>", ""], [1, 2], ["a", "b", "c"]])
def test_tags_that_are_no_pair_are_refused(tags):
    with pytest.raises(SettingError, match=r"llm\.thinking_tags is .*\[<think>, </think>\]"):
        checked_tags(tags)


@pytest.mark.parametrize(
    "answered",
    [
        thought("{}", reasoning="hm"),
        thought("{}", reasoning=None, reasoning_content="hm"),
        thought("\n\n{}", reasoning="hm", reasoning_content="hm"),
        thought("<think>hm</think>\n\n{}"),
        thought("hm</think>{}", reasoning=""),
    ],
)
def test_every_form_of_thinking_is_told_apart(answered):
    completion, _ = complete(answered)
    assert (completion.thinking, completion.text) == ("hm", "{}")
    assert completion.usage.reasoning_tokens is None, "nobody counted"
    assert completion.usage.completion_tokens == 50


@pytest.mark.parametrize("message", [{"reasoning": "I was", "content": None}, {"content": "<think>I was"}])
def test_cut_off_inside_the_thinking_there_is_no_answer(message):
    completion, _ = complete(thought(message.pop("content"), finish="length", **message))
    assert (completion.thinking, completion.text, completion.finish_reason) == ("I was", "", "length")
    advisor = Advisor(Line().problem, 0, ChatSettings(ScriptedChat([completion]), Prompt(), Decoding(), 0.0))
    proposal = advisor.ask(["hi"])[0].proposal(completion.usage)
    assert (proposal.params, proposal.truncated) == (None, True)


@pytest.mark.parametrize(
    ("answered", "count"),
    [
        (thought("{}", reasoning="hm", reasoning_tokens=9), 9),
        (thought("{}", reasoning_tokens=9), 9),  # a provider that keeps the thinking to itself
        (thought("{}", reasoning_tokens=0), 0),
        (thought("{}"), 0),
        (thought("<think></think>{}"), 0),
        (thought("{}", reasoning="hm", reasoning_tokens=0), None),  # a parser that cannot count
    ],
)
def test_the_servers_count_is_taken_where_it_is_one(answered, count):
    assert complete(answered)[0].usage.reasoning_tokens == count


@pytest.mark.parametrize("answered", [thought("{}", reasoning="a \ud800"), thought("a \ud800</think>{}")])
def test_vllm_is_asked_to_count_where_it_did_not(answered):
    completion, server = complete(answered, COUNT_7, tokenize=True)
    assert completion.usage == Usage(1, 10, None, 50, completion.usage.seconds, 7)
    assert server.paths == ["/v1/chat/completions", "/tokenize"]
    assert server.requests[1] == {"model": "tiny", "prompt": "a \ufffd", "add_special_tokens": False}


@pytest.mark.parametrize("answered", [thought("{}"), thought("{}", reasoning="hm", reasoning_tokens=3)])
def test_vllm_is_not_asked_without_need(answered):
    assert complete(answered, tokenize=True)[1].paths == ["/v1/chat/completions"]


def test_a_count_is_never_more_than_was_written():
    assert (
        complete(thought("{}", reasoning="hm"), Answer(b'{"count": 999}'), tokenize=True)[0].usage.reasoning_tokens
        == 50
    )


@pytest.mark.parametrize("answer", [failure(404), failure(500), Answer(b"[]"), Answer(b"{}"), Answer(b"\xff")])
def test_a_count_that_fails_is_unknown_and_costs_nothing(answer):
    completion, _ = complete(thought("{}", reasoning="hm"), answer, tokenize=True)
    assert completion.usage.reasoning_tokens is None
    assert completion.usage.calls == 1


SPELT = ["<think>", "5", " or", " 6", "</think>", "\n\n", " 5", ".", "<|im_end|>"]


@pytest.mark.parametrize(
    "answered", [thought("".join(SPELT[:-1]), SPELT), thought("\n\n 5.", SPELT, reasoning="5 or 6", reasoning_tokens=3)]
)
def test_the_answers_tokens_are_the_answers(answered):
    completion, _ = complete(answered, request=ChatRequest(ASK.messages, top_logprobs=1))
    assert completion.text == "5."
    assert [token.text for token in completion.tokens] == [" 5", ".", "<|im_end|>"]
    assert completion.tokens[0].top == {" 5": -0.1}


def test_tokens_without_thinking_stay_as_they_are():
    assert [token.text for token in complete(thought("5.", SPELT))[0].tokens] == SPELT
    assert complete(thought("5."))[0].tokens is None


def test_answers_without_tokens_and_tokens_without_the_answer():
    tokens = [Token(text, {}) for text in SPELT]
    assert answer_tokens(tokens, "  ") == ()
    assert answer_tokens(tokens, "caf\u00e9") is None
    assert answer_tokens([], "5") is None


def body(field, **settings):
    request = ChatRequest(ASK.messages, max_tokens=200, **settings)
    with FakeServer([reply()]) as server:
        Client(server.url, "tiny", thinking_field=field).complete([request])
    return server.requests[0]


def test_a_budget_is_sent_on_top_of_the_answers():
    sent = body("thinking_token_budget", thinking_tokens=512)
    assert (sent["thinking_token_budget"], sent["max_tokens"]) == (512, 712)
    sent = body("reasoning.max_tokens", thinking_tokens=0)
    assert (sent["reasoning"], sent["max_tokens"]) == ({"max_tokens": 0}, 200)
    assert set(body("thinking_token_budget")) == {"model", "messages", "temperature", "max_tokens"}


def test_a_budget_nobody_could_hold_is_refused_before_anything_is_sent():
    with FakeServer([]) as server, pytest.raises(SettingError, match=r"thinking_tokens is 512.*llm\.reasoning_parser"):
        Client(server.url, "tiny").complete([ASK, ChatRequest(ASK.messages, thinking_tokens=512)])
    assert server.requests == []


@pytest.mark.parametrize("field", ["", "a..b", "max_tokens", "messages", 3])
def test_fields_that_mean_something_else_are_refused(field):
    with pytest.raises(SettingError, match=r"llm\.thinking_field"):
        Dialect(thinking_field=field)


def test_every_request_of_an_optimizer_carries_the_budget():
    requests = Requests(Line().problem, ChatSettings(ScriptedChat([]), Prompt(), Decoding(thinking_tokens=64), 0.0), 0)
    assert requests.build(ASK.messages).thinking_tokens == 64
    assert requests.plain(ASK.messages, 5).thinking_tokens == 64
    assert (
        Requests(Line().problem, ChatSettings(ScriptedChat([]), Prompt(), Decoding(), 0.0), 0)
        .build(ASK.messages)
        .thinking_tokens
        is None
    )


@pytest.mark.parametrize("value", [-1, 1.5, True, "64"])
def test_budgets_that_are_no_numbers_of_tokens_are_refused(value):
    with pytest.raises(SettingError, match=r"decoding\.thinking_tokens"):
        Decoding(thinking_tokens=value)


def test_a_reasoning_parser_is_the_servers():
    assert "--reasoning-parser" not in ServerSettings("m").command("weights")
    command = server_settings({"model": "m", "reasoning_parser": "qwen3"}).command("weights")
    assert command[command.index("--reasoning-parser") + 1] == "qwen3"


def vllm_of(server, folder, **changes):
    group = OmegaConf.load(CONF / "llm" / "vllm.yaml")
    changes = {"model": str(folder), "served_name": "tiny", "port": server.port, **changes}
    return instantiate(OmegaConf.create({"folder": str(folder), "llm": OmegaConf.merge(group, changes)})).llm


def test_vllm_with_a_parser_holds_a_budget_counts_and_is_recorded(tmp_path):
    request = ChatRequest(ASK.messages, max_tokens=10, thinking_tokens=5)
    script = [thought("{}", reasoning="hm", reasoning_tokens=0), COUNT_7]
    with FakeServer(script, models=("tiny",)) as server:
        live = vllm_of(server, tmp_path, reasoning_parser="qwen3").complete([request])
    assert (server.requests[0]["thinking_token_budget"], server.requests[0]["max_tokens"]) == (5, 15)
    assert server.paths == ["/v1/chat/completions", "/tokenize"]
    assert live[0].usage.reasoning_tokens == 7
    row = json.loads((tmp_path / "calls.jsonl").read_text())
    assert (row["thinking"], row["reply"], row["sampling"]["thinking_tokens"]) == ("hm", "{}", 5)
    assert row["sampling"]["max_tokens"] == 10
    replayed = Recorder(lambda: pytest.fail("not asked"), tmp_path / "calls.jsonl", live=False).complete([request])
    assert replayed == live


def test_vllm_without_a_parser_cannot_hold_a_budget_but_splits_by_the_tags(tmp_path):
    with FakeServer([thought("[T]hm[/T]{}"), COUNT_7], models=("tiny",)) as server:
        model = vllm_of(server, tmp_path, thinking_tags=["[T]", "[/T]"])
        with pytest.raises(SettingError, match="has no field for it"):
            model.complete([ChatRequest(ASK.messages, thinking_tokens=5)])
        assert model.complete([ASK])[0].thinking == "hm"
