"""Settings that every family takes: what is wrong is said in one sentence, with the nearest valid value."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.fcnet import FCNet
from benchmarks.hpobench.hpobench import HPOBench
from benchmarks.nasbench201 import NASBench201
from benchmarks.shared.setting_checks import checked_seed, one_of, refuse_fidelity
from benchmarks.toy import Toy
from harness.errors import SettingError


def test_one_of_names_the_nearest() -> None:
    assert one_of("color", "red", ("red", "blue")) == "red"
    with pytest.raises(SettingError, match=r"Unknown color 'rad'; did you mean 'red'\? Valid: blue, red\."):
        one_of("color", "rad", ("red", "blue"))


@pytest.mark.parametrize("value", [None, 0, 4])
def test_seeds_that_exist(value: int | None) -> None:
    assert checked_seed(value, 5) == value


@pytest.mark.parametrize(
    ("value", "hint"), [(5, "did you mean 4?"), (-1, "did you mean 0?"), (True, ""), (1.0, ""), ("0", ""), ("mean", "")]
)
def test_seeds_that_do_not(value: Any, hint: str) -> None:
    with pytest.raises(SettingError) as error:
        checked_seed(value, 5)
    assert repr(value) in str(error.value)
    assert hint in str(error.value)
    assert "Give 0 to 4 for one seed, or null for their mean." in str(error.value)


@pytest.mark.parametrize("fidelity", [None, {}])
def test_the_highest_fidelity_is_let_through(fidelity: dict[str, float] | None) -> None:
    refuse_fidelity(fidelity, "x.y")


@pytest.mark.parametrize("family", [HPOBench, FCNet, NASBench201])
def test_no_family_takes_another_fidelity(family: Any) -> None:
    benchmark = family()
    with pytest.raises(ValueError, match=r"has no fidelities, but \{'epochs': 3\}"):
        benchmark.evaluate(benchmark.problem.default, {"epochs": 3}, 0)


@pytest.mark.parametrize("family", [HPOBench, FCNet, NASBench201, Toy])
def test_no_family_takes_an_unknown_task(family: Any) -> None:
    misspelt = family.tasks[0] + "x"
    with pytest.raises(SettingError, match=rf"Unknown \w+ task '{misspelt}'; did you mean '{family.tasks[0]}'\?"):
        family(task=misspelt)


@pytest.mark.parametrize(("family", "seeds"), [(HPOBench, 5), (FCNet, 4), (NASBench201, 2)])
def test_each_family_knows_its_seeds(family: Any, seeds: int) -> None:
    family(table_seed=seeds - 1)
    with pytest.raises(SettingError, match=f"table_seed is {seeds}; did you mean {seeds - 1}?"):
        family(table_seed=seeds)
