"""Records of earlier versions are found, reported and renewed; logs stay byte for byte."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.errors import HyperboleError, RunError
from harness.experiments import experiments_in
from harness.folder import RunFolder
from harness.former_names import run_elsewhere
from harness.migrate import migrate
from harness.packed import content_of
from harness.record import OlderRecordError, read_record
from tests.support.command import command, hyperbole, sentence
from tests.support.recorded import RESULTS, restore

RECORDED = RESULTS / "quickstart"
NEW = "hpobench.credit_g/llm_chat+decoding.temperature=0.8/0"
OLD = "hpobench.credit_g/llm_chat+temp=.80/0"


def made_older(run, **changes):
    """A run.json of schema 1, whose method is named after an override."""
    path = run / "run.json"
    older = json.loads(path.read_text())
    older |= {"schema": 1, "method": run.parent.name} | changes
    del older["choices"], older["settings"]
    if older["benchmark"] == "hpobench":
        older["config"]["benchmark"]["_target_"] = "benchmarks.hpobench.HPOBench"  # where it was then
    path.write_text(json.dumps(older))


@pytest.fixture
def experiment(tmp_path):
    """One run of a model and one of random search, as an earlier version recorded them."""
    folder = tmp_path / "quickstart"
    restore(RECORDED / NEW, folder / OLD)
    restore(RECORDED / "hpobench.credit_g/random_search/1", folder / "hpobench.credit_g/random_search/1")
    for run in folder.glob("*/*/*"):
        made_older(run)
    (folder / "sweeps.jsonl").write_text(json.dumps({"runs": [OLD], "elsewhere": []}) + "\n")
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_run_comes_to_the_folder_of_its_values(experiment):
    before = contents(experiment)
    renewed, total = migrate(experiment)
    assert (len(renewed), total) == (2, 2)
    after = contents(experiment)
    for name, content in after.items():
        old = name.replace(NEW, OLD)
        assert name.endswith("run.json") or name == "sweeps.jsonl" or before[old] == content
    assert {name.replace(NEW, OLD) for name in after} == set(before)
    run = read_record(experiment / NEW / "run.json")
    assert run == json.loads(content_of(RECORDED / NEW / "run.json"))
    assert run["settings"] == {"decoding.temperature": 0.8}
    assert json.loads(after["sweeps.jsonl"])["runs"] == [NEW]
    assert migrate(experiment) == ([], 2)
    assert contents(experiment) == after
    assert experiments_in(experiment.parent) == [experiment]


@pytest.mark.parametrize(
    ("target", "recorded", "now"),
    [
        ("benchmarks.hpobench.hpobench.HPOBench", "default", "credit_g"),
        ("not_here.Bench", "credit_g", "credit_g"),
        ("not_here.Bench", "default", "default"),
    ],
)
def test_a_task_that_the_configuration_lacks_is_that_of_the_class_or_as_recorded(target, recorded, now, tmp_path):
    run = tmp_path / f"quickstart/hpobench.{recorded}/random_search/1"
    restore(RECORDED / "hpobench.credit_g/random_search/1", run)
    older = json.loads((run / "run.json").read_text()) | {"task": recorded}
    older["config"]["benchmark"] = {"_target_": target}
    (run / "run.json").write_text(json.dumps(older))
    ((each,), _) = migrate(tmp_path / "quickstart")
    assert each.run["task"].partition("+")[0] == now


def refused(experiment, match):
    before = contents(experiment)
    with pytest.raises(HyperboleError, match=match):
        migrate(experiment)
    assert contents(experiment) == before


def test_nothing_is_changed_where_one_run_cannot_be_renewed(experiment):
    run = experiment / "hpobench.credit_g/random_search/1"
    shutil.copytree(experiment / OLD, experiment / "hpobench.credit_g/llm_chat/0")
    made_again = experiment / "hpobench.credit_g/llm_chat/0/run.json"
    made_again.write_text(made_again.read_text().replace("llm_chat+temp=.80", "llm_chat"))
    refused(experiment, "are the same run; move one of them away")
    shutil.rmtree(made_again.parents[1])
    with RunFolder(run).lock():
        refused(experiment, "in use by another process")
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"optimizer": "mine"}))
    refused(experiment, "the configuration file optimizer/mine.yaml.*hydra.searchpath")
    (run / "run.json").write_text(json.dumps(record | {"method": "smac"}))
    refused(experiment, "not in the folder that it names, hpobench.credit_g/smac/1")
    (run / "run.json").write_text(json.dumps(record | {"schema": 3}))
    refused(experiment, "has schema 3, this version reads 2; use the version that wrote it")
    (run / "run.json").write_text("{")
    refused(experiment, "cannot be read")


def test_nothing_is_imported_for_an_untrusted_record(experiment, tmp_path, monkeypatch):
    """Its model is a class that no configuration file names there; its defaults are ignored."""
    (tmp_path / "planted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass X: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = experiment / OLD / "run.json"
    run = json.loads(path.read_text())
    run["config"]["optimizer"]["chat"]["_target_"] = "planted.X"
    path.write_text(json.dumps(run))
    renewed, _ = migrate(experiment)
    assert any("_target_=planted.X" in each.target.as_posix() for each in renewed)
    assert not (tmp_path / "ran").exists()


def test_an_older_record_is_refused_with_the_command(experiment):
    with pytest.raises(OlderRecordError, match=f"earlier version.*python -m harness.migrate {experiment}$"):
        read_record(experiment / OLD / "run.json")
    assert read_record(experiment / OLD / "run.json", oldest=1)["schema"] == 1


def test_the_same_run_is_found_under_another_name(experiment):
    identity = json.loads(content_of(RECORDED / NEW / "run.json"))
    where, said = run_elsewhere(experiment / NEW, identity)
    assert where == experiment / OLD
    assert "under another name, complete; skipped (python -m harness.migrate" in said
    other = identity | {"config": identity["config"] | {"start": None}}
    assert run_elsewhere(experiment / NEW, other) is None
    assert run_elsewhere(experiment / NEW, identity | {"seed": 1}) is None
    made = experiment / OLD / "run.json"
    made.write_text(made.read_text().replace('"complete"', '"running"'))
    with pytest.raises(RunError, match=r"is running; python -m harness.migrate .* renames it, then it continues"):
        run_elsewhere(experiment / NEW, identity)


def test_an_old_name_is_reported_and_not_run_again(tmp_path):
    run = ["benchmark=toy", "benchmark.failure_rate=0.25", "budget.proposals=2", "name=old"]
    assert hyperbole(*run, cwd=tmp_path).returncode == 0
    (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
    older = folder.parents[2] / "toy.branin+failure_rate=.25/random_search/0"
    older.parent.mkdir(parents=True)
    folder.rename(older)
    made_older(older, task="branin+failure_rate=.25")
    again = hyperbole("-m", *run, cwd=tmp_path)
    assert again.returncode == 0
    assert "the same run is in" in again.stderr
    assert "Traceback" not in again.stderr
    assert not list(folder.glob("*"))
    assert "renew their run.json first: python -m harness.migrate runs/old" in sentence(
        command("analysis", "runs/old", cwd=tmp_path)
    )
    renewed = command("harness.migrate", "runs/old", cwd=tmp_path)
    assert (renewed.returncode, renewed.stdout.splitlines()[-1]) == (0, "1 of 1 records renewed, 0 were up to date.")
    assert "complete; skipped" in hyperbole(*run, cwd=tmp_path).stdout
    assert [path.parent for path in tmp_path.rglob("run.json")] == [folder]
