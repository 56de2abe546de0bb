from __future__ import annotations

import pytest

from harness.method import comparable, method_name, task_name, used_groups

DEFAULTS = {"llm": "smollm2_135m", "prompt": "plain", "decoding": "free", "repair": "none"}
LLM = {"llm", "prompt", "decoding", "repair", "probe"}


def name(overrides=(), used=LLM, **choices):
    return method_name("llm_chat", used, {**DEFAULTS, **choices}, DEFAULTS, overrides)


def test_defaults_leave_the_optimizers_name():
    assert name() == "llm_chat"


def test_choices_are_named_in_fixed_order():
    assert name(repair="clamp", decoding="json_schema") == "llm_chat+decoding=json_schema+repair=clamp"


def test_groups_the_optimizer_does_not_use_are_not_named():
    assert name(decoding="json_schema", repair="random", used={"repair"}) == "llm_chat+repair=random"


def test_settings_of_the_method_set_variants_apart_and_others_do_not():
    overrides = [
        "optimizer=llm_chat",
        "seed=3",
        "benchmark.task=kc1",
        "optimizer.history=compressed",
        "llm.dtype=float32",
        "llm.port=1",
    ]
    assert name(overrides) == "llm_chat+history=compressed+llm.dtype=float32"
    assert name(overrides, used={"repair"}) == "llm_chat+history=compressed"


def test_where_replies_come_from_does_not_set_variants_apart():
    assert name(["llm.port=9000", "optimizer.chat.live=false", "optimizer.chat.replay=x"]) == "llm_chat"
    assert name(["llm.threads=0-1"]) == "llm_chat"
    assert name(["optimizer.chat.model=big"]) == "llm_chat+chat.model=big"


@pytest.mark.parametrize("place", ["llm", "optimizer.chat"])
@pytest.mark.parametrize(
    "override",
    [
        "environment.VLLM_CPU_OMP_THREADS_BIND=0-1",
        "environment.VLLM_CPU_KVCACHE_SPACE=2",
        "environment.OMP_NUM_THREADS=1",
        "environment.CUDA_VISIBLE_DEVICES=1",
        "environment={VLLM_CPU_OMP_THREADS_BIND:0-1,HF_HUB_OFFLINE:0}",
        "extra_args=[--max-num-seqs,8,'--download_dir=/models']",
        "extra_args=[]",
        "extra_args=null",
        "extra_args=[--no-enable-chunked-prefill,--max-num-seqs,8]",
        "environment=null",
        "gpu_memory_utilization=0.5",
        "start_timeout_seconds=5",
    ],
)
def test_what_changes_no_reply_is_in_no_name(place, override):
    assert name([f"{place}.{override}"]) == name([f"++{place}.{override}"]) == "llm_chat"


def test_what_is_taken_away_and_changed_no_reply_is_in_no_name():
    for key in ("environment", "environment.HF_HUB_OFFLINE", "extra_args", "port"):
        assert name([f"~llm.{key}"]) == "llm_chat"
    assert name(["~llm.dtype"]) == name(["~llm.dtype"]) != "llm_chat"


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("llm.environment.VLLM_BATCH_INVARIANT=1", "llm.environment.VLLM_BATCH_INVARIANT=1"),
        ("llm.environment.VLLM_LOGITS_X=1", "llm.environment.VLLM_LOGITS_X=1"),
        ("llm.environment.LD_PRELOAD=x", "llm.environment.LD_PRELOAD=x"),
        ("llm.extra_args=[--quantization,fp8,--max-num-seqs,8]", "llm.extra_args=[--quantization,fp8]"),
        ("llm.environment={A:1,OMP_NUM_THREADS:2}", "llm.environment={A:1}"),
        ("llm.enforce_eager=false", "llm.enforce_eager=false"),
        ("llm.tensor_parallel_size=2", "llm.tensor_parallel_size=2"),
        ("optimizer.port=1", "optimizer.port=1"),
    ],
)
def test_what_could_change_a_reply_is_in_the_name_and_nothing_beside_it(override, named):
    assert name([override]) == name([named]) != "llm_chat"


def test_a_name_is_one_path_component():
    assert "/" not in name(["llm.model=org/model: a b"])


def test_groups_are_used_where_the_configuration_refers_to_them():
    assert used_groups({"chat": "${llm}", "depth": {"decoding": "${decoding.mode}"}}) == {
        "llm",
        "decoding",
        "repair",
        "probe",
        "start",
    }
    assert used_groups({"_target_": "optimizers.smac.SMAC"}) == {"repair", "probe", "start"}


def test_which_budget_is_part_of_the_name_and_how_large_it_is_is_not():
    used = {"repair"}
    chosen = method_name("smac", used, {"budget": "evaluations"}, {"budget": "proposals"}, ["budget.evaluations=30"])
    assert chosen == "smac+budget=evaluations"
    assert (
        method_name("smac", used, {"budget": "proposals"}, {"budget": "proposals"}, ["budget.proposals=30"]) == "smac"
    )


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
    ],
)
def test_what_could_change_a_reply_makes_another_run(changed):
    base = {"recording": "x", "model": "small", "environment": {}, "extra_args": []}
    assert comparable({"llm": base}) != comparable({"llm": base | changed})


def test_settings_of_the_benchmark_set_tasks_apart_and_whereabouts_do_not():
    overrides = ["benchmark=openml", "benchmark.task=31", "+benchmark.model=svm", "benchmark.leak=v1", "seed=1"]
    assert task_name("31", overrides) == "31+leak=v1+model=svm"
    assert task_name("31", ["benchmark.cache=false", "benchmark.folder=/data", "benchmark._target_=a.B"]) == "31"


def test_whereabouts_may_differ_between_a_run_and_its_resumption():
    one, other = ({"benchmark": {"task": "31", "folder": folder}} for folder in ("/a", "/b"))
    assert comparable(one) == comparable(other)


def test_the_form_of_the_schema_is_named_where_there_is_a_schema_alone():
    def name(choice, *overrides):
        return method_name("m", {"decoding"}, {"decoding": choice}, {"decoding": "free"}, list(overrides))

    assert name("json_schema", "decoding.schema=flat") == "m+decoding=json_schema+decoding.schema=flat"
    assert name("json_schema", "decoding.schema=branches") == "m+decoding=json_schema"
    assert name("free", "decoding.schema=flat") == "m"
    assert name("json_object", "decoding.schema=flat") == "m+decoding=json_object"
    assert name("free", "decoding.mode=json_schema", "decoding.schema=flat").endswith("+decoding.schema=flat")
    assert method_name("m", set(), {}, {}, ["decoding.schema=flat"]) == "m"


def test_without_a_schema_its_form_makes_no_other_run_and_an_old_schema_was_flat():
    def decoding(mode, **more):
        return comparable({"optimizer": {"decoding": {"_target_": "llms.decoding.Decoding", "mode": mode, **more}}})

    assert decoding("free") == decoding("free", schema="flat") == decoding("free", schema="branches")
    assert decoding("json_schema") == decoding("json_schema", schema="flat")
    assert decoding("json_schema") != decoding("json_schema", schema="branches")
