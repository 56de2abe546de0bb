"""Files of conf/ that build on others: every reader sees what is inherited."""

from __future__ import annotations

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from harness.choice_files import CONF, composed
from harness.conf_files import choices_in
from harness.errors import SettingError
from harness.explain import explained
from harness.list import listing
from harness.locate import locate
from harness.merge_order import merge_order
from harness.searchpath import refuse_shadowed
from harness.signature import settings_of
from harness.trust import from_command_line

PATHS = sorted(path for path in CONF.glob("*/*.yaml") if path.parent.name != "experiment")
IDS = [f"{path.parent.name}/{path.stem}" for path in PATHS]


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_choice_is_composed_as_hydra_does_it(path):
    group = path.parent.name
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("config", overrides=[f"{group}={path.stem}"]), resolve=False)
    found = composed(group, path.stem, [CONF])
    assert found == config[group]
    (choice,) = [each for each in choices_in(group, [CONF]) if each.name == path.stem]
    assert choice.target == found["_target_"]
    for setting in choice.settings:
        assert not setting.value or yaml.safe_load(setting.value) == found[setting.name], setting.name


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_file_that_builds_on_another_says_only_what_differs(path):
    own = yaml.safe_load(path.read_text())
    base = {}
    for name in own.pop("defaults", ()):
        base |= composed(path.parent.name, name, [CONF])
    assert not [key for key, value in own.items() if key in base and base[key] == value and key not in DESCRIBED]


DESCRIBED = ("max_model_len", "environment")
"""Said again with a comment of their own: what the number means depends on the model."""


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_no_setting_mixes_truth_values_with_words(path):
    settings, _ = settings_of(locate(composed(path.parent.name, path.stem, [CONF])["_target_"], "x"))
    kinds = {name: setting.kind for name, setting in settings.items() if setting.kind is not None}
    assert not [name for name, kind in kinds.items() if kind.accepts(True) and kind.accepts("none")]


@pytest.fixture
def outside(tmp_path):
    """Choices of somebody's own: of several levels, with the file itself first, and in a circle."""
    files = {
        "prompt/brief": "# Brief.\ndefaults: [plain]\nfeedback: false\n",
        "prompt/briefer": "defaults: [brief]\nreasoning: true  # mine\n",
        "prompt/bases_last": "# Bases last.\ndefaults: [_self_, brief]\nfeedback: true\nhint: correct\n",
        "prompt/circle": "defaults: [round]\nhint: correct\n",
        "prompt/round": "defaults: [circle]\nfeedback: false\n",
        "prompt/elsewhere": "defaults: [/prompt/nowhere, ../x, {other: y}]\nhint: none\n",
        "llm/mine": "defaults: [openai]\n_target_: mine.Model\n",
    }
    for name, text in files.items():
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def order(name, *folders):
    return [each for each, _ in merge_order("prompt", name, folders)]


def test_files_come_in_the_order_of_merging(outside):
    folders = (CONF, outside)
    assert order("briefer", *folders) == ["plain", "brief", "briefer"]
    assert order("bases_last", *folders) == ["bases_last", "plain", "brief"]
    assert order("circle", *folders) == ["round", "circle"]
    assert order("elsewhere", *folders) == ["elsewhere"]
    assert order("none_such", *folders) == []
    assert composed("prompt", "bases_last", folders)["feedback"] is False
    assert composed("prompt", "none_such", folders) == {}


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("circle", "The defaults of prompt/circle.yaml and prompt/round.yaml lead back to the same file"),
        ("itself", "The defaults of prompt/itself.yaml lead back to the same file"),
        (
            "orphan",
            "The defaults of prompt/orphan.yaml: Unknown prompt 'plian'; did you mean 'plain'? Valid: context_full",
        ),
    ],
)
def test_a_wrong_defaults_list_is_a_sentence(choice, said, outside, capsys):
    (outside / "prompt/itself.yaml").write_text("defaults: [itself]\n")
    (outside / "prompt/orphan.yaml").write_text("defaults: [plian]\n")
    overrides = [f"prompt={choice}", f"hydra.searchpath=[{outside}]"]
    with pytest.raises(SystemExit), explained(overrides), initialize_config_dir(str(CONF), version_base="1.3"):
        compose("config", overrides=overrides)
    assert capsys.readouterr().err.startswith(said)


def test_help_shows_what_is_inherited(outside):
    (choice,) = [each for each in choices_in("prompt", [CONF, outside]) if each.name == "briefer"]
    found = {setting.name: (setting.value, setting.comment) for setting in choice.settings}
    assert found["reasoning"] == ("true", "mine")
    assert found["feedback"][0] == "false"
    assert found["feedback"][1].startswith("tell the model")
    assert choice.target == "optimizers.chat.prompt.Prompt"
    told = listing(["prompt", f"hydra.searchpath=[{outside}]"])
    assert "Brief." in told
    assert "Bases last." in told


def test_a_file_that_is_inherited_may_not_stand_behind_another_one_either(outside):
    (outside / "prompt/plain.yaml").write_text("feedback: false\n")
    sources = [
        {"path": str(CONF), "schema": "file", "provider": "main"},
        {"path": str(outside), "schema": "file", "provider": "hydra.searchpath in command-line"},
    ]
    with pytest.raises(SettingError, match=r"^prompt=plain could mean"):
        refuse_shadowed({"prompt": "brief"}, sources)


def test_a_model_that_inherits_its_recording_can_be_replayed(outside):
    trust, _ = from_command_line([f"hydra.searchpath=[{outside}]"], CONF)
    assert trust.is_model(("llm",), {"_target_": "mine.Model"})
