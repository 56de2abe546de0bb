"""Estimates of money and FLOPs."""

from __future__ import annotations

import pytest

from analysis.runs.load import load
from analysis.stats.bills import bills
from analysis.stats.material import Material
from analysis.stats.prices import read_prices
from analysis.tables.money import money_findings
from tests.support.run_folders import USAGE, at, call, trial, write_run

TABLE = """
machine_hours:
  mine: {price: 3600, currency: EUR, as_of: 2025-05-01, source: my own bill}
models:
  hourly: {parameters: 1000, machine: mine}
  a-p-i:
    tokens: {prompt: 1, cached_prompt: 0.5, completion: 4, currency: USD, as_of: 2025-06-01, source: their list}
"""


@pytest.fixture
def prices(tmp_path):
    (tmp_path / "my.yaml").write_text(TABLE)
    return read_prices(tmp_path / "my.yaml")


def row(index, prompt, cached, completion):
    tokens = {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion}
    return trial(index, 0.7, usage=USAGE | tokens | {"calls": 1, "seconds": 1.0}, calls=[index])


def calls_at(*starts, seconds=1.0, **changes):
    return [call(i, "x", started_at=at(start), seconds=seconds, **changes) for i, start in enumerate(starts)]


def test_tokens_are_paid_by_kind(tmp_path, prices):
    rows = [row(0, 1000, 0, 100), row(1, 2000, 1500, 0)]
    write_run(tmp_path / "runs", "llm_chat", 0, rows, calls_at(0, 1, model="a-p-i"))
    (bill,) = bills(load(tmp_path / "runs"), prices).values()
    assert bill.amounts == pytest.approx([1000e-6 + 400e-6, 500e-6 + 750e-6])
    assert bill.flops is None  # nobody knows its parameters


def test_machine_hours_are_shared_by_tokens_where_calls_overlap(tmp_path, prices):
    # Seconds 0-1 and 0.5-1.5 and 10-11: 2.5 s at 1 EUR a second; 300 and 100 tokens.
    write_run(
        tmp_path / "runs", "llm_chat", 0, [row(0, 100, 50, 50), row(1, 140, 0, 10)], calls_at(0, 10, model="hourly")
    )
    write_run(tmp_path / "runs", "llm_chat", 1, [row(0, 90, 0, 10)], calls_at(0.5, model="hourly"))
    first, second = bills(load(tmp_path / "runs"), prices).values()
    assert first.amounts == pytest.approx([2.5 * 150 / 400, 2.5 * 150 / 400])
    assert second.money == pytest.approx(2.5 * 100 / 400)
    assert first.flops == 2 * 1000 * (150 + 150)
    assert first.computed_flops == 2 * 1000 * (100 + 150)


def test_a_local_server_is_another_machine_on_another_host(tmp_path, prices):
    for seed, host in enumerate(("one", "two")):
        calls = calls_at(0, model="hourly")
        write_run(tmp_path / "runs", "llm_chat", seed, [row(0, 90, 0, 10)], calls, host=host)
        calls = calls_at(0, model="hourly", server="https://models.example.org/v1")
        write_run(tmp_path / "runs", "llm_other", seed, [row(0, 90, 0, 10)], calls, host=host)
    found = bills(load(tmp_path / "runs"), prices)
    assert {id_.split("/")[1]: bill.money for id_, bill in found.items()} == {"llm_chat": 1.0, "llm_other": 0.5}


def test_what_was_not_counted_or_has_no_price_is_unknown(tmp_path, prices):
    write_run(tmp_path / "runs", "llm_chat", 0, [row(0, 9, None, 1)], calls_at(0, model="a-p-i"))
    write_run(tmp_path / "runs", "llm_hourly", 0, [row(0, 9, None, 1)], calls_at(0, model="hourly"))
    write_run(tmp_path / "runs", "llm_lost", 0, [row(0, 9, 0, 1)], config={"llm": {"model": "hourly"}})
    write_run(tmp_path / "runs", "llm_new", 0, [row(0, 9, 0, 1)], calls_at(0, model="new<b>\u202e"))
    found = {id_.split("/")[1]: bill for id_, bill in bills(load(tmp_path / "runs"), prices).items()}
    assert found["llm_chat"].money is None
    assert (found["llm_hourly"].flops, found["llm_hourly"].computed_flops) == (20_000, None)
    assert found["llm_hourly"].money == 1.0
    assert (found["llm_lost"].flops, found["llm_lost"].money) == (20_000, None)
    assert (found["llm_new"].flops, found["llm_new"].money) == (None, None)
    (table,) = money_findings(Material(load(tmp_path / "runs"), prices)).tables
    assert any("No price is known for new<b>⟨U+202E⟩; set a price table" in note for note in table.notes)


def test_the_table_says_by_what_and_as_of_when(tmp_path, prices):
    for seed in range(2):
        write_run(tmp_path / "runs", "random_search", seed, [trial(0, 0.7)])
        write_run(tmp_path / "runs", "llm_chat", seed, [row(0, 900, 0, 100)], calls_at(seed * 10, model="hourly"))
        write_run(tmp_path / "runs", "llm_api", seed, [row(0, 900, 0, 100)], calls_at(seed * 10, model="a-p-i"))
    (table,) = money_findings(Material(load(tmp_path / "runs"), prices)).tables
    api, chat = table.frame.to_dicts()
    assert (chat["method"], chat["runs"], chat["tokens"], chat["teraflops"]) == ("llm_chat", 2, 1000, 2e-6)
    assert (chat["money"], chat["currency"], chat["basis"], chat["as_of"]) == (
        1.0,
        "EUR",
        "machine hours",
        "2025-05-01",
    )
    assert (api["money"], api["currency"], api["basis"]) == (pytest.approx(0.0013), "USD", "tokens")
    notes = " ".join(table.notes)
    assert "Estimated" in table.title
    for text in (
        "my.yaml",
        "2 x parameters x",
        "my own bill",
        "as of 2025-06-01: their list",
        "3600 EUR per machine hour",
    ):
        assert text in notes


def test_without_a_language_model_there_is_no_table(tmp_path, prices):
    write_run(tmp_path / "runs", "smac", 0, [trial(0, 0.7)])
    assert money_findings(Material(load(tmp_path / "runs"), prices)).tables == ()
