"""An OpenML task written in the client's cache layout, for kinds of tasks that ``shared/data`` lacks."""

from __future__ import annotations

import hashlib
from xml.sax.saxutils import escape

TYPES = {
    1: "Supervised Classification",
    2: "Supervised Regression",
    3: "Learning Curve",
    4: "Supervised Data Stream Classification",
    5: "Clustering",
    7: "Survival Analysis",
    11: "A Type of the Future",
}


def write_task(
    root,
    columns,
    rows,
    *,
    task_id=7001,
    type_id=2,
    folds=4,
    extra="",
    sparse=False,
    target=None,
    procedure="crossvalidation",
    split=None,
):
    """Write one task.

    Args:
        root: Root of the cache.
        columns: Name -> NUMERIC, STRING, DATE or the list of categories; the last one is the target.
        rows: Tuples; None is a missing value.
        task_id: Also the id of the data set.
        type_id: OpenML's id of the task type.
        folds: Number of folds of the official split: row i is tested in fold i % folds.
        extra: XML for the data set's description.
        sparse: Leave out zeros and first categories.
        target: Name of the target, if it is not the last column.
        procedure: OpenML's name of the estimation procedure.
        split: Replaces ``folds``: tuples of TRAIN or TEST, row, repeat, fold.
    """
    where = root / "org" / "openml" / "www"
    task, data = where / "tasks" / str(task_id), where / "datasets" / str(task_id)
    task.mkdir(parents=True)
    data.mkdir(parents=True)
    arff = "@RELATION made\n" + "".join(f"@ATTRIBUTE {_cell(name)} {_kind(kind)}\n" for name, kind in columns.items())
    arff += "@DATA\n" + "".join((_sparse(row, columns) if sparse else ",".join(map(_cell, row))) + "\n" for row in rows)
    (data / "dataset.arff").write_text(arff, encoding="utf-8")
    target = list(columns)[-1] if target is None else target
    oml = 'xmlns:oml="http://openml.org/openml"'
    (data / "description.xml").write_text(
        f"<oml:data_set_description {oml}><oml:id>{task_id}</oml:id><oml:name>made</oml:name>"
        f"<oml:version>1</oml:version><oml:description>Made for a test.</oml:description>"
        f"<oml:format>{'Sparse_ARFF' if sparse else 'ARFF'}</oml:format>"
        f"<oml:url>https://api.openml.org/data/v1/download/{task_id}/made.arff</oml:url>{extra}"
        f"<oml:md5_checksum>{hashlib.md5(arff.encode()).hexdigest()}</oml:md5_checksum></oml:data_set_description>"
    )
    features = "".join(_feature(i, name, kind, target) for i, (name, kind) in enumerate(columns.items()))
    (data / "features.xml").write_text(f"<oml:data_features {oml}>{features}</oml:data_features>")
    (data / "qualities.xml").write_text(
        f"<oml:data_qualities {oml}><oml:quality><oml:name>NumberOfInstances</oml:name>"
        f"<oml:value>{len(rows)}</oml:value></oml:quality>"
        "<oml:quality><oml:name>NumberOfClasses</oml:name><oml:value>0.0</oml:value></oml:quality></oml:data_qualities>"
    )
    splits = "@relation s\n@attribute type {TRAIN,TEST}\n@attribute rowid numeric\n@attribute repeat numeric\n"
    splits += "@attribute fold numeric\n@data\n"
    if split is None:
        split = [("TEST" if i % folds == f else "TRAIN", i, 0, f) for f in range(folds) for i in range(len(rows))]
    splits += "".join(",".join(map(str, line)) + "\n" for line in split)
    (task / "datasplits.arff").write_text(splits)
    (task / "task.xml").write_text(
        f"<oml:task {oml}><oml:task_id>{task_id}</oml:task_id><oml:task_type_id>{type_id}</oml:task_type_id>"
        f"<oml:task_type>{TYPES[type_id]}</oml:task_type><oml:input name='source_data'><oml:data_set>"
        f"<oml:data_set_id>{task_id}</oml:data_set_id><oml:target_feature>{escape(target)}</oml:target_feature></oml:data_set>"
        "</oml:input><oml:input name='estimation_procedure'><oml:estimation_procedure>"
        f"<oml:type>{procedure}</oml:type><oml:data_splits_url>https://api.openml.org/api_splits/get/{task_id}/"
        "made.arff</oml:data_splits_url><oml:parameter name='number_repeats'>1</oml:parameter>"
        f"<oml:parameter name='number_folds'>{folds}</oml:parameter></oml:estimation_procedure></oml:input></oml:task>"
    )
    return task_id


def diabetes(root):
    """scikit-learn's bundled diabetes data (442 rows, 10 features) as a regression task."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    columns = {**dict.fromkeys(bunch.feature_names, "NUMERIC"), "progression": "NUMERIC"}
    rows = [(*map(float, row), float(value)) for row, value in zip(bunch.data, bunch.target, strict=True)]
    return write_task(root, columns, rows)


def _kind(kind):
    if isinstance(kind, str):
        return "DATE 'yyyy-MM-dd HH:mm'" if kind == "DATE" else kind
    return "{" + ",".join(map(_cell, kind)) + "}"


def _cell(value):
    if value is None:
        return "?"
    text = str(value)
    if all(letter.isalnum() or letter in "_.+-:" for letter in text) and text:
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _sparse(row, columns):
    zeros = [0 if isinstance(kind, str) else kind[0] for kind in columns.values()]
    cells = [f"{i} {_cell(v)}" for i, (v, zero) in enumerate(zip(row, zeros, strict=True)) if v != zero]
    return "{" + ", ".join(cells) + "}"


def _feature(index, name, kind, target):
    data_type = {"NUMERIC": "numeric", "STRING": "string", "DATE": "date"}[kind] if isinstance(kind, str) else "nominal"
    values = () if isinstance(kind, str) else kind
    nominal = "".join(f"<oml:nominal_value>{escape(value)}</oml:nominal_value>" for value in values)
    return (
        f"<oml:feature><oml:index>{index}</oml:index><oml:name>{escape(name)}</oml:name><oml:data_type>{data_type}"
        f"</oml:data_type>{nominal}<oml:is_target>{str(name == target).lower()}</oml:is_target>"
        "<oml:is_ignore>false</oml:is_ignore><oml:is_row_identifier>false</oml:is_row_identifier>"
        "<oml:number_of_missing_values>0</oml:number_of_missing_values></oml:feature>"
    )
