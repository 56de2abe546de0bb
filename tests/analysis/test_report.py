"""The report page, above all when replies are hostile."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from analysis.report import report
from analysis.report.outputs import publish
from analysis.report.report import group_exhibits, inline_svg
from analysis.runs.load import load
from analysis.tables.invalid_proposals import exhibits
from harness.visible import visible
from tests.support.run_folders import call, fault, noisy_experiment, noisy_trade_offs, trial, write_run

HOSTILE = {
    "script": "</pre><script>alert(1)</script><img src=x onerror=alert(2)>",
    "template": "{{ 7 * 7 }} {% raw %} ]]> <!-- --> &lt;b&gt; \" ' `",
    "control": "a\x00b\x1b[31mc\x7f\x85d\r\n\te",
    "surrogate": "lone \ud800 and \udfff",
    "right to left": "abc \u202egnp.exe\u202c \u2066x\u2069 \u200f \u061c",
    "invisible": "zero\u200bwidth \ufeff \u2028 \u2029 \U000e0041 \ufdd0 \U0010ffff",
    "formula": '=HYPERLINK("http://x","y")',
    "empty": "",
}


class Parsed(HTMLParser):
    """Tags in order, the text of every <pre>, and whether tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pres: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it."""
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "input"}:
            self.open.append(tag)
        if tag == "pre":
            self.pres.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """It must close the innermost open tag."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect what stands in <pre>."""
        if self.open and self.open[-1] == "pre":
            self.pres[-1] += data


def _publish(folder: Path) -> tuple[str, Parsed]:
    html = publish(folder, folder).read_bytes().decode("utf-8")
    return html, Parsed(html)


def test_hostile_replies_are_shown_and_do_nothing(tmp_path: Path) -> None:
    rows = [
        trial(i, proposed={text: text}, violations=[fault("unknown", text, text)], calls=[i])
        for i, text in enumerate(HOSTILE.values())
    ]
    calls = [call(i, text, model=HOSTILE["surrogate"]) for i, text in enumerate(HOSTILE.values())]
    write_run(tmp_path / "runs", "llm_chat", 0, rows, calls)
    html, page = _publish(tmp_path / "runs")
    assert page.open == []
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in page.tags}
    assert not {name for _, attributes in page.tags for name in attributes if name.startswith("on")}
    for text in HOSTILE.values():
        assert (visible(text) or "(empty)") in page.pres
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\ud800-\udfff]", html
    )


@pytest.mark.slow
def test_the_page_runs_no_script_but_its_own(tmp_path: Path) -> None:
    html, _ = _publish(noisy_experiment(tmp_path / "runs", seeds=1, proposals=4))
    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_hidden_characters_are_written_out() -> None:
    assert visible("a\u202eb\x00\ud800\n\tc é 漢 😀") == "a⟨U+202E⟩b⟨U+0000⟩⟨U+D800⟩\n\tc é 漢 😀"


def test_a_huge_reply_is_cut_and_whole_in_the_csv(tmp_path: Path) -> None:
    huge = "<b>" * 350_000
    write_run(
        tmp_path / "runs",
        "llm_chat",
        0,
        [trial(0, violations=[fault("unparseable")], proposed=None, calls=[0])],
        [call(0, huge)],
    )
    html, page = _publish(tmp_path / "runs")
    assert len(html) < 500_000
    assert any(text.endswith("[... 1,048,000 more characters, in tables/invalid_proposals.csv]") for text in page.pres)
    csv.field_size_limit(10_000_000)
    with (tmp_path / "runs/tables/invalid_proposals.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert json.loads(row["replies"]) == [huge]


def test_the_csv_is_lossless_ascii_without_formulas(tmp_path: Path) -> None:
    rows = [trial(i, violations=[fault("unparseable")], calls=[i]) for i in range(len(HOSTILE))]
    write_run(tmp_path / "runs", "llm_chat", 0, rows, [call(i, text) for i, text in enumerate(HOSTILE.values())])
    _publish(tmp_path / "runs")
    path = tmp_path / "runs/tables/invalid_proposals.csv"
    assert path.read_bytes().isascii()
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [json.loads(row["replies"])[0] for row in found] == list(HOSTILE.values())
    assert not [cell for row in found for cell in row.values() if cell[:1] in {"=", "+", "-", "@"}]


def test_every_violation_is_put_in_words(tmp_path: Path) -> None:
    faults = [
        fault("truncated"),
        fault("missing", "depth"),
        fault("wrong_type", "depth", "three"),
        fault("out_of_range", "depth", 16),
        fault("not_a_choice", "kernel", "rbff"),
        fault("inactive", "gamma", 0.1),
        fault("forbidden", None, {"a": 1}),
        fault("unknown", "lr", "x" * 500),
    ]
    write_run(tmp_path / "runs", "llm_chat", 0, [trial(0, violations=faults)])
    (item,) = exhibits(load(tmp_path / "runs"))
    assert item.violations[1:7] == (
        "depth is missing",
        'depth = "three" has the wrong type',
        "depth = 16 is out of range",
        'kernel = "rbff" is not one of the allowed values',
        "gamma = 0.1 is given although it is not active in this configuration",
        'the combination {"a": 1} is forbidden',
    )
    assert "cut off" in item.violations[0]
    assert item.violations[7] == "lr is not a hyperparameter of this space"


def test_missing_replies_are_said_to_be_missing(tmp_path: Path) -> None:
    invalid: dict[str, Any] = {"violations": [fault("missing", "depth")]}
    write_run(tmp_path / "runs", "llm_chat", 0, [trial(0, calls=[0, 1], **invalid)])  # without calls.jsonl
    write_run(tmp_path / "runs", "cmaes", 0, [trial(0, **invalid)])
    classical, model = group_exhibits(exhibits(load(tmp_path / "runs")))
    assert model.faults["unreadable: missing"][0].note == "2 of 2 replies are not recorded."
    assert classical.faults["unreadable: missing"][0].note == "No language model was asked for this proposal."


def test_above_the_cap_rare_faults_are_still_shown(tmp_path: Path) -> None:
    rows = [trial(i, violations=[fault("missing", "depth")]) for i in range(20)]
    rows.append(trial(20, violations=[fault("forbidden")]))
    write_run(tmp_path / "runs", "llm_chat", 0, rows)
    (group,) = group_exhibits(exhibits(load(tmp_path / "runs")), most=5)
    assert (group.count, group.shown) == (21, 5)
    assert {fault: len(items) for fault, items in group.faults.items()} == {
        "invented: forbidden": 1,
        "unreadable: missing": 4,
    }
    assert next(iter(group.faults)) == "invented: forbidden", "groups come in their order, however few"


def test_the_page_says_what_it_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MOST_SHOWN", 500)
    rows = [trial(i, violations=[fault("missing", "depth")]) for i in range(501)]
    write_run(tmp_path / "runs", "llm_chat", 0, rows)
    write_run(tmp_path / "runs", "llm_chat", 1, [], status="running")
    html, _ = _publish(tmp_path / "runs")
    assert "500 of 501 are shown here" in html
    assert "1 run is not complete and left out: hpobench.credit_g/llm_chat/1 (running)." in html


@pytest.mark.slow
def test_the_page_is_complete_and_reproducible(tmp_path: Path) -> None:
    folder = noisy_experiment(tmp_path / "quickstart", seeds=2, proposals=5)
    html, page = _publish(folder)
    assert _publish(folder)[0] == html
    assert [tag for tag, _ in page.tags].count("table") == len(list((folder / "tables").glob("*.md")))
    assert [tag for tag, _ in page.tags].count("svg") == len(list((folder / "figures").glob("*.svg"))) >= 2
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {str(attributes["href"]) for tag, attributes in page.tags if tag == "a"}
    for link in links:
        assert link[1:] in ids if link.startswith("#") else (folder / "report" / link).exists()
    assert "proposals were invalid" in html
    assert "smollm2: smollm2-135m-instruct" in html
    assert "hush" not in html


def test_objectives_test_scores_and_failures_have_their_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html, page = _publish(noisy_trade_offs(tmp_path / "live", seeds=2, proposals=5))
    further = {"pareto", "generalization", "leak", "failures", "attainment", "hypervolume"}
    assert further <= {attributes.get("id") for _, attributes in page.tags}
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 5  # of costs, the clock alone
    assert "gamma | is &lt;0" in html
    written = {path.stem for path in (tmp_path / "live").glob("*s/*")}
    assert further <= written
    printed = capsys.readouterr().out
    for text in ("Pareto fronts", "Validation versus test", "Effect of training on", "Failed evaluations"):
        assert text in printed
    for text in ("versus", "Mean final hypervolume (mean of 2 tasks)", "increases the gap between validation and test"):
        assert text in printed.replace("\n", " ")


def test_no_invalid_proposal_is_said_so(tmp_path: Path) -> None:
    write_run(tmp_path / "runs", "smac", 0, [trial(0, 0.7)])
    assert "every proposal was a configuration" in _publish(tmp_path / "runs")[0]


def test_figures_on_one_page_keep_their_ids_apart() -> None:
    svg = '<?xml version="1.0"?>\n<svg xmlns="s"><path id="a" clip-path="url(#b)"/><use xlink:href="#a"/></svg>'
    assert inline_svg("f", svg).endswith('<path id="f-a" clip-path="url(#f-b)"/><use xlink:href="#f-a"/></svg>')
