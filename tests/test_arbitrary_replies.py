"""Ten thousand arbitrary replies: each is classified, none raises, none is executed.

Hypothesis makes up some; others are real replies, recorded in results/quickstart, that were mutilated; the rest are
valid configurations of which an entry or two were spoilt, so that every fault and every repair has its turn.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import os
import random
import re
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from ConfigSpace import Configuration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.runs.answers import answered
from analysis.runs.copies import Prompts
from benchmarks.hpobench.hpobench import HPOBench
from harness.choices import builtin
from harness.jsonl import encode, plain, read_rows
from harness.loop import Judge
from harness.problem import Objective, Problem
from harness.repair import Clamp, Nearest, NoRepair, RandomRepair
from harness.rows import to_row
from harness.trial import Fault, Proposal, Trial
from optimizers.chat.parse import parse_reply
from tests.support.fakes import VALID, rich_space

ROOT = Path(__file__).parents[1]
MADE_UP, MUTILATED, SPOILT = 2_000, 4_200, 4_000
REPAIRS = (NoRepair, Clamp, Nearest, RandomRepair)

EXECUTION = {"exec", "compile", "import", "os.fork", "os.forkpty", "os.putenv", "os.remove", "os.rename", "os.mkdir"}
EXECUTION |= {"os.system", "os.exec", "os.spawn", "os.posix_spawn", "subprocess.Popen", "socket.connect", "pty.spawn"}


class Watch:
    """Sees code being run, modules imported, processes started and files written, while it is on, in its thread."""

    def __init__(self):
        self.thread = None
        self.events = []
        sys.addaudithook(self._note)  # it cannot be taken away again

    def _note(self, event, arguments):
        if self.thread is None or threading.get_ident() != self.thread:
            return
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or event in EXECUTION:
            self.events.append((event, repr(arguments)[:200]))

    @contextlib.contextmanager
    def on(self):
        self.events.clear()
        self.thread = threading.get_ident()
        try:
            yield
        finally:
            self.thread = None


@pytest.fixture(scope="module")
def watch():
    return Watch()


class Place:
    """One search space, with a judge for every repair."""

    def __init__(self, problem):
        self.space = problem.space
        drawn = copy.deepcopy(problem.space)
        drawn.seed(0)
        self.texts = [{k: json.dumps(builtin(v)) for k, v in each.items()} for each in drawn.sample_configuration(500)]
        self.judges = {repair.name: Judge(problem, repair(problem, 0)) for repair in REPAIRS}

    def valid(self, params):
        """By ConfigSpace's own rules, which raise."""
        Configuration(self.space, values=params).check_valid_configuration()
        return True


class Classifier:
    """Takes replies through parser, judge, repairs, rows and analysis, and counts what it saw."""

    def __init__(self, watch):
        rich = Problem("fake.rich", rich_space(), (Objective("score", "maximize"),), VALID)
        self.places = [Place(rich), Place(HPOBench("credit_g").problem)]
        self.watch = watch
        self.replies = 0
        self.seen = Counter()
        for reply in ("", "{}", json.dumps(VALID), '{"kernel": "rbv", "degree": 9, "x": "1"}'):  # imports happen here
            self._judged(reply, "stop", False, None)

    def __call__(self, reply, finish="stop", last=False, key=None):
        with self.watch.on():
            judged = self._judged(reply, finish, last, key)
        assert self.watch.events == []
        for place, repair, parsed, trial, line in judged:
            _check(place, repair, parsed, trial, json.loads(line))
            self.seen[repair, trial.repair is not None] += 1
            self.seen.update(violation.fault for violation in trial.violations)
            self.seen["valid"] += not trial.violations
        self.replies += 1

    def _judged(self, reply, finish, last, key):
        parsed = parse_reply(reply, finish, last, key)
        proposal = Proposal(parsed.params, calls=(0,), truncated=parsed.truncated, reason=parsed.reason)
        found = []
        for place in self.places:
            for repair in (None, REPAIRS[1 + self.replies % 3].name):  # the others take turns
                trial = place.judges[repair](Trial(self.replies, proposal))
                found.append((place, repair, parsed, trial, encode(to_row(trial, "now"))))
        row = json.loads(found[0][-1])
        call = {"id": 0, "messages": [{"role": "user", "content": reply}], "reply": reply}
        told = answered(row, {0: call}, Prompts())
        # Shown its own reply, a proposal is a copy, unless the parser looks less far than a prompt is read.
        assert told["copy"] is (parsed.params is not None)
        self.seen["refusal"] += told["refusal"]
        return found


def _check(place, repair, parsed, trial, row):
    assert all(type(violation.fault) is Fault for violation in trial.violations)
    assert row["proposed"] == plain(parsed.params), "the row keeps the proposal as made"
    assert row["executed"] == trial.params
    assert row["reason"] == parsed.reason
    assert [each["fault"] for each in row["violations"]] == [violation.fault for violation in trial.violations]
    assert trial.repair == (repair if trial.violations and trial.params is not None else None)
    if not trial.violations:
        assert trial.params == trial.proposal.params
    elif repair is None:
        assert trial.params is None
    assert trial.params is None or place.valid(trial.params)


CODE = [
    "__import__('os').system('touch /tmp/hyperbole_hacked')",
    "(lambda: open('/tmp/hyperbole_hacked', 'w'))()",
    "{{7*7}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "$(touch /tmp/hyperbole_hacked)",
    "`touch /tmp/hyperbole_hacked`; rm -rf ~",
    "!!python/object/apply:os.system ['true']",
    "${oc.env:HOME}",
    "cos\nsystem\n(S'true'\ntR.",
    "<script>alert(1)</script>",
]
NAMES = [*VALID, "degree", "coef0", "alpha", "batch_size", "depth", "learning_rate_init", "width"]
NAMES += ["", "fidelity", "__class__", "configuration", "reasoning"]
NUMBERS = ["0", "-0", "1", "2", "3", "16", "32", "64", "40", "1.0", "0.5", "1e-8", "1e3", "1e400", "-1e400", "1e-400"]
NUMBERS += ["99", "-7.5", "4999.5", "NaN", "Infinity", "-Infinity", "01", "0x10", "1_0", "True", "0.1" + "0" * 400]
NUMBERS += ["9" * 400, "-" + "9" * 5000]
FAR = ["-3", "99999", "99999.5", "-1e400"]


def _object(pairs):
    """The text of an object; a key may stand there twice."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in pairs) + "}"


texts = st.text(st.characters(), max_size=30)
scalars = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(['"linear"', '"rbf"', '"poly"', '"svm"', "true", "false", "null", '"32"', '"1e400"', "[]", "{}"]),
    st.sampled_from([json.dumps(code) for code in CODE]),
    st.integers().map(str),
    st.floats().map(json.dumps),
    texts.map(json.dumps),
)
lists = st.lists(scalars, max_size=3).map(lambda items: f"[{', '.join(items)}]")
inner = st.lists(st.tuples(st.sampled_from(NAMES) | texts, scalars | lists), max_size=2).map(_object)
values = st.one_of(scalars, scalars, lists, inner)
entries = st.tuples(st.sampled_from(NAMES) | texts, values)


def _deep(levels, opening):
    closing = {"[": "]", '{"depth":': "}", '[{"a":': "}]"}[opening]
    return f'{{"kernel": {opening * levels}1{closing * levels}}}'


objects = st.one_of(
    st.lists(entries, max_size=8).map(_object),
    st.builds(_deep, st.integers(1, 2000), st.sampled_from(["[", '{"depth":', '[{"a":'])),
)
pieces = st.lists(
    st.sampled_from([*'{}[]":,\\ \n\x00', "```json\n", "```", "null", "I cannot", json.dumps(VALID), *CODE, *NUMBERS])
)
replies = st.one_of(
    st.text(st.characters()),
    st.sampled_from(CODE),
    pieces.map("".join),
    objects,
    st.builds(lambda before, body, after: before + body + after, texts, objects, texts),
)


@pytest.fixture(scope="module")
def recorded():
    paths = sorted((ROOT / "results/quickstart").glob("*/*/*/calls.jsonl"))
    found = [row["reply"] for path in paths for row in read_rows(path)]
    assert len(found) >= 200
    return found


def mutilated(draw, recorded):
    text = draw.choice(recorded)
    for _ in range(draw.randint(1, 3)):
        text = draw.choice([_cut, _splice, _swap, _renumber, _double])(draw, text, recorded)
    return text


def spoilt(draw, places):
    """A configuration that a place's space would draw itself, with up to two entries changed, added or taken away."""
    place = draw.choice(places)
    params, other = dict(draw.choice(place.texts)), draw.choice(place.texts)
    for _ in range(draw.randint(0, 2)):
        name = draw.choice(list(place.space))
        change = draw.randrange(8)
        if change == 0:
            params.pop(name, None)
        elif change == 1:
            params[draw.choice(NAMES)] = draw.choice(NUMBERS)
        elif change == 2:
            params[name] = json.dumps(draw.choice(["linear", "rbv", None, [], *CODE]))
        elif change <= 4:
            params[name] = draw.choice(NUMBERS if change == 3 else FAR)
        else:
            params |= {shared: other[shared] for shared in params if shared in other and draw.random() < 0.5}
    return _object(params.items())


def _cut(draw, text, recorded):
    start, end = sorted(draw.randint(0, len(text)) for _ in range(2))
    return draw.choice([text[start:end], text[:end], text[:start] + text[end:]])


def _splice(draw, text, recorded):
    other = draw.choice(recorded)
    return text[: draw.randint(0, len(text))] + other[draw.randint(0, len(other)) :]


def _swap(draw, text, recorded):
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw.randint(1, 4) if data else 0):
        data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data).decode("utf-8", "surrogateescape")


def _renumber(draw, text, recorded):
    return re.sub(r"-?\d[\d.e+-]*", lambda found: draw.choice([found[0], found[0], *NUMBERS]), text)


def _double(draw, text, recorded):
    start, end = sorted(draw.randint(0, len(text)) for _ in range(2))
    return text[:end] + text[start:end] * draw.randint(1, 3) + text[end:]


def test_ten_thousand_arbitrary_replies(watch, recorded):
    classify = Classifier(watch)

    @settings(
        max_examples=MADE_UP, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(replies, st.sampled_from(["stop", "length", None]), st.booleans(), st.sampled_from([None, "configuration"]))
    def made_up(reply, finish, last, key):
        classify(reply, finish, last, key)

    made_up()
    draw = random.Random(5)
    for _ in range(MUTILATED):
        classify(mutilated(draw, recorded), draw.choice(["stop", "length", None]))
    for _ in range(SPOILT):
        classify(spoilt(draw, classify.places))

    assert classify.replies >= 10_000
    assert [fault for fault in Fault if classify.seen[fault] <= 10] == []
    assert classify.seen["valid"] > 100
    assert classify.seen["refusal"] > 0
    assert [repair for repair in REPAIRS[1:] if classify.seen[repair.name, True] <= 10] == []
    assert not Path("/tmp/hyperbole_hacked").exists()


@pytest.mark.parametrize(
    "execute",
    [
        lambda path: eval("1 + 1"),
        lambda path: exec("1 + 1"),
        lambda path: os.system("true"),
        lambda path: path.write_text("x"),
        lambda path: (sys.modules.pop("colorsys", None), __import__("colorsys")),
    ],
)
def test_the_watch_would_see_it(watch, tmp_path, execute):
    with watch.on():
        execute(tmp_path / "x")
    assert watch.events


def test_the_check_would_see_a_wrong_classification(watch):
    classify = Classifier(watch)
    place, repair, parsed, trial, line = classify._judged(json.dumps(VALID | {"cost": 1e9}), "stop", False, None)[0]
    with pytest.raises(AssertionError):
        _check(place, repair, parsed, dataclasses.replace(trial, params=dict(VALID)), json.loads(line))
    with pytest.raises(AssertionError):
        _check(place, repair, parsed, dataclasses.replace(trial, violations=()), json.loads(line))
