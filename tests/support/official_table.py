"""A small table in the layout of HPOBench's official files, written as its collection script wrote them.

All numbers except the seed in single precision; rows in the order of the product, the seed fastest, numbered from 1; a
nested ``result``; the spaces as JSON of ConfigSpace 0.4 inside strings; ordinals with their first level as default.
"""

from __future__ import annotations

import itertools
import json
import zlib

import numpy as np
import pandas as pd

SEEDS = (665, 1319, 7222)
METRICS = ("acc", "bal_acc", "f1", "precision")


def log_range(name, lower, upper, default, kind="uniform_float"):
    return {"name": name, "type": kind, "log": True, "lower": lower, "upper": upper, "default": default}


SVM = {
    "x": [log_range("C", 2**-10, 2**10, 1.0), log_range("gamma", 2**-10, 2**10, 0.1)],
    "z": [{"name": "subsample", "type": "uniform_float", "log": False, "lower": 0.1, "upper": 1.0, "default": 1.0}],
    "levels": {"C": np.geomspace(2**-10, 2**10, 5), "gamma": np.geomspace(2**-10, 2**10, 4)},
    "fidelities": {"subsample": (0.1, 1 / 3, 1.0)},
}
NN = {
    "x": [
        log_range("alpha", 1e-8, 1.0, 1e-3),
        {"name": "depth", "type": "uniform_int", "log": False, "lower": 1, "upper": 3, "default": 3},
        log_range("width", 16, 1024, 64, "uniform_int"),
    ],
    "z": [log_range("iter", 3, 243, 243, "uniform_int"), {"name": "subsample", "type": "constant", "value": 1}],
    "levels": {"alpha": np.geomspace(1e-8, 1, 10), "depth": (1, 2, 3), "width": (16, 128, 1024)},
    "fidelities": {"iter": (3, 9, 27), "subsample": (1,)},
}


def scores(part, metric, params, fidelity, seed):
    """A value that depends on all arguments, mostly on the fidelity."""
    text = f"{part} {metric} {sorted(params.items())} {sorted(fidelity.items())} {seed}"
    level = sum(np.log(1 + value) for value in fidelity.values())
    return 0.5 + 0.1 * float(level) / 6 + 0.3 * (zlib.crc32(text.encode()) / 2**32)


def result(params, fidelity, seed):
    def all_of(part):
        return {metric: scores(part, metric, params, fidelity, seed) for metric in METRICS}

    info = {
        "train_loss": 1.0,
        "val_loss": 1 - scores("val", "acc", params, fidelity, seed),
        "test_loss": 1 - scores("test", "acc", params, fidelity, seed),
        "model_cost": scores("model_cost", "", params, fidelity, seed),
        "train_scores": dict.fromkeys(METRICS, 0.0),
        "train_costs": dict.fromkeys(METRICS, 0.0),
        "val_scores": all_of("val"),
        "val_costs": all_of("val_costs"),
        "test_scores": all_of("test"),
        "test_costs": all_of("test_costs"),
        "fidelity": fidelity,
        "config": params,
    }
    cost = info["model_cost"] + info["val_costs"]["acc"]
    return {"function_value": info["val_loss"], "cost": cost, "info": info}


def ordinal(name, levels, default):
    return {"name": name, "type": "ordinal", "sequence": levels, "default": default}


def space(parts):
    other = {"conditions": [], "forbiddens": [], "python_module_version": "0.4.18", "json_format_version": 0.2}
    return json.dumps({"hyperparameters": list(parts), **other})


def write(folder, model="svm", task=31, what=None):
    """Write both files; returns {(params, fidelity, seed): result} by the single-precision numbers of the rows."""
    what = what or {"svm": SVM, "nn": NN}[model]
    folder.mkdir(parents=True, exist_ok=True)
    levels = {name: [np.float32(value) for value in values] for name, values in what["levels"].items()}
    fidelities = {name: [np.float32(value) for value in values] for name, values in what["fidelities"].items()}
    rows, truth = [], {}
    for point in itertools.product(*levels.values(), *fidelities.values(), SEEDS):
        params = dict(zip(levels, map(float, point), strict=False))
        fidelity = dict(zip(fidelities, map(float, point[len(levels) : -1]), strict=True))
        entry = result(params, fidelity, point[-1])
        truth[tuple(params.values()), tuple(fidelity.values()), point[-1]] = entry
        rows.append([*point, entry])
    frame = pd.DataFrame(rows, columns=[*levels, *fidelities, "seed", "result"], index=range(1, len(rows) + 1))
    frame = frame.astype(dict.fromkeys([*levels, *fidelities], np.float32) | {"seed": int})
    frame.index = pd.Index(list(frame.index))
    frame.to_parquet(folder / f"{model}_{task}_data.parquet.gzip")
    whole = {part["name"] for part in what["z"] if part["type"] != "uniform_float"}
    discrete_z = {
        name: [int(value) if name in whole else float(value) for value in values] for name, values in fidelities.items()
    }
    metadata = {
        "exp_args": {"task_id": task, "space": model, "n_seeds": len(SEEDS), "x_grid_size": 10},
        "global_min": {"val": {"acc": 0.0}, "test": {"acc": 0.0}},
        "config_spaces": {
            "x": space(what["x"]),
            "z": space(what["z"]),
            "x_discrete": space(ordinal(name, list(map(float, at)), float(at[0])) for name, at in levels.items()),
            "z_discrete": space(ordinal(name, at, at[-1]) for name, at in discrete_z.items()),
        },
    }
    (folder / f"{model}_{task}_metadata.json").write_text(json.dumps(metadata))
    return truth
