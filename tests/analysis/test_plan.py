"""What a sweep will take: from which recorded runs, how it scales, and what stays unknown."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

import pytest

from analysis.plan.__main__ import main
from analysis.plan.course import course_of, need
from analysis.plan.flight import Flight, flight_of
from analysis.plan.forecast import forecast
from analysis.plan.page import page
from analysis.plan.recorded import kinds_in, nearest
from analysis.stats.prices import OURS, read_prices
from harness.budget import Budget
from harness.engine.asked import asked
from harness.errors import SettingError
from tests.support.command import hyperbole, sentence
from tests.support.run_folders import TIME, USAGE, at, trial, write_run

LLM = {"_target_": "llms.models.vllm", "model": "smollm2-135m-instruct"}
CHAT = {"_target_": "optimizers.llm_chat.LLMChat"}
CHOICES = {"benchmark": "toy", "optimizer": "llm_chat", "llm": "smollm2_135m", "prompt": "plain", "decoding": "free"}
CHOICES |= dict.fromkeys(("repair", "probe", "start"), "none") | {"budget": "proposals"}


def rows(number, seconds=2.0, prompt=100, growth=10, invalid=0, cached=50):
    """Trials of a language model, one after the other; the first ``invalid`` ones are not evaluated."""
    return [
        trial(
            index,
            None if index < invalid else 0.7,
            ask_seconds=seconds,
            evaluation_seconds=None if index < invalid else 0.0,
            started_at=at(index * seconds),
            usage=USAGE
            | {"calls": 1, "prompt_tokens": prompt + growth * index, "cached_tokens": cached, "completion_tokens": 20},
        )
        for index in range(number)
    ]


def record(experiment, seed=0, trials=None, begin=0.0, llm=LLM, settings=None, task="branin", **changes):
    """A recorded run of llm_chat."""
    trials = rows(10) if trials is None else trials
    trials = [row | {"started_at": later(row["started_at"], begin)} for row in trials]
    end = later(trials[-1]["started_at"], trials[-1]["ask_seconds"])
    config = {"llm": llm, "optimizer": CHAT, "budget": {"proposals": len(trials)}, "seed": seed}
    given = {"settings": settings or {}, "choices": CHOICES, "config": config, "llm": "smollm2_135m"}
    given |= {"started_at": at(begin), "finished_at": end, "host": socket.gethostname(), **changes}
    return write_run(experiment, "llm_chat", seed, trials, task=task, benchmark="toy", **given)


def later(time, seconds):
    return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A function: overrides -> groups and page, from what is in runs/."""
    monkeypatch.chdir(tmp_path)

    def made(*overrides):
        wanted = asked(["--", *overrides, "tracker=none"] if "-m" not in overrides else ["-m", "--", *overrides[1:]])
        prices = read_prices(OURS)
        groups = forecast(wanted, [tmp_path / "runs"], prices)
        return groups, page(wanted, groups, prices)

    return made


CHAT_ON_TOY = ("optimizer=llm_chat", "benchmark=toy", "benchmark.task=branin")


def test_the_same_method_on_the_same_task_is_what_counts(plan, tmp_path):
    for seed in range(3):
        record(tmp_path / "runs" / "old", seed, begin=100.0 * seed)
    (group,), told = plan(*CHAT_ON_TOY, "budget.proposals=10")
    assert group.totals == {
        "trials": 10,
        "calls": 10,
        "prompt_tokens": 1450,
        "completion_tokens": 200,
        "cached_tokens": 500,
    }
    assert group.elapsed == pytest.approx((20.0, 20.0))
    assert "1 run: 0 complete, 0 to resume, 1 missing" in told
    assert "prompt tokens     1,450\n" in told
    assert "time              20 s, one run at a time" in told
    assert "llm_chat on toy.branin (1 run): 3 runs of the same method and task in " in told
    assert group.money == pytest.approx((20 / 3600 * 0.08925,) * 2)


def test_a_longer_run_is_continued_and_said_to_be(plan, tmp_path):
    record(tmp_path / "runs" / "old")
    (group,), told = plan(*CHAT_ON_TOY, "budget.proposals=20")
    assert group.totals["prompt_tokens"] == pytest.approx(sum(100 + 10 * index for index in range(20)))
    assert "continued beyond its 10 trials" in told


def test_a_shorter_run_is_the_beginning_of_a_recorded_one(plan, tmp_path):
    record(tmp_path / "runs" / "old")
    (group,), told = plan(*CHAT_ON_TOY, "budget.proposals=3")
    assert group.totals["prompt_tokens"] == 100 + 110 + 120
    assert "continued" not in told


def test_what_is_on_disk_is_not_planned_again(plan, tmp_path):
    plan(*CHAT_ON_TOY)
    record(tmp_path / "runs" / "old")
    (job,) = asked(["--", *CHAT_ON_TOY, "tracker=none", "name=now", "budget.proposals=10"]).missing
    config = dict(job.identity["config"])
    record(tmp_path / "runs" / "now", 0, rows(4), status="running", config=config, choices=job.identity["choices"])
    (group,), told = plan(*CHAT_ON_TOY, "name=now", "budget.proposals=10")
    assert "1 run: 0 complete, 1 to resume, 0 missing" in told
    assert group.totals["trials"] == 6
    assert group.totals["prompt_tokens"] == sum(100 + 10 * index for index in range(4, 10))


def test_nothing_recorded_is_unknown(plan):
    groups, told = plan("-m", "optimizer=llm_chat,random_search", "benchmark=toy", "budget.proposals=5")
    assert [group.totals["calls"] for group in groups] == [None, 0.0]
    assert "trials            10\n" in told
    assert "model calls       0 for 1 runs; unknown for the other 1" in told
    assert "time              unknown" in told
    assert "money             unknown" in told
    assert "nothing was recorded of this optimizer" in told


def test_another_model_says_tokens_but_no_time(plan, tmp_path):
    record(tmp_path / "runs" / "old", llm=LLM | {"model": "large"})
    (group,), told = plan(*CHAT_ON_TOY, "budget.proposals=10")
    assert (group.totals["calls"], group.elapsed, group.money) == (10, None, None)
    assert "another model, large, so the time is not known" in told


def test_another_benchmark_says_no_time(plan, tmp_path):
    record(tmp_path / "runs" / "old")
    (group,), told = plan("optimizer=llm_chat", "benchmark=hpobench", "budget.proposals=10")
    assert (group.totals["calls"], group.elapsed) == (10, None)
    assert "another benchmark, toy, so the time is not known" in told


def test_tokens_are_priced_where_the_table_prices_tokens(plan, tmp_path):
    record(tmp_path / "runs" / "old", llm=LLM | {"model": "gpt-4o-mini"})
    (group,), told = plan(*CHAT_ON_TOY, "llm=openai", "budget.proposals=10")
    assert group.money == pytest.approx(((950 * 0.15 + 500 * 0.075 + 200 * 0.60) / 1e6,) * 2)
    assert "USD by tokens, prices.yaml" in told
    record(tmp_path / "runs" / "new", 1, rows(10, cached=None), 1000.0, LLM | {"model": "gpt-4o-mini"})
    assert plan(*CHAT_ON_TOY, "llm=openai", "budget.proposals=10")[0][0].money is None


def test_a_model_without_a_price_is_named(plan, tmp_path):
    record(tmp_path / "runs" / "old", llm=LLM | {"model": "dear"})
    told = plan(*CHAT_ON_TOY, "llm=openai", "llm.model=dear", "budget.proposals=10")[1]
    assert "money             unknown; prices.yaml has no price of dear" in told


def test_runs_that_were_in_flight_together_share_the_time(plan, tmp_path):
    for seed in range(4):
        record(tmp_path / "runs" / "old", seed)
    sweep = (*CHAT_ON_TOY, "budget.proposals=10", "seed=range(8)")
    groups, told = plan("-m", *sweep, "hydra.launcher.n_jobs=4")
    assert groups[0].elapsed == pytest.approx((40.0, 40.0))
    assert "time              40 s, 4 with a language model at a time" in told
    groups, told = plan("-m", *sweep, "hydra.launcher.n_jobs=8")
    assert groups[0].elapsed == pytest.approx((20.0, 40.0))
    groups, told = plan("-m", *sweep, "hydra.launcher.n_jobs=2")
    assert groups[0].elapsed == pytest.approx((40.0, 80.0))
    assert "time              40 s to 80 s" in told


def test_classical_runs_have_a_core_each():
    assert Flight(2, 0.5).elapsed(10.0, 4, uses_model=False) == (2.5, 2.5)
    assert Flight(1, 1.0).elapsed(10.0, 1, uses_model=False) == (10.0, 10.0)


def test_pauses_between_commands_are_no_time_of_runs():
    def run(begin, end, llm=None):
        return {"started_at": at(begin), "finished_at": at(end), "llm": llm}

    together = flight_of([run(0, 10), run(0.5, 9.5), run(10.2, 20), run(500, 510), run(0, 900, "some")], False)
    assert together.at_once == 2
    assert together.elapsed_share == pytest.approx(30 / (10 + 9 + 9.8 + 10))
    assert flight_of([], False) == flight_of([run(5, 5), {"llm": None}], False) == Flight(1, 1.0)


@pytest.mark.parametrize(
    ("budget", "trials"),
    [
        (Budget(proposals=7), 7),
        (Budget(proposals=200, evaluations=4), 6),  # the first two are invalid
        (Budget(proposals=200, evaluations=16), 20),  # continued: eight of ten are evaluated
        (Budget(tokens=370), 3),  # 120 + 130 + 140
        (Budget(proposals=2, tokens=370), 2),
        (Budget(seconds=9.0), 5),
        (Budget(evaluations=5, proposals=4), 4),
    ],
)
def test_each_limit_ends_a_run(budget, trials):
    run = {"started_at": TIME, "finished_at": at(20)}
    course = course_of([(run, rows(10, invalid=2))], uses_model=True)
    assert need(course, budget, 0, uses_model=True).trials == trials


def test_a_budget_that_recorded_runs_never_use_up_is_unknown():
    course = course_of([({"started_at": TIME, "finished_at": at(20)}, rows(5, invalid=5))], uses_model=True)
    assert need(course, Budget(evaluations=3), 0, uses_model=True).trials is None


def test_an_interruption_is_no_time_of_the_run():
    trials = rows(10)
    for row in trials[6:]:
        row["started_at"] = later(row["started_at"], 3600.0)
    course = course_of([({"started_at": TIME, "finished_at": at(3620)}, trials)], uses_model=True)
    assert need(course, Budget(proposals=10), 0, uses_model=True).seconds == pytest.approx(20.0)


def test_runs_that_cannot_be_read_are_left_out(tmp_path):
    folder = record(tmp_path / "runs" / "old", 0)
    record(tmp_path / "runs" / "old", 1)
    (folder / "trials.jsonl").write_text("{}\n{}\n")
    (kind,) = kinds_in([tmp_path / "runs", tmp_path / "nothing"])
    assert course_of(list(kind.sample()), uses_model=True).runs == 1


def test_the_nearest_is_of_the_same_model_then_method_then_task(tmp_path):
    runs = tmp_path / "runs"
    record(runs / "model", llm=LLM | {"model": "other"})
    record(runs / "settings", settings={"decoding.temperature": 0.8})
    record(runs / "task", task="peak")
    record(runs / "short", trials=rows(3))
    record(runs / "same")
    record(runs / "elsewhere", host="far")
    kinds = kinds_in([runs])
    wanted = next(kind for kind in kinds if kind.experiment.name == "same").info
    order = []
    while (found := nearest(wanted, kinds, socket.gethostname())) is not None:
        order.append(found.experiment.name)
        kinds.remove(found)
    assert order == ["same", "elsewhere", "short", "task", "settings", "model"]
    assert nearest(wanted | {"optimizer": "opro"}, kinds_in([runs]), "") is None


def test_dry_changes_nothing_and_starts_nothing(tmp_path):
    done = hyperbole("-m", "experiment=quickstart", "dry=true", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("runs/quickstart: 36 jobs, 24 runs: 0 complete, 0 to resume, 24 missing\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "overrides",
    [
        ["optimizer=smca"],
        ["optimizer=smac", "optimizer.foo=3"],
        ["benchmark=toy", "benchmark.task=brannin"],
        ["seed=-1"],
        ["seed=0,1"],
        ["+bugdet=3"],
        ["experiment=quickstart"],
        ["budget.proposals=0"],
        ["decoding.temperature=x", "optimizer=llm_chat"],
        ["-m", "seed=0", "name=a/b"],
        ["-m", "seed=0,-1", "benchmark=toy"],
    ],
)
def test_mistakes_are_those_of_the_run(overrides, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([*overrides, "tracker=none"])
    assert ended.value.code == 2
    said = capsys.readouterr().err.strip()
    assert list(tmp_path.iterdir()) == []
    done = hyperbole(*overrides, cwd=tmp_path)
    assert said == done.stderr.strip().splitlines()[-1]  # Hydra may name the job in a line before
    assert "Traceback" not in said


def test_dry_is_true_or_false_and_on_the_command_line_alone(tmp_path):
    assert sentence(hyperbole("dry=maybe", cwd=tmp_path)) == "dry is 'maybe'; give true or false."
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/mine.yaml").write_text("# @package _global_\ndry: true\n")
    said = sentence(hyperbole("experiment=mine", f"hydra.searchpath=[{tmp_path / 'conf'}]", cwd=tmp_path))
    assert "for the command line alone" in said
    assert not (tmp_path / "runs").exists()


def test_a_run_knows_nothing_of_dry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (job,) = asked(["--", "benchmark=toy", "tracker=none", "dry=false"]).missing
    assert "dry" not in job.identity["config"]


def test_a_sweeper_that_decides_while_it_runs_is_refused(plan):
    with pytest.raises(Exception, match="dry=true cannot tell which runs"):
        plan("-m", "seed=0,1", "hydra.sweeper._target_=hydra_plugins.other.Sweeper")


def test_other_launchers_say_how_many_runs_are_in_flight(plan, tmp_path):
    record(tmp_path / "runs" / "old")
    sweep = ("-m", *CHAT_ON_TOY, "seed=0,1", "budget.proposals=10")
    assert "time              40 s, one run at a time" in plan(*sweep, "hydra/launcher=basic")[1]
    assert "2 with a language model at a time" in plan(*sweep, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")[1]
    assert os.listdir(tmp_path) == ["runs"]


def test_two_jobs_of_one_folder_that_are_not_one_run_are_a_mistake(plan):
    wanted = asked(["-m", "--", "benchmark=toy", "tracker=none", "budget.proposals=3,4", "seed=0,1"])
    assert len(wanted.missing) == 2
    told = [str(mistake) for mistake in wanted.mistakes]
    assert all("share the folder adhoc/toy.branin/random_search/" in text for text in told)
    assert all("and budget.proposals was 3 and is now 4" in text for text in told)
    assert len(told) == 2


def test_a_task_that_a_benchmark_need_not_list_is_not_looked_for(plan):
    (group,), _ = plan("benchmark=hpobench_live", "benchmark.task=999999", "budget.proposals=3")
    assert group.totals["trials"] == 3


def test_references_in_the_command_are_those_of_each_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    typed = ["benchmark=toy", "optimizer=random_search", "budget.proposals=3,4", "name=of_${budget.proposals}"]
    found = asked(["-m", "--", *typed, "tracker=none"])
    assert [job.place.partition("/")[0] for job in found.missing] == list(found.experiments) == ["of_3", "of_4"]
    assert page(found, [], read_prices(OURS)).startswith("runs/of_3, runs/of_4: 2 runs")
    assert not found.mistakes


def test_a_sweep_without_a_run_has_no_plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match=r"seed=range\(0\) gives no value"):
        asked(["-m", "--", "benchmark=toy", "seed=range(0)", "tracker=none"])
