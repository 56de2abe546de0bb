from __future__ import annotations

import pytest

from harness.method import comparable, used_groups


def test_groups_are_used_where_the_configuration_refers_to_them():
    assert used_groups({"chat": "${llm}", "depth": {"decoding": "${decoding.mode}"}}) == {
        "llm",
        "decoding",
        "repair",
        "probe",
        "start",
    }
    assert used_groups({"_target_": "optimizers.smac.SMAC"}) == {"repair", "probe", "start"}


def test_a_run_is_the_same_wherever_its_replies_come_from():
    model = {"recording": "./calls.jsonl", "port": 8077, "model": "small"}
    config = {"llm": model, "optimizer": {"chat": model, "port": "kept"}}
    assert comparable(config) == {"llm": {"model": "small"}, "optimizer": {"chat": {"model": "small"}, "port": "kept"}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"environment": {"VLLM_CPU_OMP_THREADS_BIND": "0-1", "HF_HUB_OFFLINE": 1}}, {}),
        ({"environment": {"VLLM_CPU_KVCACHE_SPACE": 4, "A": None}}, {"environment": {"VLLM_CPU_KVCACHE_SPACE": 1}}),
        ({"extra_args": ["--seed", 1, "--max-num-seqs", 8]}, {"extra_args": ["--seed", 1]}),
        ({"extra_args": None, "environment": None}, {"extra_args": [], "threads": "0"}),
        ({"gpu_memory_utilization": 0.9}, {"gpu_memory_utilization": 0.5}),
        (
            {"environment": {"A": 1}, "extra_args": ["--seed", 1]},
            {"environment": {"A": "1"}, "extra_args": ["--seed", "1"]},
        ),
    ],
)
def test_a_run_is_the_same_however_quick_its_server_is(one, other):
    base = {"recording": "x", "model": "small"}
    assert comparable({"llm": base | one}) == comparable({"llm": base | other})
    assert comparable({"llm": one}) != comparable({"llm": other})  # what is no model may mean anything by them


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": {"VLLM_BATCH_INVARIANT": 1}},
        {"extra_args": ["--quantization", "fp8", "--max-num-seqs", "8"]},
        {"dtype": "float32"},
        {"enforce_eager": True},
        {"max_model_len": 4096},
        {"environment": {"A": 1}},
        {"environment": {"A": "1.0"}},
    ],
)
def test_what_could_change_a_reply_makes_another_run(changed):
    base = {"recording": "x", "model": "small", "environment": {}, "extra_args": []}
    assert comparable({"llm": base}) != comparable({"llm": base | changed})


def test_paths_may_differ_between_a_run_and_its_resumption():
    one, other = ({"benchmark": {"task": "31", "folder": folder}} for folder in ("/a", "/b"))
    assert comparable(one) == comparable(other)


def test_without_a_schema_its_form_makes_no_other_run_and_an_old_schema_was_flat():
    def decoding(mode, **more):
        return comparable({"optimizer": {"decoding": {"_target_": "llms.decoding.Decoding", "mode": mode, **more}}})

    assert decoding("free") == decoding("free", schema="flat") == decoding("free", schema="branches")
    assert decoding("json_schema") == decoding("json_schema", schema="flat")
    assert decoding("json_schema") != decoding("json_schema", schema="branches")
