"""Sweeps and joules by hand: TIME is when everything begins; calls cost 120 tokens unless a test says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.present.render import cells
from analysis.runs.calls import read_calls, read_spans
from analysis.runs.load import load
from analysis.stats.joules import attributed, run_joules
from analysis.stats.material import Material
from analysis.tables.cost import cost_table
from analysis.tables.invalid_proposals import exhibits
from analysis.tables.sweeps import sweep_findings
from harness.errors import RunError
from harness.jsonl import Appender
from tests.support.run_folders import USAGE, at, call, fault, trial, write_run

URL = "http://127.0.0.1:8077/v1"
A, B, SMAC = (f"hpobench.credit_g/{name}/0" for name in ("llm_chat", "llm_tpe", "smac"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "mine"


def used(prompt: int, completion: int = 0) -> dict[str, Any]:
    return USAGE | {"calls": 1, "prompt_tokens": prompt, "completion_tokens": completion, "seconds": 0.5}


def run_of(folder: Path, method: str, *starts: float, **changes: Any) -> None:
    calls = [call(number, "{}", started_at=at(start), **changes) for number, start in enumerate(starts)]
    usage = used(120) if starts else USAGE
    trials = [trial(0, 0.7, usage=usage, ask_seconds=1.5), trial(1, 0.7, usage=usage, ask_seconds=0.5)]
    write_run(folder, method, 0, trials, calls)


def sweep(folder: Path, runs: list[str], start: float = 0, end: float = 100, **changes: Any) -> None:
    counters = {"prompt_tokens": 500, "generation_tokens": 90, "prefix_cache_queries": 400, "prefix_cache_hits": 100}
    line = {
        "started_at": at(start),
        "finished_at": at(end),
        "seconds": end - start,
        "host": "vm",
        "overrides": [],
        "runs": runs,
        "elsewhere": [],
        "energy": {"cpu_joules": None, "gpu_joules": 1000.0, "reasons": {"cpu_joules": "there are no counters"}},
        "server": {"url": URL, "model": "tiny", "counters": counters | {"requests": 4}, "reason": None},
    }
    log = Appender(folder / "sweeps.jsonl")
    log.write(line | changes)
    log.close()


def joules(cpu: float | None, gpu: float | None) -> dict[str, Any]:
    return {"cpu_joules": cpu, "gpu_joules": gpu, "reasons": {}}


def table(folder: Path) -> Any:
    experiment = load(folder)
    (found,) = sweep_findings(Material(experiment)).tables
    return found


def test_without_a_record_there_is_no_table(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 2)
    experiment = load(folder)
    assert sweep_findings(Material(experiment)).tables == ()
    assert run_joules(experiment) == {A: None}


def test_a_sweep_by_hand(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 99)
    run_of(folder, "llm_tpe", -5, 50)  # its first call was made before
    sweep(folder, [A, B])
    (row,) = table(folder).frame.iter_rows(named=True)
    assert (row["seconds"], row["runs"], row["requests"]) == (100, 2, 4)
    assert (row["prompt_tokens"], row["generation_tokens"], row["cached_share"]) == (500, 90, 0.25)
    assert (row["recorded_tokens"], row["unrecorded_tokens"]) == (360, 590 - 360)
    assert (row["gpu_joules"], row["cpu_joules"]) == (1000, None)
    assert "CPU not measured: there are no counters." in table(folder).notes


def test_calls_of_another_server_are_not_compared(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 2)
    run_of(folder, "llm_tpe", 1, 2, server="http://gpu7:8000/v1")
    sweep(folder, [A, B])
    assert table(folder).frame["recorded_tokens"].to_list() == [240]


def test_a_sweep_without_a_model_and_one_whose_server_is_unknown(folder: Path) -> None:
    run_of(folder, "smac")
    run_of(folder, "llm_chat", 20, 30)
    sweep(folder, [SMAC], 0, 10, server=None)
    sweep(folder, [A], 11, 50, server={"url": URL, "model": "m", "counters": None, "reason": "The server was <b>."})
    found = table(folder)
    shown = [dict(zip(cells(found).headers, row, strict=True)) for row in cells(found).rows]
    assert {shown[0][header] for header in ("requests", "prompt tokens", "recorded tokens", "unrecorded tokens")} == {
        "–"
    }
    assert (shown[1]["requests"], shown[1]["unrecorded tokens"], shown[1]["recorded tokens"]) == (
        *["not measured"] * 2,
        "240",
    )
    assert "Server not measured: The server was <b>." in found.notes


def test_joules_go_by_tokens(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 2)
    run_of(folder, "llm_tpe", 1, 2, usage=used(20, 20))
    run_of(folder, "smac")
    sweep(folder, [A, B, SMAC])
    assert run_joules(load(folder)) == {A: pytest.approx(750), B: pytest.approx(250), SMAC: None}
    shown = cells(cost_table(load(folder)))
    by_method = {row[0]: dict(zip(shown.headers, row, strict=True)) for row in shown.rows}
    assert {name: row["energy (J)"] for name, row in by_method.items()} == {
        "llm_chat": "750",
        "llm_tpe": "250",
        "smac": "–",
    }
    assert any(
        note.startswith("energy (J): energy of all GPUs of the machine") for note in cost_table(load(folder)).notes
    )


def test_a_run_that_went_on_in_a_second_sweep_adds_its_parts(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 201)
    run_of(folder, "llm_tpe", 2)
    sweep(folder, [A, B], 0, 100, energy=joules(30.0, 100.0))
    sweep(folder, [A], 200, 300, energy=joules(None, 40.0))
    assert run_joules(load(folder)) == {A: pytest.approx(50 + 40), B: pytest.approx(50)}, "CPU: not in every sweep"


def test_what_both_kinds_measured_is_added_up(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 2)
    sweep(folder, [A], energy=joules(30.0, 100.0))
    assert run_joules(load(folder)) == {A: pytest.approx(130)}


@pytest.mark.parametrize(
    "sweeps",
    [
        [{"energy": joules(None, None)}],  # no counters
        [{"start": 1.5}],  # its first call was made in no sweep
        [{}, {"start": 1.5}],  # its second call in two at a time
        [{"runs": []}],
        [{"energy": None}],
    ],
)
def test_joules_with_an_unknown_part_are_not_measured(folder: Path, sweeps: list[dict[str, Any]]) -> None:
    run_of(folder, "llm_chat", 1, 2)
    for changes in sweeps:
        sweep(folder, **{"runs": [A], **changes})
    assert run_joules(load(folder)) == {A: None}


def test_a_model_on_another_machine_uses_no_joules_of_this_one(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 2, server="https://api.openai.com/v1")
    sweep(folder, [A])
    assert run_joules(load(folder)) == {A: None}


def test_division_by_tokens() -> None:
    assert attributed(9.0, {"a": 1, "b": 2, "c": 0}) == {"a": 3.0, "b": 6.0, "c": 0.0}
    assert attributed(9.0, {"a": 0}) == {"a": 0.0}


def test_a_damaged_record_is_named(folder: Path) -> None:
    run_of(folder, "llm_chat", 1)
    sweep(folder, [A], finished_at=None)
    with pytest.raises(RunError, match=r"sweeps\.jsonl"):
        table(folder)


def test_calls_that_were_given_up_count_for_the_sweep_and_for_no_trial(folder: Path) -> None:
    lost = call(0, "", id=None, error="Nobody answers.", started_at=at(1), usage=used(0) | {"calls": 3})
    lost["reply"] = None
    invented = trial(0, calls=[0], violations=[fault("unparseable")])
    write_run(folder, "llm_chat", 0, [invented], [lost, call(0, "no", started_at=at(9))])
    path = folder / A / "calls.jsonl"
    assert [(found.answered, found.usage.calls) for found in read_calls(path)] == [(False, 3), (True, 1)]
    assert len(read_spans(path)) == 1
    sweep(folder, [A])
    assert run_joules(load(folder)) == {A: pytest.approx(1000)}
    assert [reply.text for exhibit in exhibits(load(folder)) for reply in exhibit.replies] == ["no"]


def test_latency_a_call_and_a_trial(folder: Path) -> None:
    run_of(folder, "llm_chat", 1, 2)
    run_of(folder, "smac")
    write_run(folder, "random_search", 0, [trial(0, 0.7, ask_seconds=0.1), trial(1, 0.7, ask_seconds=0.3)])
    shown = cells(cost_table(load(folder)))
    by_method = {row[0]: dict(zip(shown.headers, row, strict=True)) for row in shown.rows}
    assert (by_method["llm_chat"]["per call (s)"], by_method["llm_chat"]["per trial (s)"]) == ("0.500", "1.00")
    assert (by_method["random_search"]["per call (s)"], by_method["random_search"]["per trial (s)"]) == ("–", "0.200")
