"""The mode of a command from its flags alone."""

from __future__ import annotations

import re

import pytest
from hydra._internal.hydra import Hydra

from harness.choice_files import CONF
from harness.sweep_mode import trust_the_flags


@pytest.mark.parametrize(
    "other", ["hydra.mode=MULTIRUN", "hydra.searchpath=[x]", "+hydra.searchpath=[x]", "--config-name=x", "-cd"]
)
def test_where_another_file_may_set_the_mode_hydra_is_asked(monkeypatch, other):
    before = Hydra.get_mode
    monkeypatch.setattr(Hydra, "get_mode", before)  # restored afterwards
    trust_the_flags(["seed=1", other])
    assert Hydra.get_mode is before
    trust_the_flags(["seed=1"])
    assert Hydra.get_mode is not before


def test_no_file_of_this_project_sets_the_mode():
    texts = {path.name: path.read_text(encoding="utf-8") for path in CONF.rglob("*.yaml")}
    assert not [name for name, text in texts.items() if re.search(r"^\s*mode: *(RUN|MULTIRUN)", text, re.MULTILINE)]
