from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analysis.runs.labels import Labels
from harness.label import label
from tests.support.run_folders import identity

QWEN = "qwen2.5-coder-1.5b-instruct"


def info(method, model=QWEN, mode="free", llm="qwen2.5_coder_1.5b", **config):
    optimizer = method.partition("+")[0]
    if optimizer in {"smac", "random_search", "tpe", "cma_es", "hill_climbing"}:
        return {"method": method, "optimizer": optimizer, "llm": None, "config": {}, **identity(method)}
    config = {"llm": {"model": model}, "decoding": {"mode": mode}, **config}
    return {"method": method, "optimizer": optimizer, "llm": llm, "config": config, **identity(method)}


def labels(*infos):
    found = Labels(infos)
    return [found[each["method"]] for each in infos]


def test_methods_without_a_model_have_names_that_people_write():
    methods = [info(name) for name in ("random_search", "smac", "tpe", "cma_es", "hill_climbing")]
    assert labels(*methods) == ["random search", "SMAC", "TPE", "CMA-ES", "hill climbing"]


def test_the_model_and_one_word_of_the_decoding():
    chats = [
        info("llm_chat"),
        info("llm_chat+decoding=json_object", mode="json_object"),
        info("llm_chat+decoding=json_schema", mode="json_schema"),
    ]
    words = ["free", "object", "schema"]
    assert labels(info("smac"), *chats)[1:] == [f"Qwen2.5-Coder 1.5B, {word}" for word in words]
    assert [label(each) for each in chats] == [f"{QWEN} {word}" for word in words]


def test_beside_others_with_a_model_a_chat_is_called_one():
    assert labels(info("llm_chat"), info("llambo"), info("smac")) == [
        "LLM chat, Qwen2.5-Coder 1.5B, free",
        "LLAMBO, Qwen2.5-Coder 1.5B, free",
        "SMAC",
    ]


def test_what_all_share_is_not_said():
    run = info(f"llm_chat+decoding=json_schema+start=default+llm.model={QWEN}", mode="json_schema", llm="vllm")
    assert labels(run, info("smac+start=default")) == ["Qwen2.5-Coder 1.5B, schema", "SMAC"]
    assert labels(run, info("smac")) == ["Qwen2.5-Coder 1.5B, schema, start default", "SMAC"]
    assert label(run) == f"{QWEN} schema start default"


def test_what_differs_is_spelled():
    assert labels(
        info("llm_chat"),
        info("llm_chat+prompt=ranges"),
        info("llm_chat+prompt=context_full+history=conversation"),
        info("llm_chat+decoding.max_tokens=400"),
        info("llm_chat+llm.dtype=float32"),
        info("llm_chat+decoding.schema=flat", mode="json_schema", decoding={"mode": "json_schema", "schema": "flat"}),
    ) == [
        f"Qwen2.5-Coder 1.5B, {words}"
        for words in (
            "free",
            "free, ranges",
            "free, context full, history conversation",
            "free, max_tokens 400",
            "free, dtype float32",
            "flat schema",
        )
    ]


def test_what_the_optimizer_was_built_with_counts():
    built = {"optimizer": {"chat": {"model": "org/Big-7B"}, "decoding": {"mode": "json_schema"}}}
    assert labels(info("llm_chat+chat.model=Big-7B", **built)) == ["Big-7B, schema"]


def test_two_methods_with_the_same_words_are_told_apart():
    here, there = info("llm_chat", "org/small"), info("llm_chat+llm=openai", "other/small", llm="openai")
    assert labels(here, there) == ["small, free (qwen2.5_coder_1.5b)", "small, free (openai)"]
    twins = info("llm_chat", "a/x"), info("llm_chat+llm.model=b-x~01234567", "b/x")
    assert len(set(labels(*twins))) == 2
    assert all(text.startswith("x, free (") for text in labels(*twins))


def test_a_method_whose_runs_have_several_models_says_so():
    assert Labels([info("llm_chat"), info("llm_chat", "other")])["llm_chat"] == "Qwen2.5-Coder 1.5B / other, free"


def test_words_of_a_stranger_are_visible_and_short():
    (text,) = labels(info("llm_chat", "a\n\x1b[31m" + "b" * 500))
    assert text.isprintable()
    assert len(text) < 80


NAMES = st.sampled_from(["llm_chat", "llambo", "smac", "mine", "llm_chat, free"])
PARTS = st.lists(
    st.sampled_from(
        ["decoding=free", "llm=vllm", "llm.port=1", "start=default", "decoding.schema=flat", "a=1", "x.a=1"]
    ),
    max_size=3,
    unique=True,
)
CONFIGS = st.sampled_from(
    [{}, {"llm": None}, {"llm": {"model": 3}}, {"llm": {"model": ""}}, {"decoding": {"mode": []}}]
)


@given(st.lists(st.tuples(NAMES, PARTS, st.sampled_from([None, "vllm"]), CONFIGS), max_size=6))
def test_no_two_methods_share_a_label(runs):
    infos = [
        {"optimizer": name, "llm": llm, "config": config, "method": method, **identity(method)}
        for name, parts, llm, config in runs
        for method in ["+".join([name, *parts])]
    ]
    found = Labels(infos)
    methods = {each["method"] for each in infos}
    assert len({found[method] for method in methods}) == len(methods)
    assert all(found[method] for method in methods)
