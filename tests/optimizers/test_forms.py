"""What a form of an answer asks for is valid if it is given, in every method's prompt."""

from __future__ import annotations

import itertools
import json
import random
import re
from typing import Any

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, Integer

from harness.budget import Budget
from harness.chat import Message
from harness.choices import Choices, has_choices
from harness.problem import Objective, Outcome, Problem
from harness.space import default_of
from harness.trial import Trial
from harness.validity import Checker
from llms.decoding import Decoding
from optimizers.centaur import Centaur
from optimizers.chat.forms import MOST_FORMS, forms, shape
from optimizers.chat.prompt import Prompt, placeholder
from optimizers.hollm.hollm import HOLLM
from optimizers.llambo.llambo import LLAMBO
from optimizers.llinbo.llinbo import LLINBO
from optimizers.llm_chat import LLMChat
from optimizers.llm_tpe import LLMTPE
from optimizers.opro import OPRO
from optimizers.recitation import Recitation
from tests.llms.test_schema import independent, spaces
from tests.support.chat_methods import built
from tests.support.fakes import ScriptedChat

NUMBER = r"-?[\d.]+(?:e-?\d+)?"
RANGE = re.compile(rf"(an integer|a number) (from|above) ({NUMBER}) (to|to below) ({NUMBER})")
METHODS = [LLMChat, OPRO, LLAMBO, LLINBO, Centaur, LLMTPE, HOLLM, Recitation]


def with_conditions() -> dict[str, ConfigurationSpace]:
    return {name: space for name, space in spaces().items() if space.conditions}


@pytest.fixture(scope="module", params=["conditional", "toy.branin", "openml", "fairness", "yahpo", "rich", "mixed"])
def space(request: pytest.FixtureRequest) -> ConfigurationSpace:
    name = next((each for each in with_conditions() if each.startswith(request.param)), None)
    if name is None:
        pytest.skip(f"no data for {request.param}")
    return with_conditions()[name]


def problem_of(space: ConfigurationSpace) -> Problem:
    return Problem("test.form", space, (Objective("loss", "minimize"),), default_of(space))


def legal(hyperparameter: Any, rng: random.Random) -> Any:
    if has_choices(hyperparameter):
        return rng.choice(Choices(hyperparameter).forms)
    low, high = hyperparameter.lower, hyperparameter.upper
    return rng.randint(low, high) if isinstance(low, int) else rng.uniform(low, high)


def filled(space: ConfigurationSpace, form: dict[str, str], rng: random.Random) -> dict[str, Any]:
    """Values for each placeholder."""
    return {name: _value(space[name], place, rng) for name, place in form.items()}


def _value(hyperparameter: Any, place: str, rng: random.Random) -> Any:
    if place == "x":
        return legal(hyperparameter, rng)
    if place.startswith("one of "):
        return rng.choice(json.loads(place.removeprefix("one of ")))
    part = rng.choice(place.split(" or ")) if not has_choices(hyperparameter) else place
    if found := RANGE.fullmatch(part):
        kind, _, low, _, high = found.groups()
        return rng.randint(int(low), int(high)) if kind == "an integer" else rng.uniform(float(low), float(high))
    return json.loads(part)


def test_each_form_filled_with_legal_values_is_valid(space):
    check, rng = Checker(space).check, random.Random(0)
    shown = forms(space)
    assert 1 < len(shown) <= MOST_FORMS
    for form in shown:
        for _ in range(30):
            params = filled(space, form, rng)
            assert check(params)[1] == (), params


def test_the_forms_leave_nothing_out(space):
    drawn = {frozenset(dict(configuration)) for configuration in space.sample_configuration(200)}
    assert drawn <= {frozenset(form) for form in forms(space)}


@pytest.mark.parametrize("method", METHODS, ids=[each.__name__ for each in METHODS])
@pytest.mark.parametrize("mode", ["free", "json_object", "json_schema"])
def test_every_methods_prompt_shows_them(method, mode):
    space = with_conditions()["conditional.digits"]
    problem = problem_of(space)
    chat = ScriptedChat(lambda request: "{}")
    optimizer = built(method, problem, 0, Budget(proposals=30), chat=chat, prompt=Prompt(), decoding=Decoding(mode))
    wanted = " or ".join(map(shape, forms(space)))
    said = _first_prompts(optimizer, chat, problem)
    assert any(wanted in text for text in said), said
    assert not any('"kernel": x' in text for text in said)


def _first_prompts(optimizer: Any, chat: ScriptedChat, problem: Problem) -> list[str]:
    for index in itertools.count():
        proposal = optimizer.ask()
        texts = [_text(request.messages) for request in chat.requests]
        if any("in the form" in text for text in texts) or index > 20:
            return texts
        params = Checker(problem.space).check(proposal.params or {})[0]
        optimizer.tell(_trial(index, proposal, params))
    raise AssertionError


def _trial(index: int, proposal: Any, params: Any) -> Trial:
    outcome = None if params is None else Outcome({"loss": 1.0 / (1 + index)})
    return Trial(index=index, proposal=proposal, params=params, outcome=outcome)


def _text(messages: tuple[Message, ...]) -> str:
    return "\n".join(message.content for message in messages)


def test_under_branches_the_form_is_that_of_the_schema():
    problem = problem_of(with_conditions()["conditional.digits"])
    for form, start in (
        ("branches", '{"configuration": {"C": x, "kernel": "linear"'),
        ("flat", '{"C": x, "kernel": "l'),
    ):
        chat = ScriptedChat(lambda request: '{"configuration": {"C": 1.0, "kernel": "linear", "shrinking": true}}')
        decoding = Decoding("json_schema", schema=form)
        chosen = built(LLMChat, problem, 0, Budget(proposals=3), chat=chat, prompt=Prompt(), decoding=decoding)
        proposal = chosen.ask()
        assert f"in the form {start}" in _text(chat.requests[0].messages)
        assert (list(chat.requests[0].schema["properties"]) == ["configuration"]) == (form == "branches")
        if form == "branches":
            assert (proposal.params, proposal.reason) == ({"C": 1.0, "kernel": "linear", "shrinking": True}, None)


def test_with_many_cases_the_condition_stands_beside_the_key():
    (form,) = forms(independent(3))
    assert form["p0"] == "x"
    assert form["c0"] == 'x (only if p0 == "x", else left out)'


def test_without_conditions_there_is_one_form_as_ever():
    space = ConfigurationSpace({"x": Float("x", (0.0, 1.0)), "y": Categorical("y", ["a", "b"])})
    assert placeholder(problem_of(space)) == '{"x": x, "y": x}'
    peak = spaces()["toy.peak"]
    assert placeholder(problem_of(peak)) == "{" + ", ".join(f'"{name}": x' for name in peak) + "}"


def test_a_form_is_never_a_configuration():
    space = ConfigurationSpace(seed=0)
    kind, depth = Categorical("kind", ["a", "b"]), Integer("depth", (1, 3))
    space.add(kind, depth, EqualsCondition(depth, kind, "a"))
    for form in forms(space):
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(shape(form))
