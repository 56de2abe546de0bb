"""The real vLLM with the small model: decoding modes, cost, refusals, sharing. One server for the whole session."""

from __future__ import annotations

import json
import math
import re
import urllib.request
from collections.abc import Sequence
from dataclasses import replace

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer, OrdinalHyperparameter

from benchmarks.conditional.conditional import Conditional
from harness.budget import Budget
from harness.chat import ChatRequest, Completion, Message
from harness.errors import ContextError, ModelError, ServerError
from harness.loop import run_loop
from harness.problem import Outcome, Params
from harness.repair import NoRepair
from llms.client import Client
from llms.decoding import Decoding
from llms.recorder import Recorder
from llms.schema import json_schema
from llms.server.owners import supervisor_pid
from llms.server.running import differences, served_row
from llms.server.server import ensure_server
from llms.server.server_settings import ServerSettings
from llms.server.serving import resolve
from llms.wire.health import look_up_models, served_models
from optimizers.chat.prompt import Prompt
from optimizers.llm_chat import LLMChat
from tests.support.chat_methods import built

pytestmark = pytest.mark.timeout(600)  # the first to come waits for the model to be built and the server to start

TASK = Message("system", "You tune a neural network on credit data. Answer with one JSON object, nothing else. " * 12)
GRID = ConfigurationSpace()
GRID.add(
    OrdinalHyperparameter("alpha", [1e-8, 1.3e-7, 1e-5, 0.01, 1.0]),
    OrdinalHyperparameter("depth", [1, 2, 3]),
    OrdinalHyperparameter("width", [16, 64, 1024]),
)
MIXED = ConfigurationSpace()
MIXED.add(
    Float("alpha", (1e-8, 1.0), log=True),
    Float("reg_lambda", (2**-10, 2**10), log=True),
    Float("subsample", (0.1, 1.0)),
    Integer("depth", (1, 3)),
    Integer("width", (16, 1024), log=True),
    Categorical("activation", ["relu", "tanh"]),
    Categorical("shuffle", [True, False]),
)


@pytest.fixture(scope="module")
def model(vllm_server: ServerSettings) -> Client:
    return Client(vllm_server.url, vllm_server.name)


def ask(text: str, seed: int = 0, **settings: object) -> ChatRequest:
    return ChatRequest((TASK, Message("user", text)), **{"temperature": 1.0, "seed": seed, **settings})  # type: ignore[arg-type]


def batch(model: Client, number: int, **settings: object) -> list[Completion]:
    return model.complete([ask(f"Proposal {i}, please.", i, **settings) for i in range(number)])


def counters(settings: ServerSettings) -> dict[str, float]:
    """vLLM's own counts of the tokens it read, took from the cache and wrote."""
    with urllib.request.urlopen(f"{settings.url.removesuffix('/v1')}/metrics") as answer:
        text = answer.read().decode()
    names = ("prompt_tokens", "prefix_cache_hits", "generation_tokens")
    return {
        name: sum(float(value) for value in re.findall(rf"^vllm:{name}_total(?:{{.*}})? (\S+)$", text, re.MULTILINE))
        for name in names
    }


def test_free_replies_and_what_they_cost(model, vllm_server):
    before = counters(vllm_server)
    completions = batch(model, 6, max_tokens=24)
    spent = sum((completion.usage for completion in completions), start=type(completions[0].usage)())
    after = counters(vllm_server)
    assert all(completion.text for completion in completions)
    assert {completion.finish_reason for completion in completions} <= {"stop", "length"}
    assert spent.calls == 6
    assert after["prompt_tokens"] - before["prompt_tokens"] == spent.prompt_tokens
    assert after["generation_tokens"] - before["generation_tokens"] == spent.completion_tokens
    assert after["prefix_cache_hits"] - before["prefix_cache_hits"] == spent.cached_tokens


def test_log_probabilities_are_those_of_the_replys_tokens(model):
    (completion,) = model.complete([ask("Name a number.", max_tokens=12, temperature=0, top_logprobs=3)])
    assert len(completion.tokens) == completion.usage.completion_tokens
    assert "".join(token.text for token in completion.tokens).removesuffix("<|im_end|>") == completion.text
    for token in completion.tokens:
        assert len(token.top) == 3
        assert max(token.top, key=token.top.get) == token.text  # greedy
        assert sum(math.exp(logprob) for logprob in token.top.values()) <= 1 + 1e-6


def test_the_tokenizer_counts_a_thinking_part_as_the_server_counted_its_tokens(vllm_server):
    """The small model does not think, so its whole reply is declared thinking: no closing tag comes."""
    url = f"{vllm_server.url.removesuffix('/v1')}/tokenize"
    model = Client(vllm_server.url, vllm_server.name, thinking_tags=("", "</think>"), tokenize_url=url)
    completions = batch(model, 6, max_tokens=40, temperature=0)
    for completion in completions:
        assert completion.thinking
        assert completion.text == ""
        ended = completion.finish_reason == "stop"  # by a token that is no text
        assert completion.usage.reasoning_tokens == completion.usage.completion_tokens - ended


def test_a_thinking_budget_needs_a_reasoning_parser(vllm_server):
    model = Client(vllm_server.url, vllm_server.name, thinking_field="thinking_token_budget")
    with pytest.raises(ModelError, match="thinking_token_budget is set but reasoning_config is not configured"):
        model.complete([ask("hi", thinking_tokens=8)])


def test_shared_prompts_come_from_the_cache(model):
    batch(model, 1, max_tokens=1)
    (second,) = model.complete([ask("Something else.", max_tokens=1)])
    assert second.usage.cached_tokens is not None
    assert 0.5 * second.usage.prompt_tokens < second.usage.cached_tokens < second.usage.prompt_tokens


def test_cut_replies_say_so(model):
    (completion,) = model.complete([ask("Tell a long story.", max_tokens=5, temperature=0)])
    assert (completion.finish_reason, completion.usage.completion_tokens) == ("length", 5)


def in_range(values: dict[str, object], schema: dict) -> bool:
    """By hand: jsonschema's multipleOf trips over binary fractions."""
    if set(values) != set(schema["properties"]):
        return False
    for name, wanted in schema["properties"].items():
        value = values[name]
        if "enum" in wanted:
            kept = value in wanted["enum"] and isinstance(value, bool) == isinstance(wanted["enum"][0], bool)
        else:
            number = int if wanted["type"] == "integer" else (int, float)
            kept = isinstance(value, number) and not isinstance(value, bool)
            kept = kept and wanted["minimum"] <= value <= wanted["maximum"]
        if not kept:
            return False
    return True


@pytest.mark.parametrize("space", [GRID, MIXED], ids=["grid", "mixed"])
def test_schema_is_kept(model, space):
    schema = json_schema(space)
    completions = batch(model, 16, mode="json_schema", schema=schema, max_tokens=200)
    values = [json.loads(completion.text) for completion in completions]
    assert [value for value in values if not in_range(value, schema)] == []
    assert {completion.finish_reason for completion in completions} == {"stop"}
    assert len({completion.text for completion in completions}) > 4


def test_values_below_a_millionth_can_be_written(model):
    space = ConfigurationSpace({"tiny": Float("tiny", (1e-8, 9e-8), log=True)})
    completions = batch(model, 4, mode="json_schema", schema=json_schema(space), max_tokens=60)
    assert all(1e-8 <= json.loads(completion.text)["tiny"] <= 9e-8 for completion in completions)


def test_json_object_is_an_object(model):
    completions = batch(model, 6, mode="json_object", max_tokens=200)
    whole = [completion.text for completion in completions if completion.finish_reason == "stop"]
    assert whole
    assert all(isinstance(json.loads(text), dict) for text in whole)


def test_too_long_a_prompt_names_the_numbers_and_the_ways_out(model):
    with pytest.raises(ContextError) as caught:
        model.complete([ask("word " * 9000)])
    message = str(caught.value)
    assert "8192" in message
    assert re.search(r"The prompt of \d{4,} tokens", message)
    assert "llm.max_model_len" in message


def test_unknown_model_names_what_is_there(vllm_server):
    with pytest.raises(ModelError, match=vllm_server.name):
        Client(vllm_server.url, "smollm3").complete([ask("hi")])


def test_second_look_finds_the_same_server(vllm_server):
    supervisor = supervisor_pid(vllm_server.owners)
    assert supervisor is not None
    assert ensure_server(vllm_server) == vllm_server.url
    assert supervisor_pid(vllm_server.owners) == supervisor
    assert served_models(vllm_server.url) == [vllm_server.name]


def test_the_server_runs_with_what_was_chosen_for_this_machine_and_says_so(vllm_server):
    serving = resolve(vllm_server)
    assert serving.dtype in ("bfloat16", "float32")
    assert served_row(vllm_server) == serving.row()
    log = vllm_server.log.read_text()
    assert serving.sentence() in log.splitlines()[0]
    assert f"dtype=torch.{serving.dtype}" in log


def test_other_settings_than_the_running_servers_are_named(vllm_server):
    for change, named in (({"max_model_len": 4096}, "max_model_len 8192"), ({"dtype": "float16"}, "dtype")):
        with pytest.raises(ServerError, match=f"has {named}.*llm.port"):
            ensure_server(replace(vllm_server, **change))


def test_what_vllm_itself_says_of_its_model_fits(vllm_server):
    """As of a server that somebody else started."""
    (served,) = look_up_models(vllm_server.url)
    assert differences(resolve(vllm_server), None, served) == []
    shorter = replace(vllm_server, max_model_len=4096, model="Qwen/Qwen2.5-7B-Instruct")
    assert [name for name, _, _ in differences(resolve(shorter), None, served)] == ["model", "max_model_len"]


def test_recorded_replies_come_back_without_the_server(model, tmp_path):
    requests: Sequence[ChatRequest] = [ask(f"Colour {i}?", i, max_tokens=8) for i in range(3)]
    live = Recorder(lambda: model, tmp_path / "calls.jsonl").complete(requests)
    replayed = Recorder(lambda: model, tmp_path / "calls.jsonl", live=False).complete(requests)
    assert replayed == live


def test_under_branches_no_hyperparameter_is_inactive_or_missing(model):
    problem = Conditional("wine", cache="none").problem
    rows: list[dict[str, object]] = []

    class Untrained:
        """Only what is proposed is looked at."""

        def __init__(self) -> None:
            self.problem = problem

        def evaluate(self, params: Params, fidelity: object, seed: int) -> Outcome:
            return Outcome({"accuracy": -0.5})

        def random_search_curve(self, evaluations: int) -> None:
            return None

    budget, decoding = Budget(proposals=8), Decoding("json_schema", max_tokens=300, temperature=1.0)
    chosen = built(LLMChat, problem, 0, budget, chat=model, prompt=Prompt(), decoding=decoding)
    run_loop(Untrained(), chosen, NoRepair(problem, 0), budget, 0, rows.append)
    assert [row["violations"] for row in rows] == [[]] * 8
    assert len({str(row["proposed"]) for row in rows}) > 1
