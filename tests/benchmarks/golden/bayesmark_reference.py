r"""Scores by Bayesmark's own code, for the golden file beside this one; it runs in a virtual environment of its own.

python3.11 -m venv /tmp/bayesmark
/tmp/bayesmark/bin/pip install numpy==1.23.5 scipy==1.10.1 scikit-learn==1.1.3 pandas==1.5.3 xarray==2022.12.0 \
    pathvalidate gitpython statsmodels==0.14.0
/tmp/bayesmark/bin/pip install --no-deps bayesmark==0.0.8
cd tests/benchmarks/golden
OMP_NUM_THREADS=1 /tmp/bayesmark/bin/python -W ignore bayesmark_reference.py > bayesmark.json

Nothing of Bayesmark or scikit-learn is changed. scikit-learn 1.1 is the last that Bayesmark imports with (load_boston,
``normalize`` and ``multi_class`` went in later ones). Listed are the models that no seed changes, and of those what
no seed changes: not the nll of SVM, whose probabilities are drawn. Left out are the classifiers lasso, whose solver
shuffles, and the nll of linear: liblinear stops elsewhere in newer versions of scikit-learn. One thread, as in a
training process here: which of equally near neighbours kNN takes on digits depends on the number of threads.
"""

from __future__ import annotations

import json
import os
import platform
import sys

import numpy as np
import sklearn
from bayesmark.sklearn_funcs import SklearnModel  # type: ignore[import-not-found]

KNN = [{"n_neighbors": 1, "p": 1}, {"n_neighbors": 5, "p": 2}, {"n_neighbors": 25, "p": 4}]
SVM = [
    {"C": 1.0, "gamma": 1e-3, "tol": 1e-3},
    {"C": 31.6, "gamma": 3.2e-4, "tol": 1e-5},
    {"C": 1000.0, "gamma": 1e-4, "tol": 1e-2},
]
LOGISTIC = [
    {"C": 1.0, "intercept_scaling": 1.0},
    {"C": 0.01, "intercept_scaling": 30.0},
    {"C": 100.0, "intercept_scaling": 0.01},
]
RIDGE = [
    {"alpha": 1.0, "fit_intercept": True, "normalize": False, "max_iter": 1000, "tol": 1e-4},
    {"alpha": 0.01, "fit_intercept": True, "normalize": True, "max_iter": 50, "tol": 1e-2},
    {"alpha": 100.0, "fit_intercept": False, "normalize": True, "max_iter": 5000, "tol": 1e-1},
]
LASSO = [{**params, "positive": positive} for params, positive in zip(RIDGE, (False, True, False), strict=True)]
CLASSIFICATION = (("kNN", KNN, ("accuracy", "nll")), ("SVM", SVM, ("accuracy",)), ("linear", LOGISTIC, ("accuracy",)))
REGRESSION = tuple(
    (model, listed, ("mse", "mae"))
    for model, listed in zip(("kNN", "SVM", "lasso", "linear"), (KNN, SVM, LASSO, RIDGE), strict=True)
)
METRICS = {"accuracy": "acc", "nll": "nll", "mse": "mse", "mae": "mae"}


def score(task: str, model: str, params: dict[str, object], names: tuple[str, ...]) -> dict[str, float]:
    """Bayesmark's losses: objective, then ``test_`` generalization."""
    found = {}
    for name in names:
        problem = SklearnModel(model, task, METRICS[name])
        losses = []
        for seed in (0, 1):
            np.random.seed(seed)  # Bayesmark's models take theirs from here
            losses.append(problem.evaluate(params))
        assert losses[0] == losses[1], (task, model, params)
        found[name], found[f"test_{name}"] = losses[0]
    return found


def main() -> None:
    rows = []
    for task in ("breast", "digits", "iris", "wine", "diabetes"):
        for model, configurations, names in REGRESSION if task == "diabetes" else CLASSIFICATION:
            for params in configurations:
                losses = score(task, model, params, names)
                rows.append({"task": task, "model": model, "params": params, "losses": losses})
    header = {
        "what": "losses (accuracy negated) by Bayesmark 0.0.8's own SklearnModel.evaluate, the same with two seeds",
        "how": "tests/benchmarks/golden/bayesmark_reference.py, whose docstring has the commands that renew this file",
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "versions": {
            "bayesmark": "0.0.8",
            "numpy": np.__version__,
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
        },
    }
    lines = ",\n".join(json.dumps(row) for row in rows)
    sys.stdout.write(f'{{"header": {json.dumps(header, indent=1)},\n"rows": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
