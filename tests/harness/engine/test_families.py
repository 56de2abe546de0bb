"""Jobs that are made of one composed configuration are those that Hydra would have composed one by one."""

from __future__ import annotations

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.types import RunMode

from harness.choice_files import CONF
from harness.engine.families import Families, Family
from harness.errors import SettingError
from harness.folder import first_difference

SWEEPS = {
    "seeds and tasks": [
        ["seed=0", "benchmark.task=kc1"],
        ["seed=7", "benchmark.task=kc1"],
        ["benchmark.task=vehicle", "seed=7"],
    ],
    "a setting that the optimizer refers to": [
        ["optimizer=llm_chat", "llm.concurrency=5", "seed=1"],
        ["optimizer=llm_chat", "decoding.temperature=0", "seed=1"],
        ["optimizer=llm_chat", "decoding.temperature=0.7", "seed=2"],
        ["optimizer=llm_chat", "decoding.temperature=null", "seed=2"],
        ["optimizer=llm_chat", "decoding=json_schema", "decoding.temperature=0.7"],
    ],
    "a setting that the optimizer does not use": [
        ["decoding.temperature=0.2"],
        ["decoding.temperature=0.3"],
        ["llm=vllm", "decoding.temperature=0.3"],
    ],
    "values of every kind": [
        ["benchmark=toy", "benchmark.task='a=b, c'"],
        ["benchmark=toy", "benchmark.task=null"],
        ["benchmark=toy", "benchmark.task=true"],
        ["benchmark=toy", "benchmark.task=3"],
        ["benchmark=toy", "benchmark.task=1e-3"],
        ["benchmark=toy", "benchmark.task=[a,b]"],
        ["benchmark=toy", "benchmark.task={a:1}"],
        ["benchmark=toy", "benchmark.task={b:2}"],
        ["benchmark=toy", "benchmark.task=s${seed}", "seed=3"],
        ["benchmark=toy", "benchmark.task=s${seed}", "seed=4"],
        ["benchmark=toy", "benchmark.task=job${hydra:job.num}"],
        ["benchmark=toy", "benchmark.task=${oc.env:HOME}"],
    ],
    "parts of a list": [
        ["start=given", "start.configurations=[{x: 1},{x: 2}]", "start.configurations.0.x=3"],
        ["start=given", "start.configurations=[{x: 1},{x: 2}]", "start.configurations.0.x=4"],
        ["start=given", "start.configurations=[{x: 1},{x: 2}]", "start.configurations.1=null"],
        ["start=given", "start.configurations=[{x: 1},{x: 2}]", "start.configurations.1=5"],
        ["optimizer=llm_chat", "llm=openai", "llm.base_url=[a,b]", "llm.base_url.1=c"],
        ["optimizer=llm_chat", "llm=openai", "llm.base_url=[a,b]", "llm.base_url.1=d"],
    ],
    "added, removed and replaced": [
        ["+x=3", "seed=${x}"],
        ["+x=4", "seed=${x}"],
        ["benchmark=toy", "+benchmark.extra=1"],
        ["benchmark=toy", "+benchmark.extra=2"],
        ["benchmark=toy", "~benchmark.task"],
        ["optimizer=random_search", "prompt=context_full"],
        ["optimizer=llm_chat", "prompt=context_full", "prompt.reasoning=true"],
        ["optimizer=llm_chat", "prompt.context=full", "prompt.reasoning=false"],
        ["experiment=classical", "seed=5"],
        ["experiment=classical", "seed=6"],
        ["name=2026", "budget.proposals=5"],
        ["name=b", "budget.proposals=6"],
    ],
}


@pytest.fixture
def command():
    """The loader and the configuration of ``python -m harness.run -m``."""
    state = Singleton.get_state()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        config = hydra.compose_config("config", ["tracker=none"], run_mode=RunMode.MULTIRUN)
        HydraConfig.instance().set_config(config)
        yield hydra.config_loader, config
    Singleton.set_state(state)


@pytest.mark.parametrize("sweep", SWEEPS, ids=str)
def test_every_job_is_the_one_that_hydra_composes(command, sweep):
    loader, config = command
    families = Families(loader, config)
    for number, overrides in enumerate(SWEEPS[sweep]):
        alone = Family(loader.load_sweep_config(config, overrides), (), number).job({})
        assert families.job(overrides, number) == alone
    again = [families.job(overrides, number) for number, overrides in enumerate(SWEEPS[sweep])]
    assert [job.place for job in again] == [
        Family(loader.load_sweep_config(config, overrides), (), number).job({}).place
        for number, overrides in enumerate(SWEEPS[sweep])
    ]


def test_jobs_do_not_share_what_they_hold(command):
    families = Families(*command)
    first, second = (families.job([f"seed={seed}"], seed) for seed in (1, 2))
    first.config["benchmark"]["task"] = "changed"
    assert second.config["benchmark"]["task"] == families.job(["seed=3"], 3).config["benchmark"]["task"] != "changed"


@pytest.mark.parametrize("wrong", ["seed=-1", "seed=x", "seed=null", "name=a/b"])
def test_a_value_that_means_no_run_is_refused_in_every_job(command, wrong):
    families = Families(*command)
    key = wrong.partition("=")[0]
    families.job([{"seed": "seed=1", "name": "name=a"}[key]], 0)
    with pytest.raises(SettingError, match=key):
        families.job([wrong], 1)


def test_hydra_composes_once_for_all_seeds(command, monkeypatch):
    loader, config = command
    composed, load = [], loader.load_sweep_config
    monkeypatch.setattr(loader, "load_sweep_config", lambda *given: composed.append(given) or load(*given))
    families = Families(loader, config)
    jobs = [[f"seed={seed}", f"benchmark.task={task}"] for seed in range(9) for task in ("kc1", "vehicle")]
    places = {families.job(overrides, number).place for number, overrides in enumerate(jobs)}
    assert (len(composed), len(places)) == (1, 18)


def test_one_server_and_several_are_one_run(command):
    families = Families(*command)
    chosen = ["optimizer=llm_chat", "llm=openai", "seed=1"]
    given = ["llm.base_url=http://gpu1/v1", "llm.base_url=[http://gpu1/v1,http://gpu2/v1]"]
    one, several = (families.job([*chosen, url], number) for number, url in enumerate(given))
    assert one.place == several.place
    assert first_difference(one.identity["config"], several.identity["config"]) is None
    assert several.built_from()["llm"]["base_url"] == ["http://gpu1/v1", "http://gpu2/v1"]
