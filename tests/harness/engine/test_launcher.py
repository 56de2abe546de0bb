"""What is said of the jobs of a sweep that fail, with scripted workers."""

from __future__ import annotations

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobStatus
from hydra.types import RunMode

from harness.choice_files import CONF
from harness.engine.launcher import Launch
from harness.engine.worker import Result
from harness.errors import RunError


class Failing:
    """Workers whose runs all fail; every second one in the same way."""

    def results(self, tasks):
        for number, _ in reversed(tasks):
            yield Result(number, error=RunError(f"reason {number % 2}"), trace=f"trace {number % 2}\n")


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """The jobs of ``python -m harness.run -m`` and workers that fail."""
    monkeypatch.chdir(tmp_path)
    state = Singleton.get_state()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        config = hydra.compose_config("config", ["tracker=none"], run_mode=RunMode.MULTIRUN)
        HydraConfig.instance().set_config(config)
        yield Launch(hydra.config_loader, config, Failing())
    Singleton.set_state(state)


def test_every_reason_and_every_traceback_is_told_once(launch, capsys):
    batch = [["benchmark=toy", f"seed={seed}"] for seed in (0, 1, 2, 3, -1)]
    returns = launch.run(batch, 0)
    assert all(each.status is JobStatus.FAILED for each in returns)
    told = capsys.readouterr().err
    assert told.count("trace 0") == told.count("trace 1") == told.count("reason 1") == told.count("seed is -1") == 1
    with pytest.raises(RunError, match="reason 0"):  # the first job's, which Hydra reports
        _ = returns[0].return_value
