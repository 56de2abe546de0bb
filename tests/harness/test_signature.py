"""Types of settings: checked in one place, from the plug-in's own signature, with the setting's name in the error."""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from harness.budget import Budget
from harness.build import build_all, build_budget, build_optimizer, choices_of
from harness.choice_files import CONF
from harness.composed import Template, resolve
from harness.errors import ContractError, HyperboleError, SettingError
from harness.explain import explained
from harness.kinds import kind_of
from harness.locate import locate
from harness.signature import check_settings, gathered, settings_of, spread, takes_also
from tests.support.command import hyperbole, sentence
from tests.support.fakes import Line

BY_HARNESS = ("problem", "seed", "budget", "benchmark", "family")
GROUPS = [path.name for path in CONF.iterdir() if path.is_dir() and path.name != "experiment"]
FILES = sorted((group, choice) for group in GROUPS for choice in choices_of(group))


@functools.cache
def composed(*overrides: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole configuration and Hydra's choices."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides=["tracker=none", *overrides], return_hydra_config=True)
    choices = dict(config.hydra.runtime.choices)
    OmegaConf.set_struct(config, False)
    config.pop("hydra")
    return config, choices


def refused(*overrides: str, capsys: Any) -> str:
    """The error for a command line, in this process."""

    def build():
        with explained(overrides):
            config, choices = composed(*overrides)
            build_all(Template(config, choices, Path("runs")).job().built_from())

    with pytest.raises(SystemExit) as ending:
        build()
    assert ending.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ("budget.proposals=null budget.seconds=nan", "budget.seconds is nan; give a finite number or null"),
        ("budget.proposals=null budget.seconds=inf", "budget.seconds is inf; give a finite number or null"),
        ("budget.seconds=-1e999", "budget.seconds is -inf; give a finite number or null"),
        ("budget.seconds=0", "budget.seconds is 0; give a positive number or null"),
        ("budget.proposals=1e1", "budget.proposals is 10.0; give a whole number or null, e.g. budget.proposals=10"),
        ("budget.proposals=1.5", "budget.proposals is 1.5; give a whole number"),
        ("budget.proposals=true", "budget.proposals is true; give a whole number"),
        ("budget.proposals='20'", "budget.proposals is '20'; give a whole number"),
        ("budget.evaluations=[20]", "budget.evaluations is [20]; give a whole number"),
        ("budget.tokens={a:1}", "budget.tokens is {a: 1}; give a whole number"),
        (
            "optimizer=llm_chat llm.max_attempts=2.5",
            "llm.max_attempts is 2.5; give a whole number, e.g. llm.max_attempts=5",
        ),
        ("optimizer=llm_chat llm.max_attempts=true", "llm.max_attempts is true; give a whole number"),
        ("optimizer=llm_chat llm=openai llm.max_attempts=2.5", "llm.max_attempts is 2.5; give a whole number"),
        ("optimizer=llm_chat llm=openai llm.backoff_seconds=nan", "llm.backoff_seconds is nan; give a finite number"),
        ("optimizer=llm_chat llm.port=8077.0", "llm.port is 8077.0; give a whole number, e.g. llm.port=8077"),
        ("optimizer=llm_chat llm.extra_args=--x", "e.g. llm.extra_args=[--x]"),
        ("optimizer=llm_chat llm.environment=[A]", "llm.environment cannot be [A]: it is made of parts"),
        ("optimizer=llm_chat ~llm.model", "llm.model is not set and has no default"),
        ("optimizer=llm_chat +llm.max_attempt=3", "Unknown setting of llm 'max_attempt'; did you mean 'max_attempts'"),
        ("optimizer=llm_chat llm=openai +llm.base=3", "Unknown setting of llm 'base'; did you mean 'base_url'"),
        (
            "optimizer=opro optimizer.samples=2.0",
            "optimizer.samples is 2.0; give a whole number, e.g. optimizer.samples=8",
        ),
        ("optimizer=llm_chat optimizer.temperature=hot", "optimizer.temperature is 'hot'; give a finite number"),
        ("optimizer=llm_chat optimizer.temperature=nan", "optimizer.temperature is nan; give a finite number"),
        ("optimizer=llm_chat optimizer.temperature=true", "optimizer.temperature is true; give a finite number"),
        ("optimizer=llm_chat decoding.temperature=hot", "decoding.temperature is 'hot'; give a finite number or null"),
        ("optimizer=llm_chat prompt.reasoning=yes_please", "Unknown prompt.reasoning 'yes_please'. Valid: false, true"),
        ("optimizer=llm_chat optimizer.prompt=plain", "optimizer.prompt is 'plain'; give an object built by a group"),
        ("optimizer=llm_chat optimizer.chat=null", "optimizer.chat is null; give an object built by a group"),
        (
            "optimizer=llm_chat optimizer.history=null",
            "Unknown optimizer.history 'null'. Valid: compressed, conversation",
        ),
        ("optimizer=human optimizer.chat.live=1", "Unknown optimizer.chat.live '1'. Valid: false, true"),
        ("+optimizer.seed=4", "Unknown setting of optimizer 'seed'; there are none"),
        ("+optimizer.share=4", "Unknown setting of optimizer 'share'; there are none"),
        ("optimizer=cma_es optimizer.sigma=nan", "optimizer.sigma is nan; give a finite number"),
        ("benchmark.task=5", "benchmark.task is 5; give a text, e.g. 'benchmark.task=\"5\"'"),
        ("benchmark.objectives=f1", "give a list of texts or null, e.g. benchmark.objectives=[f1]"),
        ("benchmark.objectives=[1]", "benchmark.objectives is [1]; give a list of texts or null"),
        ("probe=warped probe.space=3", "Unknown probe.space '3'. Valid: original, shifted, warped"),
        ("start=given start.configurations=[5]", "start.configurations is [5]; give a list of mappings"),
        ("tracker=wandb tracker.init_timeout_seconds=nan", "tracker.init_timeout_seconds is nan; give a finite number"),
        ("tracker=wandb tracker.mode=of", "Unknown tracker.mode 'of'"),
        ("~tracker", "tracker needs one choice; give tracker=<one of none, wandb>"),
        ("~budget", "budget needs one choice"),
        ("~repair", "repair needs one choice"),
        ("~benchmark", "benchmark needs one choice"),
        ("~optimizer", "optimizer needs one choice"),
        ("~probe", "probe needs one choice"),
        ("~llm optimizer=llm_chat", "llm needs one choice"),
        ("benchmark=[toy,fcnet]", "benchmark needs one choice"),
        ("tracker=null", "Unknown tracker 'null'. Valid: none, wandb"),
        ("benchmark=5", "Unknown benchmark '5'. Valid: bayesmark"),
        ("~seed", "seed is null; give a whole number"),
        ("seed=1.0", "seed is 1.0; give a whole number"),
        ("seed=true", "seed is True; give a whole number"),
        ("~name", "give the experiment a name"),
        ("name=true", "give the experiment a name"),
    ],
)
def test_a_setting_of_another_type_is_one_sentence_by_the_name_that_the_user_typed(overrides, told, capsys):
    more = () if "benchmark" in overrides or "llm" in overrides else ("benchmark=toy",)
    if "tracker" in overrides:
        more = (*more, "++name=tracked")
    assert told in refused(*overrides.split(), *more, capsys=capsys)


def test_the_command_itself_answers_so(tmp_path):
    told = sentence(hyperbole("benchmark=toy", "budget.proposals=null", "budget.seconds=nan", cwd=tmp_path))
    assert "budget.seconds is nan" in told
    assert list(tmp_path.rglob("*/*")) == []


def test_a_name_may_be_a_year():
    config, choices = composed("name=2026")
    assert Template(config, choices, Path("runs")).job().place.startswith("2026/")


@pytest.mark.parametrize(("group", "choice"), FILES)
def test_every_default_of_conf_is_of_the_type_that_its_plug_in_asks_for(group, choice):
    more = {"start": ["start.configurations=[{x: 1}]"] if choice == "given" else []}.get(group, [])
    config, _ = composed(f"{group}={choice}", *more)
    node = OmegaConf.to_container(config, resolve=True)[group]
    target = locate(node.pop("_target_"), group)
    takes, is_open = settings_of(target)
    check_settings(target, node, group, [name for name in BY_HARNESS if name in takes])
    assert not is_open, "every setting is known by name"
    assert all(setting.kind for setting in takes.values()), "every setting has a type that is checked"


class Colour(enum.Enum):
    RED = "red"


class Named(TypedDict):
    a: int


class Speaker(Protocol):
    def speak(self) -> None: ...


Share = NewType("Share", float)


@pytest.mark.parametrize(
    ("hint", "good", "bad"),
    [
        (int, [1, -(10**400)], [1.0, True, "1", None, [1]]),
        (float, [1, 1.5, 10**400], [math.nan, math.inf, True, "1", None]),
        (bool, [True, False], [1, 0, "true", None]),
        (str, ["", "a"], [1, True, None, ["a"]]),
        (Path, ["a", Path("a")], [1, None]),
        (Optional[int], [1, None], [1.0, "null"]),  # noqa: UP045
        (int | Literal["run"] | None, [1, "run", None], ["ru", True]),
        (Literal[1, "a"], [1, "a"], [True, 1.0, "1", ["a"], {}]),
        (Colour, ["red", "RED", Colour.RED], ["blue", None]),
        (list[int], [[], [1], (1,)], [1, [1.5], "1", {}, None]),
        (Sequence[str], [["a"]], ["a", [1]]),
        (tuple[float, float], [[1, 2.5]], [[1], [1, 2, 3], [1, "a"]]),
        (tuple[int, ...], [[], [1, 2]], [[1.5]]),
        (set[str], [["a"]], ["a"]),
        (list, [[1, "a"]], ["a", {}]),
        (dict[str, int], [{}, {"a": 1}], [{"a": 1.5}, {1: 1}, [], None]),
        (Mapping[str, Any], [{"a": object()}], [[]]),
        (Named, [{"a": 1}], [[], 1]),
        (Annotated[int, "of trials"], [1], [1.5]),
        (Share, [0.5], ["a"]),
        (Speaker, [object(), {"a": 1}], ["a", None, 5, []]),
        (list[int | None] | None, [None, [None, 1]], [["a"]]),
    ],
    ids=lambda value: None if isinstance(value, list) else str(value),  # an object's address is another in every worker
)
def test_kinds(hint, good, bad):
    kind = kind_of(hint)
    assert all(kind.accepts(value) for value in good)
    assert not any(kind.accepts(value) for value in bad)
    assert kind.words


@pytest.mark.parametrize("hint", [Any, object, Ellipsis, complex, type, list[Any] | Any, "unresolved"], ids=str)
def test_a_hint_that_says_no_more_than_yaml_can_asks_for_nothing(hint):
    assert kind_of(hint) is None


def test_a_plug_in_without_hints_takes_any_value_but_no_unknown_name():
    class Plain:
        def __init__(self, problem, seed, budget, share, rate=0.5): ...

    check_settings(Plain, {"share": "anything"}, "optimizer", BY_HARNESS[:3])
    with pytest.raises(SettingError, match=r"optimizer\.share is not set and has no default; give a value"):
        check_settings(Plain, {}, "optimizer", BY_HARNESS[:3])
    with pytest.raises(SettingError, match=r"Unknown setting of optimizer 'rat'; did you mean 'rate'"):
        check_settings(Plain, {"share": 1, "rat": 1}, "optimizer", BY_HARNESS[:3])


def test_a_hint_for_type_checkers_alone_is_not_checked_and_its_neighbours_are():
    def made(problem: NotImported, share: float): ...  # noqa: F821

    with pytest.raises(SettingError, match=r"optimizer\.share is 'a'"):
        check_settings(made, {"share": "a"}, "optimizer", ("problem",))


def test_keywords_that_are_handed_on_are_checked_where_it_is_said_to_what():
    class Inner:
        def __init__(self, *, depth: int = 3): ...

    @takes_also(Inner)
    def outer(width: int = 1, **inner): ...

    def silent(**inner): ...

    check_settings(outer, {"width": 1, "depth": 2}, "llm")
    check_settings(silent, {"depth": "a"}, "llm")
    for wrong in ({"depth": 2.0}, {"deep": 2}):
        with pytest.raises(SettingError, match=r"deep|depth"):
            check_settings(outer, wrong, "llm")


@spread
@dataclass
class Heat:
    degrees: float
    unit: str = "C"


class Kettle:
    def __init__(self, problem: str, *, heat: Heat, lid: bool = True):
        self.heat, self.lid = heat, lid


class Passes(Kettle):
    def __init__(self, problem: str, *, extra: int = 1, **settings):
        super().__init__(problem, **settings)


@takes_also(Kettle)
class Says(Passes):
    def __init__(self, problem: str, *, extra: int = 1, **settings):
        super().__init__(problem, **settings)


class Gathers(Kettle):
    def __init__(self, problem: str, warmth: Heat, **settings):
        super().__init__(problem, heat=warmth, **settings)


@pytest.mark.parametrize("kind", [Kettle, Passes, Says, Gathers])
def test_settings_of_a_spread_class_reach_a_base_class_through_keywords(kind):
    given = {"degrees": 90.0, "lid": False}
    check_settings(kind, given, "optimizer", ("problem",))
    made = kind("tea", **gathered(kind, given))
    assert (made.heat, made.lid) == (Heat(90.0), False)


def test_a_setting_that_two_parameters_take_is_a_broken_contract():
    def made(problem: str, heat: Heat, unit: str = "F"): ...

    with pytest.raises(ContractError, match="takes unit twice"):
        check_settings(made, {"degrees": 1.0, "unit": "K"}, "optimizer", ("problem",))


def test_what_an_object_will_be_is_not_known_from_its_configuration():
    def made(share: float, steps: list[int]): ...

    built = {"_target_": "fractions.Fraction", "numerator": 1}
    check_settings(made, {"share": built, "steps": [1, built]}, "optimizer")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["none", "true", "nan", "5", "${llm}", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["proposals", "evaluations", "tokens", "seconds"]), VALUES))
def test_any_budget_is_built_or_refused(limits):
    try:
        budget = build_budget({"budget": {"_target_": "harness.budget.Budget", **limits}})
    except SettingError:
        return
    assert all(limit is None or 0 < limit < math.inf for limit in limits.values())
    assert budget == Budget(**limits)


CHEAP = [choice for choice in choices_of("optimizer") if not choice.startswith(("smac", "hyperband", "successive"))]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CHEAP), st.data())
def test_any_value_of_any_setting_of_a_method_is_taken_or_refused(choice, data):
    config, _ = composed(f"optimizer={choice}", "benchmark=toy")
    resolved = resolve(config, {"llm", "prompt", "decoding"}, ".")
    where = resolved[data.draw(st.sampled_from(["optimizer", "llm", "prompt", "decoding"]))]
    name = data.draw(st.sampled_from(sorted(where.keys() - {"_target_", "chat", "prompt", "decoding"}) or ["x"]))
    where[name] = data.draw(VALUES)
    for group, setting in (("llm", "chat"), ("prompt", "prompt"), ("decoding", "decoding")):
        if setting in resolved["optimizer"] and choice != "human":
            resolved["optimizer"][setting] = resolved[group]
    try:
        build_optimizer(resolved, Line().problem, Budget(proposals=5))
    except HyperboleError:
        return


@pytest.mark.parametrize(
    ("group", "lack"),
    [
        ("budget", "is no Budget"),
        ("tracker", "has no start"),
        ("repair", "has no name"),
        ("start", "has no name"),
        ("prompt", "is no Prompt"),
        ("decoding", "is no Decoding"),
        ("llm", "has no prepare"),
    ],
)
def test_what_a_group_builds_must_be_what_it_is_for(group, lack, capsys):
    told = refused("benchmark=toy", "optimizer=llm_chat", f"++{group}._target_=builtins.dict", capsys=capsys)
    assert told.startswith(f"dict, which {group}._target_ names, {lack}; name a class that makes a ")


def test_a_value_that_json_cannot_hold_is_named(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer/mine.yaml").write_text("_target_: optimizers.sobol.Sobol\nitems: !!binary aGVsbG8=\n")
    config, _ = composed("optimizer=mine", f"hydra.searchpath=[{tmp_path}]")
    with pytest.raises(SettingError, match=r"optimizer\.items is b'hello', which JSON cannot hold"):
        resolve(config, {"llm", "prompt", "decoding"}, ".")
