"""Every probe in conf/probe/ over benchmarks of every kind: what is shown, what is evaluated, what is refused."""

import copy
import dataclasses
import functools
import itertools
import json
import math
import re

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace
from ConfigSpace.conditions import OrConjunction
from ConfigSpace.forbidden import (
    ForbiddenEqualsClause,
    ForbiddenGreaterThanClause,
    ForbiddenInClause,
    ForbiddenLessThanRelation,
)
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    NormalFloatHyperparameter,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from scipy.stats import ks_2samp

from benchmarks.fcnet import FCNet
from benchmarks.hpobench.hpobench import HPOBench
from benchmarks.lookup.discretize import configurations
from benchmarks.lookup.nearest import probability_at_most
from benchmarks.nasbench201 import NASBench201
from benchmarks.probes import probe as probes
from benchmarks.probes.probe_permutation import Permutation
from benchmarks.probes.probe_scale import LogCounts, Scale
from benchmarks.probes.probe_warp import new_levels
from benchmarks.toy import Toy
from harness.budget import Budget
from harness.build import build_benchmark, build_optimizer, build_repair
from harness.choice_files import CONF
from harness.choices import builtin
from harness.composed import resolve
from harness.errors import SettingError
from harness.experiment import compose_with
from harness.loop import run_loop
from harness.probe import Family
from harness.problem import EvaluationError, Outcome
from harness.validity import Checker
from optimizers.chat.prompt import space_lines
from tests.support.chosen import chosen
from tests.support.command import command, hyperbole, rows, run_json, sentence
from tests.support.fakes import Rich

PROBES = sorted(path.stem for path in (CONF / "probe").glob("*.yaml") if path.stem != "none")
SETTINGS = {name: {key: value for key, value in chosen("probe", name).items() if key != "_target_"} for name in PROBES}
FAMILIES = {"hpobench": HPOBench, "fcnet": FCNet, "nasbench201": NASBench201, "toy": Toy}


BENCHMARKS = {
    "grid": HPOBench,
    "nearest": functools.partial(HPOBench, space="nearest"),
    "fcnet": FCNet,
    "nasbench201": NASBench201,
    "branin": functools.partial(Toy, task="branin"),
    "peak": functools.partial(Toy, task="peak"),
    "rich": Rich,
}
build = functools.cache(lambda name: BENCHMARKS[name]())
REFUSED = {
    ("nasbench201", "warped"): "no hyperparameter that probe.space=warped could change",
    ("nearest", "permuted"): "is infinite (alpha, learning_rate_init",
    ("branin", "permuted"): "is infinite (x1, x2, amplitude",
    ("peak", "permuted"): "is infinite (rate",
    ("rich", "permuted"): "is infinite (",
    ("rich", "shuffled_task"): "made does not list any",
}
CASES = [pair for pair in itertools.product(BENCHMARKS, PROBES) if pair not in REFUSED]


def probed(benchmark, seed=0, **settings):
    kind = FAMILIES.get(benchmark.problem.name.partition(".")[0])
    family = Family((), None) if kind is None else Family(kind.tasks, lambda task: kind(task=task))
    return probes.probed(benchmark, family, seed, **settings)


@functools.cache
def case(name, probe, seed=0):
    return build(name), probed(build(name), seed, **SETTINGS[probe])


def random_configurations(problem, count, seed=0):
    space = copy.deepcopy(problem.space)
    space.seed(seed)
    check = Checker(problem.space).check
    found = []
    for sample in space.sample_configuration(count):
        params, violations = check(dict(sample))
        assert violations == ()
        found.append(params)
    return found


@functools.cache
def evaluated(name, probe=None, seed=0, count=3000):
    """Random configurations as they were evaluated, and their losses."""
    true, shown = case(name, probe, seed) if probe else (build(name), build(name))
    objective = true.problem.objectives[0].name
    outcomes = [
        (params, shown.evaluate(params, None, 0)) for params in random_configurations(shown.problem, count, seed)
    ]
    return [outcome.evaluated or params for params, outcome in outcomes], [o.losses[objective] for _, o in outcomes]


@pytest.mark.parametrize(("name", "probe"), CASES)
def test_it_is_a_sound_problem(name, probe):
    true, shown = case(name, probe)
    problem = shown.problem
    default, violations = Checker(problem.space).check(problem.default)
    assert violations == ()
    assert default == problem.default == dict(problem.space.get_default_configuration())
    assert len(problem.space) == len(true.problem.space)
    assert problem.objectives == true.problem.objectives
    assert problem.fidelities == true.problem.fidelities
    assert shown.random_search_curve(3) == true.random_search_curve(3)


@pytest.mark.parametrize(("name", "probe"), CASES)
def test_what_is_evaluated_is_the_benchmarks_own(name, probe):
    true, shown = case(name, probe)
    check = Checker(true.problem.space).check
    for params in random_configurations(shown.problem, 40):
        given = dict(params)
        try:
            outcome = shown.evaluate(params, None, 3)
        except EvaluationError:  # those of rich
            continue
        assert params == given
        assert check(outcome.evaluated) == (outcome.evaluated, ())
        assert list(outcome.evaluated) == list(check(outcome.evaluated)[0])
        assert dataclasses.replace(outcome, evaluated=None) == true.evaluate(outcome.evaluated, None, 3)


def test_a_failure_passes_as_it_is():
    shown = case("rich", "anonymous")[1]
    kernel = shown._shown["kernel"].hyperparameter.name
    every = random_configurations(shown.problem, 200)
    failing = next(params for params in every if params[kernel] == "c1" and False in params.values())
    with pytest.raises(EvaluationError, match="It diverged") as failure:
        shown.evaluate(failing, None, 0)
    assert failure.value.seconds == 3.0


@pytest.mark.parametrize(("name", "probe"), CASES)
def test_the_default_is_the_same_point_unless_the_optimum_moves(name, probe):
    true, shown = case(name, probe)
    evaluated = shown.evaluate(shown.problem.default, None, 0).evaluated
    moved = probe in ("shifted", "permuted")
    assert (evaluated != true.problem.default) if moved else (evaluated == true.problem.default)
    if moved:
        assert shown.problem.default == true.problem.default


@pytest.mark.parametrize(("name", "probe"), CASES)
def test_another_one_built_from_the_same_seed_is_the_same(name, probe):
    _, shown = case(name, probe)
    again = probed(BENCHMARKS[name](), 0, **SETTINGS[probe])
    assert again.problem.space == shown.problem.space
    for params in random_configurations(shown.problem, 5):
        if name != "rich":
            assert again.evaluate(params, None, 0) == shown.evaluate(params, None, 0)


@pytest.mark.parametrize(("name", "probe"), [("grid", "warped"), ("grid", "shifted"), ("grid", "permuted")])
def test_each_seed_draws_anew(name, probe):
    evaluated = []
    for seed in range(4):
        _, shown = case(name, probe, seed)
        params = random_configurations(shown.problem, 2)[0]
        evaluated.append((params, shown.evaluate(params, None, 0).evaluated))
    assert len({json.dumps(pair) for pair in evaluated}) == 4


@pytest.mark.parametrize(
    ("name", "probe", "count"),
    [("grid", "blind", 30_000), ("nasbench201", "shifted", 15_625), ("nasbench201", "permuted", 15_625)],
)
def test_on_a_grid_each_configuration_stands_for_one_of_its_own(name, probe, count):
    _, shown = case(name, probe)
    found = {tuple(shown.evaluate(p, None, 0).evaluated.values()) for p in configurations(shown.problem.space)}
    assert len(found) == count


@pytest.mark.parametrize(
    ("name", "probe"),
    [
        *itertools.product(("grid", "nearest", "branin", "peak"), ("warped", "shifted")),
        ("nearest", "anonymous"),
        ("fcnet", "blind"),
        ("grid", "permuted"),
        ("nasbench201", "permuted"),
    ],
)
def test_random_search_meets_the_same_losses(name, probe):
    """By Kolmogorov and Smirnov's test: all losses, and every number that is evaluated."""
    (plain, losses), (through, probed_losses) = evaluated(name), evaluated(name, probe, seed=1)
    assert same_distribution(losses, probed_losses) > 0.001
    for key in build(name).problem.space:
        values = [[params[key] for params in found if key in params] for found in (plain, through)]
        if isinstance(values[0][0], int | float):
            assert same_distribution(*values) > 0.001, key


def same_distribution(one, other):
    return ks_2samp(one, other, method="asymp").pvalue


@pytest.mark.parametrize("name", ["nearest", "branin"])
def test_a_wrong_warp_would_be_seen(name, monkeypatch):
    linear = lambda scale, value: (value - scale.lower) / (scale.upper - scale.lower)  # noqa: E731
    monkeypatch.setattr(Scale, "share", linear)  # as if every shown range were linear
    _, wrong = evaluated.__wrapped__(name, "warped", seed=1)
    assert same_distribution(evaluated(name)[1], wrong) < 1e-6


@pytest.mark.parametrize(("lower", "upper"), [(1, 3), (4, 256), (16, 1024), (1, 50)])
def test_a_logarithmic_integer_has_exactly_configspaces_cells(lower, upper):
    uniform = UniformIntegerHyperparameter("n", lower, upper, log=True)
    counts = LogCounts(uniform)
    edges = [0.0, *(probability_at_most(uniform, value) for value in range(lower, upper + 1))]
    for value, (low, high) in zip(range(lower, upper + 1), itertools.pairwise(edges), strict=True):
        inside = (low + 1e-9, counts.share(value), high - 1e-9)
        assert [counts.value(share) for share in inside] == [value] * 3
    assert counts.value(0.0) == lower
    assert counts.value(1.0) == upper


@pytest.mark.parametrize("scale", [Scale(1e-8, 1.0, True), Scale(-5.0, 10.0, False), Scale(0.0031, 710.0, True)])
def test_a_scale_keeps_to_its_range(scale):
    assert (scale.value(0.0), scale.value(1.0)) == (scale.lower, scale.upper)
    assert (scale.value(-1e-16), scale.value(1 + 1e-15)) == (scale.lower, scale.upper)
    assert (scale.share(scale.lower), scale.share(scale.upper)) == (0.0, 1.0)
    values = [scale.value(share) for share in np.linspace(0, 1, 101)]
    assert values == sorted(set(values))
    assert [scale.share(value) for value in values] == pytest.approx(np.linspace(0, 1, 101), abs=1e-12)


@pytest.mark.parametrize("name", ["nearest", "branin", "peak"])
@pytest.mark.parametrize("probe", ["warped", "shifted", "blind"])
def test_the_ends_of_a_shown_range_can_be_evaluated(name, probe):
    for seed in range(5):
        true, shown = case(name, probe, seed)
        space, ends = shown.problem.space, []
        for key, each in space.items():
            if hasattr(each, "lower") and key in shown.problem.default:
                ends += [shown.problem.default | {key: builtin(end)} for end in (each.lower, each.upper)]
        found = [shown.evaluate(params, None, 0).evaluated for params in ends]
        if probe != "shifted":
            reached = {key: {params[key] for params in found} for key in true.problem.default}
            for key, each in true.problem.space.items():
                if hasattr(each, "lower") and key in reached:
                    assert {each.lower, each.upper} <= reached[key]


def test_half_of_the_numbers_are_turned_round():
    for seed in range(6):
        true, shown = case("grid", "warped", seed)
        turned = 0
        for name, each in true.problem.space.items():
            low, high = (shown.problem.default | {name: shown.problem.space[name].sequence[i]} for i in (0, -1))
            turned += shown.evaluate(low, None, 0).evaluated[name] > shown.evaluate(high, None, 0).evaluated[name]
            assert sorted(shown.problem.space[name].sequence) == list(shown.problem.space[name].sequence)
            kinds = {type(builtin(level)) for level in each.sequence}
            assert {type(builtin(level)) for level in shown.problem.space[name].sequence} == kinds
            assert list(shown.problem.space[name].sequence) != list(each.sequence)
        assert turned in (2, 3)


@pytest.mark.parametrize("whole", [True, False])
def test_new_levels_rise_strictly(whole):
    for seed, count in itertools.product(range(30), (1, 2, 10, 20, 21, 300)):
        levels = new_levels(count, whole, np.random.default_rng(seed))
        assert len(levels) == count
        assert all(low < high for low, high in itertools.pairwise(levels))
        assert all(type(level) is (int if whole else float) for level in levels)


def test_conditions_and_clauses_speak_of_what_is_shown():
    branin = "\n".join(space_lines(case("branin", "blind")[1].problem))
    assert re.search(r"\"x4\": an integer .* only given if x1 == \"c2\"", branin)
    assert re.search(r"\"x5\": a number .* only given if x4 in \{\d+, \d+, \d+\}", branin)
    peak = case("peak", "blind")[1].problem
    assert 'not allowed: (x4 == "c3" and x2 == true)' in space_lines(peak)
    forbidden = next(clause for clause in peak.space.forbidden_clauses if isinstance(clause, ForbiddenEqualsClause))
    params, _ = Checker(build("peak").problem.space).check(build("peak").problem.default | {"width": 7})
    assert params is None
    params, violations = Checker(peak.space).check(peak.default | {"x6": builtin(forbidden.value)})
    assert params is None
    assert [violation.fault.value for violation in violations] == ["forbidden"]


@pytest.mark.parametrize("probe", ["warped", "shifted"])
def test_the_same_is_active_and_forbidden_as_in_truth(probe):
    _, shown = case("rich", probe, 1)
    plain = random_configurations(build("rich").problem, 800)
    names, through = shown._true_names, []
    for params in random_configurations(shown.problem, 800, 1):
        through.append({names[key]: shown._shown[names[key]].read(params[key]) for key in params})
    patterns = [[(len(p), p["kernel"], p["batch"] == 64) for p in found] for found in (plain, through)]
    assert set(patterns[0]) == set(patterns[1])
    for pattern in set(patterns[0]):
        counts = [found.count(pattern) for found in patterns]
        assert abs(counts[0] - counts[1]) < 5 * math.sqrt(sum(counts)), pattern


def awkward():
    """Conditions and clauses that compare values with a bound, or with each other."""
    space = ConfigurationSpace(name="awkward")
    depth = UniformIntegerHyperparameter("depth", 1, 8, 3)
    rate = UniformFloatHyperparameter("rate", 1e-4, 1.0, 0.1, log=True)
    low, high = (UniformFloatHyperparameter(name, 0.0, 1.0, at) for name, at in (("low", 0.2), ("high", 0.8)))
    step = OrdinalHyperparameter("step", (1, 2, 4, 8), default_value=2)
    child, noise = UniformFloatHyperparameter("child", 0.0, 1.0), NormalFloatHyperparameter("noise", 0, 1, -3, 3)
    solver = CategoricalHyperparameter("solver", ("a", "b"), weights=(0.9, 0.1), default_value="a")
    from ConfigSpace.conditions import EqualsCondition, GreaterThanCondition, LessThanCondition

    space.add(depth, rate, low, high, step, child, noise, solver)
    space.add(
        OrConjunction(
            GreaterThanCondition(child, depth, 5), LessThanCondition(child, rate, 0.01), EqualsCondition(child, step, 8)
        )
    )
    space.add(ForbiddenLessThanRelation(high, low), ForbiddenGreaterThanClause(depth, 7), ForbiddenInClause(step, [4]))
    return Rich(space)


def test_what_cannot_be_told_of_other_values_stays():
    for names, seed in itertools.product(("original", "anonymous"), range(4)):
        warped = probed(awkward(), seed, space="warped", names=names)
        kept = {name for name, shown in warped._shown.items() if shown.same}
        assert kept == {"rate", "low", "high", "noise"} | ({"solver"} if names == "original" else set())
        for params in random_configurations(warped.problem, 100):
            true = warped.evaluate(params, None, 0).evaluated
            assert ("child" in true) == (true["depth"] > 5 or true["rate"] < 0.01 or true["step"] == 8)
            assert true["low"] <= true["high"]
            assert true["depth"] < 8
            assert true["step"] != 4
        assert warped.problem.space[warped._shown["solver"].hyperparameter.name].weights == (0.9, 0.1)
    shifted = probed(awkward(), 1, space="shifted")
    assert {name for name, shown in shifted._shown.items() if not shown.same} == {"child"}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_nothing_shown_names_what_is_hidden(name):
    true, shown = case(name, "blind")
    problem = shown.problem
    words = set(true.problem.space) - {"x1", "x2"}  # branin's own names
    words |= {*true.problem.name.split("."), true.problem.name}
    for each in true.problem.space.values():
        values = getattr(each, "choices", None) or getattr(each, "sequence", ())
        words |= {value for value in values if isinstance(value, str)}
        words |= {word for word in str((each.meta or {}).get("description", "")).split() if len(word) > 3}
    told = [problem.name, str(problem.space), *space_lines(problem), str(problem.default), problem.description.text]
    told += [*problem.contexts.values(), *problem.hints.values(), str(problem.space.get_default_configuration())]
    tokens = set(re.findall(r"[A-Za-z_0-9.]+", " ".join(told).replace("only given if", "")))
    grammar = {"a", "an", "one", "of", "from", "to", "scale", "number", "integer", "always", "log", "task", "value"}
    assert not (words - grammar) & tokens
    assert problem.description.text == ""
    assert (problem.contexts, problem.hints) == ({}, {})
    expected = [f"x{i}" for i in range(1, len(problem.space) + 1)]
    assert list(problem.space) == expected


def test_ten_names_or_more_keep_their_order():
    space = ConfigurationSpace(name="wide")
    space.add(*(UniformFloatHyperparameter(f"h{i:02}", 0.0, 1.0 + i) for i in range(12)))
    shown = probed(Rich(space), names="anonymous")
    assert list(shown.problem.space) == [f"x{i:02}" for i in range(1, 13)]
    assert [each.upper for each in shown.problem.space.values()] == [1.0 + i for i in range(12)]


def test_booleans_and_numbers_keep_their_values():
    _, shown = case("peak", "anonymous")
    assert '"x2": one of [true, false]' in space_lines(shown.problem)
    assert '"x1": one of [16, 32, 64, 128]' in space_lines(shown.problem)
    assert '"x4": one of ["c1", "c2", "c3"]' in space_lines(shown.problem)


def test_hints_and_texts_go_where_they_would_be_false():
    true = build("grid").problem
    for probe in PROBES:
        problem = case("grid", probe)[1].problem
        assert bool(problem.hints) == (probe == "shuffled_task")
        assert bool(problem.description.text) == (probe not in ("no_task", "blind"))
        assert (problem.description == true.description) == (probe not in ("no_task", "blind", "shuffled_task"))
        assert (problem.name == true.name) == (probe not in ("no_task", "blind", "shuffled_task"))


def test_a_shuffled_task_is_another_one_and_depends_on_the_seed():
    told = [case("grid", "shuffled_task", seed)[1].problem for seed in range(8)]
    assert all(problem.name.startswith("hpobench.") and problem.name != "hpobench.credit_g" for problem in told)
    assert all(problem.description == HPOBench(problem.name.split(".")[1]).problem.description for problem in told)
    assert len({problem.name for problem in told}) > 2
    assert all(problem.space.name == problem.name for problem in told)


def test_permuted_conditional_spaces_are_dealt_out_whole():
    space = ConfigurationSpace(name="small")
    from ConfigSpace.conditions import EqualsCondition

    kernel = CategoricalHyperparameter("kernel", ("linear", "poly"), default_value="poly")
    degree, shrink = UniformIntegerHyperparameter("degree", 1, 5), CategoricalHyperparameter("shrink", (True, False))
    space.add(kernel, degree, shrink, EqualsCondition(degree, kernel, "poly"), ForbiddenEqualsClause(degree, 4))
    permute = Permutation(space, np.random.default_rng(0))
    every = list(configurations(space))
    assert len(every) == 2 + 8
    assert sorted(map(str, map(permute, every))) == sorted(map(str, every))
    assert any(permute(params) != params for params in every)
    shown = probed(Rich(space), responses="permuted")
    shown._benchmark.random_search_curve = lambda evaluations: [1.0] * evaluations
    assert shown.random_search_curve(3) is None  # random search draws linear as often as all of poly


def test_losses_stay_the_same_ones_at_every_fidelity():
    class Steps(Rich):
        def evaluate(self, params, fidelity, seed):
            return Outcome({"loss": float(params["a"] * 10 + params["b"] + 100 * (fidelity or {}).get("steps", 5))})

    space = ConfigurationSpace(name="steps")
    space.add(UniformIntegerHyperparameter("a", 0, 4), UniformIntegerHyperparameter("b", 0, 4))
    true, shown = Steps(space), probed(Steps(space), responses="permuted")
    for params in configurations(space):
        outcome = shown.evaluate(params, {"steps": 2}, 0)
        assert outcome.losses == true.evaluate(outcome.evaluated, {"steps": 2}, 0).losses
        assert outcome.evaluated == shown.evaluate(params, None, 0).evaluated


def test_what_is_known_of_all_losses_passes():
    known = Rich(build("grid").problem.space)
    known.loss_quantiles = lambda count: [0.0] * count
    assert probed(known, space="warped").loss_quantiles(3) == [0.0, 0.0, 0.0]
    assert not hasattr(probed(Rich(), space="warped"), "loss_quantiles")


@pytest.mark.parametrize(("name", "probe"), REFUSED)
def test_a_probe_that_makes_no_sense_is_refused(name, probe):
    with pytest.raises(SettingError) as refusal:
        probed(build(name), **SETTINGS[probe])
    assert REFUSED[name, probe] in str(refusal.value)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"names": "anonymus"}, "did you mean 'anonymous'"),
        ({"space": False}, "Unknown probe.space 'False'"),
        ({"task": "no"}, "Unknown probe.task 'no'; .*Valid: none, original, shuffled"),
        ({"names": "true"}, "Unknown probe.names 'true'"),
    ],
)
def test_a_misspelt_setting_is_refused(settings, what):
    with pytest.raises(SettingError, match=what):
        probed(build("grid"), **settings)


def test_without_any_probe_it_is_the_benchmark_itself():
    for settings in ({}, chosen("probe", "none")):
        given = {name: value for name, value in settings.items() if name != "_target_"}
        assert probed(build("grid"), **given) is build("grid")


def test_too_many_configurations_are_refused():
    space = ConfigurationSpace(name="big")
    space.add(UniformIntegerHyperparameter("a", 0, 1999), UniformIntegerHyperparameter("b", 0, 1999))
    with pytest.raises(SettingError, match="at most 2,000,000 configurations, and big has up to 4,000,000"):
        probed(Rich(space), responses="permuted")


@pytest.mark.parametrize("optimizer", ["smac", "tpe"])
@pytest.mark.parametrize("probe", ["warped", "blind"])
def test_optimizers_run_on_a_warped_conditional_space(optimizer, probe):
    given = ["benchmark=toy", f"optimizer={optimizer}", f"probe={probe}", "seed=1", "start=default"]
    config, _ = compose_with(given, {})
    settings = resolve(config, {"repair", "probe", "start", "budget"}, ".")
    benchmark, budget = build_benchmark(settings), Budget(proposals=14)
    found = []
    optimizer = build_optimizer(settings, benchmark.problem, budget)
    run_loop(benchmark, optimizer, build_repair(settings, benchmark.problem), budget, 1, found.append)
    assert len(found) == 14
    assert all(row["violations"] == [] and row["error"] is None for row in found)
    assert found[0]["evaluated"] == Toy("branin").problem.default
    true = Toy("branin")
    assert all(row["losses"] == true.evaluate(row["evaluated"], None, 1).losses for row in found)


def test_a_probed_run_is_recorded_and_replays(tmp_path):
    done = hyperbole("probe=warped", "benchmark.task=kc1", "budget.proposals=6", "name=memory", "seed=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (place,) = (tmp_path / "runs/memory/hpobench.kc1").iterdir()
    assert place.name == "random_search+probe=warped"
    true = HPOBench("kc1")
    found = rows(tmp_path)
    assert len(found) == 6
    for row in found:
        assert row["executed"] != row["evaluated"]
        assert row["losses"] == true.evaluate(row["evaluated"], None, 2).losses
    assert run_json(tmp_path)["random_search_curve"] == true.random_search_curve(6)
    replayed = command("harness.replay", "runs/memory", cwd=tmp_path)
    assert replayed.returncode == 0, replayed.stderr
    assert "1 of 1 runs replayed to the same trials." in replayed.stdout


def test_a_refusal_is_one_sentence(tmp_path):
    assert "use a grid with benchmark.space=grid" in sentence(
        hyperbole("probe=permuted", "benchmark=toy", cwd=tmp_path)
    )
