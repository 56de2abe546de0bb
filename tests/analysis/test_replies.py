from __future__ import annotations

import pytest

from analysis.runs import answers as replies
from analysis.runs.answers import read_answers
from harness.errors import RunError
from tests.support.run_folders import call, trial, write_run

SHOWN = [{"role": "user", "content": '{"depth": 2}'}]
NONE = {"replies": 0, "copy": None, "refusal": None, "cut_off": None}


def answers(tmp_path, rows, calls):
    folder = write_run(tmp_path / "runs", "llm_chat", 0, rows, calls)
    return read_answers(rows, folder / "calls.jsonl")


def test_every_row_in_order(tmp_path):
    rows = [
        trial(0, 0.7),
        trial(1, 0.7, proposed={"depth": 2}, calls=[0]),
        trial(2, proposed=None, calls=[1]),
        trial(3, proposed=None, calls=[2]),
        trial(4, 0.7, proposed={"depth": 1}, calls=[0]),
    ]
    calls = [call(0, '{"depth": 2}', messages=SHOWN), call(1, "I cannot."), call(2, "depth 2")]
    assert answers(tmp_path, rows, calls) == [
        NONE,
        {"replies": 1, "copy": True, "refusal": False, "cut_off": False},
        {"replies": 1, "copy": False, "refusal": True, "cut_off": False},
        {"replies": 1, "copy": False, "refusal": False, "cut_off": False},
        {"replies": 1, "copy": False, "refusal": False, "cut_off": False},
    ]


def test_of_several_replies_one_is_enough(tmp_path):
    rows = [trial(0, 0.7, proposed={"depth": 2}, calls=[0, 1]), trial(1, proposed=None, calls=[0, 1])]
    calls = [call(0, "well"), call(1, "I cannot.", messages=SHOWN)]
    assert [(each["copy"], each["refusal"]) for each in answers(tmp_path, rows, calls)] == [
        (True, False),
        (False, True),
    ]


def test_a_call_that_is_not_on_record_leaves_it_unknown(tmp_path):
    rows = [trial(0, 0.7, proposed={"depth": 2}, calls=[0, 7]), trial(1, 0.7, calls=[1])]
    calls = [call(0, "{}", messages=SHOWN), call(1, "{}", messages=None)]
    assert [each["copy"] for each in answers(tmp_path, rows, calls)] == [None, None]


def test_without_replies_the_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(replies, "call_lines", lambda path: pytest.fail("read"))
    assert answers(tmp_path, [trial(0, 0.7)], [call(0, "{}")]) == [NONE]


def test_a_damaged_file_is_said(tmp_path):
    rows = [trial(0, 0.7, calls=[0])]
    folder = write_run(tmp_path / "runs", "llm_chat", 0, rows)
    (folder / "calls.jsonl").write_text('{"id": 0\n{"id": 1}\n')
    with pytest.raises(RunError, match="is not JSON"):
        read_answers(rows, folder / "calls.jsonl")


def test_a_reply_that_hit_its_limit_is_cut_off_whatever_could_be_read(tmp_path):
    rows = [trial(0, 0.7, calls=[0]), trial(1, proposed=None, calls=[1]), trial(2, 0.7, calls=[2, 1])]
    rows += [trial(3, 0.7, calls=[3]), trial(4, 0.7, calls=[2])]
    ends = ["length", "length", "stop", None]
    calls = [call(number, '{"depth": 1} and', finish_reason=ended) for number, ended in enumerate(ends)]
    assert [each["cut_off"] for each in answers(tmp_path, rows, calls)] == [True, True, True, None, False]
