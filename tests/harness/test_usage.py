"""Cost of language-model calls: a quantity is one line of ``Usage``, and everything else follows from it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from harness.rows import to_row
from harness.trial import USAGE, Proposal, Trial, Usage

ONE = Usage(**{each.name: 2 if each.whole else 0.5 for each in USAGE})
WITH_ENERGY = """
import sys, tempfile, types
from pathlib import Path

import harness

source = Path(harness.__path__[0], "trial.py").read_text(encoding="utf-8")
line = "    energy: float | None = _quantity(0.0, 'J', 'Energy', 'it was not measured', heading='LLM energy (J)')\\n"
changed = source.replace("    def __add__(self, other: Usage)", line + "\\n    def __add__(self, other: Usage)")
assert changed != source
module = sys.modules["harness.trial"] = harness.trial = types.ModuleType("harness.trial")
exec(compile(changed, "trial.py", "exec"), module.__dict__)

from analysis.runs.frames import calls, load, trials
from analysis.tables.cost import cost_table
from docs.generate import filled
from harness.contract import check_proposal
from harness.rows import to_row
from harness.trial import Proposal, Trial, Usage
from harness.trial_metrics import TrialMetrics
from llms.wire.counts import read_usage
from tests.support.run_folders import OBJECTIVE, call, trial, write_run

assert read_usage({"prompt_tokens": 3}, 1, 0.5, False).energy is None, "the server did not say"
used = [Usage(1, 10, energy=1.5), Usage(1, 20, energy=2.0)]
rows = [trial(i, 0.7, usage=to_row(Trial(i, Proposal({}, usage=each)), "")["usage"]) for i, each in enumerate(used)]
assert sum(used, Usage()).energy == 3.5
metrics = TrialMetrics({"objectives": [OBJECTIVE]})
assert metrics.add(rows[0])["cost/energy"] == 1.5
assert metrics.add(rows[1])["total/energy"] == 3.5
check_proposal(Proposal({}, usage=used[0]), object())
for wrong in (-1.0, "1", float("nan")):
    try:
        check_proposal(Proposal({}, usage=Usage(energy=wrong)), object())
    except Exception as error:
        assert "whose usage is" in str(error)
    else:
        raise AssertionError(wrong)
folder = Path(tempfile.mkdtemp())
write_run(folder, "llm_chat", 0, rows, calls=[call(0, "{}", usage=rows[0]["usage"])])
write_run(folder, "tpe", 0, [trial(0, 0.7)])
experiment = load(folder)
assert trials(experiment).sort("run", "index")["energy"].to_list() == [1.5, 2.0, None], "null in an older record"
assert calls(experiment)["energy"].to_list() == [1.5]
costs = {row["method"]: row["energy"] for row in cost_table(experiment).frame.to_dicts()}
assert costs == {"smollm2": 3.5, "TPE": None}
page = filled("<!-- generated: usage usage. -->\\n<!-- generated: usage cost/ -->\\n<!-- generated: columns trials -->")
for key in ("usage.energy", "cost/energy", "energy"):
    assert f"| `{key}` |" in page, key
"""


def test_a_quantity_is_added_by_one_line():
    done = subprocess.run([sys.executable, "-c", WITH_ENERGY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("each", USAGE, ids=lambda each: each.name)
def test_every_quantity_adds_up_and_is_read_back(each):
    value = getattr(ONE, each.name)
    assert getattr(ONE + ONE, each.name) == 2 * value
    row = to_row(Trial(0, Proposal({}, usage=ONE)), "")["usage"]
    assert row[each.name] == value
    assert Usage.read(row) == ONE
    if each.null is not None:
        unknown = dataclasses.replace(ONE, **{each.name: None})
        assert getattr(ONE + unknown, each.name) is None
    del row[each.name]
    if each.older == "needed":
        with pytest.raises(KeyError, match=each.name):
            Usage.read(row)
    else:
        assert getattr(Usage.read(row), each.name) == each.older
