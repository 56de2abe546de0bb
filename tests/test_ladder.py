"""The ladder has several files and one command per model; together they are one experiment without collisions."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from harness.choice_files import CONF
from harness.composed import Template
from harness.folder import VOLATILE
from harness.method import comparable

FILES = ("ladder", "ladder_ranges", "ladder_conditional")
MODELS = ("smollm2_135m", "qwen2.5_coder_1.5b")
CLASSICAL = {"random_search", "smac", "tpe"}


def jobs(file):
    """Overrides of each job of the file with one seed."""
    params = OmegaConf.to_container(OmegaConf.load(CONF / f"experiment/{file}.yaml").hydra.sweeper.params)
    assert params.pop("seed") == "range(5)"
    named = {key: str(values).split(",") for key, values in params.items()}
    products = itertools.product(*named.values())
    return [[f"{key}={value}" for key, value in zip(named, job, strict=True)] for job in products]


@pytest.fixture(scope="module")
def runs():
    """(file, model) -> the identities and configurations of its jobs."""
    found = {}
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for file, model in itertools.product(FILES, MODELS):
            for job in jobs(file):
                if model != MODELS[0] and job[0] != "optimizer=llm_chat":
                    continue  # the same as with the first model: their names contain no model
                overrides = [f"experiment={file}", f"llm={model}", *job]
                config = compose("config", overrides=overrides, return_hydra_config=True)
                choices = config.hydra.runtime.choices
                OmegaConf.set_struct(config, False)
                config.pop("hydra")
                asked = Template(config, choices, Path("runs")).job()
                identity = {**asked.identity, "place": asked.place.split("/")[1]}
                found.setdefault((file, model), []).append((identity, identity["config"]))
    return found


def settings(config):
    return {key: value for key, value in comparable(config).items() if key not in VOLATILE}


def test_runs_that_share_a_folder_are_the_same_run(runs):
    first = {}
    for identity, config in itertools.chain.from_iterable(runs.values()):
        place = identity["experiment"], identity["place"], identity["method"]
        assert first.setdefault(place, settings(config)) == settings(config), place
    assert {experiment for experiment, _, _ in first} == {"ladder"}


def test_every_model_has_its_runs_and_the_others_are_run_once(runs):
    of_models, others = {}, set()
    for (file, model), jobs_of_file in runs.items():
        for identity, _ in jobs_of_file:
            if identity["llm"] is None:
                others.add((file, identity["place"], identity["method"]))
            else:
                assert identity["llm"] == model
                of_models.setdefault((file, model), set()).add((identity["place"], identity["method"]))
    wanted = {"ladder": 4, "ladder_ranges": 4, "ladder_conditional": 2}
    assert {key: len(found) for key, found in of_models.items()} == {
        (file, model): wanted[file] for file in FILES for model in MODELS
    }
    assert sum(wanted.values()) * 5 * 20 == 1000, "calls a model"
    assert len(others) == (2 + 2 + 1) * len(CLASSICAL)


def test_everything_begins_and_ends_alike(runs):
    for identity, config in itertools.chain.from_iterable(runs.values()):
        assert config["start"]["_target_"] == "harness.start.NoStart"
        assert config["budget"]["proposals"] == 20
        assert config["tracker"]["_target_"] == "harness.tracker.NoTracker"
        if identity["llm"] is not None:
            assert (config["decoding"]["temperature"], config["repair"]["_target_"]) == (0.8, "harness.repair.NoRepair")
        else:
            assert identity["optimizer"] in CLASSICAL
