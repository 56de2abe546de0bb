from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.budget import Budget
from harness.chat import Completion
from harness.errors import SettingError
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.start import DefaultStart, begin_with
from harness.trial import Candidate, Fault, Proposal, Trial, Usage, Violation
from harness.validity import Checker
from llms.decoding import Decoding
from optimizers.chat.candidate_list import Item, form, read, schema
from optimizers.chat.prompt import Prompt
from optimizers.hollm.hollm import HOLLM, KNOWN, OUTSIDE, chosen
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat

GOLDEN = Path(__file__).parent / "golden"
PROBLEM = Line().problem


class Batches(ScriptedChat):
    """Records the size of each batch."""

    def __init__(self, replies):
        super().__init__(replies)
        self.sizes = []

    def complete(self, requests):
        self.sizes.append(len(requests))
        return super().complete(requests)


def items(*pairs):
    return json.dumps([{"configuration": {"x": x, "units": units}, "predicted": p} for x, units, p in pairs])


def inside(request):
    """Five configurations in the cell that the request names, predicted 0.1, 0.2, ... by the first number."""
    text = request.messages[0].content.split("and nowhere else:")[1]
    x, units = (json.loads(line) for line in bounds(text))
    return items(*((x[0] + (x[1] - x[0]) * i / 10, units[0], round(i / 10, 1)) for i in range(1, 6)))


def bounds(text):
    found = {}
    for line in text.strip().splitlines():
        if line.startswith('- "'):
            name, _, words = line[3:].partition('": ')
            numbers = [word for word in words.replace("always", "").split() if word[0].isdigit()]
            found[name] = f"[{numbers[0]}, {numbers[-1]}]"
    return found["x"], found["units"]


def run(replies, budget=None, benchmark=None, start=None, decoding=None, prompt=None, **settings):
    chat = Batches(replies)
    benchmark = benchmark or Line()
    budget = budget or Budget(proposals=13)
    optimizer = built(
        HOLLM,
        benchmark.problem,
        3,
        budget,
        chat=chat,
        prompt=prompt,
        decoding=decoding,
        **settings,
    )
    if start:
        optimizer = begin_with(start, benchmark.problem, optimizer)
    rows = []
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat


def test_a_step_is_one_batch_of_a_request_a_cell():
    rows, chat = run(inside)
    assert chat.sizes == [5, 5]
    assert [row["note"] for row in rows[:5]] == ["start: random"] * 5
    assert [row["usage"]["calls"] for row in rows] == [0] * 5 + [5, 0, 0, 0] * 2
    assert all(row["violations"] == [] for row in rows)
    assert all(len(row["candidates"] or ()) == (25 if i in (5, 9) else 0) for i, row in enumerate(rows))


def test_the_best_predicted_are_evaluated():
    rows, _ = run(inside)
    step = rows[5:9]
    assert [candidate["score"] for candidate in rows[5]["candidates"]] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5] * 5)
    predicted = {json.dumps(c["proposed"]): (c["score"], c["call"]) for c in rows[5]["candidates"]}
    assert [predicted[json.dumps(row["proposed"])] for row in step] == [(0.5, row["calls"][0]) for row in step]


def test_a_minimized_objective_takes_the_lowest_prediction():
    from benchmarks.toy import Toy

    def reply(request):
        found = [{"surface": "smooth", "x1": x1, "x2": x2} for x1, x2 in ((-4, 1), (-4, 14), (9, 1), (9, 14), (2, 7))]
        return json.dumps([{"configuration": params, "predicted": 10 - i} for i, params in enumerate(found)])

    rows, _ = run(reply, Budget(proposals=6), Toy(task="branin"), initial=5)
    scores = [candidate["score"] for candidate in rows[5]["candidates"]]
    assert scores[:5] == [-10, -9, -8, -7, -6]
    assert all(candidate["violations"] == [] for candidate in rows[5]["candidates"])
    running = [candidate for candidate in rows[5]["candidates"] if candidate["note"] is None]
    assert 0 < len(running) < 25
    assert rows[5]["proposed"] == max(running, key=lambda candidate: candidate["score"])["proposed"]


def test_a_step_evaluates_no_more_than_the_budget_has_left():
    rows, chat = run(inside, Budget(proposals=7))
    assert len(rows) == 7
    assert chat.sizes == [5]
    rows, chat = run(inside, Budget(evaluations=11))
    assert [row["usage"]["calls"] for row in rows] == [0] * 5 + [5, 0, 0, 0] + [5, 0]


def test_trials_of_a_start_count_among_the_initial_ones():
    rows, chat = run(inside, Budget(proposals=4), start=DefaultStart(), initial=2)
    assert [row["note"] for row in rows] == ["start: default", "start: random", None, None]
    assert chat.sizes == [2], "two points make two cells"
    assert '{"units": 4, "x": 0.5} score = -0.29' in chat.requests[0].messages[0].content


def test_candidates_outside_their_cell_or_known_are_excluded():
    def reply(request):
        x, units = (json.loads(line) for line in bounds(request.messages[0].content.split("nowhere else:")[1]))
        outside = (x[0] - 0.01 if x[0] > 0 else x[1] + 0.01, units[0], 9.0)
        good = (x[0] + 0.001, units[0], 1.0)
        return items(outside, good, good)

    rows, _ = run(reply, Budget(proposals=6))
    notes = [candidate["note"] for candidate in rows[5]["candidates"]]
    assert notes == [OUTSIDE, None, KNOWN] * 5
    assert rows[5]["note"] is None
    assert rows[5]["proposed"] == rows[5]["candidates"][1]["proposed"]


def test_with_nothing_to_run_the_first_fault_is_charged():
    rows, _ = run(lambda request: "I would rather not.", Budget(proposals=7), cells=2)
    assert [row["violations"][0]["fault"] for row in rows[5:]] == ["unparseable"] * 2
    assert [row["usage"]["calls"] for row in rows[5:]] == [2, 2], "each step ends with its one proposal"
    cut = Completion('[{"configuration": {"x": 0.', "length", Usage(1, 9, 0, 3, 0.5), 3)
    rows, _ = run([cut] * 2, Budget(proposals=6), cells=2)
    assert rows[5]["violations"][0]["fault"] == "truncated"
    rows, _ = run(lambda request: items((7.0, 1, 1.0), (8.0, 1, 2.0)), Budget(proposals=6))
    assert rows[5]["proposed"] == {"x": 7.0, "units": 1}
    assert rows[5]["violations"][0]["fault"] == "out_of_range"


def test_choosing_by_hand():
    wrong = (Violation(Fault.UNKNOWN, "y", 1),)
    good, better, silent, far, bad = (
        Candidate({"x": 1}, score=1.0),
        Candidate({"x": 2}, score=2.0),
        Candidate({"x": 3}),
        Candidate({"x": 4}, score=9.0, note=OUTSIDE),
        Candidate({"y": 1}, wrong, score=10.0),
    )
    assert chosen([silent, good, far, bad, better], 4) == [better, good, silent]
    assert chosen([silent, good, far, bad, better], 1) == [better]
    assert chosen([far, bad], 4) == [bad]
    assert chosen([Candidate({"x": 5}, score=1.0, note=KNOWN), far], 4) == [far]


def test_only_what_has_a_value_is_shown():
    rows, chat = run(lambda request: items((7.0, 1, 1.0)), Budget(proposals=7), examples=3)
    text = chat.requests[-1].messages[0].content
    assert text.count("score = ") == 3
    assert "7.0" not in text
    assert "invalid" not in text
    assert json.dumps(rows[4]["proposed"]) in text


def test_requests_of_a_step_share_all_but_their_cell():
    _, chat = run(inside, Budget(proposals=6))
    starts = {request.messages[0].content.split("Propose 5 new")[0] for request in chat.requests}
    ends = [request.messages[0].content.split("Propose 5 new")[1] for request in chat.requests]
    assert len(starts) == 1
    assert len(set(ends)) == 5
    assert len({request.seed for request in chat.requests}) == 5
    assert {(request.max_tokens, request.temperature, request.mode) for request in chat.requests} == {
        (1000, 0.7, "free")
    }


def test_under_a_schema_a_reply_is_an_object_with_a_list():
    def reply(request):
        return json.dumps({"reasoning": "so be it", "candidates": json.loads(inside(request))})

    rows, chat = run(reply, Budget(proposals=6), decoding=Decoding("json_schema"), prompt=Prompt(reasoning=True))
    wanted = chat.requests[0].schema
    assert wanted["required"] == ["reasoning", "candidates"]
    assert (wanted["properties"]["candidates"]["minItems"], wanted["properties"]["candidates"]["maxItems"]) == (5, 5)
    item = wanted["properties"]["candidates"]["items"]
    assert item["properties"]["configuration"]["properties"]["x"]["maximum"] == 1.0
    assert len(rows[5]["candidates"]) == 25
    assert form(PROBLEM, Decoding("json_schema"), True).startswith('{"reasoning": "...", "candidates": [{"configur')
    assert list(schema(PROBLEM, Decoding("json_schema"), 2, False)["properties"]) == ["candidates"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"configuration": {"x": 1}, "predicted": 0.5}]', [Item({"x": 1}, 0.5)]),
        (
            '{"configuration": {"x": 1}, "predicted": 2}\n{"configuration": {"x": 3}}',
            [Item({"x": 1}, 2.0), Item({"x": 3})],
        ),
        ('```json\n[{"x": 1, "predicted": 0.5}]\n```', [Item({"x": 1}, 0.5)]),
        ('{"candidates": [{"configuration": {"x": 1}, "predicted": "high"}, 7]}', [Item({"x": 1}), Item(None)]),
        ('{"candidates": [{"configuration": {"x": 1}, "predicted": NaN}, {"configuration": {"x', [Item({"x": 1})]),
        (
            '[{"configuration": {"x": 1}, "predicted": true}, {"configuration": {"x": 2}, "pre',
            [Item({"x": 1}), Item({"x": 2})],
        ),
        ('{"configuration": "none", "predicted": 1}', [Item({"configuration": "none"}, 1.0)]),
        ('{"candidates": []}', []),
        ("nothing of the kind", []),
    ],
)
def test_replies_are_read_as_they_come(text, expected):
    assert read(text, 5) == expected


def test_sixty_recited_items_before_the_answer_do_not_change_which_are_taken():
    recited = " ".join(json.dumps({"x": -1, "n": number}) for number in range(60))
    answer = json.dumps({"candidates": [{"configuration": {"x": 0.5}, "predicted": 1}]})
    assert read(f"{recited} {answer}", 1, last=True) == [Item({"x": 0.5}, 1.0)]
    assert len(read(recited, 100)) == 60


def test_an_item_that_cannot_be_read_keeps_its_place_and_spoils_no_other():
    items = '{"configuration": {"x": 1}}, {"configuration": {"x": 1, "x": 2}}, {"configuration": {"x": 3}}'
    for text in (items, f"[{items}]", f'{{"candidates": [{items}]}}'):
        assert read(text, 5) == [Item({"x": 1}), Item(None), Item({"x": 3})]


def test_at_most_what_was_asked_for_is_read():
    text = json.dumps([{"configuration": {"x": i}, "predicted": i} for i in range(9)])
    assert [item.params["x"] for item in read(text, 5)] == [0, 1, 2, 3, 4]
    assert [item.params["x"] for item in read(text, 5, last=True)] == [4, 5, 6, 7, 8]


def test_failures_count_as_the_worst_value():
    optimizer = built(HOLLM, PROBLEM, 0, Budget(proposals=9), chat=Batches([]), prompt=Prompt(), decoding=Decoding())
    rows, _ = run(inside, benchmark=Line(fail_above=0.5))
    assert any(row["error"] for row in rows)
    checker = Checker(PROBLEM.space)
    for index, (x, loss) in enumerate([(0.9, None), (0.1, 0.3), (0.5, 0.2), (0.8, None)]):
        params = checker.check({"x": x, "units": 1})[0]
        optimizer.tell(Trial(index, Proposal(params), params=params, outcome=outcome(loss)))
    assert list(optimizer._evaluated.values) == [-0.3, -0.3, -0.2, -0.3]
    assert np.allclose(optimizer._evaluated.points[:, 1], [0.9, 0.1, 0.5, 0.8])


def outcome(loss):
    from harness.problem import Outcome

    return None if loss is None else Outcome({"score": loss})


def test_the_prompt_reads_as_agreed():
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_hollm.py."""
    text = run(inside, Budget(proposals=6))[1].requests[-1].messages[0].content + "\n"
    path = GOLDEN / "hollm.txt"
    if os.environ.get("HYPERBOLE_RENEW"):
        path.write_text(text)
    assert text == path.read_text()


def test_a_number_too_small_is_refused():
    with pytest.raises(SettingError, match=r"optimizer.batch is 0; give a whole number from 1"):
        run([], batch=0)


SCRIPT = """
from tests.optimizers.test_hollm import inside, run
print([row["proposed"] for row in run(inside)[0]])
"""


def test_the_same_seed_proposes_the_same_in_another_process():
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    ]
    first, second = (process.communicate()[0] for process in processes)
    assert first == second == f"{[row['proposed'] for row in run(inside)[0]]}\n"
