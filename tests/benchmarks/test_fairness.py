from __future__ import annotations

import numpy as np
import pytest

from benchmarks.fairness.fairness import DEFAULT_OBJECTIVES, Fairness
from benchmarks.fairness.fairness_trainer import Trainer, unfairness
from benchmarks.fairness.sensitive import COMPAS_FILE, SOURCES, load_compas, load_sensitive
from benchmarks.training.holdout import a_third_off
from harness.errors import SettingError
from tests.support import shared_data

COLUMNS = (
    "sex,age,race,juv_fel_count,juv_misd_count,juv_other_count,priors_count,c_charge_degree,"
    "days_b_screening_arrest,is_recid,score_text,two_year_recid"
)


def compas(folder, rows):
    (folder / COMPAS_FILE).write_text("\n".join([COLUMNS, *rows]) + "\n")
    return load_compas(str(folder))


def row(days=0, is_recid=0, degree="F", score="Low", outcome=0, race="Caucasian"):
    return f"Male,30,{race},0,0,0,1,{degree},{days},{is_recid},{score},{outcome}"


def test_differences_by_hand():
    groups = np.array(["a"] * 4 + ["b"] * 4)
    truth = np.array([1, 1, 0, 0, 1, 1, 0, 0])
    predicted = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    found = unfairness(truth, predicted, groups)
    # Predicted 1: 3 of 4 against 1 of 4. Of the true ones 2/2 against 1/2, of the false ones 1/2 against 0/2.
    assert found == {"demographic_parity_difference": 0.5, "equalized_odds_difference": 0.5}
    assert unfairness(truth, truth, groups) == dict.fromkeys(found, 0.0)
    assert unfairness(1 - truth, 1 - predicted, groups) == found, "the same whichever class is asked about"


def test_compas_keeps_the_rows_of_the_published_analysis(tmp_path):
    kept = [row(outcome=i % 2, days=30 - 60 * (i % 2)) for i in range(12)]
    dropped = [row(days=31), row(days=-31), row(is_recid=-1), row(degree="O"), row(score="N/A"), row(days="")]
    task = compas(tmp_path, [*kept, *dropped])
    assert len(task.features) == 12
    assert (task.values == [i % 2 for i in range(12)]).all()
    assert sorted([*task.train, *task.test]) == list(range(12))
    assert len(task.test) == 4
    assert "score_text" not in task.features, "the score that is studied is no feature"


@shared_data.needs_data
def test_the_published_number_of_rows_and_its_groups():
    """6,172 people, of whom ProPublica counts 3,175 African-American and 2,103 Caucasian."""
    task, groups, attribute = load_sensitive("compas", None, str(shared_data.FOLDER / "compas"))
    names, counts = np.unique(groups, return_counts=True)
    assert attribute == "race"
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "African-American": 3175,
        "Caucasian": 2103,
        "other": 894,
    }
    assert len(task.values) == 6172


@shared_data.needs_data
@pytest.mark.parametrize(("attribute", "smaller", "share"), [("sex", "female", 0.310), ("age", "to 25", 0.190)])
def test_the_groups_of_credit_g(attribute, smaller, share):
    _, groups, _ = load_sensitive("credit_g", attribute, str(shared_data.openml_folder()))
    assert np.mean(groups == smaller) == pytest.approx(share)
    assert len(set(groups.tolist())) == 2


@shared_data.needs_data
def test_scores_are_those_of_the_validation_and_of_the_test_rows():
    folder = str(shared_data.FOLDER / "compas")
    task = load_compas(folder)
    trainer = Trainer("compas", "race", "logistic_regression", folder, task.checksum)
    default = Fairness("compas", model="logistic_regression", folder=folder, cache="none").problem.default
    told = trainer.train(default, {"subsample": 1.0, "epochs": 100}, 0)
    less = trainer.train(default, {"subsample": 0.1, "epochs": 3}, 0)
    assert {f"test_{name}" for name in ("balanced_accuracy", *DEFAULT_OBJECTIVES)} <= told.keys()
    assert told["balanced_accuracy"] != less["balanced_accuracy"]
    assert told["balanced_accuracy"] > 0.6, "far from chance on the whole data"
    kept, held = a_third_off(task.train, task.values, stratified=True)
    assert not set(kept) & set(held)
    assert not {*kept, *held} & set(task.test)


def test_data_that_changed_meanwhile_are_refused(tmp_path):
    compas(tmp_path, [row(outcome=i % 2) for i in range(12)])
    with pytest.raises(ValueError, match="changed since the run began"):
        Trainer("compas", "race", "logistic_regression", str(tmp_path), "of other data")


def test_mistakes_are_one_sentence(tmp_path):
    with pytest.raises(SettingError, match="did you mean 'compas'"):
        Fairness("compass")
    with pytest.raises(SettingError, match=r"download compas-scores-two-years\.csv"):
        Fairness("compas", folder=str(tmp_path))
    (tmp_path / COMPAS_FILE).write_text("a,b\n1,2\n")
    with pytest.raises(SettingError, match="is not ProPublica's file"):
        Fairness("compas", folder=str(tmp_path))
    compas(tmp_path, [row(outcome=i % 2) for i in range(12)])
    with pytest.raises(SettingError, match="did you mean 'race'"):
        Fairness("compas", sensitive="rase", folder=str(tmp_path))
    with pytest.raises(SettingError, match="Unknown fairness model 'linear'"):
        Fairness("compas", model="linear", folder=str(tmp_path))


def test_every_task_names_its_attributes_in_its_configuration():
    from harness.choice_files import CONF

    text = (CONF / "benchmark" / "fairness.yaml").read_text()
    for task, source in SOURCES.items():
        assert f"{task}: {', '.join(source.attributes)}" in text
