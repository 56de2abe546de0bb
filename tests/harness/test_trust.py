"""An untrusted run.json: its classes are not built, its paths are not read or written, nothing is sent."""

from __future__ import annotations

import copy
import json
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.again import offline_config
from harness.build import _factory, build_budget
from harness.choice_files import CONF
from harness.errors import RunError, SettingError
from harness.packed import content_of
from harness.run_files import run_files
from harness.trust import Trust, from_command_line
from tests.support.command import command
from tests.support.recorded import RESULTS, restore

RECORDED = RESULTS / "quickstart/hpobench.credit_g"
OURS = Trust([CONF], {})
EVIL = {"_target_": "pathlib.Path.write_text", "_args_": [{"_target_": "pathlib.Path", "_args_": ["owned"]}, "x"]}


def record(method="llm_chat+decoding.temperature=0.8"):
    return json.loads(content_of(RECORDED / method / "0/run.json"))


def changed(place, value, method="llm_chat+decoding.temperature=0.8"):
    """The configuration of a run in which one place has another value."""
    config = copy.deepcopy(record(method)["config"])
    node = config
    *parents, last = place.split(".")
    for key in parents:
        node = node.setdefault(key, {})
    node[last] = value
    return config


@pytest.mark.parametrize("path", run_files(RECORDED.parent), ids=lambda path: path.parent.parent.name)
def test_our_own_records_are_trusted(path):
    OURS.check(json.loads(content_of(path))["config"])


PARTS = ("benchmark", "optimizer", "llm", "prompt", "decoding", "repair", "probe", "start", "budget", "tracker")


@pytest.mark.parametrize(
    "place",
    [
        *PARTS,
        *(f"{part}.setting" for part in PARTS),
        "optimizer.prompt",
        "optimizer.chat",
        "optimizer.chat.environment.X",
        "start.configurations",
        "name",
        "a.b.c.d.e",
    ],
)
@pytest.mark.parametrize("wrap", [lambda evil: evil, lambda evil: [[evil]], lambda evil: {"inner": {"most": evil}}])
def test_nothing_is_built_that_no_configuration_file_names_there(place, wrap):
    with pytest.raises(RunError, match=r"names (pathlib|_args_)"):
        OURS.check(changed(place, wrap(EVIL)))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("benchmark._target_", "optimizers.llm_chat.LLMChat"),  # of another group
        ("optimizer.prompt._target_", "llms.models.endpoint"),  # of another place of the group
        ("optimizer._target_", "harness.perform.perform"),  # of this project, but not a class to be built
        ("optimizer._target_", "benchmarks.training.evaluation_cache.EvaluationCache"),
        ("optimizer._target_", "optimizers.llm_chat.LLMChat.ask"),
        ("optimizer._target_", "optimizers.llm_chat.os.system"),
        ("optimizer._target_", None),
        ("optimizer._target_", ["optimizers.llm_chat.LLMChat"]),
        ("budget._target_", "pandas.read_pickle"),
        ("budget._args_", [1]),
        ("optimizer._partial_", True),
        ("optimizer.chat._recursive_", False),
        ("optimizer.chat._convert_", "none"),
        ("tracker._target_", "os.system"),
        ("start.configurations", [{"_target_": "harness.start.NoStart"}]),
    ],
)
def test_what_a_group_does_not_name_is_refused(place, value):
    with pytest.raises(RunError, match=r"which no configuration file names there"):
        OURS.check(changed(place, value))


@pytest.mark.parametrize("text", ["${oc.env:HOME}", "a${oc.env:HOME}", "${seed}", r"\${seed}", r"\\${oc.env:HOME}b"])
def test_what_looks_like_a_reference_is_text(text):
    config = changed("start", {"_target_": "harness.start.GivenStart", "configurations": [{"x": text}]})

    assert _factory(config["start"], "start")()._configurations == [{"x": text}]


@settings(max_examples=100)
@given(st.text(alphabet="ab\\${}:'\"[]?,() ", max_size=12).filter(lambda text: text != "???"))
def test_any_text_reaches_its_class_as_it_is(text):

    node = {"_target_": "harness.start.GivenStart", "configurations": [{"x": text}]}
    assert _factory(node, "start")()._configurations == [{"x": text}]
    nested = {"_target_": "types.SimpleNamespace", "prompt": {"_target_": "types.SimpleNamespace", "x": [text]}}
    assert _factory(nested, "optimizer").keywords["prompt"].x == [text]


def test_a_missing_value_is_a_mistake_and_no_traceback():
    with pytest.raises(SettingError):
        build_budget(changed("budget.proposals", "???"))


@pytest.mark.parametrize(
    "model",
    [
        {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "HOME", "model": "m", "name": "n", "recording": "/x"},
        {"live": True, "replay": "/etc/passwd", "base_url": "http://127.0.0.1:9/v1", "model": "m", "name": "n"},
        {"live": "yes", "base_url": "http://127.0.0.1:9/v1", "model": "m", "name": "n", "recording": None},
    ],
)
def test_a_model_answers_from_its_record_alone_whatever_its_keys(tmp_path, model):
    config = changed("optimizer.chat", {"_target_": "llms.models.endpoint", **model})
    OURS.check(config)
    offline = offline_config(config, tmp_path / "run", tmp_path / "scratch", OURS, {})
    for found in (offline["optimizer"]["chat"], offline["llm"]):
        assert found["live"] is False
        assert found["recording"] == str(tmp_path / "scratch/calls.jsonl")
        assert found["replay"] == str(tmp_path / "run/calls.jsonl")


def test_the_records_own_paths_are_not_used(tmp_path):
    target = {
        "_target_": "benchmarks.openml.openml.OpenML",
        "folder": str(tmp_path),
        "cache": str(tmp_path / "x.sqlite"),
    }
    offline = offline_config(changed("benchmark", target), tmp_path, tmp_path, OURS, {})
    assert offline["benchmark"] == {"_target_": "benchmarks.openml.openml.OpenML", "folder": None, "cache": "user"}
    off = offline_config(changed("benchmark", target | {"cache": "none"}), tmp_path, tmp_path, OURS, {})
    assert off["benchmark"]["cache"] == "none", "a word is no path"
    ours, given = from_command_line(["benchmark.folder=/here", "benchmark.cache=none"], CONF)
    offline = offline_config(changed("benchmark", target), tmp_path, tmp_path, ours, given)
    assert offline["benchmark"] == {"_target_": "benchmarks.openml.openml.OpenML", "folder": "/here", "cache": "none"}


def test_a_plug_ins_model_that_cannot_be_limited_to_its_record_is_refused(tmp_path):
    (tmp_path / "llm").mkdir()
    (tmp_path / "llm/mine.yaml").write_text("_target_: mine.Model\nurl: http://127.0.0.1\n")
    trust, _ = from_command_line([f"hydra.searchpath=[{tmp_path}]"], CONF)
    with pytest.raises(RunError, match=r"mine\.Model cannot be replayed"):
        trust.check(changed("optimizer.chat", {"_target_": "mine.Model"}))


def untrusted(folder: Path, name: str, **changes) -> Path:
    """A copy of a recorded run with another configuration."""
    run = folder / "toy.branin/x" / name
    restore(RECORDED / "llm_chat+decoding.temperature=0.8/0", run)
    said = record() | {"seed": 0}
    said["config"] |= changes
    (run / "run.json").write_text(json.dumps(said))
    return run


def test_an_untrusted_folder_builds_nothing_sends_nothing_and_writes_nothing(tmp_path):
    runs, outside = tmp_path / "theirs", tmp_path / "outside"
    outside.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        ask = {"_target_": "llms.models.endpoint", "name": "n", "base_url": url, "model": "m", "api_key_env": "SECRET"}
        own = record()["config"]
        chat = {**ask, "recording": str(outside / "calls.jsonl")}
        untrusted(runs, "asks", llm=ask, optimizer=own["optimizer"] | {"chat": chat, "temperature": 0.5})
        evil = EVIL | {"_args_": [{"_target_": "pathlib.Path", "_args_": [str(outside / "owned")]}, "owned"]}
        untrusted(runs, "writes", optimizer=own["optimizer"] | {"prompt": evil})
        untrusted(runs, "budget", budget={"_target_": "pandas.read_pickle", "filepath_or_buffer": "x.pkl"})
        cache = {
            "_target_": "benchmarks.conditional.conditional.Conditional",
            "task": "digits",
            "cache": str(outside / "c.sqlite"),
        }
        untrusted(runs, "cache", benchmark=cache, budget=own["budget"] | {"proposals": 1})
        openml = {"_target_": "benchmarks.openml.openml.OpenML", "task": 31, "folder": str(outside)}
        untrusted(runs, "openml", benchmark=openml)
        (untrusted(runs, "nested") / "run.json").write_text("[" * 100_000)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        done = command(
            "harness.replay", str(runs), cwd=tmp_path, SECRET="sk-canary", XDG_CACHE_HOME=str(tmp_path / "cache")
        )
        with pytest.raises(TimeoutError):
            server.accept()
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 3, done.stderr
    assert "optimizer.prompt names pathlib.Path.write_text" in done.stderr
    assert "budget names pandas.read_pickle" in done.stderr
    assert "nested" in done.stderr
    assert "1 of 6 runs replayed to the same trials." in done.stdout
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert {path: time for path, time in after.items() if not path.is_relative_to(tmp_path / "cache")} == before
