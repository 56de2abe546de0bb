"""A recorded run is replayed without a server, with equal results except times."""

from __future__ import annotations

import json

from tests.support.command import command, hyperbole, sentence

MODEL = """
from benchmarks.toy import Toy
from llms.recorder import Recorder
from harness.checks.stand_in import StandIn

def model(*, recording, replay, live):
    def connect():
        return StandIn(Toy(task="branin").problem.space)
    return Recorder(connect, recording, replay, live)
"""


def run(folder):
    (folder / "conf/llm").mkdir(parents=True)
    (folder / "conf/llm/fake.yaml").write_text(
        "_target_: model.model\nrecording: ${folder}/calls.jsonl\nreplay: null\nlive: true\n"
    )
    (folder / "model.py").write_text(MODEL)
    done = hyperbole(
        "-m",
        "benchmark=toy",
        "benchmark.task=branin",
        "optimizer=random_search,llm_chat",
        "llm=fake",
        f"hydra.searchpath=[{folder / 'conf'}]",
        cwd=folder,
        PYTHONPATH=path(folder),
    )
    assert done.returncode == 0, done.stderr


def path(folder):
    from harness.choice_files import CONF

    return f"{folder}:{CONF.parent}"


def replay(folder, *arguments):
    ours = ("runs/adhoc", f"hydra.searchpath=[{folder / 'conf'}]")
    return command("harness.replay", *(arguments or ours), cwd=folder, PYTHONPATH=path(folder))


def test_runs_replay_from_their_records_and_a_tampered_one_does_not(tmp_path):
    run(tmp_path)
    assert not list(tmp_path.rglob("wandb"))
    done = replay(tmp_path)
    assert (done.returncode, done.stdout) == (0, "2 of 2 runs replayed to the same trials.\n"), done.stderr

    (log,) = (tmp_path / "runs").rglob("llm_chat*/0/trials.jsonl")
    lines = log.read_text().splitlines()
    row = json.loads(lines[4])
    row["usage"]["prompt_tokens"] += 1
    log.write_text("\n".join([*lines[:4], json.dumps(row), *lines[5:]]) + "\n")
    done = replay(tmp_path)
    assert done.returncode == 1
    assert "trial 4: usage was" in done.stdout
    assert "1 of 2 runs" in done.stdout


def test_a_missing_completion_is_named(tmp_path):
    run(tmp_path)
    (calls,) = (tmp_path / "runs").rglob("calls.jsonl")
    calls.write_text("".join(line + "\n" for line in calls.read_text().splitlines()[:-1]))
    done = replay(tmp_path)
    assert done.returncode == 1
    assert "record" in done.stdout


def test_a_folder_without_runs_is_a_mistake(tmp_path):
    assert "There is no folder runs/nothing" in sentence(replay(tmp_path, "runs/nothing"))


def test_a_plug_in_is_built_only_from_a_search_path_that_the_command_line_gives(tmp_path):
    run(tmp_path)
    (tmp_path / "model.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\n{MODEL}")
    done = replay(tmp_path, "runs/adhoc")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "optimizer.chat names model.model, which no configuration file names there" in done.stderr
    assert done.stdout == "1 of 2 runs replayed to the same trials.\n"
    assert not (tmp_path / "imported").exists()
    assert "is not a folder" in sentence(replay(tmp_path, "runs/adhoc", "hydra.searchpath=[nowhere]"))
    assert "not an override of replay" in sentence(replay(tmp_path, "runs/adhoc", "budget.proposals=3"))
    done = replay(tmp_path, "runs/adhoc", "llm._target_=model.model")
    assert (done.returncode, done.stderr) == (0, "")


LEAKY = """
from optimizers.random_search import RandomSearch
class Leaky(RandomSearch):
    incumbent = None
    def ask(self):
        proposal = super().ask()
        if self.incumbent is not None and self.first:
            proposal = type(proposal)(dict(Leaky.incumbent))
        self.first = False
        return proposal
    def __init__(self, problem, seed, budget):
        super().__init__(problem, seed, budget)
        self.first = True
    def tell(self, trial):
        super().tell(trial)
        Leaky.incumbent = trial.params
"""


def test_what_one_run_leaves_for_the_next_of_its_process_shows(tmp_path):
    """A class attribute carried seed 0's incumbent into seed 1 of the same sweep, and replay found no difference."""
    (tmp_path / "leaky.py").write_text(LEAKY)
    (tmp_path / "conf/optimizer").mkdir(parents=True)
    (tmp_path / "conf/optimizer/leaky.yaml").write_text("_target_: leaky.Leaky\n")
    own = f"hydra.searchpath=[{tmp_path / 'conf'}]"
    overrides = (
        "-m",
        "benchmark=toy",
        "benchmark.task=branin",
        "optimizer=leaky",
        "seed=0,1",
        own,
        "hydra/launcher=basic",
    )
    done = hyperbole(*overrides, cwd=tmp_path, PYTHONPATH=path(tmp_path))
    assert done.returncode == 0, done.stderr
    done = replay(tmp_path, "runs/adhoc", own)
    assert done.returncode == 1
    assert "leaky/1: trial 0: proposed was" in done.stdout
    assert "1 of 2 runs replayed to the same trials." in done.stdout
