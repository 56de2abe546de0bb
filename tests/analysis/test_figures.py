"""Figures: reproducible, complete, and drawn where something is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.figures.anytime import anytime_figure
from analysis.figures.fault_figure import fault_figure, filed_shares
from analysis.figures.figures import draw
from analysis.runs.load import load
from analysis.stats.material import Material
from tests.support.run_folders import OBJECTIVE, fault, noisy_experiment, trial, write_run


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    experiment = load(noisy_experiment(tmp_path / "runs", seeds=2, proposals=6))
    for figure in (anytime_figure, fault_figure):
        first = draw(figure, "name", Material(experiment))
        assert draw(figure, "name", Material(experiment)) == first
        assert "dc:date" not in first[0]
        assert first[1].startswith(b"\x89PNG")


def _texts(figure: Any) -> set[str]:
    legend = [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []
    return (
        {axis.get_title(loc="left") for axis in figure.axes} | {axis.get_ylabel() for axis in figure.axes} | set(legend)
    )


@pytest.mark.filterwarnings("error")
def test_one_panel_a_task_and_one_of_their_mean(tmp_path: Path) -> None:
    experiment = load(noisy_experiment(tmp_path / "runs", seeds=1, proposals=20))
    texts = _texts(anytime_figure(Material(experiment)))
    assert {"hpobench.credit_g", "hpobench.kc1", "random search, exact expectation", *experiment.methods} < texts
    assert any("2 tasks" in text for text in texts)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[0.7], [0.8, 0.8], [None, 0.7], [None]], ids=str)
@pytest.mark.parametrize(
    "changes", [{}, {"random_search_curve": None}, {"objectives": [OBJECTIVE | {"optimum": None, "worst": None}]}]
)
def test_what_is_unknown_leaves_a_gap_not_an_error(
    tmp_path: Path, values: list[float | None], changes: dict[str, Any]
) -> None:
    rows = [
        trial(i, v) if v is not None else trial(i, violations=[fault("missing", "x")]) for i, v in enumerate(values)
    ]
    write_run(tmp_path / "runs", "a$b_c^d", 0, rows, **changes)
    experiment = load(tmp_path / "runs")
    for figure in (anytime_figure, fault_figure):
        svg, _ = draw(figure, "name", Material(experiment))
        assert svg.rstrip().endswith("</svg>")
    scale_known = not changes
    assert ("normalized regret" in _texts(anytime_figure(Material(experiment)))) == scale_known


@pytest.mark.filterwarnings("error")
def test_methods_without_a_common_seed_draw_empty_panels(tmp_path: Path) -> None:
    write_run(tmp_path / "runs", "smac", 0, [trial(0, 0.7)])
    write_run(tmp_path / "runs", "llm_chat", 1, [trial(0, 0.7)])
    experiment = load(tmp_path / "runs")
    svg, _ = draw(anytime_figure, "name", Material(experiment))
    assert "</svg>" in svg


def test_a_proposal_is_stacked_under_the_first_group_that_it_has_a_fault_of(tmp_path: Path) -> None:
    both = [fault("missing", "depth"), fault("unknown", "x", 1)]
    rows = [trial(0, violations=both), trial(1, 0.7), trial(2, 0.7), trial(3, violations=[fault("missing", "depth")])]
    write_run(tmp_path / "runs", "llm_chat", 0, rows)
    assert filed_shares(load(tmp_path / "runs")) == {"llm_chat": {"unknown": 0.25, "missing": 0.25}}
