"""A run's folder and its lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.folder import LOCK, RunFolder


def test_one_process_holds_a_run(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    with first.lock() as held, second.lock() as also:
        assert (held, also) == (True, False)


def test_what_a_killed_process_left_of_run_json_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".run.json.4711").write_text('{"schema": 2, "sta')
    (tmp_path / "run.json").write_text("{}")
    with RunFolder(tmp_path).lock():
        assert {path.name for path in tmp_path.iterdir()} == {"run.json", LOCK}


def test_a_folder_that_is_removed_while_it_is_locked_is_locked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may remove the folder of a refused run between opening and locking its lock file."""
    path, opened = tmp_path / "run", []
    open_file = Path.open

    def removed_after_opening(self: Path, *arguments: object, **settings: object) -> object:
        file = open_file(self, *arguments, **settings)  # type: ignore[call-overload]
        if self.name == LOCK and not opened:
            opened.append(self)
            self.unlink()
            path.rmdir()
        return file

    monkeypatch.setattr(Path, "open", removed_after_opening)
    with RunFolder(path).lock() as held, RunFolder(path).lock() as also:
        assert (held, also, (path / LOCK).exists()) == (True, False, True)
