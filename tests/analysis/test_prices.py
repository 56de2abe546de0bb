"""The price table: ours holds, and every mistake in another is one sentence."""

from __future__ import annotations

import pytest

from analysis.__main__ import main
from analysis.stats.prices import HourPrice, TokenPrice, read_prices
from harness.errors import SettingError
from tests.support.run_folders import trial, write_run

DATED = "currency: EUR, as_of: 2025-05-01, source: me"
WHOLE = f"""
machine_hours:
  mine: {{price: 2, {DATED}}}
models:
  a: {{parameters: 7, machine: mine}}
  b: {{tokens: {{prompt: 1, completion: 4, {DATED}}}, machine: mine}}
  c: {{}}
"""


def test_our_table_is_whole_and_dated():
    models = read_prices().models
    assert models["smollm2-135m-instruct"].parameters == 134_515_008
    assert models["Qwen/Qwen2.5-7B-Instruct"].parameters == 7_615_616_512
    assert models["gpt-4o-mini"].parameters is None
    mini = models["gpt-4o-mini"].price
    assert isinstance(mini, TokenPrice)
    assert (mini.prompt, mini.cached_prompt, mini.completion, mini.currency) == (0.15, 0.075, 0.6, "USD")
    assert all(model.price and model.price.as_of[:2] == "20" for model in models.values())


def test_tokens_come_before_machines_and_no_discount_is_the_price(tmp_path):
    (tmp_path / "p.yaml").write_text(WHOLE)
    found = read_prices(tmp_path / "p.yaml")
    assert found.name == "p.yaml"
    assert found.models["a"].price == HourPrice(2.0, "EUR", "2025-05-01", "me")
    assert found.models["b"].price == TokenPrice(1.0, 1.0, 4.0, "EUR", "2025-05-01", "me")
    assert found.models["c"].price is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("machine: mine}", "machine: mien}", "Unknown machine of models.a 'mien'; did you mean 'mine'?"),
        ("parameters: 7", "parametres: 7", "Unknown key of models.a 'parametres'; did you mean 'parameters'?"),
        ("parameters: 7", "parameters: 7B", "models.a.parameters is '7B'; give a whole number"),
        ("price: 2", "price: -2", "machine_hours.mine.price is -2; give a number"),
        ("price: 2", "price: .inf", "machine_hours.mine.price is inf; give a number"),
        ("completion: 4", "completion: four", "models.b.tokens.completion is 'four'"),
        ("prompt: 1,", "", "models.b.tokens.prompt is None"),
        (f"price: 2, {DATED}", "price: 2", "machine_hours.mine lacks currency"),
        ("c: {}", "c: 3", "Models.c is 3; give a mapping"),
        ("models:", "modles:", "Unknown key of the price table 'modles'; did you mean 'models'?"),
        ("models:", "models: {", "is not YAML (line"),
        (WHOLE, "- a\n", "The price table is ['a']; give a mapping"),
    ],
)
def test_every_mistake_is_one_sentence(tmp_path, old, new, said):
    (tmp_path / "p.yaml").write_text(WHOLE.replace(old, new, 1))
    with pytest.raises(SettingError) as raised:
        read_prices(tmp_path / "p.yaml")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_command_takes_another_table(tmp_path, capsys):
    write_run(tmp_path / "runs/one", "smac", 0, [trial(0, 0.7)])
    assert main([str(tmp_path / "runs/one"), "--prices", str(tmp_path / "none.yaml")]) == 2
    error = capsys.readouterr().err
    assert "none.yaml' cannot be read: No such file or directory; see " in error
    assert error.count("\n") == 1
