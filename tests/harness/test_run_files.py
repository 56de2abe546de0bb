"""Where runs are, and what is said of a folder without any."""

from __future__ import annotations

import pytest

from harness.errors import RunError, SettingError
from harness.evaluate import evaluate
from harness.migrate import migrate
from harness.replay import replay_all
from harness.run_files import every_run_file


@pytest.mark.parametrize("command", [every_run_file, replay_all, migrate])
def test_a_misspelt_folder_is_named_with_the_nearest_one(command, tmp_path):
    (tmp_path / "quickstart").mkdir()
    with pytest.raises(RunError, match=r"There is no folder .*quickstrat; did you mean .*quickstart\?"):
        command(tmp_path / "quickstrat")
    with pytest.raises(RunError, match=r"No run\.json at or below .*quickstart; give the folder of an experiment"):
        command(tmp_path / "quickstart")


def test_a_misspelt_setting_of_the_command_itself_has_a_nearest_one():
    with pytest.raises(SettingError, match="Unknown setting 'param'; did you mean 'params'"):
        evaluate(["benchmark=toy", "param={x: 1}"])
