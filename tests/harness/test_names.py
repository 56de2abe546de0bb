"""A run's folder, for any values it is named after."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SettingError
from harness.identity import Identity
from harness.names import LONGEST, as_written, check_experiment, component, joined, part
from tests.support.command import hyperbole, sentence

HOSTILE = [
    "rbv2/31",
    "rbv2-31",
    "../../..",
    "..",
    ".",
    "",
    "/etc",
    "a\\b",
    "a:b",
    "a b",
    "a\0b",
    "a\nb",
    "größe",
    "gro\u0308ße",
    "x" * 300,
    "x" * 301,
    "x.",
    "x",
    ".x",
    "a+b",
    "a~b",
    "a-b",
    part("rbv2/31"),
    part(part("rbv2/31")),
    "\ud800",
]


def place(text):
    return Identity({"benchmark": "toy"}, {}).place(text)


@pytest.mark.parametrize("name", [place, lambda text: joined([text]), lambda text: joined(["m", f"a={text}", "b"])])
def test_no_value_leaves_the_folder_lies_deeper_or_shares_a_folder(name):
    """``benchmark.task=rbv2/31`` was a folder deeper, ``../../..`` outside, ``org/m`` and ``org-m`` in one."""
    names = [name(text) for text in HOSTILE]
    for one in names:
        assert PurePosixPath(one).name == one != ".."
        assert len(one.encode()) <= LONGEST
        assert one.isascii()
        assert one.isprintable()
        assert one[0] not in ".-"
        assert one[-1] != "."
    assert len(set(names)) == len(set(HOSTILE))


@settings(max_examples=200)
@given(st.text(max_size=120), st.text(max_size=120))
def test_different_texts_have_different_parts(one, other):
    assert (part(one) == part(other)) == (one == other)
    assert "/" not in component(part(one))


@pytest.mark.parametrize("plain", ["credit_g", "31", "MLP-adam", "3945", "llm_chat", "Qwen2.5-7B"])
def test_a_plain_name_stays_as_it_is(plain):
    assert joined([plain]) == plain
    assert place(plain) == f"toy.{plain}"
    assert part(f"model={plain}", ".=") == f"model={plain}"


@settings(max_examples=200)
@given(*[st.lists(st.text(max_size=9), min_size=1, max_size=3)] * 2)
def test_two_lists_of_parts_have_two_names(one, other):
    assert (joined(one) == joined(other)) == (one == other)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "x" * 256, "a b", None, 3, ".hidden", "a\n"])
def test_invalid_experiment_names(name):
    with pytest.raises(SettingError, match="name is"):
        check_experiment(name)


@pytest.mark.parametrize("mode", [["-m"], []])
def test_an_experiment_name_outside_runs_writes_nothing(tmp_path, mode):
    work = tmp_path / "a/b"
    work.mkdir(parents=True)
    assert "name is '../../evil'" in sentence(hyperbole(*mode, "benchmark=toy", "name=../../evil", cwd=work))
    assert [path for path in tmp_path.rglob("*") if not path.is_relative_to(work)] == [tmp_path / "a"]


OTHER_TASKS = """
from benchmarks.toy import Toy
class Instances(Toy):
    def __init__(self, task):
        super().__init__(task="branin")
"""


def test_a_task_with_slashes_is_found_by_the_analysis(tmp_path):
    (tmp_path / "instances.py").write_text(OTHER_TASKS)
    done = hyperbole(
        "-m",
        "benchmark=toy",
        "benchmark._target_=instances.Instances",
        "~benchmark.failure_rate",
        "benchmark.task=rbv2/31,rbv2-31,../../..",
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    runs = sorted(Path(tmp_path).rglob("run.json"))
    assert len(runs) == len(list(tmp_path.glob("runs/adhoc/*/*/*/run.json"))) == 3


def test_digits_alone_are_a_name_in_a_sweep_too(tmp_path):
    done = hyperbole("-m", "benchmark=toy", "budget.proposals=1", "tracker=none", "name=2026", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "runs/2026/sweeps.jsonl").read_text().splitlines()) == 1
    assert [as_written(name) for name in (2026, "a", True, None)] == ["2026", "a", True, None]
