"""Histories longer than the model's context."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from harness.budget import Budget
from harness.chat import ChatRequest, Completion, Message
from harness.errors import ContextError
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.trial import Usage
from optimizers.centaur import Centaur
from optimizers.chat.fitting import Fitting, PromptWithHistory
from optimizers.hollm.hollm import HOLLM
from optimizers.llambo.llambo import LLAMBO
from optimizers.llinbo.llinbo import LLINBO
from optimizers.llm_chat import LLMChat
from optimizers.llm_tpe import LLMTPE
from optimizers.opro import OPRO
from tests.support.chat_methods import built
from tests.support.fakes import Line


class Narrow:
    """Answers prompts of up to a number of characters, and refuses longer ones."""

    def __init__(self, longest: float, reply: str = "yes") -> None:
        self.longest, self.reply = longest, reply
        self.asked: list[str] = []
        self.lengths: list[int] = []
        self.refused = 0

    def prepare(self) -> None:
        pass

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        lengths = [sum(len(message.content) for message in request.messages) for request in requests]
        places = tuple(place for place, length in enumerate(lengths) if length > self.longest)
        if places:
            self.refused += len(places)
            raise ContextError("Too long.", places)
        self.lengths += lengths
        self.asked += [request.messages[-1].content for request in requests]
        return [Completion(self.reply, "stop", Usage(1, length, 0, 1, 0.1)) for length in lengths]


def request(messages: Sequence[Message]) -> ChatRequest:
    return ChatRequest(tuple(messages))


def listed(entries: Sequence[str]) -> str:
    return "tell: " + " ".join(entries)


def test_the_oldest_half_is_left_out_until_it_fits_and_stays_out():
    chat = Narrow(20)
    fitting = Fitting(chat)
    entries = [f"{number:02}" for number in range(9)]
    fitting.complete([PromptWithHistory(entries, listed)], request)
    assert (chat.asked, fitting.left_out, chat.refused) == (["tell: 05 06 07 08"], 5, 1)
    fitting.complete([PromptWithHistory([*entries, "09"], listed)], request)
    assert (chat.asked[1], fitting.left_out, chat.refused) == ("tell: 05 06 07 08 09", 5, 1)
    fitting.complete([PromptWithHistory([*entries, "09", "10"], listed)], request)
    assert (chat.asked[2], fitting.left_out, chat.refused) == ("tell: 08 09 10", 8, 2)


def test_only_the_refused_prompts_of_a_batch_become_shorter():
    chat = Narrow(12)
    fitting = Fitting(chat)
    prompts = [PromptWithHistory(["a", "b"], listed), PromptWithHistory(["a", "b", "c", "d"], listed)]
    fitting.complete(prompts, request)
    assert chat.asked == ["tell: a b", "tell: c d"]
    assert fitting.left_out == 2


def test_a_prompt_that_is_too_long_without_history_is_an_error():
    with pytest.raises(ContextError):
        Fitting(Narrow(3)).complete([PromptWithHistory(["a"], listed)], request)
    with pytest.raises(ContextError):
        Fitting(Narrow(3)).complete(["longer"], request)


ANSWER = '{"x": 0.25, "units": 2}'


def play(method: Any, longest: float, trials: int, **settings: Any) -> tuple[Narrow, list[dict[str, Any]]]:
    benchmark, budget, chat, rows = Line(), Budget(proposals=trials), Narrow(longest, ANSWER), []
    optimizer = built(method, benchmark.problem, 3, budget, chat=chat, **settings)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return chat, rows


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        (LLMChat, {}),
        (LLMChat, {"history": "conversation"}),
        (OPRO, {}),
        (LLAMBO, {"initial": 3}),
        (LLAMBO, {"initial": 3, "examples": "turns", "surrogate": "generative"}),
        (HOLLM, {}),
        (LLINBO, {"variant": "transient"}),
        (LLMTPE, {"llm_share": 1.0}),
        (Centaur, {"llm_warmup": 2, "llm_ratio": 1.0}),
    ],
)
def test_every_method_shortens_its_history_and_says_so(method, settings):
    chat, rows = play(method, math.inf, 24, **settings)
    assert {row["left_out"] for row in rows} == {None}
    longest = (min(chat.lengths) + max(chat.lengths)) / 2
    chat, rows = play(method, longest, 24, **settings)
    assert chat.refused
    assert max(chat.lengths) <= longest
    left_out = [row["left_out"] or 0 for row in rows if row["proposer"] == "model"]
    assert left_out[0] == 0
    assert left_out[-1] > 0
    assert left_out == sorted(left_out)
