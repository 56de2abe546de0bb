"""LLAMBO's parts, with values computed by hand: warm start, targets, labels, probabilities, expected improvement."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from scipy.stats import norm

from harness.chat import Completion, Token
from harness.problem import Description, Objective
from harness.trial import Usage
from llms.decoding import Decoding
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.prompt import Prompt
from optimizers.chat.request import Requests
from optimizers.llambo.llambo_candidates import target_loss
from optimizers.llambo.llambo_surrogates import (
    _scores,
    expected_improvement,
    probability_of_one,
    read_number,
    top_labels,
)
from optimizers.llambo.llambo_warm_start import WarmStart, parse_list
from tests.support.fakes import Line, Mixed, ScriptedChat

A, B, C = {"x": 0.1, "units": 1}, {"x": 0.2, "units": 2}, {"x": 0.3, "units": 3}
DESCRIPTION = Description(
    "A straight line is fitted. The data set is not told yet.", "On points: 7 rows. They are clean."
)


def test_a_warm_start_forbids_null_only_where_it_is_no_choice():
    for benchmark, forbidden in ((Line(), True), (Mixed(), False)):
        problem = benchmark.problem
        chat = ScriptedChat(["none"])
        settings = ChatSettings(chat, Prompt(), Decoding(), 0.7)
        WarmStart(problem, Requests(problem, settings, 0), settings, "full", 2).ask()
        assert ("Do not use null" in chat.requests[0].messages[0].content) == forbidden


def warm_start(reply, context="full", count=3, prompt=None, decoding=None):
    problem = dataclasses.replace(Line().problem, description=DESCRIPTION)
    chat = ScriptedChat([reply])
    settings = ChatSettings(chat, prompt or Prompt(), decoding or Decoding(), 0.7)
    proposals = WarmStart(problem, Requests(problem, settings, 0, 0.95), settings, context, count).ask()
    return proposals, chat.requests[0]


def listed(text, count=3, last=False, finish_reason="stop"):
    return parse_list(Completion(text, finish_reason), count, last)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([A, B, C]),
        f"Here they are:\n```json\n{json.dumps([A, B, C], indent=1)}\n```",
        "\n".join(f"{i}. {json.dumps(each)}" for i, each in enumerate([A, B, C])),
        json.dumps({"reasoning": "a {b} c", "configurations": [A, B, C]}),
    ],
)
def test_a_list_is_found_in_every_shape(text):
    assert [(one.params, one.note) for one in listed(text)] == [(A, None), (B, None), (C, None)]


@pytest.mark.parametrize("answer", [json.dumps([A, B, C]), json.dumps({"configurations": [A, B, C]})])
def test_sixty_recited_configurations_before_the_answer_do_not_change_which_are_taken(answer):
    recited = " ".join(json.dumps({"x": 9.0, "units": number}) for number in range(60))
    assert [one.params for one in listed(f"{recited} {answer}", last=True)] == [A, B, C]


@pytest.mark.parametrize("spoilt", ['{"x": 1, "x": 2}', '{"x": %s}' % ("9" * 5000), '{"x":' * 300 + "1" + "}" * 300])
def test_one_that_cannot_be_read_keeps_its_place(spoilt):
    items = f"[{json.dumps(A)}, {spoilt}, {json.dumps(C)}]"
    for text in (items, f"{json.dumps(A)} {spoilt} {json.dumps(C)}", f'{{"configurations": {items}}}'):
        assert [one.params for one in listed(text)] == [A, None, C]


def test_what_is_missing_is_unparseable_and_what_is_too_much_is_left_out():
    missing = listed(json.dumps([A]))
    assert [one.params for one in missing] == [A, None, None]
    assert {one.note for one in missing} == {"1 configurations in the reply, not 3"}
    assert not any(one.truncated for one in missing)
    assert [one.params for one in listed(json.dumps([A, B, C]), count=2)] == [A, B]
    assert [one.params for one in listed(json.dumps([A, B, C]), count=2, last=True)] == [B, C]
    assert [one.params for one in listed("I cannot.")] == [None] * 3


def test_what_a_cut_off_reply_lacks_is_truncated():
    cut = listed(json.dumps([A, B, C])[:-8], finish_reason="length")
    assert [(one.params, one.truncated) for one in cut] == [(A, False), (B, False), (None, True)]
    wrapped = listed(json.dumps({"configurations": [A, B, C]})[:-8], finish_reason="length")
    assert [one.params for one in wrapped] == [A, B, None]


def test_an_object_that_says_a_key_twice_is_no_configuration_but_takes_its_place():
    found = listed(f'[{json.dumps(A)}, {{"x": 1, "x": 2}}, {json.dumps(C)}]')
    assert [one.params for one in found] == [A, None, C]
    assert found[1].note == "the key 'x' stands twice in the object"


def test_a_warm_start_is_charged_once_and_every_proposal_knows_its_reply():
    usage = Usage(1, 50, 0, 40, 2.0)
    proposals, request = warm_start(Completion(json.dumps([A, {"x": 7}]), "stop", usage, 5))
    assert [proposal.params for proposal in proposals] == [A, {"x": 7}, None]
    assert [proposal.usage for proposal in proposals] == [usage, Usage(), Usage()]
    assert [proposal.calls for proposal in proposals] == [(5,)] * 3
    assert proposals[0].note == "warm start: full context, 2 configurations in the reply, not 3"
    assert request.max_tokens == 600
    assert (request.temperature, request.top_p, request.mode) == (0.7, 0.95, "free")


@pytest.mark.parametrize(
    ("context", "prompt", "told", "untold", "note"),
    [
        ("none", Prompt(), [], ["straight line", "7 rows", "score"], "warm start: no context"),
        (
            "partial",
            Prompt(),
            ["straight line", "not told yet", "maximized"],
            ["7 rows"],
            "warm start: partial context",
        ),
        ("full", Prompt(), ["straight line", "maximized", "7 rows", "clean"], [], "warm start: full context"),
        ("full", Prompt(context="none"), [], ["straight line", "7 rows", "score"], "warm start: no context"),
    ],
)
def test_context_grows_with_its_level(context, prompt, told, untold, note):
    proposals, request = warm_start(json.dumps([A, B, C]), context, prompt=prompt)
    text = request.messages[0].content
    assert '"units": an integer from 1 to 8' in text
    assert [part for part in told if part not in text] == []
    assert [part for part in untold if part in text] == []
    assert proposals[0].note == note


def test_under_a_schema_the_list_is_an_object_of_as_many_configurations():
    _, request = warm_start(json.dumps({"configurations": [A, B, C]}), decoding=Decoding("json_schema"))
    array = request.schema["properties"]["configurations"]
    assert (array["minItems"], array["maxItems"]) == (3, 3)
    assert array["items"]["required"] == ["units", "x"]
    assert '{"configurations": [{"units": x, "x": x}, ...]}' in request.messages[0].content
    _, request = warm_start("[]", decoding=Decoding("json_schema"), prompt=Prompt(reasoning=True))
    assert request.schema["required"] == ["reasoning", "configurations"]


def test_reasoning_comes_first_and_the_last_objects_count():
    text = f"{json.dumps({'x': 1})} would be too much. {json.dumps([A, B, C])}"
    proposals, request = warm_start(text, prompt=Prompt(reasoning=True))
    assert [proposal.params for proposal in proposals] == [A, B, C]
    assert "Reason in at most three sentences first" in request.messages[0].content


def test_the_target_lies_beyond_the_best_whatever_the_direction():
    """Errors of 0.2 and 0.7: 0.2 - 0.1 * 0.5. Accuracies of 0.8 and 0.3: 0.8 + 0.1 * 0.5."""
    error, accuracy = Objective("error", "minimize"), Objective("accuracy", "maximize")
    for objective, values, target in [(error, [0.7, 0.2], 0.15), (accuracy, [0.3, 0.8], 0.85)]:
        losses = [objective.loss(value) for value in values]
        assert objective.value(target_loss(losses, 0.1)) == pytest.approx(target)
    assert target_loss([0.2, 0.7], -0.1) == pytest.approx(0.25), "within what was observed"
    assert target_loss([0.05, 1.05], 0.1) == pytest.approx(-0.05), "not kept within (0, 1)"
    assert target_loss([0.3, 0.3], 0.1) == 0.3


def test_expected_improvement_by_hand():
    """Predictions 0.1 and 0.3: mean 0.2, population deviation 0.1; best 0.25."""
    z = 0.5
    byhand = 0.05 * norm.cdf(z) + 0.1 * norm.pdf(z)
    assert expected_improvement(np.array([[0.1], [0.3]]), 0.25) == pytest.approx([byhand])
    assert byhand == pytest.approx(0.0698, abs=1e-4)


def test_expected_improvement_of_predictions_that_agree_is_the_gain_or_nothing():
    """The deviation's floor is 1e-5: at no gain the improvement is its floor / sqrt(2 pi)."""
    found = expected_improvement(np.array([[0.2, 0.3, 0.25], [0.2, 0.3, 0.25]]), 0.25)
    assert found == pytest.approx([0.05, 0.0, 1e-5 / math.sqrt(2 * math.pi)])


def test_expected_improvement_skips_what_could_not_be_read():
    """The second candidate has one prediction (deviation: the floor), the third none: it takes the means of both."""
    nan = math.nan
    found = expected_improvement(np.array([[0.1, 0.4, nan], [0.3, nan, nan]]), 0.25)
    mean, sigma = (0.2 + 0.4) / 2, (0.1 + 0.0) / 2
    z = (0.25 - mean) / sigma
    assert found[2] == pytest.approx((0.25 - mean) * norm.cdf(z) + sigma * norm.pdf(z))
    assert found[0] == pytest.approx(0.05 * norm.cdf(0.5) + 0.1 * norm.pdf(0.5))
    assert found[1] == pytest.approx(0.0)
    assert np.isnan(expected_improvement(np.full((2, 2), nan), 0.25)).all()


def test_scores_without_any_prediction_are_none():
    nothing = np.full((2, 3), math.nan)
    scores = _scores(nothing, nothing[0], [Completion("", usage=Usage(1, 5))] * 6)
    assert scores.values == [None, None, None]
    assert scores.note == "6 of 6 predictions unreadable"
    assert scores.usage.prompt_tokens == 30


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("## 0.1234 ##", 0.1234),
        ("Performance: ##-3e-2##.", -0.03),
        ("0.5", 0.5),
        (" -7\n", -7.0),
        ("## 0.12", math.nan),
        ("## 0.1 ## or ## 0.2 ##", math.nan),
        ("about 0.5", math.nan),
        ("## nan ##", math.nan),
        ("## 1e999 ##", math.nan),
        ("", math.nan),
    ],
)
def test_a_prediction_is_one_number_between_its_marks(text, value):
    assert read_number(text) == pytest.approx(value, nan_ok=True)


def test_the_probability_of_one():
    """p(1) = 0.6 and p(0) = 0.2 at the first digit: 0.6 / 0.8."""
    digit = Token(" 0", {" 0": math.log(0.2), " 1": math.log(0.5), "1": math.log(0.1), "##": math.log(0.05)})
    reply = [Token("##", {"##": 0.0}), digit, Token("1", {"1": 0.0, "0": -9.0})]
    assert probability_of_one(reply) == pytest.approx(0.75)
    assert math.isnan(probability_of_one([Token("1", {"1": -0.01, "##": -5.0})])), "no alternative of 0"
    assert math.isnan(probability_of_one([Token("maybe", {"1": -1.0, "0": -1.0})])), "no digit was written"
    assert math.isnan(probability_of_one([]))


def test_labels_are_one_up_to_the_quantile():
    """Of five the quantile 0.25 is the second lowest, of four it lies between the lowest two."""
    assert top_labels([5.0, 1.0, 4.0, 2.0, 3.0], 0.25) == [0, 1, 0, 1, 0]
    assert top_labels([4.0, 2.0, 1.0, 3.0], 0.25) == [0, 0, 1, 0]
    assert top_labels([0.3], 0.25) == [1]
