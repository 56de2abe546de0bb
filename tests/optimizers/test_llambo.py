"""LLAMBO as a whole: batches, settings, prompts, charges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.chat import Completion, Token
from harness.checks.stand_in import StandIn
from harness.errors import SettingError
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.trial import Proposal, Trial, Usage
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt
from optimizers.llambo.llambo import LLAMBO
from tests.support.chat_methods import built
from tests.support.chosen import chosen
from tests.support.fakes import Line, ScriptedChat

GOLDEN = Path(__file__).parent / "golden"
SIZES = ("llambo", "llambo_small")
START = [{"x": 0.5, "units": 2}, {"x": 0.1, "units": 1}, {"x": 0.9, "units": 8}]


def kind(request):
    text = request.messages[0].content
    if "in the format ## performance ##" in text:
        return "prediction"
    if "in the format ## classification ##" in text:
        return "classification"
    return "candidate" if "target performance" in text else "warm start"


class Counting(ScriptedChat):
    """Records the sizes of its batches; candidates are numbered, so that all differ."""

    def __init__(self, candidate=None, prediction=None):
        super().__init__(self.reply)
        self.batches = []
        self.drawn = 0
        self._candidate, self._prediction = candidate, prediction

    def complete(self, requests):
        self.batches.append(Counter(kind(request) for request in requests))
        return super().complete(requests)

    def reply(self, request):
        if kind(request) == "warm start":
            return json.dumps(START)
        if kind(request) == "candidate":
            self.drawn += 1
            return self._candidate(self.drawn) if self._candidate else json.dumps({"x": self.drawn / 1000, "units": 1})
        if kind(request) == "prediction":
            return self._prediction(request) if self._prediction else "## -0.2 ##"
        query = json.loads(request.messages[-1].content.split("Hyperparameter configuration: ")[-1].split("\n")[0])
        tokens = (Token("##", {"##": 0.0}), Token(" 1", {" 1": query["x"], " 0": 0.0}))
        return Completion("## 1 ##", "stop", Usage(1, 10, 0, 3, 0.5), len(self.requests) - 1, tokens=tokens)


def run(chat, proposals=4, benchmark=None, prompt=None, decoding=None, seed=3, **settings):
    benchmark, budget = benchmark or Line(), Budget(proposals=proposals)
    settings = {"initial": 3} | settings
    optimizer = built(
        LLAMBO,
        benchmark.problem,
        seed,
        budget,
        chat=chat,
        prompt=prompt,
        decoding=decoding,
        **settings,
    )
    rows = []
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return rows


def text_of(chat, wanted, number=0):
    return [request.messages[-1].content for request in chat.requests if kind(request) == wanted][number]


def test_a_trial_of_the_papers_size_is_one_batch_of_10_and_one_of_100():
    chat = Counting()
    rows = run(chat)
    assert chat.batches == [{"warm start": 1}, {"candidate": 10}, {"prediction": 100}]
    assert {request.temperature for request in chat.requests} == {0.7}
    assert {request.top_p for request in chat.requests} == {0.95}
    assert rows[3]["usage"]["calls"] == 110
    assert [row["usage"]["calls"] for row in rows[:3]] == [1, 0, 0]
    assert len({request.seed for request in chat.requests if kind(request) != "warm start"}) == 110


def test_the_small_one_is_9_requests_a_trial():
    settings = chosen("optimizer", "llambo_small")
    chat = Counting()
    run(chat, candidates=settings.candidates, predictions=settings.predictions)
    assert chat.batches[1:] == [{"candidate": 3}, {"prediction": 6}]


def test_the_two_sizes_differ_in_size_alone():
    full, small = (OmegaConf.to_container(chosen("optimizer", name)) for name in SIZES)
    assert {key for key in full if full[key] != small[key]} == {"candidates", "predictions", "examples", "shown"}
    assert list(full) == list(small)


def test_examples_can_be_turns_and_fewer():
    chat = Counting()
    run(chat, examples="turns", shown=2)
    asked = [request for request in chat.requests if kind(request) == "prediction"]
    assert {tuple(message.role for message in request.messages) for request in asked} == {
        ("user", "assistant", "user", "assistant", "user")
    }
    assert {request.messages[1].content[:3] for request in asked} == {"## "}
    shown = {(request.messages[1].content, request.messages[3].content) for request in asked}
    assert len(shown) > 2, "a random choice each time"
    assert all(request.messages[-1].content.startswith("Hyperparameter configuration: {") for request in asked)
    candidate = next(request for request in chat.requests if kind(request) == "candidate")
    assert candidate.messages[-1].content.count("Performance: ") == 3, "two examples and the target"


def test_the_best_scored_candidate_is_proposed_and_all_are_logged():
    """Best loss of the start: |0.1 - 0.25| + 0.01 = 0.16. Improvement is expected of candidate 2 alone."""

    def prediction(request):
        query = request.messages[-1].content.split("Hyperparameter configuration: ")[-1]
        return "## -0.06 ##" if '"x": 0.002' in query else "## -0.9 ##"

    chat = Counting(prediction=prediction)
    row = run(chat, candidates=3, predictions=2)[3]
    assert row["proposed"] == {"x": 0.002, "units": 1}
    scores = [candidate["score"] for candidate in row["candidates"]]
    assert scores[1] == pytest.approx(0.1)
    assert scores[0] == scores[2] == 0.0
    assert row["calls"] == [2], "request 0 was the warm start, 1 to 3 the candidates"
    assert [candidate["call"] for candidate in row["candidates"]] == [1, 2, 3]
    assert row["note"] == "target score -0.103"


def test_the_target_is_beyond_the_best_score_as_reported():
    """Losses of the start are 0.27, 0.16 and 0.73: 0.16 - 0.1 * 0.57 = 0.103, a score of -0.103."""
    chat = Counting()
    run(chat, candidates=2)
    lines = [line for line in text_of(chat, "candidate").splitlines() if line.startswith("Performance: ")]
    assert lines[-1] == "Performance: -0.103"
    assert {line.removeprefix("Performance: ") for line in lines[:-1]} == {"-0.27", "-0.16", "-0.73"}


def test_generative_takes_the_most_probable_one():
    chat = Counting()
    row = run(chat, surrogate="generative", candidates=3, predictions=2)[3]
    assert chat.batches[1:] == [{"candidate": 3}, {"classification": 6}]
    asked = [request for request in chat.requests if kind(request) == "classification"]
    assert {(request.max_tokens, request.top_logprobs, request.mode) for request in asked} == {(8, 5, "free")}
    assert row["proposed"]["x"] == 0.003
    assert row["candidates"][2]["score"] == pytest.approx(0.50075, abs=1e-6), "exp(0.003) / (exp(0.003) + 1)"
    labels = [line for line in text_of(chat, "classification").splitlines() if line.startswith("Classification: ##")]
    assert sorted(labels) == ["Classification: ## 0 ##", "Classification: ## 0 ##", "Classification: ## 1 ##"]


def test_without_surrogate_the_first_valid_candidate_is_proposed():
    chat = Counting(candidate=lambda n: "no" if n == 1 else json.dumps({"x": n / 10, "units": 1}))
    row = run(chat, surrogate="none", candidates=4)[3]
    assert chat.batches[1:] == [{"candidate": 4}]
    assert row["proposed"] == {"x": 0.2, "units": 1}
    assert [candidate["score"] for candidate in row["candidates"]] == [None] * 4
    assert row["candidates"][0]["violations"] == [{"fault": "unparseable", "name": None, "value": None}]


def test_random_candidates_cost_no_requests_but_are_scored():
    chat = Counting()
    row = run(chat, sampler="random", candidates=3, predictions=2)[3]
    assert chat.batches[1:] == [{"prediction": 6}]
    assert row["calls"] == []
    assert row["usage"]["calls"] == 6
    assert [candidate["call"] for candidate in row["candidates"]] == [None] * 3


def test_random_everywhere_is_random_search():
    chat = Counting()
    rows = run(chat, 6, warm_start="random", sampler="random", surrogate="none", candidates=1)
    assert chat.requests == []
    assert len({str(row["proposed"]) for row in rows}) == 6
    assert [row["note"] for row in rows[:3]] == ["warm start: random"] * 3


def test_duplicates_and_invalid_candidates_are_excluded():
    replies = [START[0], {"x": 0.3, "units": 3}, {"x": 0.3, "units": 3}, {"x": 7, "units": 1}, {"x": 0.4, "units": 4}]
    chat = Counting(candidate=lambda n: json.dumps(replies[n - 1]))
    row = run(chat, candidates=5, predictions=2)[3]
    assert chat.batches[2] == {"prediction": 4}
    assert [candidate["note"] for candidate in row["candidates"]] == [
        "executed before",
        None,
        "drawn twice",
        None,
        None,
    ]
    assert [candidate["score"] is None for candidate in row["candidates"]] == [True, False, True, True, False]


def test_without_an_eligible_candidate_the_first_invalid_one_is_charged():
    replies = [START[0], {"x": 7, "units": 1}, {"x": 0.5}]
    chat = Counting(candidate=lambda n: json.dumps(replies[n - 1]))
    row = run(chat, candidates=3)[3]
    assert len(chat.batches) == 2, "nothing to predict"
    assert row["proposed"] == {"x": 7, "units": 1}
    assert row["violations"][0]["fault"] == "out_of_range"
    assert row["executed"] is None
    assert row["calls"] == [2]


def test_if_all_are_duplicates_the_first_is_proposed_again():
    chat = Counting(candidate=lambda n: json.dumps(START[n]))
    row = run(chat, candidates=2)[3]
    assert row["proposed"] == START[1]
    assert row["duplicate_of"] == 1


def test_a_single_eligible_candidate_is_not_scored():
    chat = Counting(candidate=lambda n: json.dumps({"x": 0.3, "units": 3}) if n == 2 else "no")
    row = run(chat, candidates=3)[3]
    assert len(chat.batches) == 2
    assert row["proposed"] == {"x": 0.3, "units": 3}


def test_unreadable_predictions_are_noted_and_without_any_the_first_candidate_is_proposed():
    row = run(Counting(prediction=lambda request: "It depends."), candidates=3, predictions=2)[3]
    assert row["proposed"]["x"] == 0.001
    assert row["note"].endswith("6 of 6 predictions unreadable")
    assert [candidate["score"] for candidate in row["candidates"]] == [None] * 3


def test_every_request_has_its_own_order_and_a_prediction_shares_it_with_the_other_candidates():
    def examples(text):
        return text.split("\n\n")[1:-1]

    chat = Counting()
    run(chat, 9, candidates=2, predictions=3)
    predictions = [r.messages[-1].content for r in chat.requests if kind(r) == "prediction"][-6:]
    orders = [examples(text) for text in predictions]
    assert orders[0] == orders[1]
    assert orders[2] == orders[3]
    assert orders[0] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    assert examples(text_of(chat, "candidate", -1)) != examples(text_of(chat, "candidate", -2))
    again, other = Counting(), Counting()
    run(again, 9, candidates=2, predictions=3)
    run(other, 9, candidates=2, predictions=3, seed=4)
    assert again.requests == chat.requests
    assert [r.messages for r in other.requests] != [r.messages for r in chat.requests]


def test_a_failed_evaluation_is_an_example_of_the_worst_loss():
    """x = 0.9 fails; the others have losses of 0.27 and 0.16."""
    chat = Counting()
    run(chat, benchmark=Line(fail_above=0.6), candidates=2)
    assert 'Performance: -0.27\nHyperparameter configuration: {"units": 8, "x": 0.9}' in text_of(chat, "candidate")


def test_while_nothing_succeeded_the_warm_start_is_repeated():
    chat = Counting()
    rows = run(chat, 7, benchmark=Line(fail_above=-1.0))
    assert chat.batches == [{"warm start": 1}] * 3
    assert [row["usage"]["calls"] for row in rows] == [1, 0, 0, 1, 0, 0, 1]


def test_it_learns_from_a_start_and_from_repaired_trials():
    """A start of loss 0.01 becomes an example and the best: the target is 0.01 - 0.1 * (0.73 - 0.01)."""
    problem, chat = Line().problem, Counting()
    optimizer = built(
        LLAMBO,
        problem,
        0,
        Budget(proposals=9),
        chat=chat,
        prompt=Prompt(),
        decoding=Decoding(),
        initial=1,
        candidates=2,
    )
    benchmark = Line()
    start = {"x": 0.25, "units": 1}
    optimizer.tell(Trial(0, Proposal(start), params=start, outcome=benchmark.evaluate(start, None, 0)))
    wrong, mended = {"x": 9.0, "units": 8}, {"x": 0.9, "units": 8}
    optimizer.tell(Trial(1, Proposal(wrong), params=mended, outcome=benchmark.evaluate(mended, None, 0)))
    optimizer.tell(Trial(2, Proposal(None)))
    assert optimizer.ask().note.startswith("warm start")
    optimizer.ask()
    text = text_of(chat, "candidate")
    assert json.dumps(start) in text
    assert json.dumps(mended) in text
    assert text.endswith("Performance: 0.062\nHyperparameter configuration:")


def test_the_model_is_told_scores_as_reported_and_nothing_else():
    chat = Counting()
    run(chat, 5, candidates=2, predictions=2)
    text = "\n".join(request.messages[-1].content for request in chat.requests)
    assert "-0.27" in text
    assert "test_score" not in text
    assert "-1.27" not in text
    assert "-0.83" not in text, "the worst score there is"


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"warm_start": "ful"}, "did you mean 'full'"),
        ({"sampler": "lm"}, "did you mean 'llm'"),
        ({"surrogate": "gp"}, "Unknown surrogate 'gp'"),
        ({"initial": 0}, "initial is 0; give a whole number from 1"),
        ({"candidates": 2.5}, "candidates is 2.5"),
        ({"predictions": True}, "predictions is True"),
        ({"alpha": 1.5}, "alpha is 1.5; give a number from -1 to 1"),
        ({"top_fraction": "a quarter"}, "top_fraction is 'a quarter'"),
    ],
)
def test_a_wrong_setting_is_refused(settings, match):
    with pytest.raises(SettingError, match=match):
        run(Counting(), **settings)


@pytest.mark.parametrize("wanted", ["warm_start", "candidate", "prediction", "classification"])
def test_the_prompts_read_as_agreed(wanted):
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_llambo.py."""
    chat = Counting()
    surrogate = "generative" if wanted == "classification" else "discriminative"
    run(chat, candidates=2, predictions=1, surrogate=surrogate)
    text = text_of(chat, wanted.replace("_", " ")) + "\n"
    path = GOLDEN / f"llambo_{wanted}.txt"
    if os.environ.get("HYPERBOLE_RENEW"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("surrogate", ["discriminative", "generative", "none"])
@pytest.mark.parametrize("sampler", ["llm", "random"])
@pytest.mark.parametrize("warm_start", ["none", "partial", "full", "random"])
def test_every_switch_works_with_a_model_that_makes_mistakes(warm_start, sampler, surrogate):
    settings = {"warm_start": warm_start, "sampler": sampler, "surrogate": surrogate, "candidates": 6, "predictions": 2}
    prompt, decoding = Prompt(reasoning=True), Decoding("json_schema")
    benchmark = Toy(task="branin")
    rows = run(StandIn(benchmark.problem.space), 12, benchmark, prompt, decoding, **settings)
    assert [row["proposed"] for row in rows] == [
        row["proposed"] for row in run(StandIn(benchmark.problem.space), 12, benchmark, prompt, decoding, **settings)
    ]
    assert any(row["candidates"] for row in rows)
    for row in rows:
        scores = [one["score"] for one in row["candidates"] or () if one["score"] is not None]
        if surrogate == "none" or not scores:
            assert scores == []
        else:
            best = next(one for one in row["candidates"] if one["score"] == max(scores))
            assert row["proposed"] == best["proposed"]
            assert row["violations"] == []
    assert (surrogate == "none") != any(one["score"] is not None for row in rows for one in row["candidates"] or ())


def proposals_of_a_random_model():
    return [row["proposed"] for row in run(StandIn(Line().problem.space), 9, candidates=4)]


def test_the_same_seed_proposes_the_same_in_another_process():
    code = (
        "from tests.optimizers.test_llambo import proposals_of_a_random_model as p; import json; print(json.dumps(p()))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        cwd=Path(__file__).parents[2],
    )
    assert json.loads(process.stdout) == proposals_of_a_random_model()
