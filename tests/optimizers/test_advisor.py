from __future__ import annotations

import pytest

from harness.budget import Budget
from harness.chat import Completion, Message
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.trial import Fault, Usage
from llms.decoding import Decoding
from optimizers.chat.advisor import Advisor, total
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.prompt import Prompt
from optimizers.llm_chat import LLMChat
from optimizers.shared.history import History
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat


def advisor(replies, decoding=None, **settings):
    chat = ScriptedChat(replies)
    problem = Line().problem
    return Advisor(problem, 1, ChatSettings(chat, Prompt(), decoding or Decoding(), 0.7), **settings), chat


def test_a_batch_is_sent_at_once_and_each_reply_is_read():
    asked, chat = advisor(['{"x": 0.5, "units": 2}', "no", Completion('{"x"', "length", Usage(1, 4, 0, 2, 0.5), 9)])
    talks = ["one", [Message("user", "two"), Message("assistant", "so?")], "three"]
    answers = asked.ask(talks)
    assert [len(request.messages) for request in chat.requests] == [1, 2, 1]
    assert len({request.seed for request in chat.requests}) == 3
    usage = total([answer.completion for answer in answers])
    assert (usage.calls, usage.completion_tokens) == (3, 22 // 4 + 0 + 2)
    candidates = [asked.candidate(answer) for answer in answers]
    assert [[violation.fault for violation in candidate.violations] for candidate in candidates] == [
        [],
        [Fault.UNPARSEABLE],
        [Fault.TRUNCATED],
    ]
    assert [candidate.call for candidate in candidates] == [0, 1, 9]
    assert asked.legal(candidates[0]) == {"units": 2, "x": 0.5}
    assert asked.legal(candidates[1]) is None


def test_a_proposal_says_where_it_came_from():
    asked, _ = advisor(['Try {"x": 0.5, "units": 2}'])
    (answer,) = asked.ask(["?"])
    proposal = answer.proposal(Usage(calls=3), "warm start")
    assert (proposal.note, proposal.calls, proposal.usage.calls) == ("warm start, text around the object", (0,), 3)


def test_a_proposal_says_why_where_the_prompt_asks_for_it():
    replies = ['Go deeper. {"x": 0.5, "units": 2}', '{"reasoning": "Wider.", "configuration": {"x": 0.5, "units": 2}}']
    for reply, mode, reason in zip(replies, ("free", "json_schema"), ("Go deeper.", "Wider."), strict=True):
        for asks in (True, False):
            settings = ChatSettings(ScriptedChat([reply]), Prompt(reasoning=asks), Decoding(mode), 0.7)
            asked = Advisor(Line().problem, 1, settings)
            proposal = asked.ask(["?"])[0].proposal(Usage())
            assert proposal.reason == (reason if asks else None)
            assert not asks or proposal.params == {"x": 0.5, "units": 2}


def test_a_reason_reaches_its_row():
    reply = '{"reasoning": "Lower x.", "configuration": {"x": 0.25, "units": 1}}'
    settings = {"chat": ScriptedChat([reply]), "prompt": Prompt(reasoning=True), "decoding": Decoding("json_schema")}
    benchmark, budget, rows = Line(), Budget(proposals=1), []
    optimizer = built(LLMChat, benchmark.problem, 0, budget, **settings)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    assert (rows[0]["reason"], rows[0]["executed"]) == ("Lower x.", {"x": 0.25, "units": 1})


def test_short_talk_is_free_text_whatever_the_decoding():
    asked, chat = advisor(["0.5", '{"x": 0.5, "units": 2}'], Decoding("json_schema", temperature=0.2), top_p=0.95)
    asked.say(["how good?"], 8, top_logprobs=5)
    asked.ask(["which?"])
    short, long = chat.requests
    assert (short.mode, short.schema, short.max_tokens, short.top_logprobs, short.top_p) == ("free", None, 8, 5, 0.95)
    assert (long.mode, long.max_tokens, long.top_logprobs) == ("json_schema", 200, 0)
    assert short.temperature == long.temperature == 0.2


def test_a_history_holds_what_was_evaluated_at_the_highest_fidelity(make_trial):
    history = History(Line().problem.objectives[0])
    losses = [0.5, None, 0.2, 0.2, 0.9]
    added = [history.add(make_trial(index, loss)) for index, loss in enumerate(losses)]
    assert [seen is None for seen in added] == [False, True, False, False, False]
    assert history.add(make_trial(5, 0.0, fidelity={"steps": 1})) is None
    assert [seen.index for seen in history.best(3)] == [2, 3, 0]
    assert [seen.index for seen in history.last(2)] == [3, 4]
    assert history.last(0) == []
    assert history.best(1)[0].value == pytest.approx(-0.2)


@pytest.fixture
def make_trial():
    from harness.problem import Outcome
    from harness.trial import Proposal, Trial

    def make(index, loss, fidelity=None):
        params = {"x": 0.5, "units": 1}
        outcome = None if loss is None else Outcome({"score": loss})
        return Trial(index, Proposal(params, fidelity), params=params, outcome=outcome)

    return make
