from __future__ import annotations

from pathlib import Path

from analysis.runs.load import Experiment, labelled, load
from analysis.runs.variants import families, folder_names, variant
from tests.support.run_folders import trial, write_run

MODEL = {"_target_": "llms.models.vllm", "model": "qwen2.5-coder-1.5b-instruct"}


def experiment(folder: Path, *methods: str) -> Experiment:
    for method in methods:
        mode = "json_schema" if "json_schema" in method else "free"
        config = {"llm": MODEL, "decoding": {"mode": mode}} if method.startswith("llm") else {}
        write_run(folder / "runs/few", method, 0, [trial(0, 0.7)], config=config)
    return load(folder / "runs/few")


def members(found):
    return {base: [each.method for each in variants] for base, variants in found.items()}


REPAIRS = (
    "smac",
    "llm_chat+repair=clamp",
    "llm_chat",
    "llm_chat+probe=warped",
    "llm_chat+repair=clamp+probe=warped",
)


def test_a_choice_is_read_from_the_fields(tmp_path):
    name = "llm_chat+decoding=json_schema+probe=warped+history=compressed"
    for found in (experiment(tmp_path, name, "random_search"), labelled(load(tmp_path / "runs/few"))):
        plain, probed = (variant(run, "probe") for run in found.runs)
        assert (probed.choice, probed.base) == ("warped", "llm_chat+decoding=json_schema+history=compressed")
        assert plain.choice is None


def test_a_name_is_not_taken_apart(tmp_path):
    """Choice and settings are fields of run.json; the folder may be called anything."""
    fields = {"choices": {"optimizer": "llm_chat", "repair": "clamp"}, "settings": {"optimizer.history": "a+repair=b"}}
    write_run(tmp_path / "few", "llm_chat+history=a-repair-b~01234567", 0, [trial(0, 0.7)], **fields)
    (run,) = load(tmp_path / "few").runs
    assert variant(run, "repair").choice == "clamp"
    assert variant(run, "probe").choice is None


def test_families_differ_in_one_choice_and_begin_with_the_default(tmp_path):
    assert members(families(experiment(tmp_path, *REPAIRS), "repair")) == {
        "llm_chat": ["llm_chat", "llm_chat+repair=clamp"],
        "llm_chat+probe=warped": ["llm_chat+probe=warped", "llm_chat+repair=clamp+probe=warped"],
    }


def test_labelled_families_are_called_by_what_their_members_share(tmp_path):
    modes = ("llm_chat", "llm_chat+decoding=json_schema", "smac")
    found = labelled(experiment(tmp_path, *modes))
    model = "Qwen2.5-Coder 1.5B"
    assert members(families(found, "decoding")) == {model: [f"{model}, free", f"{model}, schema"]}
    assert folder_names(found) == {
        "SMAC": "smac",
        model: "llm_chat",
        f"{model}, free": "llm_chat",
        f"{model}, schema": "llm_chat+decoding=json_schema",
    }


def test_a_labelled_family_has_its_plain_members_name(tmp_path):
    found = labelled(experiment(tmp_path, *REPAIRS))
    model = "Qwen2.5-Coder 1.5B, free"
    assert members(families(found, "repair")) == {
        model: [model, f"{model}, repair clamp"],
        f"{model}, probe warped": [f"{model}, probe warped", f"{model}, repair clamp, probe warped"],
    }
