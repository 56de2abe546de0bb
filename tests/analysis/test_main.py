"""The command: exit codes, what is written, what is printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.support.run_folders import noisy_experiment, noisy_run, trial, write_run

ROOT = Path(__file__).parents[2]
TABLES = ("quality", "quality_by_task", "hallucination", "cost", "money", "equal_cost")
FIGURES = ("anytime", "faults", "anytime_seconds", "anytime_tokens", "anytime_money")


def _command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def small_experiment(folder: Path) -> Path:
    noisy_run(folder, "random_search", 0, proposals=3)
    noisy_run(folder, "llm_chat", 0, proposals=3, invalid=0.5)
    return folder


def test_one_command_writes_everything(tmp_path: Path) -> None:
    folder = noisy_experiment(tmp_path / "quickstart", seeds=2, proposals=5)
    done = _command(folder)
    assert done.returncode == 0, done.stderr
    wanted = {f"tables/{name}.{ending}" for name in TABLES for ending in ("md", "tex", "csv")}
    wanted |= {f"figures/{name}.{ending}" for name in FIGURES for ending in ("svg", "png")}
    wanted |= {"tables/invalid_proposals.csv", "report/index.html"}
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert wanted <= written
    further = ("pareto", "generalization", "leak", "failures", "attainment", "hypervolume", "consistency", "reasons")
    assert not [path for path in written if Path(path).stem in further]
    for text in ("Quality", "Hallucination", "Cost per run", "random search, exact", "Check of random search"):
        assert text in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 120
    assert done.stdout.splitlines()[-1] == f"Report: {folder}/report/index.html"
    assert done.stderr == ""


def test_a_second_time_over_its_own_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_experiment(tmp_path / "quickstart")
    assert main([str(folder)]) == 0
    first = capsys.readouterr().out
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out == first


def test_another_output_leaves_the_runs_alone(tmp_path: Path) -> None:
    folder = small_experiment(tmp_path / "results")
    before = sorted(folder.rglob("*"))
    assert main([str(folder), "--output", str(tmp_path / "out")]) == 0
    assert sorted(folder.rglob("*")) == before
    assert (tmp_path / "out/report/index.html").exists()


def test_mistakes_are_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    write_run(tmp_path / "runs/quickstart", "smac", 0, [trial(0, 0.7)])
    wrong = _command(tmp_path / "runs/quickstrat")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "Unknown experiment 'quickstrat'; did you mean 'quickstart'? Valid: quickstart.\n"


def test_mistakes_that_need_no_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs/empty").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    write_run(tmp_path / "runs/one", "smac", 0, [trial(0, 0.7)])
    assert main([str(tmp_path / "runs/empty")]) == 2
    assert "holds no runs" in capsys.readouterr().err
    assert main([str(tmp_path / "runs/one"), "--output", str(tmp_path / "file")]) == 2
    assert "choose another --output" in capsys.readouterr().err
