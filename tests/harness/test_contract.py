"""A plug-in that breaks its contract: one sentence with the class, the method, the value and what is required."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.build import build_benchmark, build_optimizer
from harness.choice_files import CONF
from harness.contract import check_benchmark, check_optimizer, check_proposal, curve_of
from harness.errors import ContractError, HyperboleError, SettingError
from harness.explain import explained
from harness.locate import locate, refuse_hidden_packages
from harness.loop import run_loop
from harness.outcome import Breaches
from harness.problem import Outcome
from harness.repair import NoRepair
from harness.rows import to_row
from harness.start import DefaultStart, begin_with
from harness.trial import Candidate, Proposal, Proposer, Trial, Usage
from tests.support.command import hyperbole, rows, run_json, sentence
from tests.support.fakes import Line, Scripted

GOOD = {"x": 0.5, "units": 2}


class Plain:
    def ask(self):
        return Proposal(GOOD)

    def tell(self, trial):
        pass


async def _later(self, *given):
    pass


def _one_by_one(self, *given):
    yield


class Mute:
    def __repr__(self):
        raise RuntimeError


HOLDS_ITSELF: dict[str, object] = {"x": 0.5}
HOLDS_ITSELF |= {"a": HOLDS_ITSELF, "b": HOLDS_ITSELF}


def variant(base=Plain, **methods):
    return type("Mine", (base,), methods)()


@pytest.mark.parametrize(
    ("methods", "told"),
    [
        ({"ask": None}, "Mine.ask is missing; define ask()."),
        ({"ask": 5}, "Mine.ask is int 5; define ask()."),
        (
            {"ask": lambda self, n: None},
            "Mine.ask takes (n), but is called as ask() (missing a required argument: 'n')",
        ),
        ({"tell": None}, "Mine.tell is missing; define tell(trial)."),
        ({"tell": lambda self: None}, "Mine.tell takes (), but is called as tell(trial)"),
        ({"tell": lambda self, params, loss: None}, "Mine.tell takes (params, loss), but is called as tell(trial)"),
        ({"tell": lambda self, *, trial: None}, "Mine.tell takes (*, trial), but is called as tell(trial)"),
        ({"ask": types.MethodType(lambda: None, 5)}, "Mine.ask takes no self"),
        ({"tell": _later}, "Mine.tell is async, which does not run when called; write a plain def."),
        ({"prepare": _later}, "Mine.prepare is async"),
        ({"ask": _one_by_one}, "Mine.ask is a generator (it holds yield)"),
        ({"prepare": lambda self, model: None}, "Mine.prepare takes (model), but is called as prepare()"),
    ],
)
def test_an_optimizer_without_its_methods(methods, told):
    with pytest.raises(ContractError) as error:
        check_optimizer(variant(**methods))
    assert told in str(error.value)


def test_an_optimizer_may_take_more_than_it_is_given():
    check_optimizer(variant(ask=lambda self, n=1: None, tell=lambda self, *trial, **more: None))


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (None, "Mine.ask returned None; it must return a Proposal"),
        (GOOD, "Mine.ask returned dict {'x': 0.5, 'units': 2}; it must return a Proposal"),
        (Line().problem.space.get_default_configuration(), "Mine.ask returned Configuration"),
        (Proposal, "it must return a Proposal"),
        (Mute(), "Mine.ask returned a Mute; it must return a Proposal"),
        (Proposal(HOLDS_ITSELF), "whose params is dict"),
        (Proposal({"x": Mute()}), "give values that a log can hold"),
        (Proposal(GOOD, predicted="low"), "whose predicted is str 'low'; give a number, or None"),
        (Proposal(GOOD, fidelity=HOLDS_ITSELF), "whose fidelity is dict"),
        (Proposal(GOOD, candidates=(Candidate(HOLDS_ITSELF),)), "give a tuple of Candidate"),
        (Proposal([0.5, 2]), "a Proposal whose params is list [0.5, 2]; give a mapping of names, or None"),
        (Proposal("x=1"), "whose params is str"),
        (Proposal(GOOD, usage=None), "whose usage is None"),
        (Proposal(GOOD, usage=Usage(1, None, 0, 5)), "whose usage is Usage"),
        (Proposal(GOOD, usage=Usage(1, 5, 0, 5, float("nan"))), "whose usage is Usage"),
        (Proposal(GOOD, usage=Usage(1, -5, 0, 5)), "whose usage is Usage"),
        (Proposal(GOOD, calls=3), "whose calls is int 3"),
        (Proposal(GOOD, calls=("a",)), "whose calls is tuple ('a',)"),
        (Proposal(GOOD, note=5), "whose note is int 5; give a text, or None"),
        (Proposal(GOOD, candidates=(GOOD,)), "whose candidates is tuple"),
        (
            Proposal(GOOD, proposer="llm"),
            "whose proposer is str 'llm'; give one of start, model, classical, random (harness.trial), or None",
        ),
        (Proposal(GOOD, proposer=["model"]), "whose proposer is list ['model']"),
    ],
)
def test_what_ask_returns_is_a_proposal(returned, told):
    optimizer = variant(ask=lambda self: returned)
    with pytest.raises(ContractError) as error:
        check_proposal(optimizer.ask(), optimizer)
    assert told in str(error.value)
    line = Line()
    begun = begin_with(DefaultStart(), line.problem, optimizer)
    with pytest.raises(ContractError, match=r"Mine\.ask returned"):  # after a start, and told of it
        run_loop(line, begun, NoRepair(line.problem, 0), Budget(proposals=3), 0, lambda row: None)


def test_a_proposer_is_written_as_its_word_and_none_is_null():
    for given, written in ((None, None), ("random", "random"), (Proposer.MODEL, "model")):
        row = to_row(Trial(0, check_proposal(Proposal(GOOD, proposer=given), Plain())), "")
        assert json.loads(json.dumps(row))["proposer"] == written


def test_params_from_a_model_may_be_anything_and_are_no_breach():
    for params in (None, {}, {"x": object()}, {"x": np.float32(1)}):
        check_proposal(Proposal(params), Plain())


class Problemless:
    def __init__(self, task="line"):
        pass


@pytest.mark.parametrize(
    ("benchmark", "told"),
    [
        (Problemless(), "Problemless.problem is missing"),
        (variant(Line, problem=property(lambda self: {"a": 1}, lambda self, value: None)), "problem is dict {'a': 1}"),
        (variant(Line, evaluate=None), "Mine.evaluate is missing; define evaluate(params, fidelity, seed)."),
        (
            variant(Line, evaluate=lambda self, params: 0),
            "Mine.evaluate takes (params), but is called as evaluate(params,",
        ),
        (variant(Line, evaluate=_later), "Mine.evaluate is async"),
        (variant(Line, evaluate=_one_by_one), "Mine.evaluate is a generator"),
        (variant(Line, random_search_curve=None), "Mine.random_search_curve is missing"),
    ],
)
def test_a_benchmark_without_its_parts(benchmark, told):
    with pytest.raises(ContractError) as error:
        check_benchmark(benchmark)
    assert told in str(error.value)


@pytest.mark.parametrize("method", ["random_search_curve", "loss_quantiles"])
def test_a_curve_of_reported_values_of_a_metric_to_be_maximized_is_refused(method):
    losses = [-0.7, -0.8, -0.8]
    losses = losses[::-1] if method == "loss_quantiles" else losses
    assert curve_of(variant(Line, **{method: lambda self, n: losses}), method, 3) == losses
    with pytest.raises(ContractError, match="losses are minimized, so it cannot"):
        curve_of(variant(Line, **{method: lambda self, n: [-loss for loss in losses]}), method, 3)


@pytest.mark.parametrize("curve", [5, "curve", [None], [float("nan")], ["a"], [], {}])
def test_a_curve_is_numbers(curve):
    with pytest.raises(ContractError, match=r"Mine\.random_search_curve returned"):
        curve_of(variant(Line, random_search_curve=lambda self, n: curve), "random_search_curve", 3)


def test_a_curve_of_numpys_numbers_is_one_of_floats():
    found = curve_of(
        variant(Line, random_search_curve=lambda self, n: np.ones(n, np.float32)), "random_search_curve", 2
    )
    assert found == [1.0, 1.0]
    assert type(found[0]) is float
    assert curve_of(Line(), "loss_quantiles", 3) is None


def played(benchmark, proposals=3):
    """The counted breaches of a run."""
    breaches = Breaches(benchmark)
    optimizer = Scripted([GOOD] * proposals)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=proposals), 0, breaches.add)
    return breaches


@pytest.mark.parametrize(
    "returned", [0.5, None, {"score": 0.5}, Outcome({}), Outcome({"scor": 1.0}), Outcome({"score": "a"})]
)
def test_a_run_in_which_no_evaluation_gave_an_outcome_is_refused(returned, tmp_path):
    breaches = played(variant(Line, evaluate=lambda self, params, fidelity, seed: returned))
    with pytest.raises(
        ContractError, match=r"Mine\.evaluate returned .* \(so did all 3 evaluations\); correct it, remove"
    ):
        breaches.refuse(tmp_path)


def test_a_benchmark_that_keeps_its_contract_now_and_then_or_fails_is_not_refused(tmp_path):
    outcomes = iter([None, Outcome({"score": 1.0}), 0.5])
    played(variant(Line, evaluate=lambda self, params, fidelity, seed: next(outcomes))).refuse(tmp_path)
    played(Line(fail_above=0.0)).refuse(tmp_path)
    played(Line(nan_above=0.0)).refuse(tmp_path)


class Halved(Toy):
    """Leaves out the second of its two objectives."""

    def __init__(self, task="front", failure_rate=0.0):
        super().__init__(task)

    def evaluate(self, params, fidelity, seed):
        return Outcome({"error": super().evaluate(params, fidelity, seed).losses["error"]})


def test_a_declared_objective_that_is_left_out_is_the_trials_error_and_exit_code_2(tmp_path):
    target = ("benchmark.task=front", f"benchmark._target_={__name__}.Halved")
    done = hyperbole(
        "benchmark=toy", *target, "budget.proposals=3", cwd=tmp_path, PYTHONPATH=str(Path(__file__).parents[2])
    )
    told = "Halved.evaluate returned losses for error; the problem's objectives are error, speed"
    assert told in sentence(done)
    assert [row["losses"] for row in rows(tmp_path)] == [None] * 3
    assert all(told in row["error"] for row in rows(tmp_path))
    assert run_json(tmp_path)["status"] == "failed"


def test_a_probe_names_the_benchmark_behind_it():
    config = {
        "benchmark": {"_target_": f"{__name__}.Halved"},
        "probe": {"_target_": "benchmarks.probes.probe.probed", "names": "anonymous"},
        "seed": 0,
    }
    benchmark = build_benchmark(config)
    assert type(benchmark).__name__ == "Probe"
    assert Breaches(benchmark)._said == "Halved.evaluate returned"


class Seedless:
    def __init__(self, problem, share=0.5): ...


def test_a_class_that_does_not_take_what_the_harness_gives_it():
    config = {"optimizer": {"_target_": f"{__name__}.Seedless"}, "seed": 0}
    with pytest.raises(
        ContractError, match=r"Seedless takes no seed; the class of optimizer is built with problem, seed"
    ):
        build_optimizer(config, Line().problem, Budget(proposals=3))


SOURCES = {
    "syntax": ("class Mine\n", "SyntaxError in {file}, line 1: expected ':'"),
    "missing": ("\nimport numpi\n", "ModuleNotFoundError in {file}, line 2: No module named 'numpi'"),
    "inside": ("from harness.trial import Proposel\n", "ImportError in {file}, line 1: cannot import name 'Proposel'"),
    "name": ("x = 1\ny = z\n", "NameError in {file}, line 2: name 'z' is not defined"),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit in {file}, line 2: 3"),
    "other": ("class Other: ...\nclass Min: ...\n", "Unknown optimizer._target_ in {file} 'Mine'; did you mean 'Min'?"),
    "leaves": ("class Leave(BaseException): ...\nraise Leave('out')\n", "Leave in {file}, line 2: out"),
    "assert": ("assert 1 == 2\n", "AssertionError in {file}, line 1."),
    "lazy": ("def __getattr__(name):\n    raise OSError(name)\n", "in {file}, line 2: "),
    "nul": ("class Mine: ...\n\0", "SyntaxError in {file}: source code string cannot contain null bytes"),
    "long": ("raise ValueError('ab ' * 500)\n", "line 1: ab ab"),
    "abstract": (
        "import abc\nclass Mine(abc.ABC):\n    @abc.abstractmethod\n    def ask(self): ...\n",
        "which is abstract: it does not define ask",
    ),
    "number": ("Mine = 5\n", "which is a int; name a class or function"),
}


@pytest.fixture
def outside(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kind", SOURCES)
def test_why_a_plug_in_cannot_be_imported_is_said_with_file_and_line(kind, outside):
    source, told = SOURCES[kind]
    file = outside / f"outside_{kind}.py"
    file.write_text(source)
    with pytest.raises(SettingError) as error:
        locate(f"outside_{kind}.Mine", "optimizer")
    assert told.format(file=file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("nowhere_at_all.Mine", "Python finds no module nowhere_at_all"),
        ("optimizers.nowhere.Mine", "has no nowhere"),
        ("optimizers.smac.Smac", "did you mean 'SMAC'?"),
        ("Mine", "give a class as module.Class"),
        ("a..b", "give a class as module.Class"),
        ("", "give a class as module.Class"),
        (5, "give a class as module.Class"),
        ("harness.kinds", "which is a module; name a class or function"),
    ],
)
def test_what_target_names_nothing(path, told):
    with pytest.raises(SettingError) as error:
        locate(path, "optimizer")
    assert told in str(error.value)


def test_a_folder_of_our_own_packages_name_is_said_to_be_hidden(outside):
    (outside / "optimizers").mkdir()
    (outside / "optimizers/mine.py").write_text("class Mine: ...\n")
    with pytest.raises(SettingError, match=r"optimizers is hidden by Hyperbole's own package optimizers, so rename"):
        locate("optimizers.mine.Mine", "optimizer")
    refuse_hidden_packages()


def test_a_package_that_hides_ours_is_named(outside, monkeypatch):
    (outside / "llms").mkdir()
    (outside / "llms/__init__.py").touch()
    for name in [name for name in sys.modules if name.partition(".")[0] == "llms"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SettingError, match=r"The package llms of Hyperbole .* is hidden by .*llms, which comes first"):
        refuse_hidden_packages()


YAMLS = {
    "closed": (b"_target_: a.B\n share: [0.5\n", "conf/optimizer/mine.yaml, line 2, column 7 is not YAML"),
    "tab": (b"_target_: a.B\nshare:\n\t- 5\n", "line 3, column 1 is not YAML"),
    "twice": (b"_target_: a.B\nshare: 1\nshare: 2\n", "found duplicate key share"),
    "latin": (b"_target_: a.B # caf\xe9\n", "conf/optimizer/mine.yaml is not YAML in UTF-8"),
    "utf16": ("_target_: a.B\n".encode("utf-16"), "conf/optimizer/mine.yaml is not YAML in UTF-8"),
    "nul": (b"_target_: a.B\n\x00", "conf/optimizer/mine.yaml is not YAML in UTF-8"),
    "itself": (
        b"_target_: a.B\nitems: &a [1, *a]\n",
        "mine.yaml cannot be read: it is nested too deep, or contains itself",
    ),
    "deep": (b"_target_: a.B\nitems: " + b"[" * 3000 + b"]" * 3000, "mine.yaml cannot be read: it is nested too deep"),
    "digits": (b"_target_: a.B\nitems: " + b"9" * 5000, "mine.yaml cannot be read: Exceeds the limit"),
    "nameless": (b"_target_: a.B\n? \n: 2\n", "mine.yaml cannot be read: Incompatible key type"),
    "set": (b"_target_: a.B\nitems: !!set {a, b}\n", "mine.yaml cannot be read: Value 'set'"),
    "half": (b"_target_: a.B\nitems: ${\n", "mine.yaml cannot be read: no viable alternative"),
    "defaults": (b"defaults: 3\n_target_: a.B\n", "Invalid defaults list in 'optimizer/mine'"),
}


@pytest.mark.parametrize("kind", YAMLS)
def test_a_file_that_is_not_yaml(kind, tmp_path, capsys):
    content, told = YAMLS[kind]
    (tmp_path / "conf/optimizer").mkdir(parents=True)
    (tmp_path / "conf/optimizer/mine.yaml").write_bytes(content)
    assert told in composing("optimizer=mine", f"hydra.searchpath=[{tmp_path / 'conf'}]", capsys=capsys)


@pytest.mark.parametrize("kind", ["nameless", "set", "half"])
def test_a_file_that_is_not_yaml_ends_also_where_errors_keep_their_causes(kind, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OC_CAUSE", "1")  # OmegaConf then makes these errors their own cause
    test_a_file_that_is_not_yaml(kind, tmp_path, capsys)


def test_an_unknown_choice_mentions_the_search_path(capsys):
    told = composing("optimizer=mine", capsys=capsys)
    assert "Unknown optimizer 'mine'" in told
    assert "hydra.searchpath=[DIR] if DIR/optimizer/mine.yaml exists" in told


def composing(*overrides, capsys):
    def composed():
        with explained(overrides), initialize_config_dir(str(CONF), version_base="1.3"):
            compose("config", overrides=list(overrides))

    with pytest.raises(SystemExit):
        composed()
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_every_breach_is_a_mistake_that_commands_answer_with_a_sentence():
    assert issubclass(ContractError, HyperboleError)
    with pytest.raises(ContractError):
        replace(Line().problem, objectives=())


@pytest.mark.parametrize("where", ["__init__", "ask", "tell", "prepare"])
def test_a_plug_in_that_ends_the_program_is_not_an_interruption(where, tmp_path):
    methods = dict.fromkeys(("__init__", "ask", "tell", "prepare"), "        pass\n")
    methods["ask"] = "        return Proposal(None)\n"
    methods[where] = "        raise SystemExit(0)\n"
    arguments = {"__init__": "self, problem, seed, budget", "ask": "self", "tell": "self, trial", "prepare": "self"}
    source = "from harness.trial import Proposal\n\nclass Leaves:\n" + "\n".join(
        f"    def {name}({arguments[name]}):\n{body}" for name, body in methods.items()
    )
    (tmp_path / "leaves.py").write_text(source)
    done = hyperbole(
        "optimizer=random_search",
        "optimizer._target_=leaves.Leaves",
        "budget.proposals=2",
        cwd=tmp_path,
        PYTHONPATH=".",
    )
    assert done.returncode == 2
    assert f"({where}) ended the program (SystemExit: 0)" in sentence(done)
    assert "leaves.py, line " in done.stderr
    assert str(tmp_path) in done.stderr, "the shell's own variable PWD is no password"


def test_a_coroutine_is_no_proposal(recwarn):
    class Later(Plain):
        async def ask(self):
            return Proposal(GOOD)

    later = Later()
    with pytest.raises(ContractError, match="returned coroutine"):
        check_proposal(later.ask(), later)
    assert not recwarn.list
