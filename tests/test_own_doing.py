"""Replies that the harness must not charge: for each fault that it could cause itself, a reply that shows it does not.

The replies are scripted, recorded in results/quickstart, or published ones of other projects. The display of histories
is tested in tests/contracts/test_prompt_contract.py.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    Constant,
    Float,
    InCondition,
    Integer,
    OrdinalHyperparameter,
)

from harness.chat import Completion, Message
from harness.choices import Choices, has_choices
from harness.jsonl import read_rows
from harness.loop import Judge
from harness.problem import Fidelity, Objective, Problem
from harness.repair import NoRepair
from harness.run_files import run_files
from harness.trial import Fault, Proposal, Trial
from harness.validity import Checker
from llms.decoding import Decoding
from llms.schema import json_schema
from llms.wire.dialect import Dialect
from optimizers.chat import candidate_list
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.parse import parse_reply
from optimizers.chat.prompt import Prompt, dumps, placeholder, result, space_lines
from optimizers.chat.request import Requests
from optimizers.llambo.llambo_warm_start import parse_list
from tests.support.fakes import Line, ScriptedChat, rich_space
from tests.support.recorded import RESULTS
from tests.support.shared_data import FOLDER, needs_data

ROOT = Path(__file__).parents[1]
LEVELS = [1e-05, 1.0000000000000001e-05, 9.999999747378752e-06, 3.5938137e-05, 0.29999999999999993, 0.3, 1.0]
"""Levels whose neighbours differ in the last digit, and one converted from single precision."""


def space():
    found = ConfigurationSpace(name="own", seed=0)
    found.add(
        OrdinalHyperparameter("level", sorted(set(LEVELS))),
        OrdinalHyperparameter("units", [16, 32, 1024]),
        Categorical("flag", [True, False]),
        Categorical("limit", [None, (64, 64), "none"]),
        Float("rate", (1e-5, 1.0), log=True),
        Integer("rounds", (10, 1000)),
        Constant("kind", "svm"),
    )
    return found


CHECK = Checker(space())
GOOD = {
    "level": "1e-05", "units": "32", "flag": "true", "limit": "[64, 64]", "rate": "0.1", "rounds": "200",
    "kind": '"svm"',
}  # fmt: skip


def reply(**changes):
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in {**GOOD, **changes}.items()) + "}"


def judged(text, finish="stop", **how):
    """The executed configuration, or the faults."""
    parsed = parse_reply(text, finish, **how)
    params, violations = CHECK.proposal(Proposal(parsed.params, truncated=parsed.truncated))
    return params if not violations else [(violation.fault, violation.name) for violation in violations]


@pytest.mark.parametrize(
    ("name", "texts", "value"),
    [
        ("level", ["1e-05", "1e-5", "1E-5", "1.0e-05", "0.00001", "10e-6", "1.0000000000000001e-05"], 1e-05),
        ("level", ["9.999999747378752e-06", "0.000009999999747378752", "9.9999997473787520e-6"], 9.999999747378752e-06),
        ("level", ["0.29999999999999993", "2.9999999999999993e-1"], 0.29999999999999993),
        ("level", ["1", "1.0", "1e0", "10e-1", "1.00000000000000000000000000000001"], 1.0),
        ("units", ["32", "32.0", "3.2e1", "32e0", "320e-1"], 32),
        ("units", ["1024", "1024.0", "1.024e3", "1.024E+3"], 1024),
        ("rounds", ["1000", "1000.0", "1e3", "1E3", "1e+03"], 1000),
        ("rate", ["1", "1.0", "1e0", "0.1e1"], 1.0),
        ("rate", ["1e-5", "0.00001", "1e-05"], 1e-5),
        ("rate", ["0.12345678901234567890123456789012345678901234567890"], 0.12345678901234568),
        ("limit", ["null"], None),
        ("limit", ["[64, 64]", "[64,64]", "[ 64 , 64 ]", "[64.0, 64]"], (64, 64)),
        ("limit", ['"none"'], "none"),
        ("flag", ["true"], True),
        ("kind", ['"svm"', '"\\u0073vm"'], "svm"),
    ],
)
def test_every_way_to_write_a_value_in_json_is_that_value(name, texts, value):
    for text in texts:
        executed = judged(reply(**{name: text}))[name]
        assert (executed, type(executed)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("units", '"32"', Fault.WRONG_TYPE),
        ("units", "32.5", Fault.OFF_GRID),
        ("rounds", "true", Fault.WRONG_TYPE),
        ("flag", "1", Fault.WRONG_TYPE),
        ("flag", '"true"', Fault.WRONG_TYPE),
        ("limit", '"null"', Fault.NOT_A_CHOICE),
    ],
)
def test_what_is_another_value_in_json_stays_a_fault(name, text, fault):
    assert judged(reply(**{name: text})) == [(fault, name)]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "\ufeff{}",
        "```json\n{}\n```",
        "```\n{}\n```",
        "~~~json\n{}\n~~~",
        "`{}`",
        "Sure! Here it is:\n\n{}\n\nIt is a good start, for {{reasons}}.",
        "Config: {}",
        '"Config": {}',
        "I take {{depth}} into account. {}",
        'In the form {{"level": x, "units": x}}: {}',
        "<answer>{}</answer>",
        "1. {} score = 0.8",
        '{} {{"level": 1',
        "{} Explanation: I chose 1e-05 because",
    ],
)
@pytest.mark.parametrize("finish", ["stop", "length", None])
def test_what_stands_around_an_object_is_no_fault(text, finish):
    assert judged(text.replace("{}", reply()).replace("{{", "{").replace("}}", "}"), finish) == judged(reply())


def test_white_space_line_breaks_and_the_order_of_keys_are_no_fault():
    assert judged(json.dumps(json.loads(reply()), indent=4).replace("\n", "\r\n\t")) == judged(reply())
    assert judged(json.dumps(dict(reversed(json.loads(reply()).items())))) == judged(reply())


MEMBER = '{"level": 1e-05, "units": 32, "more": {"a": 1, "b": 2}, "rou'
"""The limit truncated this reply: the inner object is complete, but lacks five hyperparameters."""


@pytest.mark.parametrize(
    ("text", "finish", "fault"),
    [
        (MEMBER, "length", Fault.TRUNCATED),
        (MEMBER, "stop", Fault.UNPARSEABLE),
        (f"```json\n{MEMBER}", "length", Fault.TRUNCATED),
        ('{"a": {"b": {"c": {"d": 1}}, "e": [{"f": 1}, {"g": 2}]', "length", Fault.TRUNCATED),
        ('{"level": 1e-05, # the penalty\n "more": {"a": 1}\n}', "stop", Fault.UNPARSEABLE),
        ('{\'level\': 1e-05, "more": {"a": 1}}', "stop", Fault.UNPARSEABLE),
        ('{"level": 1e-05, "level": 0.3}', "stop", Fault.UNPARSEABLE),
        ('{"level": 1e-05, "level": 0.3} and then I', "length", Fault.UNPARSEABLE),
        ('{"level": 1e-05, "note": "cut in a str', "length", Fault.TRUNCATED),
        ("", "length", Fault.TRUNCATED),
        ("I would take", "length", Fault.TRUNCATED),
    ],
)
def test_a_member_of_a_broken_object_is_not_judged_as_a_configuration(text, finish, fault):
    assert judged(text, finish) == [(fault, None)]


def test_a_configuration_that_was_whole_when_its_wrapper_was_cut_off_is_taken():
    text = f'{{"reasoning": "so", "configuration": {reply()}, "y": 0.'
    assert judged(text, "length", key="configuration") == judged(reply())
    assert judged(text, "length") == judged(reply())


def test_an_answer_after_an_object_that_broke_off_is_taken():
    assert judged(f'{{"level": 1e-05, "units": ... wait. Better: {reply()}') == judged(reply())
    assert judged(f'{{"level": x, "units": x}} "config": {reply()}') == judged(reply())


def test_of_a_list_that_was_cut_off_the_whole_items_count():
    items = [{"configuration": {"level": 1}, "predicted": 0.5}, {"configuration": {"level": 0.3}, "predicted": 0.6}]
    cut = json.dumps({"candidates": items})[:-12]
    assert [item.params for item in candidate_list.read(cut, 2)] == [{"level": 1}, {"level": 0.3}]
    member = json.dumps(items)[:-25] + '3, "more": {"a": 1}, "b": '
    assert [item.params for item in candidate_list.read(member, 2)] == [{"level": 1}]
    broken = '{"configurations": [{"level": 1}, {"level": 2, "more": {"a": 1}, "b'
    read = parse_list(Completion(broken, "length"), 2, last=False)
    assert [(one.params, one.truncated) for one in read] == [({"level": 1}, False), (None, True)]


def test_the_form_of_an_answer_is_no_configuration_and_never_hides_one():
    problem = Problem("own", space(), (Objective("loss", "minimize"),), json.loads(reply()) | {"limit": (64, 64)})
    form = placeholder(problem)
    assert judged(form) == [(Fault.UNPARSEABLE, None)]
    assert judged(f"{form} would be {reply()}") == judged(reply())


def test_a_form_that_holds_objects_never_hides_an_answer():
    """Choices that are objects are in the form if conditions name them."""
    own = ConfigurationSpace(seed=0)
    own.add(Categorical("arch", [{"depth": 2}, None, {"depth": 3}, {"depth": 4}]), Integer("width", (1, 9)))
    own.add(InCondition(own["width"], own["arch"], [{"depth": 2}, None, {"depth": 3}]))
    problem = Problem("own", own, (Objective("loss", "minimize"),), {"arch": {"depth": 4}})
    form, answer = placeholder(problem), {"arch": {"depth": 3}, "width": 5}
    assert '[{"depth": 2}, null, {"depth": 3}]' in form
    assert parse_reply(form, "stop").params is None
    assert parse_reply(form[:40], "length").truncated
    assert parse_reply(f"{form} would be {json.dumps(answer)}", "stop").params == answer
    assert parse_reply(f"{form}: [{json.dumps(answer)}]", "stop").params == answer


def test_numbers_are_shown_to_the_model_without_quotes_and_as_they_are_accepted():
    problem = Problem("own", space(), (Objective("loss", "minimize"),), json.loads(reply()) | {"limit": (64, 64)})
    told = "\n".join(space_lines(problem))
    for level in sorted(set(LEVELS)):
        assert json.dumps(level) in told
        assert f'"{level}"' not in told
    shown = dumps(judged(reply()))
    assert judged(shown) == judged(reply())


def test_everything_a_prompt_names_is_legal():
    """Each level, choice and bound of the lines, as written there."""
    for name, hyperparameter in [*space().items(), *rich_space().items()]:
        checker = Checker(ConfigurationSpace(space={name: hyperparameter}))
        line = space_lines(
            Problem("one", ConfigurationSpace(space={name: hyperparameter}), (Objective("loss", "minimize"),),
                    {name: hyperparameter.default_value})
        )[0]  # fmt: skip
        if has_choices(hyperparameter):
            shown = json.loads(line[line.index("[") :]) if "[" in line else [json.loads(line.split("always ")[1])]
            assert len(shown) == len(Choices(hyperparameter).forms)
        else:
            words = line.replace(", log scale", "").split()
            shown = [json.loads(words[-3]), json.loads(words[-1])]
        for value in shown:
            assert checker.check({name: value})[1] == ()


def test_a_whole_number_may_have_a_fraction_of_zero_in_a_fidelity_too():
    problem = Problem(
        "own", Line().problem.space, Line().problem.objectives, Line().problem.default,
        fidelities=(Fidelity("epochs", 1, 50, integer=True),),
    )  # fmt: skip
    judge = Judge(problem, NoRepair(problem, 0))
    trial = judge(Trial(0, Proposal({"x": 0.5, "units": 4.0}, fidelity={"epochs": 1e1})))
    assert trial.violations == ()
    assert repr(trial.proposal.fidelity) == "{'epochs': 10}"
    assert repr(trial.params) == "{'units': 4, 'x': 0.5}"


def test_the_same_number_written_in_two_ways_is_a_duplicate():
    problem = Line().problem
    judge = Judge(problem, NoRepair(problem, 0))
    judge(Trial(0, Proposal({"x": 1, "units": 4})))
    assert judge(Trial(1, Proposal({"x": 1.0, "units": 4.0}))).duplicate_of == 0


def test_a_failed_repaired_trial_is_not_shown_as_if_the_proposal_had_been_run():
    objective = Objective("score", "maximize")
    violations = CHECK.check(json.loads(reply(units="33")))[1]
    trial = Trial(0, Proposal({"units": 33}), violations, repair="nearest", params={"units": 32}, error="It diverged.")
    assert result(trial, objective, Prompt()) == (
        'Your proposal was invalid: units = 33 is not one of the allowed values. {"units": 32} was run instead. '
        "The evaluation failed: It diverged."
    )


@pytest.mark.parametrize("mode", ["free", "json_object", "json_schema"])
def test_no_request_has_stop_words_or_penalties(mode):
    """All parameters that reach the model are recorded: the server is told to ignore the model's own settings."""
    chosen = ChatSettings(ScriptedChat([]), Prompt(), Decoding(mode), 0.5)
    request = Requests(Line().problem, chosen, 0).build([Message("user", "Config:")])
    body = Dialect().body("m", request)
    assert set(body) <= {"model", "messages", "temperature", "max_tokens", "seed", "response_format"}
    assert body["max_tokens"] == Decoding().max_tokens


@pytest.mark.parametrize("mode", ["free", "json_object", "json_schema"])
def test_reasoning_that_is_asked_for_does_not_use_up_the_tokens_of_the_configuration(mode):
    """Under the schema it has at most 400 characters."""
    requests = Requests(
        Line().problem, ChatSettings(ScriptedChat([]), Prompt(reasoning=True), Decoding(mode, max_tokens=50), 0.5), 0
    )
    assert requests.build([Message("user", "Config:")]).max_tokens == 250
    assert requests.longest(4) == 400


def test_recorded_replies_that_hold_a_legal_object_are_not_called_unreadable():
    """By another parser: the json module at the first brace of each reply of results/quickstart."""
    read = 0
    for path in run_files(RESULTS / "quickstart", "*/llm_chat*/*"):
        for call in read_rows(path.with_name("calls.jsonl")):
            text = call["reply"]
            try:
                value, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
            except ValueError:
                continue
            found = parse_reply(text, call["finish_reason"])
            twice = found.note is not None and "stands twice" in found.note
            assert twice or found.params == value
            assert not found.truncated
            read += 1
    assert read > 150


@needs_data
def test_published_proposals_are_read_as_they_were_written():
    """Replies of real models recorded by other projects: the parser reads what Python's json reads."""
    polars = pytest.importorskip("polars")
    path = FOLDER / "published/autoresearch_automl/trials.parquet"
    rows = polars.read_parquet(path, columns=["hyperparameters", "found_as"])
    texts = rows.filter(polars.col("found_as") == "json")["hyperparameters"].drop_nulls().unique().sort().to_list()
    names = {name for text in texts[::50] for name in json.loads(text)}
    integers = ("DEPTH", "HEAD_DIM", "DEVICE_BATCH_SIZE", "TOTAL_BATCH_SIZE", "ASPECT_RATIO")
    wide = ConfigurationSpace(space={name: (1, 2**30) for name in integers if name in names})
    check = Checker(wide)
    for text in texts[::50]:
        params = parse_reply(f"```json\n{text}\n```", "stop").params
        assert params == json.loads(text)
        for violation in check.check(params)[1]:
            value = violation.value
            is_integer = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
            assert violation.fault is not Fault.WRONG_TYPE or not is_integer


def _fixed(value):
    """As llguidance writes a number of an enum: digits only, and no fraction if it is zero."""
    return format(Decimal(repr(value)).normalize(), "f")


def test_what_the_schema_lets_the_server_write_is_legal_to_the_last_digit():
    """With vLLM's decoding library: the bounds, every level, and values just outside."""
    llguidance = pytest.importorskip("llguidance")
    tokenizer = llguidance.LLTokenizer("byte")
    own = space()
    schema = json.dumps(json_schema(own))
    grammar = llguidance.LLMatcher.grammar_from_json_schema(schema, defaults={"whitespace_flexible": False})
    names = list(own)

    def admits(**changes):
        texts = {**GOOD, "level": _fixed(1e-05), "limit": "[64,64]", **changes}
        text = "{" + ",".join(f'"{name}":{texts[name]}' for name in names) + "}"
        matcher = llguidance.LLMatcher(tokenizer, grammar)
        tokens = tokenizer.tokenize_str(text)
        whole = matcher.validate_tokens(tokens) == len(tokens)
        assert isinstance(judged(text), dict) or not whole, "the schema admits what the judge charges"
        return whole

    assert admits()
    assert all(admits(level=_fixed(level)) for level in sorted(set(LEVELS)))
    assert all(admits(units=str(units)) for units in (16, 32, 1024))
    assert all(admits(limit=text) for text in ("null", '"none"'))
    assert all(admits(rate=text) for text in ("0.00001", "1", "1.0", "0.12345678", "0.99999999"))
    assert all(admits(rounds=text) for text in ("10", "1000"))
    outside = {
        "rate": ["0.00000999", "1.00000001", "1.1", "-0.1", "0.123456789", "1e-5", '"0.1"', "true", "NaN"],
        "rounds": ["9", "1001", "10.5", "-10", "1e3"],
        "units": ["17", '"16"', "null"],
        "level": ["0.00002", "0.31", '"0.3"'],
        "limit": ["[64]", "[64,65]", '"null"'],
        "flag": ["1", '"true"'],
    }
    for name, texts in outside.items():
        assert not any(admits(**{name: text}) for text in texts)


def test_levels_in_digits_alone_are_the_levels():
    """llguidance makes a model write 1e-08 as 0.00000001."""
    for level in (*LEVELS, 1e-08, 7.742637e-08, 5e-324, 2.2250738585072014e-308, 0.1, 1 / 3, 1e16, 123456789.125):
        assert float(_fixed(level)) == level
        assert math.isfinite(level)
