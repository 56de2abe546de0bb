"""Records of earlier versions are read in the words of this one; on the command line, the new word is said."""

from __future__ import annotations

import json

import pytest

from harness.build import build_all
from harness.choice_files import CONF, composed
from harness.composed import resolve
from harness.errors import SettingError
from harness.experiment import compose_with
from harness.folder import RunFolder, refuse_if_different
from harness.former_names import run_elsewhere
from harness.locate import locate
from harness.migrate import migrate
from harness.moved import CLASSES, MOVED, RESPELLED, class_now, renewed, respelled
from harness.packed import content_of
from harness.record import read_record
from harness.replay import replay_all
from harness.signature import settings_of
from harness.sources import changed, sources
from tests.support.recorded import RESULTS, restore

RECORDED = RESULTS / "quickstart"
CHAT = "hpobench.credit_g/llm_chat+decoding.temperature=0.8/0"
RANDOM = "hpobench.credit_g/random_search/1"
LIVE = "benchmark=conditional benchmark.cache"
OLD = [(target, name, old, new) for (target, name), values in RESPELLED.items() for old, new in values]


def in_old_words(text):
    """A run.json as it was written before there were words for these values."""
    found = text.replace('"context": "task"', '"context": true').replace('"context": "none"', '"context": false')
    return found.replace('"_target_": "benchmarks.probes.probe.probed"', '"_target_": "harness.probe.no_probe"')


@pytest.fixture
def experiment(tmp_path):
    for run in (CHAT, RANDOM):
        restore(RECORDED / run, tmp_path / "quickstart" / run)
        path = tmp_path / "quickstart" / run / "run.json"
        path.write_text(in_old_words(path.read_text()))
    return tmp_path / "quickstart"


@pytest.mark.parametrize(("target", "name", "old", "new"), OLD)
def test_every_value_of_the_table_is_of_a_class_that_takes_the_new_one(target, name, old, new):
    assert class_now(target) == target
    setting = settings_of(locate(target, "x"))[0][name]
    assert setting.kind.accepts(new)
    assert not setting.kind.accepts(old)
    assert renewed({"a": [{"_target_": target, name: old}]}) == {"a": [{"_target_": target, name: new}]}
    assert renewed({"_target_": target, name: new}) == {"_target_": target, name: new}


def test_a_number_is_no_truth_value_and_other_classes_keep_theirs():
    assert respelled("optimizers.chat.prompt.Prompt", "context", 1) is None
    assert respelled("optimizers.chat.prompt.Prompt", "context", {}) is None
    assert respelled("mine.Prompt", "context", True) is None
    assert renewed({"_target_": "mine.Bench", "cache": True}) == {"_target_": "mine.Bench", "cache": True}


def test_every_class_that_has_moved_lies_where_it_is_said_to():
    for module in MOVED.values():
        locate(f"{module}.__name__.upper", "x")
    for target in CLASSES.values():
        locate(target, "x")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("prompt.context=true", "prompt.context=true is an old spelling; give prompt.context=task."),
        ("prompt.context=False", "prompt.context=false is an old spelling; give prompt.context=none."),
        ("probe.names=true", "probe.names=true is an old spelling; give probe.names=original."),
        ("probe.space='true'", "probe.space=true is an old spelling; give probe.space=original."),
        ("probe.task=false", "Unknown probe.task 'false'. Valid: none, original, shuffled."),
        (
            "probe._target_=harness.probe.no_probe",
            "probe._target_=harness.probe.no_probe is an old spelling; give benchmarks.probes.probe.probed.",
        ),
        (
            "benchmark=conditional benchmark.cache=true",
            "benchmark.cache=true is an old spelling; give benchmark.cache=user.",
        ),
        (
            "benchmark=conditional benchmark.cache=false",
            "benchmark.cache=false is an old spelling; give benchmark.cache=none.",
        ),
    ],
)
def test_an_old_spelling_is_said_with_the_new_one(said, sentence):
    config, _ = compose_with(["benchmark=toy", "optimizer=llm_chat", *said.split()], {})
    used = {"llm", "prompt", "decoding", "repair", "probe", "start"}
    with pytest.raises(SettingError) as refusal:
        build_all(resolve(config, used, "."))
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("run", [CHAT, RANDOM])
def test_a_run_in_old_words_is_the_run_that_is_asked_for(experiment, run):
    now = json.loads(content_of(RECORDED / run / "run.json"))
    path = experiment / run / "run.json"
    assert "no_probe" in path.read_text()
    assert read_record(path) == now
    refuse_if_different(RunFolder(path.parent).read(), now["config"], path)
    renamed = experiment / "hpobench.credit_g/renamed/0"
    where, said = run_elsewhere(renamed.with_name(path.parent.name), now)
    assert (where, "under another name, complete; skipped" in said) == (path.parent, True)


def test_a_run_in_old_words_replays_and_is_renewed_where_it_lies(experiment):
    assert replay_all(experiment) == (0, 0)
    renewed_runs, total = migrate(experiment)
    assert (len(renewed_runs), total) == (2, 2)
    assert all(each.folder == each.target for each in renewed_runs)
    for run in (CHAT, RANDOM):
        assert (experiment / run / "run.json").read_bytes() == content_of(RECORDED / run / "run.json")


def test_the_code_of_probes_is_none_of_a_run_without_one():
    files = sources({"probe": composed("probe", "none", [CONF])})
    assert files == {}
    assert changed({"probe": {"file": "harness/probe.py", "sha256": "0"}}, files) == []
    assert set(sources({"probe": composed("probe", "warped", [CONF])})) == {"probe"}
