"""The contract of every optimizer (``harness.checks``). A new one is found by its YAML in conf/optimizer; none
is named here. The example of docs/extending.md is included, from a folder outside the repository.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_class
from omegaconf import OmegaConf
from smac.model.gaussian_process import GaussianProcess

from harness.checks.elsewhere import decided_elsewhere, left_behind
from harness.checks.optimizer_checks import breaches
from harness.checks.stage import Stage
from harness.choice_files import CONF, composed
from harness.composed import resolve
from harness.errors import SettingError
from harness.method import used_groups
from harness.trial import Proposer
from tests.support.contributing import SECTIONS, write_examples

OUTSIDE = Path(tempfile.mkdtemp(prefix="hyperbole-contributing-"))
write_examples(SECTIONS[0], OUTSIDE)
sys.path.append(str(OUTSIDE))
FOLDERS = [CONF, OUTSIDE / "conf"]
OPTIMIZERS = [path.stem for folder in FOLDERS for path in sorted((folder / "optimizer").glob("*.yaml"))]
CLASSES = {name: get_class(composed("optimizer", name, FOLDERS)["_target_"]) for name in OPTIMIZERS}
NEEDS_FIDELITY = {name: getattr(CLASSES[name], "needs_fidelity", False) for name in OPTIMIZERS}
BENCHMARKS = {
    "branin": {"_target_": "benchmarks.toy.Toy", "task": "branin"},
    "peak": {"_target_": "benchmarks.toy.Toy", "task": "peak"},
    "front": {"_target_": "benchmarks.toy.Toy", "task": "front"},
    "failing": {"_target_": "tests.support.fakes.Line", "fail_above": 0.6, "nan_above": 0.4},
    "mixed": {"_target_": "tests.support.fakes.Mixed"},
    "rich": {"_target_": "tests.support.fakes.Rich"},
}
WITH_FIDELITY = {"branin", "peak", "front"}
TRIALS = 8


@functools.cache
def configuration(optimizer, repair="none", *start):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(
            "config",
            overrides=[
                f"optimizer={optimizer}",
                f"repair={repair}",
                *start,
                f"hydra.searchpath=[{OUTSIDE}/conf]",
                f"budget.proposals={TRIALS}",
            ],
            return_hydra_config=True,
        )
    HydraConfig.instance().set_config(config)
    used = used_groups(OmegaConf.to_container(config.optimizer, resolve=False))
    OmegaConf.set_struct(config, False)
    config.pop("hydra")
    return resolve(config, used, ".")


@functools.cache
def stage(optimizer, benchmark):
    return Stage({**configuration(optimizer), "benchmark": BENCHMARKS[benchmark]}, TRIALS)


PAIRS = [
    (optimizer, benchmark)
    for optimizer in OPTIMIZERS
    for benchmark in BENCHMARKS
    if (benchmark in WITH_FIDELITY if NEEDS_FIDELITY[optimizer] else benchmark != "peak")  # rich has all that peak has
]


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def pair(request):
    return request.param


@pytest.fixture
def quicker(pair, monkeypatch):
    """On branin SMAC's Gaussian process is fitted from ten random points, as in a run; elsewhere from one."""
    if pair[1] != "branin":
        once = functools.partialmethod(GaussianProcess.__init__, n_restarts=1)
        monkeypatch.setattr(GaussianProcess, "__init__", once)


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if NEEDS_FIDELITY[name]])
def test_a_method_that_needs_a_fidelity_says_so(optimizer):
    with pytest.raises(SettingError, match="fidelity"):
        stage(optimizer, "failing").play()


def test_it_keeps_the_contract(pair, quicker):
    optimizer, benchmark = pair
    thorough = benchmark == ("peak" if NEEDS_FIDELITY[optimizer] else "rich")  # the second has every kind of fault
    assert breaches(stage(*pair), thorough) == []


def test_each_row_says_who_proposed_it(pair, quicker):
    rows = stage(*pair).base.rows
    proposers = {row["proposer"] for row in rows}
    assert proposers <= {"model", "classical", "random"}
    # Centaur's model is not asked in its warm-up of ten trials, which is longer than this run.
    assert (Proposer.MODEL in proposers) == (stage(*pair).uses_model and pair[0] != "centaur")
    for row in rows:
        assert row["proposer"] == "model" or not row["calls"] or "GP" in row["note"]


@functools.cache
def in_a_fresh_process():
    """For every optimizer, before any other run of its process, and the last one first."""
    names = OPTIMIZERS[::-1]
    return dict(zip(names, decided_elsewhere([stage(name, "branin") for name in names]), strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_nothing_of_one_run_is_left_for_the_next_of_its_process(optimizer):
    assert stage(optimizer, "branin").base.rows
    assert list(left_behind(stage(optimizer, "branin"), in_a_fresh_process()[optimizer])) == []


def test_the_start_is_the_first_rows():
    """For every optimizer, and also if the evaluation of a start failed."""
    from harness.checks.trying import failing_at
    from harness.start import DefaultStart, GivenStart

    given = [{"x": 0.9, "units": 1}, {"x": 0.2, "units": 2}]
    for start, expected in ((DefaultStart(), [{"x": 0.5, "units": 4}]), (GivenStart(given), given)):
        rows = stage("random_search", "failing").play(start=start, through=failing_at(given[0])).rows
        assert len(rows) == TRIALS
        assert [row["executed"] for row in rows[: len(expected)]] == expected
        assert {row["note"] for row in rows[: len(expected)]} == {f"start: {start.name}"}
        assert [row["proposer"] == "start" for row in rows] == [index < len(expected) for index in range(TRIALS)]
        assert rows[0]["error"] is not None
