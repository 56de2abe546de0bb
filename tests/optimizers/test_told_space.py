"""prompt.space: what is shown is valid as shown, in each representation of the space, for every method."""

from __future__ import annotations

import json
import random
import re
import zlib
from typing import Any

import pytest
from ConfigSpace import ConfigurationSpace, Float

from benchmarks.conditional.conditional import Conditional
from benchmarks.fcnet import FCNet
from benchmarks.hpobench.hpobench import LEVELS, HPOBench
from benchmarks.nasbench201 import NASBench201
from benchmarks.probes.probe import probed
from harness.budget import Budget
from harness.errors import SettingError
from harness.levels import LEVELS as KEY
from harness.loop import run_loop
from harness.probe import Family
from harness.problem import Objective, Problem
from harness.repair import NoRepair
from harness.short_names import short_names
from harness.trial import Proposal, Proposer
from harness.validity import Checker
from llms.schema import json_schema
from optimizers.centaur import Centaur
from optimizers.chat.prompt import Prompt, space_lines
from optimizers.chat.told_space import ToldSpace
from optimizers.hollm.hollm import HOLLM
from optimizers.llambo.llambo import LLAMBO
from optimizers.llinbo.llinbo import LLINBO
from optimizers.llm_chat import LLMChat
from optimizers.llm_tpe import LLMTPE
from optimizers.opro import OPRO
from optimizers.recitation import Recitation
from tests.support.chat_methods import built
from tests.support.fakes import ScriptedChat

GRID, NEAREST = HPOBench("credit_g"), HPOBench("credit_g", space="nearest")
SHORT = {name: short_names(levels) for name, levels in LEVELS.items()}  # type: ignore[type-var]
LINE = re.compile(
    r'^- "(\w+)"[^:]*: (?:one of (\[.*\])|(a number|an integer) from (\S+) to (\S+?)(,.*)?|always (.*))$', re.M
)


def shown_values(prompt: str) -> dict[str, list[Any]]:
    """Hyperparameter -> values that a prompt shows of it: a list, or bounds; the last such line counts."""
    found = {}
    for name, listed, _, lower, upper, _, always in LINE.findall(prompt):
        found[name] = (
            json.loads(listed) if listed else [json.loads(x) for x in ([always] if always else [lower, upper])]
        )
    return found


class Obedient(ScriptedChat):
    """Answers with values that the prompt shows, chosen by a hash of the request."""

    def __init__(self) -> None:
        super().__init__(self._reply)

    def _reply(self, request: Any) -> str:
        text = "\n".join(message.content for message in request.messages)
        if "##" in text:
            return "## 0.5 ##"
        draw = random.Random(zlib.crc32(repr((request.messages, request.seed)).encode()))
        answers = [{name: draw.choice(values) for name, values in shown_values(text).items()} for _ in range(5)]
        if "predicted" in text:
            return json.dumps([{"configuration": answer, "predicted": 0.5} for answer in answers])
        if "score" in text and "Recall" in text:
            return json.dumps({"configuration": answers[0], "score": 0.5})
        return json.dumps(answers) if ", ...]" in text else json.dumps(answers[0])


METHODS: dict[str, tuple[Any, dict[str, Any]]] = {
    "llm_chat": (LLMChat, {}),
    "conversation": (LLMChat, {"history": "conversation"}),
    "opro": (OPRO, {"initial": 2, "samples": 3}),
    "llambo": (LLAMBO, {"initial": 3, "candidates": 3, "predictions": 2}),
    "hollm": (HOLLM, {"initial": 3}),
    "llinbo": (LLINBO, {}),
    "llm_tpe": (LLMTPE, {}),
    "centaur": (Centaur, {"llm_warmup": 2, "llm_ratio": 0.5}),
    "recitation": (Recitation, {"samples": 4}),
}
WAYS = [(GRID, "levels"), (GRID, "levels_short"), (NEAREST, "levels"), (NEAREST, "ranges"), (NEAREST, "levels_short")]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("benchmark", "way"), WAYS, ids=["grid-levels", "grid-short", "levels", "ranges", "short"])
def test_what_is_shown_is_valid_as_shown(benchmark: HPOBench, way: Any, method: str) -> None:
    kind, more = METHODS[method]
    chat, budget, rows = Obedient(), Budget(proposals=9), []
    optimizer = built(kind, benchmark.problem, 1, budget, chat=chat, prompt=Prompt(space=way), **more)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    by_model = [row for row in rows if row["proposer"] == Proposer.MODEL]
    assert by_model
    assert all(row["violations"] == [] for row in rows)
    assert all(candidate["violations"] == [] for row in rows for candidate in row["candidates"] or ())
    short = {name: dict(zip(SHORT[name], LEVELS[name], strict=True)) for name in LEVELS}
    if way == "levels_short":
        for row in by_model:
            assert all(
                row["executed"][name] in (value, short[name].get(value)) for name, value in row["proposed"].items()
            )
        text = "\n".join(message.content for request in chat.requests for message in request.messages)
        assert "0.0016681006" not in text, "a level stands there by its long name"
    if benchmark is NEAREST and way != "ranges":
        assert all(row["metrics"]["snap_steps_max"] == 0 for row in by_model if row["note"] in (None, "LLM"))


@pytest.mark.parametrize(("benchmark", "way"), WAYS)
def test_a_schema_allows_what_is_told(benchmark: HPOBench, way: Any) -> None:
    properties = json_schema(Prompt(space=way).told(benchmark.problem).problem.space)["properties"]
    names = SHORT if way == "levels_short" else LEVELS
    if way == "ranges":
        assert (properties["width"]["minimum"], properties["width"]["maximum"]) == (16, 1024)
    else:
        assert {name: tuple(each["enum"]) for name, each in properties.items()} == names


@pytest.mark.parametrize("way", ["levels", "levels_short"])
def test_what_is_told_by_its_own_name_is_shown_as_it_was_proposed(way: str) -> None:
    shown = ToldSpace(GRID.problem, way).shown({"alpha": 1, "width": 16.0, "depth": True, "made": [1], "up": None})
    assert json.dumps(shown) == '{"alpha": 1, "width": 16.0, "depth": true, "made": [1], "up": null}'


def test_the_lines_of_the_three_ways() -> None:
    def lines(benchmark: Any, way: str) -> list[str]:
        return space_lines(ToldSpace(benchmark.problem, way).problem)

    assert lines(GRID, "levels") == lines(NEAREST, "levels") == space_lines(GRID.problem)
    assert lines(GRID, "levels_short") == lines(NEAREST, "levels_short")
    assert lines(NEAREST, "ranges") == [
        '"alpha" (strength of the L2 penalty): a number from 1e-08 to 1.0, log scale',
        '"batch_size" (examples per mini-batch): an integer from 4 to 256, log scale',
        '"depth" (number of hidden layers): an integer from 1 to 3',
        '"learning_rate_init" (initial learning rate of Adam): a number from 1e-05 to 1.0, log scale',
        '"width" (units in every hidden layer): an integer from 16 to 1024, log scale',
    ]
    assert "1e-05, 3.6e-05, 0.00013, 0.00046, 0.0017, 0.006, 0.022, 0.077, 0.28, 1.0]" in lines(GRID, "levels_short")[3]


@pytest.mark.parametrize(
    "benchmark", [GRID, FCNet(), Conditional(levels=3, cache="none")], ids=lambda b: b.problem.name
)
def test_ranges_of_a_grid_are_refused_with_the_way_out(benchmark: Any) -> None:
    with pytest.raises(SettingError, match=r"levels only .*benchmark\.space=nearest.*prompt\.space=levels"):
        ToldSpace(benchmark.problem, "ranges")


@pytest.mark.parametrize("way", ["levels", "ranges", "levels_short"])
@pytest.mark.parametrize("benchmark", [NASBench201(), Conditional(cache="none")], ids=lambda b: b.problem.name)
def test_a_space_without_levels_is_told_in_the_same_words(benchmark: Any, way: str) -> None:
    assert ToldSpace(benchmark.problem, way).problem is benchmark.problem


def test_an_unknown_way_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="levels_short"):
        Prompt(space="short_levels").told(GRID.problem)  # type: ignore[arg-type]


@pytest.mark.parametrize("guise", [{"space": "warped"}, {"space": "shifted"}])
def test_levels_that_a_probe_makes_untrue_are_not_told(guise: dict[str, str]) -> None:
    family = Family((), lambda task: NEAREST)
    shown = probed(NEAREST, family, 0, **guise).problem
    assert space_lines(ToldSpace(shown, "levels").problem) == space_lines(ToldSpace(shown, "ranges").problem)


def test_an_anonymous_probe_keeps_the_levels() -> None:
    family = Family((), lambda task: NEAREST)
    shown = probed(NEAREST, family, 0, names="anonymous").problem
    assert json_schema(ToldSpace(shown, "levels").problem.space)["properties"]["x3"] == {"enum": [1, 2, 3]}


def test_a_range_of_one_float_by_its_short_name_is_in_bounds_as_it_is_meant() -> None:
    space = ConfigurationSpace()
    space.add(Float("x", (0.1234, 0.9996), default=0.5, meta={KEY: [0.1234, 0.5, 0.9996]}))
    told = ToldSpace(Problem("p", space, (Objective("loss", "minimize"),), {"x": 0.5}), "levels_short")
    assert json_schema(told.problem.space)["properties"]["x"] == {"enum": [0.12, 0.5, 1.0]}
    check = Checker(space).proposal
    assert [check(Proposal({"x": x}, short_names=True))[0] for x in (0.12, 1.0)] == [{"x": 0.1234}, {"x": 0.9996}]
