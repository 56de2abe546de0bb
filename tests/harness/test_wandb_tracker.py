from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.errors import SettingError
from harness.masking import masked
from harness.trial_metrics import TrialMetrics
from harness.wandb.wandb_tracker import WandbTracker
from tests.support.wandb_files import FOUR_ROWS, read_offline, row, run_json, write_run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An own home folder, without W&B settings from outside."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path / "home"


def track(tracker, folder, run, rows, status="complete"):
    tracker.start(folder, run)
    for item in rows:
        tracker.log(item)
    tracker.finish({**run, "status": status})


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    replies = {1: '{"depth": 16, "colour": "red"}', 3: "I would suggest", 4: "nothing"}
    folder = write_run(tmp_path_factory.mktemp("runs"), run_json(seed=7), FOUR_ROWS, replies)
    tracker = WandbTracker(project="paper")
    track(tracker, folder, run_json(seed=7), FOUR_ROWS)
    assert tracker.failure is None
    (read,) = read_offline(folder)
    return read


class TestOfflineFiles:
    def test_one_run_with_group_job_type_and_name(self, read):
        assert read.run.project == "paper"
        assert read.run.run_group == "quick"
        assert read.run.job_type == "llm_chat"
        assert read.run.display_name == "hpobench.credit_g/smollm2_135m free/7"  # its configuration has no model
        assert read.exit_code == 0

    def test_the_configuration_has_flat_words_and_no_secret(self, read):
        flat = {key: read.config[key] for key in ("label", "benchmark", "task", "method", "optimizer", "seed", "llm")}
        assert flat == {
            "label": "smollm2_135m free",
            "benchmark": "hpobench",
            "task": "credit_g",
            "method": "llm_chat+decoding=free",
            "optimizer": "llm_chat",
            "seed": 7,
            "llm": "smollm2_135m",
        }
        assert read.config["config"]["llm"] == {"api_key": "***", "api_key_env": "OPENAI_API_KEY", "max_tokens": 256}
        assert read.config["config"]["benchmark"]["task"] == "credit_g"
        for path in read.folder.rglob("*"):
            assert path.is_dir() or b"sk-very-secret" not in path.read_bytes()

    def test_history_of_the_hand_computed_rows(self, read):
        first, second, third, fourth, table = read.without_clock()
        assert first == {
            "_step": 0,
            "trial": 0,
            "loss": -0.5,
            "value": 0.5,
            "objectives/accuracy": 0.5,
            "metrics/f1": 0.5,
            "incumbent": -0.5,
            "incumbent_value": 0.5,
            "regret": 0.25,
            "invalid": 0,
            "invalid_rate": 0,
            "hallucination_rate": 0,
            "duplicates": 0,
            "near_duplicates": 0,
            "repeated": 0,
            "failures": 0,
            **{f"faults/{fault}": 0 for fault in ("unparseable", "truncated", "missing", "unknown", "wrong_type")},
            **{f"faults/{fault}": 0 for fault in ("out_of_range", "not_a_choice", "inactive", "forbidden")},
            "faults/off_grid": 0,
            **{f"groups/{group}": 0 for group in ("invented", "imprecise", "redundant", "unreadable")},
            "cost/calls": 1,
            "cost/prompt_tokens": 100,
            "cost/cached_tokens": 80,
            "cost/completion_tokens": 10,
            "cost/reasoning_tokens": 4,
            "cost/ask_seconds": 0.5,
            "cost/llm_seconds": 0.25,
            "cost/evaluation_seconds": 2,
            "total/calls": 1,
            "total/prompt_tokens": 100,
            "total/cached_tokens": 80,
            "total/completion_tokens": 10,
            "total/reasoning_tokens": 4,
            "total/tokens": 110,
            "total/ask_seconds": 0.5,
            "total/llm_seconds": 0.25,
            "total/evaluation_seconds": 2,
        }
        assert not {"loss", "value", "metrics/f1", "cost/evaluation_seconds"} & set(second)
        assert [second["near_duplicates"], third["near_duplicates"]] == [1, 1]
        assert (second["incumbent"], second["invalid"], second["invalid_rate"]) == (-0.5, 1, 0.5)
        assert [second[f"faults/{f}"] for f in ("missing", "unknown", "out_of_range", "unparseable")] == [1, 1, 1, 0]
        assert second["total/evaluation_seconds"] == 2
        assert (third["loss"], third["incumbent_value"], third["regret"]) == (-0.625, 0.625, 0.125)
        assert (third["duplicates"], third["total/evaluation_seconds"], third["total/cached_tokens"]) == (1, 4, 240)
        assert (third["candidates"], third["candidates_invalid"]) == (2, 1)
        assert (fourth["invalid_rate"], fourth["hallucination_rate"]) == (0.5, 0.25)
        assert [fourth[f"groups/{group}"] for group in ("invented", "imprecise", "unreadable")] == [1, 0, 2]
        assert fourth["total/tokens"] == 550
        assert fourth["total/calls"] == 5
        assert not {"cost/cached_tokens", "total/cached_tokens", "total/reasoning_tokens"} & set(fourth)
        assert [r["_step"] for r in (first, second, third, fourth)] == [0, 1, 2, 3]
        assert set(table) == {"_step", "invalid_proposals"}

    def test_table_of_invalid_proposals_holds_the_raw_replies(self, read):
        table = read.table("invalid_proposals")
        assert table["columns"] == ["trial", "faults", "names", "values", "proposed", "reply"]
        assert table["data"] == [
            [
                1,
                "out_of_range, missing, unknown",
                '["depth","width","colour"]',
                '[16,null,"red"]',
                '{"depth":16,"colour":"red"}',
                '{"depth": 16, "colour": "red"}',
            ],
            [3, "unparseable", "[null]", "[null]", "null", "I would suggest\n\n--- next call ---\n\nnothing"],
        ]

    def test_summary(self, read):
        summary = read.summary
        assert summary["status"] == "complete"
        assert (summary["best_value"], summary["incumbent"], summary["regret"]) == (0.625, -0.625, 0.125)
        assert (summary["trials"], summary["invalid"], summary["invalid_rate"], summary["duplicates"]) == (
            4,
            2,
            0.5,
            1,
        )
        assert (summary["faults/missing"], summary["faults/unparseable"], summary["faults/forbidden"]) == (1, 1, 0)
        assert (summary["total/tokens"], summary["total/ask_seconds"], summary["total/llm_seconds"]) == (550, 2, 1.25)


def test_hostile_replies_arrive_in_the_table_and_nothing_is_printed(tmp_path, capfd):
    replies = {0: "\x00\x1b[31m\r\n\udfff\ud800 <script>", 1: "x" * 2**20, 2: "", 3: "é𝄞 \u202e"}
    fault = [{"fault": "unparseable", "name": None, "value": None}]
    rows = [row(index, violations=fault, proposed=None) for index in (*replies, 9)]
    rows.append(
        row(10, violations=[{"fault": "unknown", "name": "\ud800", "value": math.nan}], proposed={"\ud800": {}})
    )
    folder = write_run(tmp_path, run_json(), rows, replies)
    tracker = WandbTracker()
    track(tracker, folder, run_json(), rows)
    assert tracker.failure is None
    (read,) = read_offline(folder)
    data = read.table("invalid_proposals")["data"]
    assert [line[-1] for line in data] == [*replies.values(), None, None]
    assert data[-1][2:5] == ['["\\ud800"]', '["NaN"]', '{"\\ud800":{}}']
    assert capfd.readouterr() == ("", "")


def test_runs_one_after_another_leave_nothing_outside_their_folders(tmp_path, home):
    environment, hooks, threads = dict(os.environ), (sys.exit, sys.excepthook), threading.active_count()
    tracker = WandbTracker()
    for seed in (1, 2):
        folder = write_run(tmp_path / "runs", run_json(seed), [row(0, loss=-0.5)])
        track(tracker, folder, run_json(seed), [row(0, loss=-0.5)], status="failed" if seed == 2 else "complete")
    found = [read for seed in (1, 2) for read in read_offline(folder.parent / str(seed))]
    assert [read.config["seed"] for read in found] == [1, 2]
    assert [read.exit_code for read in found] == [0, 1]
    assert found[0].run.run_id != found[1].run.run_id
    assert {path.name for path in (folder / "wandb").iterdir()} == {found[1].folder.name}
    assert list(home.iterdir()) == list((tmp_path / "cwd").iterdir()) == []
    assert dict(os.environ) == environment
    assert (sys.exit, sys.excepthook) == hooks
    assert threading.active_count() <= threads + 1  # a finished thread may not have ended yet


def test_runs_that_overlap_do_not_mix(tmp_path):
    folders = [write_run(tmp_path / "runs", run_json(seed), []) for seed in (1, 2)]
    trackers = [WandbTracker(directory=tmp_path / "all"), WandbTracker(directory=str(tmp_path / "all"))]
    for number, tracker in enumerate(trackers):
        tracker.start(folders[number], run_json(number + 1))
    for index in range(3):
        for number, tracker in enumerate(trackers):
            tracker.log(row(index, loss=-0.25 * (number + 1)))
    for number, tracker in enumerate(trackers):
        tracker.finish(run_json(number + 1, status="complete"))
    found = {read.config["seed"]: [r["loss"] for r in read.history] for read in read_offline(tmp_path / "all")}
    assert found == {1: [-0.25] * 3, 2: [-0.5] * 3}


def test_the_id_follows_the_path(tmp_path):
    folder = write_run(tmp_path, run_json(), [])
    for _ in range(2):
        track(WandbTracker(), folder, run_json(), [row(0, loss=-0.5)])
    first, again = read_offline(folder)
    assert first.run.run_id == again.run.run_id
    assert first.without_clock() == again.without_clock()


def test_works_in_joblib_workers(tmp_path):
    joblib = pytest.importorskip("joblib")
    folders = [write_run(tmp_path, run_json(seed), []) for seed in (1, 2)]

    def job(seed, folder):
        from harness.wandb.wandb_tracker import WandbTracker

        tracker = WandbTracker()
        tracker.start(folder, run_json(seed))
        tracker.log(row(0, loss=-0.5))
        tracker.finish(run_json(seed, status="complete"))
        return tracker.failure

    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        failures = joblib.Parallel(n_jobs=2)(joblib.delayed(job)(s, f) for s, f in zip((1, 2), folders, strict=True))
    finally:
        del os.environ["PYTHONPATH"]
    assert failures == [None, None]
    assert [read_offline(folder)[0].summary["best_value"] for folder in folders] == [0.5, 0.5]


class TestFailures:
    """A tracker that fails prints one sentence, and the caller is not affected."""

    @pytest.fixture
    def folder(self, tmp_path):
        return write_run(tmp_path, run_json(), FOUR_ROWS)

    def sentence(self, capsys):
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        return line

    def test_no_wandb(self, folder, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "wandb", None)
        track(WandbTracker(), folder, run_json(), FOUR_ROWS)
        line = self.sentence(capsys)
        assert line.startswith("W&B failed (import of wandb halted")
        assert f"the logs on disk are complete: publish later with `python -m harness.publish {folder}`." in line

    @pytest.mark.parametrize("error", [RuntimeError("out of\n cheese."), SystemExit(1), KeyError("x")])
    def test_init_raises(self, folder, monkeypatch, capsys, error):
        import wandb

        def fail(**settings):
            raise error

        monkeypatch.setattr(wandb, "init", fail)
        tracker = WandbTracker()
        track(tracker, folder, run_json(), FOUR_ROWS)
        expected = " ".join(str(error).split()).rstrip(".")
        assert tracker.failure == expected
        assert self.sentence(capsys).startswith(f"W&B failed ({expected}); the logs")

    def test_log_raises_and_the_next_run_is_followed(self, folder, monkeypatch, capsys):
        import wandb

        with monkeypatch.context() as patch:
            patch.setattr(wandb.Run, "log", lambda self, *a, **k: 1 / 0)
            tracker = WandbTracker()
            track(tracker, folder, run_json(), FOUR_ROWS)
            assert self.sentence(capsys).startswith("W&B failed (division by zero)")
        again = write_run(folder.parents[4] / "again", run_json(5), FOUR_ROWS)
        track(tracker, again, run_json(5), FOUR_ROWS)
        assert tracker.failure is None
        assert len(read_offline(again)[0].history) == 5

    def test_a_damaged_recording_is_reported_without_harm(self, folder, capsys):
        (folder / "calls.jsonl").write_text('not json\n{"id": 1, "reply": "x"}\n')
        track(WandbTracker(), folder, run_json(), FOUR_ROWS)
        assert "Line 1 of" in self.sentence(capsys)

    def test_hangs(self, folder, monkeypatch, capsys):
        import wandb

        release = threading.Event()
        monkeypatch.setattr(wandb, "init", lambda **settings: release.wait(60) and 1 / 0)
        tracker = WandbTracker(finish_timeout_seconds=0.2)
        track(tracker, folder, run_json(), FOUR_ROWS)
        thread = tracker._follower.thread
        try:
            assert self.sentence(capsys).startswith(
                "W&B failed (it did not finish within 0.2 s after the run's end); the logs"
            )
            assert thread.is_alive()
            assert thread.daemon  # the interpreter's exit does not wait for it
        finally:
            release.set()
            thread.join(60)
        assert capsys.readouterr() == ("", "")

    def test_online_without_network_or_key(self, folder, monkeypatch, capsys, home):
        monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # the discard port, which is closed
        tracker = WandbTracker(mode="online", finish_timeout_seconds=30)
        track(tracker, folder, run_json(), FOUR_ROWS)
        assert "no API key for http://127.0.0.1:9: set WANDB_API_KEY or run `wandb login`" in self.sentence(capsys)
        monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
        track(tracker, folder, run_json(), FOUR_ROWS)
        assert "http://127.0.0.1:9 cannot be reached: " in self.sentence(capsys)
        assert list(home.iterdir()) == []

    def test_a_folder_does_not_decide_where_the_key_is_sent(self, folder, monkeypatch, capsys, tmp_path):
        """W&B reads ``wandb/settings`` of the working folder, which may be of untrusted origin."""
        monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
        (tmp_path / "cwd/wandb").mkdir()
        (tmp_path / "cwd/wandb/settings").write_text("[default]\nbase_url = http://127.0.0.1:9\n")
        track(WandbTracker(mode="online", finish_timeout_seconds=30), folder, run_json(), FOUR_ROWS)
        assert "wandb/settings sets the W&B server" in self.sentence(capsys)

    def test_stderr_closed(self, folder, monkeypatch):
        monkeypatch.setitem(sys.modules, "wandb", None)
        monkeypatch.setattr(sys, "stderr", None)
        tracker = WandbTracker()
        track(tracker, folder, run_json(), FOUR_ROWS)
        assert tracker.failure is not None


def test_a_process_that_hangs_in_wandb_still_exits(tmp_path):
    code = (
        "import sys, time, types; from pathlib import Path\n"
        "fake = sys.modules['wandb'] = types.ModuleType('wandb')\n"
        "fake.Settings = dict; fake.init = lambda **k: time.sleep(600)\n"
        "from harness.wandb.wandb_tracker import WandbTracker\n"
        "from tests.support.wandb_files import run_json, row\n"
        "tracker = WandbTracker(finish_timeout_seconds=0.2)\n"
        "tracker.start(Path(sys.argv[1]), run_json()); tracker.log(row(0)); tracker.finish(run_json())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "did not finish within 0.2 s after" in done.stderr


class TestSettings:
    def test_a_misspelt_mode_names_the_nearest(self):
        with pytest.raises(SettingError, match="did you mean 'online'"):
            WandbTracker(mode="onlin")

    def test_invalid_settings(self):
        with pytest.raises(SettingError, match="project is empty"):
            WandbTracker(project="")
        with pytest.raises(SettingError, match="init_timeout_seconds is 0;"):
            WandbTracker(init_timeout_seconds=0)

    def test_the_yaml_builds_it(self):
        from hydra.utils import instantiate
        from omegaconf import OmegaConf

        from harness.tracker import NoTracker

        built = [instantiate(OmegaConf.load(ROOT / f"conf/tracker/{name}.yaml")) for name in ("wandb", "none")]
        assert [type(tracker) for tracker in built] == [WandbTracker, NoTracker]
        assert built[0]._settings == WandbTracker()._settings

    def test_importing_the_tracker_does_not_import_wandb(self):
        code = "import sys, harness.wandb.wandb_tracker, harness.publish; sys.exit('wandb' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


class TestMetrics:
    def test_no_optimum_no_regret_and_minimized_objectives(self):
        objectives = [{"name": n, "direction": "minimize", "optimum": None, "worst": None} for n in ("error", "size")]
        metrics = TrialMetrics(run_json(objectives=objectives))
        logged = metrics.add(row(0) | {"executed": {"depth": 2}, "losses": {"error": 0.25, "size": 8}})
        assert "regret" not in logged
        assert (logged["loss"], logged["value"], logged["incumbent_value"]) == (0.25, 0.25, 0.25)
        assert logged["objectives/size"] == 8

    def test_a_failed_evaluation_leaves_its_seconds_and_their_total_unknown(self):
        metrics = TrialMetrics(run_json())
        metrics.add(row(0, loss=-0.5))
        logged = metrics.add(row(1) | {"executed": {"depth": 2}, "error": "RuntimeError: no"})
        assert logged["failures"] == 1
        assert logged["incumbent"] == -0.5
        assert not {"cost/evaluation_seconds", "total/evaluation_seconds", "loss"} & set(logged)

    def test_an_older_log_has_no_count_of_near_duplicates(self):
        metrics = TrialMetrics(run_json())
        assert metrics.add(row(0, near_duplicate_of=None))["near_duplicates"] == 0
        assert metrics.add(row(1, near_duplicate_of=0))["near_duplicates"] == 1
        older = {name: value for name, value in row(2).items() if name != "near_duplicate_of"}
        assert "near_duplicates" not in metrics.add(older)
        assert "near_duplicates" not in metrics.add(row(3, near_duplicate_of=0))

    @pytest.mark.parametrize("loss", [math.nan, "NaN", math.inf, "-Infinity"])
    def test_a_loss_that_is_no_number_is_no_incumbent(self, loss):
        metrics = TrialMetrics(run_json())
        assert "incumbent" not in metrics.add(row(0, loss=loss))
        assert metrics.add(row(1, loss=-0.125))["incumbent"] == -0.125

    def test_before_the_first_trial(self):
        assert (
            TrialMetrics(run_json()).summary(run_json(status="failed", error="ServerError: no"))["status"] == "failed"
        )
        assert "invalid_rate" not in TrialMetrics(run_json()).running()


def test_masked():
    config = {
        "api_key": "a",
        "apiKey": "a",
        "OPENAI_API_KEY": "a",
        "hf_token": "a",
        "password": 1234,
        "client-secret": ["a"],
        "headers": {"Authorization": "Bearer a"},
        "aws": {"credentials": {"id": "a"}},
        "api_key_env": "OPENAI_API_KEY",
        "token": None,
        "max_tokens": 256,
        "budget": {"tokens": 1000},
        "tokenizer": "gpt2",
        "monkey": "b",
        "url": "https://me:a@example.org/v1",
        "list": [{"secret_key": "a"}, "http://127.0.0.1:8077/v1"],
    }
    assert masked(config) == {
        **dict.fromkeys(("api_key", "apiKey", "OPENAI_API_KEY", "hf_token", "password", "client-secret"), "***"),
        "headers": {"Authorization": "***"},
        "aws": {"credentials": "***"},
        "api_key_env": "OPENAI_API_KEY",
        "token": None,
        "max_tokens": 256,
        "budget": {"tokens": 1000},
        "tokenizer": "gpt2",
        "monkey": "b",
        "url": "https://***@example.org/v1",
        "list": [{"secret_key": "***"}, "http://127.0.0.1:8077/v1"],
    }
    assert config["api_key"] == "a"
