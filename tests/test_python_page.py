"""The code of docs/python.md runs, on recorded runs."""

from __future__ import annotations

import re

from docs.generate import ROOT
from harness.run_files import run_files
from tests.support.recorded import RESULTS, restore


def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    for run in run_files(RESULTS / "quickstart"):
        if run.parent.name == "0":
            restore(run.parent, tmp_path / run.parent.relative_to(ROOT))
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names = {}
    exec("".join(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)), names)
    assert names["rows"].height == len(names["frame"]) == 8 * 20
    assert set(names["faults"]["method"]) == {"SmolLM2 135M, free"}
    assert names["seconds"].height == 1
    assert names["best"]["task"].n_unique() == 2
    assert names["invalid"].height == 4
