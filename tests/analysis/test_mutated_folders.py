"""A run's folder in which one value is another: left out by name or analysed, never a traceback."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import publish
from analysis.__main__ import main
from harness.experiment import CONF

RECORDED = CONF.parent / "results/quickstart/hpobench.credit_g"
VALUES = [
    None,
    True,
    -1,
    0,
    1.5,
    1e308,
    10**30,
    "",
    "../../etc",
    "NaN",
    "Infinity",
    "2026-01-01",
    [],
    {},
    [[[]]],
    {"_target_": "os.system"},
    "\ud800\x1b[31m",
]


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value[:4]) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*place, key))


def mutated(document: Any, draw: st.DataObject) -> Any:
    """The document with one value replaced or one key gone."""
    changed = copy.deepcopy(document)
    place = draw.draw(st.sampled_from([place for place in places(changed) if place]))
    node = changed
    for key in place[:-1]:
        node = node[key]
    if isinstance(node, dict) and draw.draw(st.integers(0, 4)) == 0:
        del node[place[-1]]
    else:
        node[place[-1]] = draw.draw(st.sampled_from(VALUES))
    return changed


@pytest.mark.parametrize("name", ["run.json", "trials.jsonl", "calls.jsonl"])
def test_one_value_is_another(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_write_figures", lambda source, folder: ())

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def analysed(draw: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            experiment = Path(scratch) / "experiment"
            for method in ("llm_chat", "random_search"):
                shutil.copytree(RECORDED / method / "0", experiment / "hpobench.credit_g" / method / "0")
            path = experiment / "hpobench.credit_g/llm_chat/0" / name
            lines = [path.read_text()] if name == "run.json" else path.read_text().splitlines()
            number = draw.draw(st.integers(0, len(lines) - 1))
            lines[number] = json.dumps(mutated(json.loads(lines[number]), draw))
            path.write_text("\n".join(lines) + "\n")
            assert main([str(experiment), "--output", f"{scratch}/out"]) in (0, 1, 2)

    analysed()
