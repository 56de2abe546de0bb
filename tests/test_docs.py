"""The documentation has a line for every choice, setting, log field and W&B key, and builds without a warning."""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import json
import logging
import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from docs.docstrings import prose
from docs.generate import DESCRIBED, MARK, ROOT, filled, on_page_markdown, overview, page_paths
from harness.chat import ChatRequest, Completion, Message
from harness.conf_files import choices_in, settings_in
from harness.help import CONF, GROUPS
from harness.meters.energy_meter import EnergyMeter
from harness.problem import Fidelity, Objective
from harness.rows import to_row
from harness.trial import Candidate, Fault, Proposal, Trial, Violation
from harness.trial_metrics import TrialMetrics
from harness.wandb.wandb_session import run_config
from llms.call_rows import row_of, row_of_unanswered
from llms.recorder import Recorder
from llms.server.counters import NAMES
from llms.wire.attempts import TooLongError
from tests.support.command import hyperbole
from tests.support.fakes import ScriptedChat

PAGES = {path.stem: filled(path.read_text(encoding="utf-8")) for path in page_paths()}
FLAT = {"experiment": "x", "benchmark": "toy", "task": "branin", "method": "llm_chat", "optimizer": "llm_chat"}
"""What a W&B run is grouped by."""


def documented(section):
    """The first column of every table of one section of the page on logs."""
    (text,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGES["logs"], re.MULTILINE | re.DOTALL)
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert all(len(row) == 5 and all(map(str.strip, row)) for row in rows), "type, unit, what it says, null when"
    return [row[0].strip("`") for row in rows]


def keys_of(row, *nested):
    """The keys of a row, and ``parent.key`` of the objects (or lists of them) that have lines of their own."""
    found = set(row)
    for parent in nested:
        inner = row[parent] if isinstance(row[parent], list) else [row[parent]]
        found |= {f"{parent}.{key}" for each in inner for key in each}
    return found


@pytest.fixture(scope="module")
def a_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented")
    done = hyperbole("benchmark=toy", "budget.proposals=1", "hydra/hydra_logging=none", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "adhoc"


def test_run_json(a_run):
    (path,) = a_run.glob("*/*/*/run.json")
    run = json.loads(path.read_text())
    assert run["objectives"]
    assert run["fidelities"]
    assert keys_of(run, "objectives", "fidelities") == set(documented("run.json"))
    for name, kind in (("objectives", Objective), ("fidelities", Fidelity)):
        assert {f"{name}.{field.name}" for field in dataclasses.fields(kind)} <= set(documented("run.json"))


def test_trials():
    violation = Violation(Fault.OFF_GRID, "alpha", 0.3, steps=0.25, confused="beta")
    proposal = Proposal({"alpha": 0.3}, candidates=(Candidate({"alpha": 0.3}),))
    row = to_row(Trial(0, proposal, (violation,)), "")
    assert keys_of(row, "violations", "usage", "candidates") == set(documented("trials.jsonl"))


def test_calls(tmp_path):
    request = ChatRequest((Message("user", "?"),), "free", None, 0.5, 9, 1)
    every = dataclasses.replace(request, top_p=0.5, top_logprobs=2, thinking_tokens=5)
    recorder = Recorder(lambda: ScriptedChat([Completion("{}", "stop")]), tmp_path / "calls.jsonl")
    recorder.complete([every])
    row = json.loads((tmp_path / "calls.jsonl").read_text())
    assert set(row_of(0, every, Completion("{}", "stop"))) <= set(row)
    row |= row_of_unanswered(every, TooLongError("too long"))
    assert keys_of(row, "sampling") == set(documented("calls.jsonl"))


def test_sweeps(a_run):
    (line,) = map(json.loads, (a_run / "sweeps.jsonl").read_text().splitlines())
    meter = EnergyMeter(powercap=a_run)
    meter.start({})
    server = {"url": "", "model": "", "counters": dict.fromkeys(NAMES, 0), "reason": None}
    line |= {"energy": meter.stop([]), "server": server}
    found = keys_of(line, "energy", "server") | {f"server.counters.{name}" for name in NAMES}
    assert found == set(documented("sweeps.jsonl"))


def test_wandb_keys():
    run = {"objectives": [{"name": "error", "direction": "minimize", "optimum": 0.0}], "faults": list(Fault)}
    run |= {"status": "failed", "error": "boom"}
    drawn = [{"proposed": {}, "violations": [], "call": 0, "score": None, "note": None}]
    row = to_row(Trial(0, Proposal({})), "") | {
        "losses": {"error": 0.5},
        "metrics": {"f1": 0.5},
        "evaluation_seconds": 1.0,
        "executed": {},
        "proposer": "model",
        "candidates": drawn,
    }
    metrics = TrialMetrics(run)
    nested = {key: {} for key in ("config", "budget", "git", "versions")}
    config = run_config(nested | FLAT | {"llm": "vllm", "seed": 0, "objectives": [], "choices": {}, "settings": {}})
    logged = {*metrics.add(row), *metrics.summary(run), *config}
    keys = documented("W&B keys")
    patterns = [re.compile(re.sub(r"<\w+>", "[^/]+", key)) for key in keys]
    assert not [key for key in logged if not any(pattern.fullmatch(key) for pattern in patterns)]
    stale = [key for key, pattern in zip(keys, patterns, strict=True) if not any(map(pattern.fullmatch, logged))]
    assert stale == ["invalid_proposals"]  # a table, logged at the end


@pytest.mark.parametrize("group", [*GROUPS, "experiment"])
def test_every_choice_and_setting_has_a_line(group):
    text = PAGES["settings" if group == "llm" else DESCRIBED.get(group, "settings")]
    for choice in choices_in(group, [CONF]):
        assert re.search(rf"^(### |\| )`{re.escape(choice.name)}`", text, re.MULTILINE), choice.name
        if group == "experiment":
            continue
        section = re.search(rf"^### `{re.escape(choice.name)}`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
        place = section[1] if section else text
        for setting in choice.settings:
            assert re.search(rf"^\| `{group}\.{setting.name}` \| .+ \| \S.* \|$", place, re.MULTILINE), setting.name


def test_the_settings_of_every_run_have_a_line():
    for setting in settings_in(CONF / "config.yaml", root=True):
        assert f"| `{setting.name}` |" in PAGES["settings"]


def test_nothing_on_a_page_is_left_to_fill_in():
    assert not [name for name, text in PAGES.items() if MARK.search(text)]
    assert sum(bool(MARK.search(path.read_text(encoding="utf-8"))) for path in page_paths()) >= 5


def test_every_page_is_reached_from_the_navigation():
    listed = set(re.findall(r"(\w+)\.md$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed <= set(PAGES)
    linked = {name for text in PAGES.values() for name in re.findall(r"\]\((\w+)\.md", text)}
    assert set(PAGES) <= listed | linked


def test_pages_are_called_by_their_headings_and_open_with_a_sentence():
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\ntheme:")[0])["nav"]
    assert [each for part in navigation for each in _titles(part)] == ["Overview"]
    for name, text in PAGES.items():
        heading, first = re.sub(r"<!--.*?-->", "", text).strip().split("\n\n")[:2]
        assert re.fullmatch(r"# .+", heading), name
        assert re.match(r"(?!```)[\w`]", first), f"{name} opens with {first[:30]}"


def _titles(entry):
    """Titles of pages (not of parts) that a navigation gives beside the pages' own."""
    if isinstance(entry, str):
        return []
    ((title, value),) = entry.items()
    return [title] if isinstance(value, str) else [each for part in value for each in _titles(part)]


def test_the_readme_shows_every_choice():
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    mark = re.compile(r"(<!-- choices of conf/ -->\n).*?(<!-- end -->)", re.DOTALL)
    renewed = mark.sub(lambda found: f"{found[1]}\n{overview('docs/')}\n\n{found[2]}", text)
    assert mark.search(text)
    if os.environ.get("HYPERBOLE_RENEW"):
        path.write_text(renewed, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == renewed
    assert text.count("\n") <= 120


TYPED = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *page_paths())}
EXAMPLES = {*re.findall(r"conf/\w+/(\w+)\.yaml", TYPED["extending"]), "NAME", "mine", ""}
"""Choices that a page makes up, or leaves to the reader."""


@pytest.mark.parametrize("page", TYPED)
def test_commands_and_choices_on_a_page_exist(page):
    text = TYPED[page]
    for module in re.findall(r"python -m ([\w.]*\w)", text):
        assert importlib.util.find_spec(module), module
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^(?: {4})?make (\w+)|`make (\w+)", text, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }
    for group, named in re.findall(rf"(?<![\w./])({'|'.join((*GROUPS, 'experiment'))})=([\w.,]*\w|)", text):
        known = {choice.name for choice in choices_in(group, [CONF])} | EXAMPLES
        assert set(named.split(",")) <= known, f"{group}={named}"


@pytest.mark.parametrize("page", TYPED)
def test_settings_on_a_page_exist(page):
    known = {
        f"{group}.{setting.name}"
        for group in GROUPS
        for choice in choices_in(group, [CONF])
        for setting in choice.settings
    }
    named = re.findall(rf"(?<![\w./<{{~])((?:{'|'.join(GROUPS)})\.[a-z_]+)\b(?![(/.])", CODE_FILES.sub("", TYPED[page]))
    assert {each for each in named if not each.endswith((".yaml", ".md", ".share"))} <= known


CODE_FILES = re.compile(r"^```(?:python|yaml) \S+\n.*?^```", re.MULTILINE | re.DOTALL)


def test_the_launchers_on_the_page_are_those_that_are_installed():
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    with initialize_config_dir(str(CONF), version_base=None):
        installed = GlobalHydra.instance().config_loader().get_group_options("hydra/launcher")
    shown = re.findall(r"^\| `(\w+)`", PAGES["sweeps"], re.MULTILINE)
    assert set(shown) == set(installed) - {"ray_aws"}  # it starts machines of its own


def test_columns_of_the_cost_table_are_explained():
    (head,) = re.findall(r"^\| method .*$", (ROOT / "results/quickstart/tables/cost.md").read_text(), re.MULTILINE)
    seconds = [cell.strip() for cell in head.split("|") if re.search(r"\(s\)|1/s|in flight", cell)]
    shown = re.findall(r"^\| ([^|]*?) \|", PAGES["cost"].partition("## Seconds")[2], re.MULTILINE)
    assert set(seconds) <= set(shown)


def test_every_law_has_its_number():
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \*\*", PAGES["design"], re.MULTILINE)]
    assert numbers == list(range(1, 15))
    cited = {
        int(number)
        for folder in ("harness", "benchmarks", "optimizers", "llms", "analysis")
        for path in (ROOT / folder).rglob("*.py")
        for number in re.findall(r"\b[Ll]aw (\d+)", path.read_text(encoding="utf-8"))
    }
    assert cited <= set(numbers)


def test_a_docstring_as_markdown():
    text = """First line of ``code``.

    Spaces: one,
        and more.
    Metrics: two.

    * A point,
      that goes on.

    Args:
        task: One of them.
    """
    assert (
        prose(text)
        == "First line of `code`.\n\n- Spaces: one, and more.\n- Metrics: two.\n\n* A point,\n  that goes on."
    )


def test_marks_of_pages():
    assert on_page_markdown("```python trees.py\nx\n```") == '```python title="trees.py"\nx\n```'
    assert on_page_markdown("```reply length\nx\n```") == "```text\nx\n```"
    assert on_page_markdown("![x](../results/a/figures/b.png)") == "![x](results/a/figures/b.png)"
    with pytest.raises(KeyError):
        filled("<!-- generated: nothing -->")


def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path, monkeypatch, caplog):
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    with caplog.at_level(logging.WARNING, logger="mkdocs"):
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
    assert not [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    for path in Path(tmp_path).rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|iframe)[^>]+src=\"?(?:https?:)?//", html), path
        assert not re.findall(r"<link[^>]+rel=\"?(?:stylesheet|preconnect)[^>]+href=\"?(?:https?:)?//", html), path
        assert "generated:" not in html
    assert "&lt;model&gt;/&lt;task&gt;/" in (tmp_path / "site" / "benchmarks.html").read_text(encoding="utf-8")


def test_what_says_the_version_and_the_licence_agrees():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


def test_every_package_says_that_it_is_typed():
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert all((ROOT / name / "py.typed").exists() for name in packages["targets"]["wheel"]["packages"])


def test_hooks_and_workflow_run_what_the_makefile_runs():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    commands = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert commands == set(
        re.findall(r"^\t\$\(BIN\)/(\S+)", makefile[makefile.index("\nlint:") :].partition("\n\n")[0], re.M)
    )
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]
    assert {"bash .ci/run", "make docs"} <= set(steps)


def runs_of(experiment):
    """Distinct runs of an experiment's sweep, by optimizer; an axis counts only where the method uses it."""
    params = yaml.safe_load((CONF / "experiment" / f"{experiment}.yaml").read_text())["hydra"]["sweeper"]["params"]
    found = {}
    for optimizer in str(params["optimizer"]).split(","):
        used = set(re.findall(r"\$\{(\w+)\}", (CONF / "optimizer" / f"{optimizer}.yaml").read_text()))
        unused = {"llm", "prompt", "decoding"} - used
        axes = {key: value for key, value in params.items() if key.partition(".")[0] not in {*unused, "optimizer"}}
        values = [
            range(int(str(value)[6:-1])) if str(value).startswith("range(") else str(value).split(",")
            for value in axes.values()
        ]
        combinations = [dict(zip(axes, each, strict=True)) for each in itertools.product(*values)]
        for each in combinations:
            if each.get("decoding", "json_schema") != "json_schema":
                each.pop("decoding.schema", None)
        found[optimizer] = len({tuple(each.items()) for each in combinations})
    return found


@pytest.mark.parametrize("experiment", [choice.name for choice in choices_in("experiment", [CONF])])
def test_the_number_of_runs_of_an_experiment(experiment):
    (about,) = [choice.about for choice in choices_in("experiment", [CONF]) if choice.name == experiment]
    said = [int(number) for number in re.findall(r"(\d+)(?= runs| of them with| of the others)", about)]
    counts = runs_of(experiment)
    asked = sum(count for name, count in counts.items() if name in ("llm_chat", "recitation"))
    expected = [asked, sum(counts.values()) - asked] if experiment == "ladder" else [sum(counts.values()), asked]
    assert said == expected[: len(said)]
    assert said or experiment.startswith("ladder_")
