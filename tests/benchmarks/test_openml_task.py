from __future__ import annotations

import logging
import re
import shutil
import socket

import numpy as np
import pytest

from benchmarks.openml.openml_task import load_task
from harness.errors import SettingError
from tests.support.openml_files import diabetes, write_task
from tests.support.shared_data import FOLDER, needs_data, openml_folder

WWW = "openml-cache/org/openml/www"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whatever opens a socket fails at once, as it does on a machine without a network."""

    def refuse(*_, **__):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("openml._api_calls._human_delay", lambda _: 0)


@pytest.fixture
def copied(tmp_path):
    """A cache that holds task 59 (iris) alone, to damage."""
    for kind, number in (("tasks", 59), ("datasets", 61)):
        shutil.copytree(FOLDER / WWW / kind / str(number), tmp_path / "org/openml/www" / kind / str(number))
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o700)
    return tmp_path


def published(task, fold):
    """Rows of one fold, as the ARFF lists them."""
    found = {"TRAIN": [], "TEST": []}
    lines = (FOLDER / WWW / "tasks" / str(task) / "datasplits.arff").read_text().lower().split("@data")[1].split()
    for kind, row, repeat, number in (line.split(",") for line in lines):
        if (int(float(repeat)), int(float(number))) == (0, fold):
            found[kind.upper()].append(int(float(row)))
    return found["TRAIN"], found["TEST"]


@needs_data
@pytest.mark.parametrize(("task", "fold"), [(31, 0), (53, 0), (53, 7)])
def test_the_splits_are_the_published_ones(task, fold):
    data = load_task(task, str(openml_folder()), fold)
    train, test = published(task, fold)
    assert len(train) + len(test) == len(data.features)
    assert data.train.tolist() == train
    assert data.test.tolist() == test


@needs_data
def test_target_categories_and_missing_values():
    data = load_task(29, str(openml_folder()))  # credit-approval
    assert (data.kind, data.name, data.target, data.classes) == (
        "classification",
        "credit-approval",
        "class",
        ("+", "-"),
    )
    assert data.features.shape == (690, 15)
    assert np.bincount(data.values).tolist() == [307, 383]
    assert sum(data.categorical) == 9
    assert int(data.features.isna().sum().sum()) == 67
    categories = [dtype == "category" for dtype in data.features.dtypes]
    assert categories == list(data.categorical)
    assert data.qualities["NumberOfInstances"] == 690


@needs_data
def test_it_is_remembered_and_knows_its_fold():
    folder = str(openml_folder())
    assert load_task(59, folder) is load_task(59, folder)
    assert load_task(59, folder).checksum != load_task(59, folder, 1).checksum
    with pytest.raises(SettingError, match="fold is 10; OpenML task 59 has folds 0 to 9"):
        load_task(59, folder, 10)
    with pytest.raises(SettingError, match="repeat is 1; OpenML task 59 has repeats 0 to 0"):
        load_task(59, folder, 0, 1)


@needs_data
def test_it_leaves_the_logs_and_the_client_alone():
    import openml

    before = (openml.config._root_cache_directory, list(logging.getLogger().handlers), logging.root.manager.disable)
    load_task(59, str(openml_folder()), 2)
    after = (openml.config._root_cache_directory, list(logging.getLogger().handlers), logging.root.manager.disable)
    assert before == after


def test_a_task_that_is_not_there_and_no_network(tmp_path):
    with pytest.raises(SettingError, match=rf"OpenML task 31 is not complete in {tmp_path}.*benchmark\.folder"):
        load_task(31, str(tmp_path))


@needs_data
@pytest.mark.parametrize(
    "gone", ["datasets/61/dataset.arff", "datasets/61/description.xml", "tasks/59/datasplits.arff"]
)
def test_an_incomplete_cache_without_network_loses_nothing(copied, gone):
    where = copied / "org/openml/www"
    (where / gone).unlink()
    before = {path for path in where.rglob("*") if path.is_file()}
    with pytest.raises(SettingError, match="cannot be reached"):
        load_task(59, str(copied))
    assert before <= {path for path in where.rglob("*") if path.is_file()}
    shutil.copyfile(FOLDER / WWW / gone, where / gone)
    assert load_task(59, str(copied)).features.shape == (150, 4)


@needs_data
@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("datasets/61/dataset.arff", lambda text: text.replace("5.1", "6.1", 1), "its MD5 is"),
        ("datasets/61/dataset.arff", lambda text: text[:2000], "its MD5 is"),
        ("datasets/61/features.xml", lambda text: text[:300], "not well-formed XML"),
        ("tasks/59/task.xml", lambda text: text[:300], "not well-formed XML"),
        (
            "tasks/59/datasplits.arff",
            lambda text: re.sub(r"TRAIN,\d+,0,0\n", "", text, count=1),
            "does not hold each of the 150 rows once",
        ),
        ("tasks/59/datasplits.arff", lambda text: "nonsense", "not a list of splits"),
    ],
)
def test_a_damaged_cache_says_what_to_delete_and_is_then_whole_again(copied, name, spoil, message):
    path = copied / "org/openml/www" / name
    whole = path.read_text()
    path.write_text(spoil(whole))
    for _ in range(2):
        with pytest.raises(
            SettingError, match=rf"{path} is damaged: .*{message}.*; delete {path.parent} and try again"
        ):
            load_task(59, str(copied))
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    for file in (FOLDER / WWW / name).parent.iterdir():
        shutil.copyfile(file, path.parent / file.name)
    assert load_task(59, str(copied)).features.shape == (150, 4)


def test_a_regression_task(tmp_path):
    from sklearn.datasets import load_diabetes

    data = load_task(diabetes(tmp_path), str(tmp_path))
    assert (data.kind, data.classes, data.target) == ("regression", (), "progression")
    assert data.qualities == {"NumberOfClasses": 0, "NumberOfInstances": 442}
    assert data.values.tolist() == load_diabetes().target.tolist()
    assert data.test.tolist() == list(range(0, 442, 4))


def test_meta_features_are_not_waited_for(tmp_path):
    number = diabetes(tmp_path)
    (tmp_path / f"org/openml/www/datasets/{number}/qualities.xml").unlink()
    assert load_task(number, str(tmp_path)).qualities == {}


def test_true_and_false_text_ignored_columns_and_missing_targets(tmp_path):
    columns = {
        "number": "NUMERIC",
        "flag": ["True", "False"],
        "row": "NUMERIC",
        "words": "STRING",
        "y": ["b", "a", "z"],
    }
    flags = [None if i == 3 else str(i % 2 == 0) for i in range(12)]
    targets = [None if i == 5 else "ab"[i % 2] for i in range(12)]
    rows = [(i / 2, flags[i], i, f"text {i}", targets[i]) for i in range(12)]
    extra = "<oml:row_id_attribute>row</oml:row_id_attribute>"
    number = write_task(tmp_path, columns, rows, type_id=1, extra=extra)
    data = load_task(number, str(tmp_path))
    assert list(data.features) == ["number", "flag", "words"]
    assert data.categorical == (False, True, False)
    assert data.features["flag"].tolist()[:3] == ["True", "False", "True"]
    assert data.features["flag"].isna().tolist() == [i == 3 for i in range(12)]
    assert data.classes == ("b", "a")
    assert [data.classes[code] for code in data.values[[0, 1, 2]]] == ["a", "b", "a"]
    assert 5 not in [*data.train, *data.test]
    assert len(data.train) + len(data.test) == 11


def test_a_task_of_another_kind(tmp_path):
    number = write_task(tmp_path, {"x": "NUMERIC", "y": "NUMERIC"}, [(1, 2), (3, 4)], type_id=5, folds=2)
    with pytest.raises(SettingError, match="'Clustering'; choose a supervised classification or supervised regression"):
        load_task(number, str(tmp_path))
