"""What the runs share and where they differ: each difference in one place, and in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.runs.load import load
from analysis.stats.material import Material
from analysis.tables.comparability import comparability_findings, facts, provenance
from tests.support.run_folders import call, trial, write_run

CONFIG = {
    "benchmark": {"_target_": "benchmarks.hpobench.hpobench.HPOBench", "task": "credit_g", "space": "grid"},
    "optimizer": {"_target_": "optimizers.x.X", "samples": 2, "chat": {"recording": "a", "port": 1}},
    "llm": {"recording": "./calls.jsonl", "model": "tiny", "dtype": "float32", "port": 8077, "api_key": "hush"},
    "decoding": {"mode": "free", "max_tokens": 100},
    "start": {"_target_": "harness.start.NoStart"},
}


def _run(folder: Path, method: str = "smac", seed: int = 0, **changes: Any) -> None:
    calls = [call(0, "{}")] if method.startswith("llm") else []
    write_run(folder, method, seed, [trial(0, 0.75)], calls, **{"config": CONFIG, "host": "one"} | changes)


def _differing(folder: Path) -> dict[str, list[str]]:
    return {what: list(values) for what, values in facts(load(folder)).items() if len(values) > 1}


def _config(group: str, **settings: Any) -> dict[str, Any]:
    return {"config": CONFIG | {group: CONFIG[group] | settings}}


def test_runs_that_share_everything(tmp_path: Path) -> None:
    _run(tmp_path)
    _run(tmp_path, "sobol", config=CONFIG | {"optimizer": {"_target_": "optimizers.y.Y"}})
    findings = comparability_findings(Material(load(tmp_path)))
    (table,) = findings.tables
    assert findings.said == ()
    rows = {row["what"]: row for row in table.frame.iter_rows(named=True)}
    assert rows["budget"] == {"what": "budget", "value": "1 proposals", "runs": 2, "methods": "all"}
    assert rows["package versions"]["value"] == "2 recorded, all equal"
    assert rows["commit"]["value"] == f"{'a' * 12}..."
    assert set(rows["start"].values()) == {"start", "none", 2, "all"}


@pytest.mark.parametrize(
    ("changes", "what", "values"),
    [
        ({"budget": {"proposals": 1, "seconds": 99.0}}, "budget", ["1 proposals", "1 proposals or 99 seconds"]),
        ({"host": "two"}, "machine", ["one", "two"]),
        ({"versions": {"python": "3.11.7", "numpy": "2.4"}}, "numpy version", ["2.3.5", "2.4"]),
        ({"versions": {"python": "3.11.7"}}, "numpy version", ["2.3.5", "not installed"]),
        ({"git": {"commit": "b" * 40, "dirty": False}}, "commit", ["a" * 40, "b" * 40]),
        ({"git": {"commit": "a" * 40, "dirty": True}}, "changed files", ["none", "some"]),
        (
            {"git": {"commit": "a" * 40, "dirty": True, "changed": ["x.py"], "diff": "c" * 64}},
            "changed files",
            ["none", f"x.py (changes {'c' * 12})"],
        ),
        (
            _config("benchmark", space="nearest"),
            "benchmark settings",
            ['benchmark.space="grid"', 'benchmark.space="nearest"'],
        ),
        (_config("optimizer", samples=3), "method settings", ["optimizer.samples=2", "optimizer.samples=3"]),
    ],
)
def test_a_difference_is_found_and_named(tmp_path: Path, changes: dict[str, Any], what: str, values: list[str]) -> None:
    _run(tmp_path)
    _run(tmp_path, seed=1, **changes)
    assert _differing(tmp_path) == {what: values}
    findings = comparability_findings(Material(load(tmp_path)))
    assert findings.said[0] == f"The runs differ in more than the method: {what}."
    assert [row["what"] for row in findings.tables[0].frame.iter_rows(named=True)][:2] == [what, what]
    assert f"{values[1]} (1 runs)" in dict(provenance(load(tmp_path)))[what]


def test_the_code_of_a_class_that_changed_between_runs(tmp_path: Path) -> None:
    sources = {"optimizer": {"file": "mine.py", "sha256": "a" * 64}, "benchmark": {"file": "b.py", "sha256": "c" * 64}}
    _run(tmp_path, sources=sources)
    _run(tmp_path, seed=1, sources=sources | {"optimizer": {"file": "mine.py", "sha256": "d" * 64}})
    _run(tmp_path, "sobol", sources={"optimizer": {"file": "other.py", "sha256": "e" * 64}})
    assert _differing(tmp_path) == {
        "code of their classes": [f"mine.py {'a' * 12}", f"mine.py {'d' * 12}", "the same"],
    }


def test_how_the_server_computes(tmp_path: Path) -> None:
    """Chosen for the machine, the type of the numbers is in no setting."""
    for seed, dtype in enumerate(("float32", "bfloat16")):
        calls = [call(0, "{}", serving={"dtype": dtype})]
        write_run(tmp_path, "llm_chat", seed, [trial(0, 0.7)], calls, config=CONFIG, host="one")
    (values,) = _differing(tmp_path).values()
    assert values == [f'http://127.0.0.1:8077/v1 {{"dtype": "{dtype}"}}' for dtype in ("float32", "bfloat16")]


def test_what_only_plumbing_and_whereabouts_differ_in_is_shared(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat")
    _run(tmp_path, "llm_chat", seed=1, **_config("llm", port=9000, recording="elsewhere"))
    assert _differing(tmp_path) == {}


def test_the_model_and_its_server(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat")
    _run(tmp_path, "llm_chat", seed=1, **_config("llm", dtype="bfloat16"))
    write_run(tmp_path, "llm_tpe", 0, [trial(0, 0.7)], [call(0, "{}", model="other", server="http://gpu/v1")],
              config=CONFIG, host="one")  # fmt: skip
    assert _differing(tmp_path) == {
        "language model": ["smollm2: smollm2-135m-instruct", "smollm2: other"],
        "model server": ["http://127.0.0.1:8077/v1", "http://gpu/v1"],
        "model settings": ['llm.dtype="float32"', 'llm.dtype="bfloat16"'],
    }


def test_settings_that_the_method_names_are_the_method(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat")
    _run(tmp_path, "llm_chat+decoding=json_schema", **_config("decoding", mode="json_schema"))
    assert _differing(tmp_path) == {}
    _run(tmp_path, "llm_chat+decoding=json_schema", seed=1, **_config("decoding", mode="json_schema", max_tokens=9))
    assert _differing(tmp_path) == {
        "decoding settings": ["the same", "decoding.max_tokens=100", "decoding.max_tokens=9"]
    }


def test_a_start_that_only_the_language_model_had_is_named(tmp_path: Path) -> None:
    _run(tmp_path, "random_search")
    _run(tmp_path, "llm_chat+start=default")
    said = comparability_findings(Material(load(tmp_path))).said
    assert said[0] == "The runs differ in more than the method: start."
    assert said[1].startswith(
        "The methods started from different trials (start=none: random_search; start=default: llm_chat+start=default"
    )
    assert "compared with a control that was not" in said[1]


def test_repairs_and_probes_are_differences_too(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat")
    _run(tmp_path, "llm_chat+repair=clamp+probe=blind")
    assert _differing(tmp_path) == {"repair": ["none", "clamp"], "probe": ["none", "blind"]}


def test_a_choice_is_shown_with_the_settings_that_differ_from_it_alone(tmp_path: Path) -> None:
    """A record of before the settings of ``probe=none`` existed had the same probe."""
    probe = {"_target_": "benchmarks.probes.probe.probed"}
    _run(tmp_path, config=CONFIG | {"probe": probe})
    _run(tmp_path, seed=1, config=CONFIG | {"probe": probe | {"names": "original", "task": "original"}})
    assert list(facts(load(tmp_path))["probe"]) == ["none"]
    _run(tmp_path, "smac+probe.task=none", config=CONFIG | {"probe": probe | {"names": "original", "task": "none"}})
    assert _differing(tmp_path)["probe"] == ["none", 'none, task="none"']


def test_secrets_are_in_no_value(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat")
    _run(tmp_path, "llm_chat", seed=1, **_config("llm", api_key="other", dtype="x"))
    values = [value for found in facts(load(tmp_path)).values() for value in found]
    assert 'llm.dtype="x"' in values
    assert not [value for value in values if "hush" in value or "other" in value]
