"""A run's identity follows from values: all spellings have one name, and two runs never share one."""

from __future__ import annotations

import copy
import functools
import itertools
from pathlib import Path, PurePosixPath

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from harness.choice_files import CONF, ChoiceFiles
from harness.composed import Template
from harness.folder import first_difference
from harness.identity import Identity, identity_of
from harness.method import GROUPS
from harness.names import LONGEST
from tests.harness.test_names import HOSTILE
from tests.support.chosen import chosen
from tests.support.command import hyperbole
from tests.support.fake_server import FakeServer, reply

FILES = ChoiceFiles([CONF])
EXPERIMENT = """
# @package _global_
name: mine
{said}
"""


@functools.cache
def fields(*overrides, folder=None):
    """The run.json fields of a command line; ``folder``: further configuration files."""
    more = [f"hydra.searchpath=[{folder}]"] if folder else []
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides=[*overrides, *more], return_hydra_config=True)
    choices = dict(config.hydra.runtime.choices)
    OmegaConf.set_struct(config, False)
    config.pop("hydra")
    job = Template(config, choices, Path("runs"), [CONF, *([folder] if folder else [])]).job()
    return job.identity | {"place": job.place.split("/")[1]}


def names(*overrides, **more):
    found = fields(*overrides, **more)
    return found["place"], found["method"]


def method(*overrides):
    return names("optimizer=llm_chat", *overrides)[1]


SPELLINGS = [
    ("optimizer=llm_chat",),
    ("optimizer=llm_chat", "optimizer.temperature=0"),
    ("optimizer=llm_chat", "optimizer.temperature=0.0"),
    ("optimizer=llm_chat", "++optimizer.temperature=0e0"),
    ("optimizer=llm_chat", "optimizer.temperature=-0.0"),
    ("optimizer=llm_chat", "optimizer.history=compressed", "prompt=plain", "decoding.mode=free"),
    ("optimizer=llm_chat", "~optimizer.history"),
    ("optimizer=llm_chat", "+x=0", "optimizer.temperature=${x}"),
    ("optimizer=llm_chat", "decoding.schema=flat"),
    ("optimizer=llm_chat", "repair._target_=harness.repair.NoRepair"),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=" ".join)
def test_an_explicit_default_does_not_change_the_name(spelling):
    assert names(*spelling) == ("hpobench.credit_g", "llm_chat")
    assert fields(*spelling)["settings"] == {}
    assert first_difference(fields(*SPELLINGS[0])["config"], fields(*spelling)["config"]) is None
    assert first_difference(fields(*spelling)["config"], fields(*SPELLINGS[0])["config"]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["prompt=context_full"], ["prompt.context=full"]),
        (["prompt=reasoning", "prompt.context=full"], ["prompt=context_full", "prompt.reasoning=true"]),
        (["decoding=json_schema"], ["decoding.mode=json_schema"]),
        (["decoding.temperature=0.8"], ["decoding.temperature=8e-1"]),
        (["repair=clamp"], ["repair._target_=harness.repair.Clamp"]),
        (["probe=blind"], ["probe=anonymous", "probe.task=none", "probe.space=warped"]),
        (["budget=evaluations"], ["budget.proposals=200", "budget.evaluations=20"]),
        (["start=given", "start.configurations=[{a: 1}]"], ["start=given", "start.configurations=[{a: 1.0}]"]),
        (["+llm.environment.A=1"], ['+llm.environment.A="1"', "llm.port=9"]),
    ],
)
def test_two_spellings_of_one_configuration_have_one_name(one, other):
    assert method(*one) == method(*other) != "llm_chat"
    said = [fields("optimizer=llm_chat", *each) for each in (one, other)]
    assert all(said[0][key] == said[1][key] for key in ("choices", "settings"))
    assert first_difference(*(each["config"] for each in said)) is None


def test_choices_and_settings_are_fields_by_value():
    found = fields("optimizer=llm_chat", "prompt.context=full", "optimizer.temperature=0.5", "benchmark.space=nearest")
    assert found["choices"] == {
        "benchmark": "hpobench",
        "optimizer": "llm_chat",
        "llm": "smollm2_135m",
        "prompt": "context_full",
        "decoding": "free",
        "repair": "none",
        "probe": "none",
        "start": "none",
        "budget": "proposals",
    }
    assert found["settings"] == {"benchmark.space": "nearest", "optimizer.temperature": 0.5}
    assert (found["place"], found["method"]) == (
        "hpobench.credit_g+space=nearest",
        "llm_chat+prompt=context_full+temperature=0.5",
    )


def test_a_whole_method_spelled_setting_by_setting():
    small = OmegaConf.to_container(chosen("optimizer", "llambo_small"), resolve=False)
    given = [f"optimizer.{key}={value}" for key, value in small.items() if not str(value).startswith(("$", "opt"))]
    found = fields("optimizer=llambo", *given)
    assert (found["optimizer"], found["method"]) == ("llambo_small", "llambo_small")
    assert names("optimizer=llambo_small", "optimizer.shown=9")[1] == "llambo_small+shown=9"


def test_an_experiment_file_and_the_command_line_say_the_same(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "prompt").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text(EXPERIMENT.format(said="decoding: {temperature: 0.8}"))
    (tmp_path / "prompt/brief.yaml").write_text("defaults: [plain, _self_]\nfeedback: false\nreasoning: true\n")
    here = functools.partial(names, folder=tmp_path)
    assert here("optimizer=llm_chat", "experiment=mine") == here("optimizer=llm_chat", "decoding.temperature=0.8")
    assert here("optimizer=llm_chat", "prompt=brief") == here(
        "optimizer=llm_chat", "prompt.feedback=false", "prompt.reasoning=true"
    )
    assert here("optimizer=llm_chat", "prompt=brief")[1] == "llm_chat+prompt=brief"
    assert here("optimizer=smac", "experiment=mine")[1] == "smac", "nothing is decoded"


def test_a_copy_of_a_file_under_another_name_is_the_same_choice(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer/a_smac.yaml").write_text((CONF / "optimizer/smac.yaml").read_text())
    assert names("optimizer=a_smac", folder=tmp_path)[1] == "smac"


def test_choices_stand_in_fixed_order_and_those_without_effect_not_at_all():
    assert method("repair=clamp", "decoding=json_schema") == "llm_chat+decoding=json_schema+repair=clamp"
    assert names("optimizer=smac", "repair=random", "decoding=json_schema")[1] == "smac+repair=random"
    assert names("optimizer=smac", "budget=evaluations", "budget.evaluations=7")[1] == "smac+budget=evaluations"
    assert names("optimizer=smac", "budget.proposals=7")[1] == "smac", "a run of another length is refused"


def test_the_form_of_the_schema_is_named_where_there_is_a_schema_alone():
    assert (
        method("decoding=json_schema", "decoding.schema=flat") == "llm_chat+decoding=json_schema+decoding.schema=flat"
    )
    assert method("decoding=json_object", "decoding.schema=flat") == "llm_chat+decoding=json_object"


@pytest.mark.parametrize(
    ("overrides", "place"),
    [
        (["benchmark=openml", "benchmark.model=mlp", "benchmark.fold=1"], "openml.31+fold=1+model=mlp"),
        (["benchmark=openml", "benchmark.task='31'", "benchmark.model=svm"], "openml.31"),
        (["benchmark=openml", "benchmark.task=31.0", "benchmark.cache=none", "benchmark.folder=/data"], "openml.31"),
        (["benchmark=toy", "~benchmark.task"], "toy.branin"),
        (["benchmark=toy", "benchmark._target_=a.B"], "toy.branin+_target_=a.B+failure_rate=0"),
    ],
)
def test_settings_of_the_benchmark_distinguish_tasks_and_paths_do_not(overrides, place):
    assert names(*overrides)[0] == place


def test_the_choice_stays_where_no_file_builds_the_class():
    assert names("optimizer=sobol", "optimizer._target_=a.B")[1].startswith("sobol+_target_=a.B")


@functools.cache
def resolved():
    return fields("optimizer=llm_chat")["config"]


def named(**changes):
    """The method's name with settings of the model changed: dotted name -> value."""
    config = copy.deepcopy(resolved())
    for model in (config["llm"], config["optimizer"]["chat"]):
        for key, value in changes.items():
            *above, last = key.split(".")
            functools.reduce(dict.__getitem__, above, model)[last] = value
    used = [group for group in GROUPS if config[group] is not None]
    return identity_of(config, used, {}, FILES).method()


@pytest.mark.parametrize(
    "change",
    [
        {"port": 9000, "live": False, "replay": "x", "threads": "0-1", "gpu_memory_utilization": 0.5},
        {"environment.VLLM_CPU_OMP_THREADS_BIND": "0-1", "environment.VLLM_CPU_KVCACHE_SPACE": 2},
        {"environment": {"CUDA_VISIBLE_DEVICES": "1"}, "start_timeout_seconds": 5},
        {"environment": None},
        {"extra_args": []},
        {"extra_args": None},
        {"extra_args": ["--no-enable-chunked-prefill", "--max-num-seqs", 8, "--download_dir=/models"]},
    ],
)
def test_what_changes_no_reply_is_in_no_name(change):
    assert named(**change) == "llm_chat"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"environment.VLLM_BATCH_INVARIANT": 1}, "llm_chat+llm.environment.VLLM_BATCH_INVARIANT=1"),
        ({"environment.LD_PRELOAD": "x", "port": 2}, "llm_chat+llm.environment.LD_PRELOAD=x"),
        ({"enforce_eager": False}, "llm_chat+llm.enforce_eager=false"),
        ({"tensor_parallel_size": 2}, "llm_chat+llm.tensor_parallel_size=2"),
        ({"model": "org/model: a b"}, "llm_chat+llm.model=org-model-a-b~"),
        (
            {"extra_args": ["--quantization", "fp8", "--max-num-seqs", "8"]},
            "llm_chat+llm.extra_args=---quantization-fp8~",
        ),
    ],
)
def test_what_could_change_a_reply_is_in_the_name_and_nothing_beside_it(change, name):
    assert named(**change).startswith(name)
    assert ("~" in name) or named(**change) == name


def test_no_value_of_a_setting_leaves_the_folder_or_shares_one():
    found = [named(model=text) for text in HOSTILE]
    for one in found:
        assert PurePosixPath(one).name == one != ".."
        assert len(one.encode()) <= LONGEST
        assert one.isascii()
        assert one.isprintable()
    assert len(set(found)) == len(set(HOSTILE))


def of_values(**settings):
    return Identity({"optimizer": "m"}, {f"optimizer.{key}": value for key, value in settings.items()}).method()


VALUES = [
    *(
        None,
        True,
        False,
        0,
        1,
        0.5,
        1e-9,
        1e300,
        10**400,
        -1,
        "null",
        "true",
        "0",
        "1",
        "1.0",
        "",
        " ",
        "a",
        "A",
        "[a]",
    ),
    *('"a"', ["a"], ["a,b"], ["a", "b"], [["a"], "b"], {}, [], {"a": 1}, {"a": "1"}, {"a": True}, "{a: 1}", "NaN", "~"),
    *("x" * 90 + end for end in "ab"),
    *(["x" * 300 + end] for end in "ab"),
]


def test_different_values_have_different_names():
    """Also beyond 80 characters, with the same shown part."""
    found = [of_values(words=value) for value in VALUES]
    assert len(set(found)) == len(VALUES)
    assert all(len(one) <= LONGEST for one in found)
    long = [one for one in found if "xxx" in one]
    assert len({one[:60] for one in long if "=x" in one}) == 1


def test_the_same_number_has_one_name():
    assert of_values(a=1) == of_values(a=1.0) == "m+a=1"
    assert of_values(a=[1, {"b": 2.0}]) == of_values(a=[1.0, {"b": 2}])
    assert of_values(a=0.0) == of_values(a=-0.0)


def test_many_settings_are_cut_to_what_a_file_system_takes():
    found = [of_values(**{f"setting_{n}": "x" * 60 for n in range(9)}, z=z) for z in "ab"]
    assert [len(name) for name in found] == [LONGEST, LONGEST]
    assert found[0] != found[1]


def test_a_setting_named_like_a_group_is_none():
    identities = [
        Identity({"optimizer": "m", "repair": "clamp"}, {}),
        Identity({"optimizer": "m"}, {"optimizer.repair": "clamp"}),
        Identity({"optimizer": "m"}, {"optimizer.llm.model": "x"}),
        Identity({"optimizer": "m"}, {"llm.model": "x"}),
        Identity({"optimizer": "m"}, {"optimizer.optimizer.llm.model": "x"}),
        Identity({"optimizer": "m"}, {"~optimizer.a": None}),
        Identity({"optimizer": "m"}, {"optimizer.a": None}),
        Identity({"optimizer": "m"}, {}),
    ]
    found = [each.method() for each in identities]
    assert all(one != other for one, other in itertools.combinations(found, 2))


def test_three_spellings_in_a_sweep_run_once_and_skip_the_others(tmp_path):
    """The default given in two ways, and a choice by its name and by its value: one model is asked, once."""
    with FakeServer([reply("{}")]) as server:
        said = ["llm=openai", f"llm.base_url={server.url}", "llm.model=tiny", "llm.api_key_env=null"]
        base = ["benchmark=toy", "optimizer=llm_chat", "budget.proposals=1", "~hydra.callbacks.record", *said]
        swept = ["optimizer.temperature=0,0.0", "prompt=plain,no_context", "prompt.context=none"]
        done = hyperbole("-m", *base, *swept, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "4 of 4 runs complete (3 of them before); 1 proposals" in done.stdout
        once = hyperbole(*base, "prompt=no_context", cwd=tmp_path)
        assert "complete; skipped" in once.stdout
    (path,) = tmp_path.rglob("run.json")
    assert path.parents[1].name == "llm_chat+llm=openai+prompt=no_context+llm.model=tiny"


def test_values_that_differ_beyond_80_characters_are_two_runs(tmp_path):
    many = "{share: 0.5, rate: 0.1, solver: sgd}, " * 9
    points = ",".join(f"[{many}{{share: {x}, rate: 0.1, solver: sgd}}]" for x in (0.3, 0.4))
    told = ["-m", "benchmark=toy", "benchmark.task=front", "start=given", f"start.configurations={points}"]
    done = hyperbole(*told, "budget.proposals=1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("run.json"))) == 2
