"""Longest replies compared by hand: which methods are compared, and what each limit did."""

from __future__ import annotations

import pytest

from analysis.runs.load import load
from analysis.runs.variants import settings
from analysis.stats.material import Material
from analysis.tables.hallucination import hallucination_table
from analysis.tables.token_limits import limit_findings
from tests.support.run_folders import USAGE, call, fault, trial, write_run


def config(limit, mode="free", **more):
    decoding = {"mode": mode, "max_tokens": limit}
    return {"optimizer": {"_target_": "optimizers.llm_chat.LLMChat", "decoding": decoding}, "decoding": decoding} | more


def run(folder, method, limit, ends, faults, seed=0, **changes):
    """A trial for each finish reason and list of faults; one without any comes out at 0.75."""
    rows, calls = [], []
    for index, (end, found) in enumerate(zip(ends, faults, strict=True)):
        usage = USAGE | {"calls": 1, "prompt_tokens": 100, "completion_tokens": limit, "seconds": 1.0}
        violations = [fault(each, "depth", 9) for each in found]
        rows.append(trial(index, None if found else 0.75, violations=violations, calls=[index], usage=usage))
        calls.append(call(index, "{}", finish_reason=end))
    write_run(folder, method, seed, rows, calls, config=config(limit) | changes)


@pytest.fixture
def folder(tmp_path):
    """The methods' names say nothing of the limit: configurations are what is read."""
    long = [("stop", "length", "length"), ([], ["unknown", "not_a_choice"], ["forbidden"])]
    run(tmp_path, "llm_chat+b", 400, *long, seed=0)
    run(tmp_path, "llm_chat+a", 120, ("length", "length", "length"), (["truncated"], ["truncated"], ["missing"]), 0)
    run(tmp_path, "llm_chat+a", 120, ("stop", "stop", "stop"), ([], [], []), 1)
    run(tmp_path, "llm_chat+other", 400, *long, repair={"_target_": "harness.repair.Clamp"})
    for number, limit in enumerate(("400", [], None, 1.5, True)):  # somebody else's run.json
        run(tmp_path, f"llm_chat+odd{number}", 400, *long, decoding={"mode": "free", "max_tokens": limit})
    write_run(tmp_path, "smac", 0, [trial(0, 0.7)] * 1, config={"optimizer": {"_target_": "x"}, "decoding": None})
    return tmp_path


def test_methods_that_differ_in_the_limit_alone_are_compared_whatever_they_are_called(folder):
    assert settings(load(folder).runs, "decoding", "max_tokens") == ({120: "llm_chat+a", 400: "llm_chat+b"},)
    assert settings(load(folder).runs, "decoding", "mode") == ()


def test_each_limit_over_the_shared_runs(folder):
    experiment = load(folder)
    found = limit_findings(Material(experiment))
    short, long = found.tables[0].frame.iter_rows(named=True)
    assert (short["limit"], short["proposals"], short["completion_tokens"]) == (120, 3, 120)
    assert (short["cut_off"], short["truncated"], short["invalid"], short["invented"]) == (1, 2 / 3, 1, 0)
    assert (long["cut_off"], long["truncated"], long["invalid"], long["invented"]) == (2 / 3, 0, 2 / 3, 2 / 3)
    assert found.said[0].startswith(
        "A limit of 120 tokens cuts off 100 % of the replies to llm_chat+a, a limit of 400 tokens 66.7 %"
    )


def test_an_experiment_with_one_limit_has_no_such_table(tmp_path):
    run(tmp_path, "llm_chat", 120, ("stop",), ([],))
    run(
        tmp_path,
        "llm_chat+decoding=json_schema",
        400,
        ("stop",),
        ([],),
        decoding=config(400, "json_schema")["decoding"],
    )
    experiment = load(tmp_path)
    assert limit_findings(Material(experiment)).tables == ()


def test_cut_off_stands_beside_the_faults_for_those_who_have_replies(folder):
    table = hallucination_table(load(folder))
    shares = dict(zip(table.frame["method"], table.frame["cut_off"], strict=True))
    shares = {method: share for method, share in shares.items() if "odd" not in method}
    assert shares == {"smac": None, "llm_chat+a": 0.5, "llm_chat+b": 2 / 3, "llm_chat+other": 2 / 3}
    assert (table.frame["method"].to_list().index("smac"), "cut_off") in table.inapplicable
