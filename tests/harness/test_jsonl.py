from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RunError
from harness.jsonl import Appender, encode, read_rows


def write(path, *rows):
    log = Appender(path)
    for row in rows:
        log.write(row)
    log.close()


def test_rows_come_back_in_order(tmp_path):
    path = tmp_path / "a" / "log.jsonl"
    write(path, {"a": 1}, {"b": [None, True, "x\ny"]})
    write(path, {"c": 2})
    assert read_rows(path) == [{"a": 1}, {"b": [None, True, "x\ny"]}, {"c": 2}]


def test_an_absent_file_has_no_rows(tmp_path):
    assert read_rows(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("torn", ['{"b": ', "{", '{"b": 1}', '{"b": 1\n', "\x00\x00\n"])
def test_a_torn_last_line_is_dropped_and_the_next_row_stands_alone(tmp_path, torn):
    path = tmp_path / "log.jsonl"
    write(path, {"a": 1})
    with path.open("a") as file:
        file.write(torn)
    assert read_rows(path) == [{"a": 1}]
    write(path, {"c": 3})
    assert read_rows(path) == [{"a": 1}, {"c": 3}]


def test_damage_in_the_middle_is_an_error_that_names_the_line(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"a":1}\n{"b"\n{"c":3}\n')
    with pytest.raises(RunError, match="Line 2"):
        read_rows(path)


def test_each_row_is_flushed(tmp_path):
    log = Appender(tmp_path / "log.jsonl")
    log.write({"a": 1})
    assert read_rows(tmp_path / "log.jsonl") == [{"a": 1}]
    log.close()


def test_numbers_that_json_lacks_become_texts():
    row = {"a": math.nan, "b": [math.inf, {"c": -math.inf}]}
    assert json.loads(encode(row)) == {"a": "NaN", "b": ["Infinity", {"c": "-Infinity"}]}


@given(st.text())
def test_any_text_survives(text):
    assert json.loads(encode({"reply": text})) == {"reply": text}


def test_lone_surrogates_and_line_separators_survive():
    line = encode({"reply": "\ud800 \u2028 \r\n \x00"})
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["reply"] == "\ud800 \u2028 \r\n \x00"
