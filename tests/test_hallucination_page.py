"""docs/hallucination.md is correct: every reply on it is passed through the real parser, judge and analysis."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)

from analysis.runs.answers import answered
from analysis.runs.copies import Prompts
from analysis.runs.declined import PHRASES
from harness.budget import Budget
from harness.chat import Completion
from harness.duplicates import STEPS
from harness.faults import GROUP_OF, Group
from harness.jsonl import encode
from harness.loop import Judge
from harness.objects import MOST_LEVELS
from harness.problem import Fidelity, Objective, Problem
from harness.repair import Clamp, Nearest, NoRepair, RandomRepair
from harness.rows import to_row
from harness.trial import Fault, Trial
from harness.validity import Checker
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt, space_lines
from optimizers.llm_chat import LLMChat
from tests.support.chat_methods import built
from tests.support.fakes import ScriptedChat

PAGE = (Path(__file__).parents[1] / "docs" / "hallucination.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(`{3,})(space|prompt|reply)( \w+)*\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
MARKS = ("duplicate", "near-duplicate", "copy", "refusal")


def the_problem():
    space = ConfigurationSpace(seed=0)
    booster = Categorical("booster", ["linear", "tree"], default="tree")
    loss = Categorical("loss", ["squared", "absolute"])
    depth = Integer("depth", (1, 8), default=3)
    space.add([booster, loss, Float("rate", (1e-4, 1.0), log=True), Integer("rounds", (10, 1000), default=100), depth])
    space.add(EqualsCondition(depth, booster, "tree"))
    space.add(
        ForbiddenAndConjunction(ForbiddenEqualsClause(booster, "linear"), ForbiddenEqualsClause(loss, "absolute"))
    )
    default = {"booster": "tree", "loss": "squared", "rate": 0.01, "rounds": 100, "depth": 3}
    return Problem("page", space, (Objective("score", "maximize"),), default, (Fidelity("epochs", 1, 50, True),))


def the_grid():
    space = ConfigurationSpace(seed=0)
    levels = {"alpha": [1e-8, 1e-4, 1.0], "rate": [1e-4, 1e-3, 1e-2], "width": [16, 64, 256], "depth": [1, 2, 3]}
    space.add([OrdinalHyperparameter(name, each, default_value=each[1]) for name, each in levels.items()])
    return Problem("grid", space, (Objective("score", "maximize"),), {name: each[1] for name, each in levels.items()})


PROBLEM = the_problem()
GRID = the_grid()
REPAIRS = {"none": NoRepair, "clamp": Clamp, "nearest": Nearest, "random": RandomRepair}


@dataclass
class Example:
    """A reply, and its classification on the page."""

    section: str
    trial: int
    reply: str
    finish: str
    fidelity: bool
    problem: Problem
    prompt: str | None
    said: str
    repairs: dict[str, str] = field(default_factory=dict)


def read(page):
    """The examples of every section; the text between two replies states the classification of the first."""
    found = []
    for section in re.split(r"^##+ ", page, flags=re.MULTILINE)[1:]:
        blocks = list(BLOCK.finditer(section))
        prompt, replies = None, [block for block in blocks if block[2] == "reply"]
        for block in blocks:
            prompt = block[4] if block[2] == "prompt" else prompt
        for number, block in enumerate(replies):
            end = replies[number + 1].start() if number + 1 < len(replies) else len(section)
            after = section[block.end() : end]
            (said,) = re.findall(r"^Classified as: (.*)\.$", after, re.MULTILINE)
            repairs = dict(re.findall(r"^- Under `(\w+)`: (.*) (?:is|are) executed\.$", after, re.MULTILINE))
            assert set(block[0].splitlines()[0].split()[1:]) <= {"length", "fidelity", "grid"}
            flags = block[0].splitlines()[0]
            finish = "length" if "length" in flags else "stop"
            title = section.splitlines()[0]
            problem = GRID if "grid" in flags else PROBLEM
            found.append(Example(title, number, block[4], finish, "fidelity" in flags, problem, prompt, said, repairs))
    return found


EXAMPLES = read(PAGE)
NAMES = [f"{example.section} {example.trial}" for example in EXAMPLES]


def propose(example):
    """The reply as a method's proposal, and the call behind it."""
    chat = ScriptedChat([Completion(example.reply, example.finish, id=0)])
    prompt = Prompt(fidelity=example.fidelity)
    optimizer = built(LLMChat, example.problem, 0, Budget(proposals=9), chat=chat, prompt=prompt, decoding=Decoding())
    proposal = optimizer.ask()
    shown = [message.content for message in chat.requests[0].messages] if example.prompt is None else [example.prompt]
    messages = [{"role": "user", "content": text} for text in shown]
    return proposal, {"id": 0, "messages": messages, "reply": example.reply, "finish_reason": example.finish}


def judged(example, repair="none"):
    """The trial of an example, after those before it in its section."""
    judge = Judge(example.problem, REPAIRS[repair](example.problem, 0))
    before = [other for other in EXAMPLES if other.section == example.section and other.trial < example.trial]
    for other in before:
        judge(Trial(other.trial, propose(other)[0]))
    return judge(Trial(example.trial, propose(example)[0]))


def violation_in_words(violation):
    words = f"`{violation['fault']}`" + (f" of `{violation['name']}`" if violation["name"] else "")
    words += f", {violation['steps']:.3g} steps from a level" if "steps" in violation else ""
    return words + (f", a level of `{violation['confused']}`" if "confused" in violation else "")


def classification(example):
    """A classification in the page's words."""
    trial = judged(example)
    row = json.loads(encode(to_row(trial, "")))
    call = propose(example)[1]
    told = answered(row, {0: call}, Prompts(), [{"name": "epochs", "upper": 50}])
    words = list(map(violation_in_words, row["violations"])) or ["valid"]
    if trial.duplicate_of is not None:
        words.append(f"`duplicate` of trial {trial.duplicate_of}")
    if trial.near_duplicate_of is not None:
        words.append(f"`near-duplicate` of trial {trial.near_duplicate_of}")
    words += [f"`{mark}`" for mark in ("copy", "refusal") if told[mark]]
    return "; ".join(words)


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_a_reply_is_classified_as_the_page_says(example):
    assert example.said == classification(example)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_a_section_with_an_example_of_it(fault):
    said = [example.said for example in EXAMPLES if example.section == f"`{fault.value}`"]
    assert said
    assert all(f"`{fault.value}`" in each for each in said)


@pytest.mark.parametrize("mark", MARKS)
def test_so_has_what_is_counted_beside_them_and_an_example_that_is_none(mark):
    said = [f"`{mark}`" in example.said for example in EXAMPLES if example.section == f"`{mark}`"]
    assert set(said) == {True, False}


@pytest.mark.parametrize(
    ("example", "repair"),
    [(example, repair) for example in EXAMPLES for repair in example.repairs],
    ids=lambda value: value if isinstance(value, str) else f"{value.section} {value.trial}",
)
def test_a_repair_executes_what_the_page_says(example, repair):
    trial, said = judged(example, repair), example.repairs[repair]
    if said == "nothing":
        assert (trial.params, trial.repair) == (None, None)
        return
    assert trial.repair == repair
    assert Checker(example.problem.space).check(trial.params)[1] == ()
    if said != "a random configuration":
        assert trial.params == json.loads(said.strip("`"))


def test_every_repair_is_on_the_page():
    assert {repair for example in EXAMPLES for repair in example.repairs} == set(REPAIRS)
    assert all(set(example.repairs) == set(REPAIRS) for example in EXAMPLES if example.section == "Repairs")


def test_every_example_was_read():
    assert len(re.findall(r"^`{3,}reply", PAGE, re.MULTILINE)) == len(EXAMPLES)
    assert len(re.findall(r"^Classified as:", PAGE, re.MULTILINE)) == len(EXAMPLES)
    assert len(re.findall(r"^- Under", PAGE, re.MULTILINE)) == sum(len(example.repairs) for example in EXAMPLES)


def test_the_space_is_the_one_a_prompt_tells():
    blocks = [block[4] for block in BLOCK.finditer(PAGE) if block[2] == "space"]
    assert [block.splitlines() for block in blocks] == [space_lines(PROBLEM), space_lines(GRID)]


def test_the_groups_are_the_ones_of_the_table():
    rows = re.findall(r"^\| (\w+) \| .* \| (`.*`) \|$", PAGE, re.MULTILINE)
    said = {group: set(re.findall(r"`(\w+)`", faults)) for group, faults in rows}
    assert said == {group: {fault for fault, own in GROUP_OF.items() if own is group} for group in Group}


def test_numbers_and_phrases_in_the_text():
    text = " ".join(PAGE.split())
    assert f"deeper than {MOST_LEVELS} levels" in text
    assert f"{STEPS} equal steps" in text
    assert f"at most {STEPS + 1} values" in text
    quoted = re.findall(
        r'"([^"]+)"', text[text.index("one of the phrases") : text.index("Its fault is still `unparseable`")]
    )
    assert len(quoted) == 4
    assert set(quoted) <= set(PHRASES)
