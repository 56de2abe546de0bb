"""The client's real download path, against a local server that speaks OpenML's REST."""

from __future__ import annotations

import pytest

from benchmarks.openml.openml_task import load_task
from harness.errors import SettingError
from tests.support.openml_files import diabetes
from tests.support.openml_server import OpenMLServer
from tests.support.shared_data import FOLDER, needs_data, openml_folder

pytestmark = needs_data
IRIS = 59
SPLITS, DATA = "/api_splits/get/59/", "/data/v1/download/61/"


@pytest.fixture
def server(monkeypatch):
    import openml

    with OpenMLServer(FOLDER / "openml-cache/org/openml/www") as server:
        monkeypatch.setattr(openml.config, "server", server.api)
        monkeypatch.setattr(openml.config, "apikey", "")
        monkeypatch.setattr("openml._api_calls._human_delay", lambda _: 0)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def same(one, other):
    assert one.features.equals(other.features)
    assert one.values.tolist() == other.values.tolist()
    assert (one.train.tolist(), one.test.tolist()) == (other.train.tolist(), other.test.tolist())
    for name in ("name", "kind", "target", "classes", "categorical", "description", "qualities", "checksum"):
        assert getattr(one, name) == getattr(other, name)


@pytest.mark.parametrize("task", [31, 53])
def test_a_downloaded_task_is_the_cached_one(server, tmp_path, monkeypatch, task):
    import openml

    downloaded = load_task(task, str(tmp_path))
    asked = len(server.requests)
    assert asked == 6
    load_task(task, str(tmp_path), 1)
    assert len(server.requests) == asked, "what lies in the cache is not asked for again"
    monkeypatch.setattr(openml.config, "server", "https://www.openml.org/api/v1/xml")
    same(downloaded, load_task(task, str(openml_folder())))


def test_a_task_openml_does_not_have(server, tmp_path):
    with pytest.raises(
        SettingError, match=r"task 999 is not available, says OpenML \(code 151\): Unknown task.*search for"
    ):
        load_task(999, str(tmp_path))
    assert len(server.requests) == 1, "what the server does not have is not asked for again and again"
    assert files(tmp_path) == []


def test_412_for_a_part_of_it(server, tmp_path):
    server.fail("/data/61", "412")
    with pytest.raises(SettingError, match="says OpenML"):
        load_task(IRIS, str(tmp_path))


def test_404_for_its_splits(server, tmp_path):
    server.fail(SPLITS, "404")
    with pytest.raises(SettingError, match=r"status 404.*benchmark\.folder"):
        load_task(IRIS, str(tmp_path))
    server.faults.clear()
    assert len(load_task(IRIS, str(tmp_path)).test) == 15


@pytest.mark.parametrize("part", ["/task/59", "/data/61", "/data/features/61", SPLITS, DATA])
def test_a_busy_server_is_asked_again(server, tmp_path, part):
    server.fail(part, "503", times=3)
    assert load_task(IRIS, str(tmp_path)).features.shape == (150, 4)
    assert sum(part in path for path in server.requests) == 4


def test_a_server_that_stays_busy(server, tmp_path):
    server.fail("/task/59", "503")
    with pytest.raises(SettingError, match=r"status 503\); it may be busy: try again later"):
        load_task(IRIS, str(tmp_path))
    assert len(server.requests) == 5, "the client's own retries"
    server.faults.clear()
    assert load_task(IRIS, str(tmp_path)).features.shape == (150, 4)


@pytest.mark.parametrize("part", ["/task/59", "/data/features/61", SPLITS, DATA])
@pytest.mark.parametrize("kind", ["truncated", "short"])
def test_half_a_file_is_not_kept(server, tmp_path, part, kind):
    """Whether the length told says so (``truncated``) or not."""
    server.fail(part, kind)
    with pytest.raises(SettingError) as error:
        load_task(IRIS, str(tmp_path))
    assert "damaged" in str(error.value)
    assert "\n" not in str(error.value)
    server.faults.clear()
    assert load_task(IRIS, str(tmp_path)).features.shape == (150, 4)


def test_a_file_that_arrives_whole_after_all(server, tmp_path):
    server.fail(DATA, "truncated", times=1)
    server.fail(SPLITS, "truncated", times=2)
    assert load_task(IRIS, str(tmp_path)).features.shape == (150, 4)


def test_a_wrong_checksum(server, tmp_path):
    server.fail(DATA, "corrupt")
    with pytest.raises(SettingError, match=r"damaged \(Checksum of downloaded file is unequal"):
        load_task(IRIS, str(tmp_path))
    assert "dataset.arff" not in files(tmp_path)
    server.faults.clear()
    assert load_task(IRIS, str(tmp_path)).features.shape == (150, 4)


def test_a_data_set_without_qualities(server, tmp_path):
    server.fail("/data/qualities/61", "412")
    assert load_task(IRIS, str(tmp_path)).qualities == {}
    server.fail("/data/qualities/61", "503")
    with pytest.raises(SettingError, match="status 503"):
        load_task(IRIS, str(tmp_path), 1)


def test_a_regression_task_comes_the_same_way(server, tmp_path):
    number = diabetes(tmp_path / "served")
    server.folder = tmp_path / "served" / "org/openml/www"
    data = load_task(number, str(tmp_path / "cache"))
    assert (data.kind, data.features.shape) == ("regression", (442, 10))
