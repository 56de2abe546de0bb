"""The llm group: every file builds, cheaply, and says what it means."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from harness.chat import ChatRequest, Message
from harness.errors import RecordingError, SettingError
from llms.recorder import Recorder, request_hash
from tests.support.chosen import chosen
from tests.support.fake_server import FakeServer, reply
from tests.support.run_folders import USAGE

GROUP = Path(__file__).parents[2] / "conf" / "llm"
REQUEST = ChatRequest((Message("user", "hi"),))


def build(stem: str, folder: Path, **changes: Any) -> Recorder:
    config = OmegaConf.create({"folder": str(folder), "llm": chosen("llm", stem)})
    model = instantiate(OmegaConf.merge(config, {"llm": changes})).llm
    assert isinstance(model, Recorder)
    return model


@pytest.mark.parametrize("path", sorted(GROUP.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_builds_and_replays(path, tmp_path):
    row = {"id": 0, "hash": request_hash(REQUEST), "reply": "recorded", "finish_reason": "stop", "usage": USAGE}
    (tmp_path / "calls.jsonl").write_text(json.dumps(row) + "\n")
    model = build(path.stem, tmp_path, live=False)
    assert model.complete([REQUEST])[0].text == "recorded"
    with pytest.raises(RecordingError):
        model.complete([REQUEST])
    assert chosen("llm", path.stem).name == path.stem


def test_endpoint_is_asked_and_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("TINY_KEY", "sk-very-secret")
    with FakeServer([reply("live")]) as server:
        model = build("openai", tmp_path, base_url=server.url, model="tiny", api_key_env="TINY_KEY")
        assert model.complete([REQUEST])[0].text == "live"
    written = (tmp_path / "calls.jsonl").read_text()
    assert json.loads(written)["server"] == server.url
    assert "very-secret" not in written


def test_vllm_that_is_there_is_asked(tmp_path):
    with FakeServer([reply("live", cached=4)], models=("tiny",)) as server:
        model = build("vllm", tmp_path, model=str(tmp_path), served_name="tiny", port=server.port)
        assert model.complete([REQUEST])[0].usage.cached_tokens == 4
    assert json.loads((tmp_path / "calls.jsonl").read_text())["model"] == "tiny"


@pytest.mark.parametrize(
    ("stem", "change"), [("vllm", {"port": 0}), ("vllm", {"concurrency": 0}), ("openai", {"base_url": "x"})]
)
def test_bad_settings_are_refused_when_built(stem, change, tmp_path):
    with pytest.raises(Exception, match="llm") as caught:
        build(stem, tmp_path, **change)
    assert isinstance(caught.value.__cause__, SettingError)


def test_building_imports_nothing_heavy():
    heavy = ["openai", "torch", "transformers", "vllm", "httpx", "huggingface_hub"]
    program = f"import sys, llms.models, llms.decoding; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=GROUP.parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
