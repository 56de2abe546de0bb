"""The supervisor with small real processes: what it runs never outlives those it runs for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.holder import began
from llms.server.owners import SESSION, add_owner, disowned, joined, remove_owner, session_pid, supervisor_pid

SLEEP = "import time; time.sleep(60)"
# A child with a child of its own that both ignore SIGTERM: only ending the whole group with SIGKILL stops them.
STUBBORN = (
    "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); child = os.fork();"
    "open(sys.argv[1] + ('.parent' if child else '.child'), 'w').write(str(os.getpid())); time.sleep(60)"
)
TREE = STUBBORN.replace("signal.signal(signal.SIGTERM, signal.SIG_IGN);", "")


def wait_until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    return began(pid) is None


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", SLEEP])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def owners(tmp_path: Path) -> Path:
    folder = tmp_path / "8077.owners"
    folder.mkdir()
    return folder


def supervise(owners: Path, *command: str) -> int:
    """Start it; returns the supervisor's process id."""
    subprocess.run(
        [sys.executable, "-m", "llms.server.supervise", "--owners", str(owners), "--", *command],
        check=True,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    pid = supervisor_pid(owners)
    assert pid is not None
    return pid


def tree(owners: Path, tmp_path: Path, program: str = TREE) -> tuple[int, list[int]]:
    """Supervise a process with a child; the ids of the supervisor and of both."""
    mark = tmp_path / "mark"
    supervisor = supervise(owners, sys.executable, "-c", program, str(mark))
    files = [Path(f"{mark}.parent"), Path(f"{mark}.child")]
    wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    return supervisor, [int(file.read_text()) for file in files]


def test_everything_ends_when_the_owner_is_killed(owners, owner, tmp_path):
    add_owner(owners, owner.pid)
    supervisor, pids = tree(owners, tmp_path)
    assert not any(gone(pid) for pid in (supervisor, *pids))
    owner.kill()  # a zombie until the fixture waits for it: that counts as gone
    wait_until(lambda: all(gone(pid) for pid in (supervisor, *pids)))
    assert not owners.exists()


def test_it_runs_for_as_long_as_one_owner_is_left(owners, owner, tmp_path):
    add_owner(owners, owner.pid)
    add_owner(owners, os.getpid())
    supervisor, pids = tree(owners, tmp_path)
    owner.kill()
    owner.wait()
    time.sleep(1.0)  # four looks of the supervisor
    assert not any(gone(pid) for pid in (supervisor, *pids))
    remove_owner(owners, os.getpid())
    wait_until(lambda: all(gone(pid) for pid in (supervisor, *pids)))


def test_processes_that_ignore_being_asked_are_killed(owners, tmp_path):
    program = (
        "import sys; import llms.server.supervise as s; s.GRACE_SECONDS = 0.5;"
        f"sys.argv[1:] = {['--owners', str(owners), '--']!r} + sys.argv[1:]; sys.exit(s.main())"
    )
    add_owner(owners, os.getpid())
    mark = tmp_path / "mark"
    command = [sys.executable, "-c", program, sys.executable, "-c", STUBBORN, str(mark)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    files = [Path(f"{mark}.parent"), Path(f"{mark}.child")]
    wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    pids = [int(file.read_text()) for file in files]
    remove_owner(owners, os.getpid())
    wait_until(lambda: all(gone(pid) for pid in pids))


def test_asking_the_supervisor_to_end_ends_all(owners, tmp_path):
    add_owner(owners, os.getpid())
    supervisor, pids = tree(owners, tmp_path)
    os.kill(supervisor, signal.SIGTERM)
    wait_until(lambda: all(gone(pid) for pid in (supervisor, *pids)))
    assert not owners.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the child on Linux alone")
def test_killing_the_supervisor_ends_what_it_runs(owners, tmp_path):
    add_owner(owners, os.getpid())
    supervisor, (parent, child) = tree(owners, tmp_path)
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: gone(parent))
    os.kill(child, signal.SIGKILL)  # its own children are the command's to end, as vLLM does


def test_it_ends_with_its_command(owners):
    add_owner(owners, os.getpid())
    supervisor = supervise(owners, sys.executable, "-c", "pass")
    wait_until(lambda: gone(supervisor))
    assert not owners.exists()


def test_it_is_nobodys_child(owners):
    add_owner(owners, os.getpid())
    supervisor = supervise(owners, sys.executable, "-c", SLEEP)
    parent = int(Path(f"/proc/{supervisor}/stat").read_text().rpartition(")")[2].split()[1])
    assert parent != os.getpid()
    wait_until(lambda: os.getsid(supervisor) == supervisor)
    os.kill(supervisor, signal.SIGTERM)
    wait_until(lambda: gone(supervisor))


def test_reused_process_id_is_not_the_owner(owners):
    add_owner(owners, os.getpid())
    assert not disowned(owners)
    (owners / str(os.getpid())).write_text("12345")
    assert disowned(owners)


def test_nobody_joins_a_server_that_ends(owners):
    assert joined(owners, os.getpid())
    assert not disowned(owners)
    remove_owner(owners, os.getpid())
    assert disowned(owners)
    assert not joined(owners, os.getpid())
    assert disowned(owners)


def test_server_of_somebody_else_is_joined_without_a_trace(tmp_path):
    assert joined(tmp_path / "1.owners", os.getpid())
    assert not (tmp_path / "1.owners").exists()


def test_session_is_the_named_process_if_it_is_here(monkeypatch, owner):
    here = socket.gethostname()
    for value, pid in [
        (f"{here}:{owner.pid}", owner.pid),
        (f"elsewhere:{owner.pid}", os.getpid()),
        (f"{here}:999999999", os.getpid()),
        ("nonsense", os.getpid()),
        ("", os.getpid()),
    ]:
        monkeypatch.setenv(SESSION, value)
        assert session_pid() == pid
