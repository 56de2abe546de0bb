"""``make test-fast`` runs what starts no process: which tests are slow is found, not listed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import command as command_module
from tests.support import slow
from tests.support.command import command, hyperbole
from tests.support.slow import _forbid, starts_a_process
from tests.support.tiny_live import TinyLive

SLY = """
import os
import pytest

def test_plain():
    assert 1 + 1 == 2

def test_process():
    import subprocess
    subprocess.run(["true"])

def test_hidden():
    __import__("importlib").import_module("sub" + "process").run(["true"])

@pytest.mark.slow
def test_marked():
    assert 0
"""


def direct():
    subprocess.run(["true"], check=True)


def imported_inside():
    from multiprocessing import Process

    Process()


def through_a_helper():
    return [hyperbole("name=x", cwd=Path()) for _ in range(2)]


def through_a_module():
    return command_module.hyperbole("name=x", cwd=Path())


class Case:
    def method(self):
        return through_a_helper()


def through_a_class():
    Case().method()


def trains():
    return TinyLive()


def plain():
    return Path(), sys.executable, SLY


@pytest.mark.parametrize(
    "function", [direct, imported_inside, through_a_helper, through_a_module, through_a_class, trains]
)
def test_a_process_is_seen(function):
    assert starts_a_process(function)


def test_nothing_else_is_seen():
    assert not starts_a_process(plain)


def test_a_process_fails_a_test_but_git_does_not(monkeypatch):
    with pytest.raises(pytest.fail.Exception, match=r"git_does_not starts a process .* mark it @pytest.mark.slow"):
        _forbid("subprocess.Popen", ("/usr/bin/python", ["python"]))
    _forbid("subprocess.Popen", ("git", ["git", "status"]))
    _forbid("open", ("file",))
    monkeypatch.setattr(slow, "_running", [])
    _forbid("subprocess.Popen", ("python", ["python"]))  # between tests: pytest-xdist starts its workers


def test_the_fast_set_starts_none(tmp_path):
    (tmp_path / "test_sly.py").write_text(SLY)
    options = ["-p", "tests.support.slow", "-p", "no:cacheprovider", "-m", "not slow", "-q", "-c", "/dev/null"]
    root = Path(__file__).parents[1]
    done = command("pytest", *options, f"--rootdir={tmp_path}", str(tmp_path), cwd=root, PYTHONPATH=str(root))
    assert "1 failed, 1 passed, 2 deselected" in done.stdout, done.stdout
    assert "test_hidden starts a process" in done.stdout
