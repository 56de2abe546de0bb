"""What the configuration leaves to the machine is filled in; what it says wins."""

from __future__ import annotations

import pytest

from harness.errors import SettingError
from llms.server.processor import Processor
from llms.server.server_settings import ServerSettings, server_settings
from llms.server.serving import THREADS, resolve

FAST = Processor(frozenset({"avx512_bf16"}), 2, 2)
PLAIN = Processor(frozenset({"avx2"}), 2, 2)
QUOTA = Processor(frozenset({"avx2"}), 64, 2)


@pytest.mark.parametrize(("processor", "dtype"), [(FAST, "bfloat16"), (PLAIN, "float32")])
def test_auto_is_the_processors_dtype(processor, dtype):
    serving = resolve(ServerSettings("m"), {}, processor)
    assert serving.dtype == dtype
    assert serving.row() == {"dtype": dtype, "threads": "auto", "why": serving.why}
    assert dtype in serving.sentence()
    assert "bf" in serving.why


@pytest.mark.parametrize("processor", [FAST, PLAIN])
@pytest.mark.parametrize(
    ("settings", "dtype"),
    [
        ({"dtype": "bfloat16"}, "bfloat16"),
        ({"dtype": "float"}, "float32"),
        ({"dtype": "half"}, "float16"),
        ({"extra_args": ("--dtype", "float16")}, "float16"),
        ({"dtype": "float32", "extra_args": ("--dtype=bfloat16",)}, "bfloat16"),  # the server takes the last one
        ({"extra_args": ("--dtype", "auto")}, "auto"),
    ],
)
def test_a_given_dtype_wins(processor, settings, dtype):
    serving = resolve(ServerSettings("m", **settings), {}, processor)
    assert serving.dtype == dtype
    assert "bf" not in serving.why


def test_threads_are_chosen_where_nobody_says():
    serving = resolve(ServerSettings("m", environment={"A": "1"}), {}, QUOTA)
    assert serving.environment == {"A": "1", THREADS: "nobind", "OMP_NUM_THREADS": "1"}
    assert serving.threads == "nobind"


@pytest.mark.parametrize(
    ("settings", "inherited", "threads", "environment"),
    [
        ({"threads": "0-1"}, {}, "0-1", {THREADS: "0-1"}),
        ({"environment": {THREADS: "3"}}, {}, "3", {THREADS: "3"}),
        ({"environment": {THREADS: "3"}, "threads": "0-1"}, {THREADS: "5"}, "3", {THREADS: "3"}),
        ({"threads": "0-1"}, {THREADS: "5"}, "0-1", {THREADS: "0-1"}),
        ({}, {THREADS: "5"}, "5", {}),
        ({}, {"VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}, "auto", {}),
        ({"environment": {"OMP_NUM_THREADS": "4"}}, {}, "auto", {"OMP_NUM_THREADS": "4"}),
    ],
)
def test_given_threads_win(settings, inherited, threads, environment):
    serving = resolve(ServerSettings("m", **settings), inherited, QUOTA)
    assert (serving.threads, serving.environment) == (threads, environment)


def test_limits_that_a_launcher_set_for_its_job_are_not_the_servers():
    limits = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}
    assert resolve(ServerSettings("m"), limits, QUOTA).environment == {THREADS: "nobind", "OMP_NUM_THREADS": "1"}
    serving = resolve(ServerSettings("m", environment={"MKL_NUM_THREADS": "4"}), limits, FAST)
    assert serving.whole_environment({**limits, "PATH": "/bin"}) == {"PATH": "/bin", "MKL_NUM_THREADS": "4"}


def test_a_gpu_is_left_to_vllm(monkeypatch):
    monkeypatch.setattr("llms.server.serving.runs_on_cpu", lambda: False)
    serving = resolve(ServerSettings("m"), {})
    assert (serving.dtype, serving.threads, serving.why, serving.environment) == ("auto", None, "", {})


@pytest.mark.parametrize(
    ("setting", "named"),
    [({"dtype": "bf16"}, "bfloat16"), ({"dtype": "auto-by-cpu"}, "auto"), ({"threads": "every"}, "all"),
     ({"dtype": ["float32"]}, "auto"), ({"dtype": None}, "auto"),
     ({"threads": "0-"}, "0-3"), ({"threads": ""}, "0-3")],
)  # fmt: skip
def test_impossible_settings(setting, named):
    with pytest.raises(SettingError, match=named):
        ServerSettings("m", **setting)


def test_a_variable_without_a_value_is_not_set():
    settings = server_settings({"model": "m", "environment": {"A": None, "B": 1}, "threads": 0})
    assert (settings.environment, settings.threads) == ({"B": "1"}, "0")
    assert server_settings({"model": "m", "threads": None}).threads == "auto"
