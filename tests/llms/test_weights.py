"""From a model's name to its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ModelError
from llms.local import local_model
from llms.local.weights import find_weights
from tests.support.tiny_gguf import write_gguf

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


def test_a_name_that_is_nearly_one_of_the_catalogue():
    with pytest.raises(ModelError, match=r"did you mean qwen2\.5-coder-1\.5b-instruct\?"):
        find_weights("qwen2.5-coder-1.5b", OFFLINE)


def test_a_folder_with_two_files(tmp_path):
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="2 GGUF files"):
        find_weights(str(tmp_path), {})


@pytest.mark.parametrize("name", ["mine.gguf", "Mine.GGUF"])
def test_a_gguf_file_of_the_users_own_is_converted_once(name, tmp_path, monkeypatch, converted_once):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_gguf(tmp_path / "own" / name)
    found = find_weights(str(tmp_path / "own" / name), {})
    assert (Path(found) / "config.json").is_file()
    monkeypatch.setattr(local_model, "_convert", None)
    assert find_weights(str(tmp_path / "own"), {}) == found
