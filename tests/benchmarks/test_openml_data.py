"""ARFF files of every kind, as columns: sparse, dates, odd names, and splits of every estimation procedure."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from benchmarks.openml.openml_arff import attribute, read_arff
from benchmarks.openml.openml_task import load_task
from harness.errors import SettingError
from tests.support.openml_files import TYPES, write_task

ABC = ["a", "b", "c"]


def table(frame):
    """As rows of plain values; None is missing."""
    return [tuple(None if pandas.isna(v) else v for v in row) for row in frame.astype(object).to_numpy()]


@pytest.fixture
def arff(tmp_path, monkeypatch):
    """A file of a header and data, read; never from a cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def made(text, md5="x"):
        path = tmp_path / "dataset.arff"
        path.write_text(text, encoding="utf-8")
        return read_arff(path, md5)

    return made


def test_a_sparse_file_is_the_dense_one(tmp_path):
    """Categories, the first of which is not written; missing values; empty rows, also at the end; 64 bits."""
    columns = {"x": "NUMERIC", "kind": ABC, "on": ["True", "False"], "y": ["no", "yes"]}
    rows = [(0.1 * (i % 3), ABC[i % 3], str(i % 2 == 0), ("no", "yes")[i % 2]) for i in range(12)]
    rows[4], rows[5] = (None, "b", "True", "yes"), (2**24 + 1.0, None, "True", "no")
    rows += [(0.0, "a", "True", "no")] * 2
    for sparse in (True, False):
        write_task(tmp_path / str(sparse), columns, rows, type_id=1, sparse=sparse)
    one, other = (load_task(7001, str(tmp_path / str(sparse))) for sparse in (True, False))
    assert table(one.features) == [row[:3] for row in rows] == table(other.features)
    assert one.features.dtypes.tolist() == other.features.dtypes.tolist()
    assert (one.classes, one.categorical) == (("no", "yes"), (False, True, True))
    assert one.values.tolist() == other.values.tolist()
    assert one.features["x"].iloc[5] == 2**24 + 1


def test_a_sparse_regression_task(tmp_path):
    rows = [(float(i % 2), float(i % 5)) for i in range(12)]
    write_task(tmp_path, {"x": "NUMERIC", "y": "NUMERIC"}, rows, sparse=True)
    assert load_task(7001, str(tmp_path)).values.tolist() == [row[1] for row in rows]


def test_a_file_whose_description_does_not_say_that_it_is_sparse(arff):
    assert table(arff("@relation r\n@attribute x real\n@attribute k {p,q}\n@data\n\n% no\n{1 q}\n{ }\n{0 2}\n")) == [
        (0, "q"),
        (0, "p"),
        (2, "p"),
    ]


def test_dates_text_and_a_column_without_values(tmp_path):
    columns = {"when": "DATE", "words": "STRING", "empty": "NUMERIC", "x": "NUMERIC", "y": "NUMERIC"}
    rows = [(f"2001-04-{i + 1:02} 12:30", f"it's {i}", None, i, i) for i in range(8)]
    data = load_task(write_task(tmp_path, columns, rows), str(tmp_path))
    assert table(data.features) == [row[:-1] for row in rows]
    assert data.usable == ("empty", "x")
    assert not any(data.categorical)


ODD = ("a b", "it's", 'say "x"', "50%", "a,b", "{c}", "Größe", "名", " padded ", "back\\slash", "@data", "a\tb")


def test_odd_names_of_columns_and_categories(tmp_path):
    columns = {**dict.fromkeys(ODD, "NUMERIC"), "kind": list(ODD), "the target, y": ["no", "it's"]}
    rows = [(*(float(i + j) for j in range(len(ODD))), ODD[i], ("no", "it's")[i % 2]) for i in range(len(ODD))]
    data = load_task(write_task(tmp_path, columns, rows, type_id=1), str(tmp_path))
    assert list(data.features) == [*ODD, "kind"]
    assert data.features["kind"].tolist() == list(ODD)
    assert data.classes == ("no", "it's")
    assert data.target == "the target, y"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("@attribute x real", ("x", "NUMERIC")),
        ("@ATTRIBUTE\tx\tInteger [0,10]", ("x", "NUMERIC")),
        ("  @attribute 'it\\'s' date \"yyyy\"", ("it's", "STRING")),
        ("@attribute 'it's' string", ("it's", "STRING")),
        ("@attribute 'a' {'x' , 'y'}", ("a", "{'x' , 'y'}")),
        ("@attribute x{a,b}", ("x", "{a,b}")),
        ('@attribute "two words" NUMERIC', ("two words", "NUMERIC")),
        ("@relation x", None),
    ],
)
def test_a_line_of_the_header(line, found):
    assert attribute(line) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@relation r\n@attribute x relational\n@data\n1\n", "'x' is neither numeric"),
        ("@relation r\n@attribute x real\n@attribute x real\n@data\n1,2\n", "two attributes are named 'x'"),
        ("@relation r\n@attribute x {a,b}\n@data\na\nc\n", "c not found in nominal declaration, at line 5"),
        ("@relation r\n@attribute x real\n@data\n1,2\n", "line 4"),
        ("@relation r\n@attribute x real\n@data\n{1 2}\n", "line 4"),
        ("@relation r\n@attribute x real\n", "layout"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(arff, text, message):
    with pytest.raises(ValueError, match=message):
        arff(text)


def test_a_frame_is_kept_and_a_damaged_one_is_made_again(arff, tmp_path):
    text = "@relation r\n@attribute x real\n@attribute k {p,q}\n@data\n1,q\n?,?\n"
    made = arff(text)
    again = arff("@relation no ARFF at all")
    assert made.equals(again)
    assert made.dtypes.tolist() == again.dtypes.tolist()
    (kept,) = (tmp_path / "cache").rglob("*.feather")
    kept.write_bytes(b"half")
    assert arff(text).equals(made)


def test_a_pickle_beside_the_file_is_not_believed(tmp_path):
    """The client unpickles it unchecked: whoever lends a cache folder would run code here."""
    write_task(tmp_path, {"x": "NUMERIC", "y": "NUMERIC"}, [(i, i) for i in range(8)])
    for folder, name in (("datasets", "dataset"), ("tasks", "datasplits")):
        (tmp_path / "org/openml/www" / folder / "7001" / f"{name}.pkl.py3").write_bytes(b"no pickle")
    assert len(load_task(7001, str(tmp_path)).train) == 6


@pytest.mark.parametrize("type_id", sorted(set(TYPES) - {1, 2}))
def test_a_task_of_another_type_is_refused_by_name(tmp_path, type_id):
    write_task(tmp_path, {"x": "NUMERIC", "y": ABC}, [(i, "a") for i in range(4)], type_id=type_id)
    with pytest.raises(SettingError, match=f"has the type '{TYPES[type_id]}'; choose a supervised"):
        load_task(7001, str(tmp_path))


def holdout(rows, test):
    return [("TEST" if i in test else "TRAIN", i, 0, 0) for i in range(rows)]


def task(folder, type_id=1, **settings):
    rows = [(i / 3, "ab"[i % 2] if type_id == 1 else i) for i in range(8)]
    columns = {"x": "NUMERIC", "y": ABC if type_id == 1 else "NUMERIC"}
    return write_task(folder, columns, rows, type_id=type_id, **settings)


@pytest.mark.parametrize(
    ("procedure", "split", "test"),
    [
        ("holdout", holdout(8, {5, 7}), [5, 7]),
        ("leaveoneout", [("TEST" if i == f else "TRAIN", i, 0, f) for f in range(8) for i in range(8)], [0]),
        ("customholdout", holdout(6, {1}), [1]),
        ("holdout_ordered", [("'TRAIN'", 0.0, 0.0, 0.0), ("test", 1.0, 0.0, 0.0)], [1]),
    ],
)
def test_a_split_that_is_no_cross_validation(tmp_path, procedure, split, test):
    data = load_task(task(tmp_path, procedure=procedure, split=split), str(tmp_path))
    assert data.test.tolist() == test
    assert not set(data.train) & set(test)


def test_a_split_that_tests_on_its_training_rows_is_refused(tmp_path):
    split = [(part, i, 0, 0) for part in ("TRAIN", "TEST") for i in range(8)]
    with pytest.raises(SettingError, match=r"'testontrainingdata'\) has 8 rows in training and test; choose"):
        load_task(task(tmp_path, procedure="testontrainingdata", split=split), str(tmp_path))


def test_splits_of_which_a_part_is_missing(tmp_path):
    """A fold that is there is used; one that is not is named; half of one is damage."""
    whole = [("TEST" if i % 4 == f else "TRAIN", i, 0, f) for f in range(4) for i in range(8)]
    split = [line for line in whole if line[3] != 1][:-3]
    task(tmp_path, split=split)
    assert load_task(7001, str(tmp_path), 2).test.tolist() == [2, 6]
    with pytest.raises(SettingError, match="fold is 1; OpenML task 7001 has folds 0, 2, 3"):
        load_task(7001, str(tmp_path), 1)
    with pytest.raises(SettingError, match="damaged: a fold does not hold each of the 8 rows once"):
        load_task(7001, str(tmp_path), 3)


@pytest.mark.parametrize(
    "split", [[], [("TRAIN", 0, 0, 0)], holdout(9, {1}), [("BOTH", 0, 0, 0)], [("TRAIN", "x", 0, 0)]]
)
def test_splits_that_are_none(tmp_path, split):
    with pytest.raises(SettingError) as error:
        load_task(task(tmp_path, procedure="holdout", split=split), str(tmp_path))
    assert "\n" not in str(error.value)
    assert "datasplits.arff is damaged" in str(error.value) or "has folds" in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("<oml:target_feature>y</oml:target_feature>", ""), "has no target; choose"),
        (("<oml:target_feature>y<", "<oml:target_feature>Y<"), "Unknown target column of OpenML task 7001 'Y'"),
        (("<oml:target_feature>y<", "<oml:target_feature>x,y<"), "has 2 target columns .x, y."),
        (("<oml:data_splits_url>", "<oml:nothing>"), "damaged"),
        (("oml:task_type_id>", "oml:task_kind>"), "damaged"),
    ],
)
def test_a_description_without_what_is_needed(tmp_path, change, message):
    task(tmp_path)
    path = tmp_path / "org/openml/www/tasks/7001/task.xml"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(SettingError, match=message):
        load_task(7001, str(tmp_path))


def test_one_parameter_of_the_procedure_or_none(tmp_path):
    """The client's own reader of tasks fails on both."""
    for parameters in ("", "<oml:parameter name='number_folds'>4</oml:parameter>"):
        folder = tmp_path / str(len(parameters))
        task(folder)
        path = folder / "org/openml/www/tasks/7001/task.xml"
        head, _, rest = path.read_text().partition("<oml:parameter name")
        path.write_text(head + parameters + rest[rest.index("</oml:estimation_procedure>") :])
        assert len(load_task(7001, str(folder)).train) == 6


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (["1", "2.5"], ("2.5", "1"), [2.5, 1.0]),
        ("STRING", ("1e3", "2"), [1000.0, 2.0]),
        ("NUMERIC", (3, 4), [3.0, 4.0]),
    ],
)
def test_numbers_to_regress_on_however_they_are_declared(tmp_path, kind, value, expected):
    write_task(tmp_path, {"x": "NUMERIC", "y": kind}, [(i, value[i % 2]) for i in range(8)])
    assert load_task(7001, str(tmp_path)).values.tolist() == expected * 4


@pytest.mark.parametrize("kind", [["high", "1"], "STRING"])
def test_a_target_to_regress_on_that_is_no_number(tmp_path, kind):
    write_task(tmp_path, {"x": "NUMERIC", "y": kind}, [(i, ("1", "high")[i % 2]) for i in range(8)])
    with pytest.raises(SettingError, match="target 'y' of OpenML task 7001 holds 'high', which is not a number"):
        load_task(7001, str(tmp_path))


@pytest.mark.parametrize(("kind", "classes"), [("STRING", ("1", "2")), ("NUMERIC", ("1.0", "2.0"))])
def test_classes_however_they_are_declared(tmp_path, kind, classes):
    rows = [(i, None if i == 3 else "12"[i % 2]) for i in range(8)]
    write_task(tmp_path, {"x": "NUMERIC", "y": kind}, rows, type_id=1)
    data = load_task(7001, str(tmp_path))
    assert data.classes == classes
    assert len(data.train) + len(data.test) == 7


def test_columns_left_out_however_they_are_named(tmp_path):
    """Several names in one text; the target among them is predicted all the same."""
    columns = {"row": "NUMERIC", "a,b": "NUMERIC", "c": "NUMERIC", "x": "NUMERIC", "y": "NUMERIC"}
    extra = "<oml:row_id_attribute>row</oml:row_id_attribute>"
    extra += "<oml:ignore_attribute>a,b</oml:ignore_attribute><oml:ignore_attribute>c, y</oml:ignore_attribute>"
    data = load_task(write_task(tmp_path, columns, [(i,) * 5 for i in range(8)], extra=extra), str(tmp_path))
    assert list(data.features) == ["x"]
    assert data.values.tolist() == list(range(8))


def test_a_single_row(tmp_path):
    write_task(tmp_path, {"x": "NUMERIC", "y": "NUMERIC"}, [(1, 2)], procedure="holdout", split=[("TRAIN", 0, 0, 0)])
    with pytest.raises(SettingError, match="a fold has no rows"):
        load_task(7001, str(tmp_path))


def test_many_columns_take_no_time(tmp_path):
    """5,000 sparse columns."""
    rng = np.random.default_rng(0)
    columns = {**{f"c{i}": "NUMERIC" for i in range(5000)}, "y": ABC}
    rows = [(*np.where(rng.random(5000) < 0.01, 1.5, 0.0).tolist(), ABC[i % 3]) for i in range(12)]
    data = load_task(write_task(tmp_path, columns, rows, type_id=1, sparse=True), str(tmp_path))
    assert data.features.to_numpy().tolist() == [list(row[:-1]) for row in rows]
