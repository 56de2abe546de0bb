"""What is said of a server that runs with other settings than the configuration's."""

from __future__ import annotations

import pytest

from llms.local.catalogue import MODELS
from llms.server.processor import Processor
from llms.server.running import described, differences, other_settings, same_weights
from llms.server.server_settings import ServerSettings
from llms.server.serving import THREADS, Serving, resolve
from llms.wire.health import ServedModel

FAST = Processor(frozenset({"avx512_bf16"}), 2, 2)
SERVED = ServedModel("tiny")
BACKEND = "structured-outputs-config.backend"


def wanted(inherited: dict[str, str] | None = None, **settings: object) -> Serving:
    given = {"model": "org/tiny", "served_name": "tiny", **settings}
    return resolve(ServerSettings(**given), inherited or {}, FAST)  # type: ignore[arg-type]


def record(inherited: dict[str, str] | None = None, **settings: object) -> dict[str, object]:
    return {"settings": described(wanted(**settings), inherited or {})}


def names(serving: Serving, running: dict[str, object] | None, served: ServedModel = SERVED) -> list[str]:
    return [name for name, _, _ in differences(serving, running, served)]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VLLM_BATCH_INVARIANT", THREADS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("running", "name", "has", "wants"),
    [
        ({"dtype": "float32"}, "dtype", "float32", "bfloat16"),
        ({"extra_args": ("--dtype=float32",)}, "dtype", "float32", "bfloat16"),
        ({"max_model_len": 4096}, "max_model_len", "4096", "unset"),
        ({"extra_args": ("--max-model-len", "4096")}, "max_model_len", "4096", "unset"),
        ({"model": "other/tiny"}, "model", "other/tiny", "org/tiny"),
        ({"structured_outputs": "xgrammar"}, "structured_outputs", "xgrammar", "guidance"),
        ({"extra_args": (f"--{BACKEND}=xgrammar",)}, "structured_outputs", "xgrammar", "guidance"),
        ({"reasoning_parser": "qwen3"}, "reasoning_parser", "qwen3", "unset"),
        ({"enforce_eager": True}, "enforce_eager", "True", "False"),
        ({"tensor_parallel_size": 2}, "tensor_parallel_size", "2", "1"),
        ({"extra_args": ("--quantization", "fp8")}, "extra_args --quantization", "fp8", "unset"),
        ({"extra_args": ("--no-enable-chunked-prefill",)}, "extra_args --no-enable-chunked-prefill", "given", "unset"),
        ({"environment": {"VLLM_BATCH_INVARIANT": "1"}}, "environment.VLLM_BATCH_INVARIANT", "1", "unset"),
        ({"environment": {"OTHER": "1"}}, "environment.OTHER", "1", "unset"),
        ({"inherited": {"VLLM_BATCH_INVARIANT": "1"}}, "environment.VLLM_BATCH_INVARIANT", "1", "unset"),
    ],
)  # fmt: skip
def test_every_setting_that_differs_is_named(running, name, has, wants):
    assert differences(wanted(), record(**running), SERVED) == [(name, has, wants)]


def test_what_the_running_one_has_not_is_named_too():
    different = differences(wanted(dtype="float32", extra_args=("--seed", "1")), record(), SERVED)
    assert different == [("dtype", "bfloat16", "float32"), ("extra_args --seed", "unset", "1")]


@pytest.mark.parametrize(
    "running",
    [
        {},
        {"dtype": "bfloat16"},
        {"port": 9000},
        {"start_timeout_seconds": 5.0},
        {"threads": "0-1"},  # nobody asked for others
        {"environment": {THREADS: "0", "HF_HUB_OFFLINE": "1"}},
        {"environment": {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "DEBUG"}},
        {"inherited": {"VLLM_API_KEY": "s", "PATH": "/bin"}},
    ],
)  # fmt: skip
def test_what_changes_no_reply_makes_no_difference(running):
    assert differences(wanted(), record(**running), SERVED) == []


def test_threads_that_were_asked_for_are_compared():
    assert differences(wanted(threads="0"), record(threads="0-1"), SERVED) == [("threads", "0-1", "0")]
    assert differences(wanted(threads="0"), record(), SERVED) == [("threads", "auto", "0")]


def test_arguments_are_the_same_however_they_are_spelt():
    spelt = record(extra_args=("--seed=1", "--max_num_seqs", "8"))
    assert differences(wanted(extra_args=("--max-num-seqs", "8", "--seed", "1")), spelt, SERVED) == []


def test_secrets_are_kept_out_of_what_is_written_and_said():
    text = str(record(extra_args=("--api-key", "sk-1"), environment={"HF_TOKEN": "hf-1", "MY_SECRET": "my-1"}))
    assert not any(secret in text for secret in ("sk-1", "hf-1", "my-1"))


@pytest.mark.parametrize(
    ("served", "named"),
    [
        (ServedModel("tiny"), []),
        (ServedModel("tiny", "org/tiny", 8192), []),
        (ServedModel("tiny", "org/tiny", 4096), ["max_model_len"]),
        (ServedModel("tiny", "other/large", 8192), ["model"]),
        (ServedModel("tiny", "/models/large", 4096), ["model", "max_model_len"]),
    ],
)
def test_of_a_strangers_server_what_it_says_is_compared(served, named):
    assert names(wanted(max_model_len=8192), None, served) == named


def test_a_length_that_only_vllm_can_read_is_not_compared_with_a_strangers_server():
    serving = wanted(extra_args=("--max-model-len", "8k"))
    assert names(serving, None, ServedModel("tiny", "org/tiny", 8192)) == []


def test_what_is_not_configured_is_not_compared_with_a_strangers_server():
    assert names(wanted(), None, ServedModel("tiny", "org/tiny", 4096)) == []


@pytest.mark.parametrize(
    ("name", "root", "same"),
    [
        ("Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B", True),
        ("Qwen/Qwen2.5-7B", "/data/qwen2.5-7b", True),
        ("Qwen/Qwen2.5-7B", "/root/.cache/huggingface/hub/models--Qwen--Qwen2.5-7B/snapshots/1f2e", True),
        ("Qwen/Qwen2.5-7B", "/root/.cache/huggingface/hub/models--other--Qwen2.5-7B/snapshots/1f2e", False),
        ("Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-14B", False),
        ("/models/v1/final", "/models/v1/final", True),
        ("/models/v1/final", "/models/v1/../v1/final/", True),
        ("/models/v2/final", "/models/v1/final", False),
        (MODELS[0].folder_name, f"/home/b/.cache/hyperbole/models/{MODELS[0].folder_name}", True),
        (MODELS[0].folder_name, f"/home/b/.cache/hyperbole/models/{MODELS[0].name}-000000000000", False),
    ],
)
def test_same_weights(name, root, same):
    assert same_weights(name, root) is same


def test_the_sentence_says_what_runs_what_is_wanted_and_what_to_do():
    serving = wanted(max_model_len=8192)
    different = differences(serving, record(dtype="float32", max_model_len=4096), SERVED)
    sentence = str(other_settings(serving, different))
    assert "has dtype float32, max_model_len 4096, but" in sentence
    assert "wants dtype bfloat16, max_model_len 8192;" in sentence
    assert "llm.port=8078" in sentence
    assert "llm.base_url=http://127.0.0.1:8077/v1" in sentence
