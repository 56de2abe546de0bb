"""From packages to a folder that vLLM serves, with a model of a few kB and pip pointed at a folder."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest

from harness.errors import DiskError, ModelError
from llms import prepare
from llms.local import gguf_file, local_model, wheels
from llms.local.catalogue import BY_NAME, MODELS
from llms.local.local_model import model_folder, prepared
from tests.support.tiny_gguf import model_of, write_gguf, write_wheel, write_wheels

PARTS = 3


@pytest.fixture(scope="module")
def gguf(tmp_path_factory):
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def index(tmp_path, monkeypatch, gguf, converted_once):
    """A folder that pip takes packages from; there is no network, and nothing in the caches."""
    folder = tmp_path / "index"
    write_wheels(folder, gguf.read_bytes(), PARTS)
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return folder


@pytest.fixture
def model(gguf):
    return model_of(gguf, PARTS)


def left(model):
    """What lies beside the folder, but for the lock."""
    folder = model_folder(model).parent
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def refused(model, match, error=ModelError):
    with pytest.raises(error, match=match) as caught:
        prepared(model)
    assert "\n" not in str(caught.value)
    assert left(model) == []


def test_the_weights_are_those_of_the_file(index, model, gguf, monkeypatch, capsys):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder = prepared(model)
    assert left(model) == [folder.name]
    assert "Fetching tiny.gguf from 3 packages" in capsys.readouterr().err
    assert not [name for name in sys.modules if name.startswith("tiny_part")]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ours = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    theirs = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    for prompt in ("abc", "alpha = 0.1", '{"width": 64}'):
        tokens = tokenizer(prompt, return_tensors="pt").input_ids
        assert torch.equal(ours(tokens).logits, theirs(tokens).logits)
    shutil.rmtree(index)
    assert prepared(model) == folder, "what is there is fetched no more"


def test_an_altered_byte(index, model, gguf):
    content = bytearray(gguf.read_bytes())
    content[len(content) // 2] ^= 1
    write_wheels(index, bytes(content), PARTS)
    refused(model, "do not hold the official file .*; it was deleted")


def test_more_than_the_file_is(index, model, gguf):
    write_wheels(index, gguf.read_bytes() + b"x" * 10_000, PARTS)
    refused(model, f"more than its {model.file_bytes} bytes")


def test_a_part_that_is_missing(index, model):
    next(index.glob("tiny_part2*")).unlink()
    refused(model, r"tiny-part2==1\.0 cannot be downloaded .*check the network")


@pytest.mark.parametrize(("files", "count"), [({}, 0), ({"part1.bin": b"x", "part2.bin": b"y"}, 2)])
def test_a_package_without_the_one_part(index, model, files, count):
    write_wheel(index, "tiny_part2", files)
    refused(model, f"holds {count} parts of the model instead of one")


def test_a_damaged_package(index, model):
    wheel = next(index.glob("tiny_part2*"))
    content = bytearray(wheel.read_bytes())
    place = content.index(b"part02.bin") + 200
    content[place : place + 400] = b"\0" * 400
    wheel.write_bytes(content)
    refused(model, r"tiny-part2==1\.0 (is damaged|cannot be downloaded)")


def test_no_network(index, model, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS")
    refused(model, "cannot be downloaded")


def test_a_full_disk(index, model, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(wheels, "_part", full)
    refused(model, "no space is left", DiskError)


def test_a_disk_that_pip_finds_full(index, model, monkeypatch):
    said = f"import sys; print('ERROR: Could not install: [Errno 28] {wheels.NO_SPACE}'); sys.exit(1)"
    real = subprocess.Popen
    monkeypatch.setattr(wheels.subprocess, "Popen", lambda _, **more: real([sys.executable, "-c", said], **more))
    refused(model, "no space is left", DiskError)


def test_too_little_room(index, gguf, monkeypatch):
    refused(model_of(gguf, PARTS, folder_bytes=10**18), r"too little disk .* GB of disk required, .* GB free")
    refused(model_of(gguf, PARTS, memory_bytes=10**18), "too little memory")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(local_model.shutil, "disk_usage", lambda _: usage(1, 1, 0))
    refused(model_of(gguf, PARTS), "too little disk")


def test_a_file_that_is_no_model(index, tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF" + b"x" * 3000)
    write_wheels(index, other.read_bytes(), PARTS)
    refused(model_of(other, PARTS), "could not be converted")


def test_the_hugging_face_cache_comes_first(index, model, gguf, monkeypatch, capsys):
    shutil.rmtree(index)
    monkeypatch.setattr(gguf_file, "_from_hugging_face", lambda *_: gguf)
    assert prepared(model).exists()
    assert gguf.exists()
    assert "packages" not in capsys.readouterr().err


def test_what_lies_there_and_is_another_file_is_left_alone(index, model, tmp_path, monkeypatch, capsys):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"other")
    monkeypatch.setattr(gguf_file, "_from_hugging_face", lambda *_: other)
    assert prepared(model).exists()
    assert other.exists()
    assert "is not the official file" in capsys.readouterr().err


def test_what_the_hub_gives_and_is_another_file_is_deleted(index, model, monkeypatch, capsys):
    def changed(model, scratch, is_offline):
        if is_offline:
            return None
        (scratch / model.file).write_bytes(b"a newer one")
        return scratch / model.file

    monkeypatch.setattr(gguf_file, "_from_hugging_face", changed)
    folder = prepared(model)
    assert left(model) == [folder.name]
    assert "it was deleted and another one is fetched" in capsys.readouterr().err


def test_what_a_killed_process_left_half_done_is_taken_away(index, model):
    folder = model_folder(model)
    half = folder.with_name(f".{folder.name}.abcd")
    half.mkdir(parents=True)
    (half / model.file).write_bytes(b"half")
    other = folder.with_name(".another-model.abcd")
    other.mkdir()
    assert prepared(model) == folder
    assert left(model) == [".another-model.abcd", folder.name]


def test_a_python_without_pip(index, model, monkeypatch):
    said = "import sys; print('python: No module named pip'); sys.exit(1)"
    real = subprocess.Popen
    monkeypatch.setattr(wheels.subprocess, "Popen", lambda _, **more: real([sys.executable, "-c", said], **more))
    refused(model, "needs pip, which .* lacks")


def test_the_hub_is_not_asked_where_it_does_not_answer(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gguf_file, "HUB", ("127.0.0.1", 9))
    assert not gguf_file._hub_answers()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert gguf_file._hub_answers()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not gguf_file._hub_answers()


def test_a_second_process_waits(index, model, monkeypatch):
    fetched, real = [], local_model.fetch

    def slowly(*arguments):
        fetched.append(arguments)
        time.sleep(0.3)
        return real(*arguments)

    monkeypatch.setattr(local_model, "fetch", slowly)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(prepared(model))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [model_folder(model)] * 2
    assert len(fetched) == 1


def test_ctrl_c_leaves_nothing(index, model, tmp_path):
    """Pressed while pip waits for a package that never comes whole."""
    script = tmp_path / "press.py"
    script.write_text(
        "import os, signal, sys, threading\n"
        "from pathlib import Path\n"
        "from llms import prepare\nfrom llms.local import wheels\n"
        "from tests.support.tiny_gguf import model_of\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "model = model_of(Path(sys.argv[1]), 3)\n"
        "prepare.find = lambda name: model\n"
        "real = wheels.subprocess.Popen\n"
        "def hang(_, **more):\n"
        "    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "    return real([sys.executable, '-c', 'import time; time.sleep(60)'], **more)\n"
        "wheels.subprocess.Popen = hang\n"
        "sys.argv = ['prepare', 'tiny']\n"
        "sys.exit(prepare.main())\n"
    )
    gguf = write_gguf(tmp_path / "g" / "tiny.gguf")
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, str(script), str(gguf)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 130, done.stderr
    assert "unfinished files were removed" in done.stderr
    assert "Traceback" not in done.stderr
    assert left(model) == []


def test_the_command(index, model, monkeypatch, capsys):
    monkeypatch.setattr(prepare, "BY_NAME", {model.name: model})
    monkeypatch.setattr(sys, "argv", ["prepare", model.name])
    assert prepare.main() == 0
    out = capsys.readouterr().out
    assert "GB of disk required" in out
    assert "is ready after" in out
    assert prepare.main() == 0
    assert f"{model.name} is ready: " in capsys.readouterr().out


@pytest.mark.parametrize("name", ["qwen2.5_coder_1.5b", "qwen2.5-coder-1.5b-instruct"])
def test_names_of_the_catalogue_and_of_the_configuration(name):
    assert prepare.find(name) is BY_NAME["qwen2.5-coder-1.5b-instruct"]


def test_a_misspelt_name(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prepare", "smolm2-135m-instruct"])
    assert prepare.main() == 2
    assert "did you mean 'smollm2-135m-instruct'" in capsys.readouterr().err


def test_every_model_is_listed_with_its_source(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prepare"])
    assert prepare.main() == 0
    out = capsys.readouterr().out
    assert all(model.name in out and model.source in out and model.licence in out for model in MODELS)


def test_how_long_it_will_take(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prepare", "--how-long", "qwen2.5_coder_1.5b"])
    assert prepare.main() == 0
    assert "Qwen2.5-Coder 1.5B takes about" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["prepare", "--how-long", "openai"])
    assert prepare.main() == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "near"), [("qwen2.5_coder_1b", "_coder_"), ("qwen2.5-coder-1.5b-instruct", "qwen2.5_coder_1.5b"), ("", "")]
)
def test_how_long_refuses_what_the_run_after_it_would(name, near, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prepare", "--how-long", name])
    assert prepare.main() == 2
    said = capsys.readouterr()
    assert near in said.err
    assert "Unknown llm" in said.err
    assert said.out == ""
