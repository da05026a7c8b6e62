from dataclasses import replace

import numpy as np
import pytest

from harness.choosing import select_classes, selection_stability
from harness.cohorts.cohort import Factor
from harness.errors import SpecError
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.selection.criteria import CRITERIA, criteria
from harness.gbtm.selection.processes import stream_of


@pytest.fixture(scope="module")
def selection(two_groups):
    return select_classes(
        two_groups, outcome="score", time="week", subject="id", order=1, n_classes=range(1, 4), n_starts=10
    )


@pytest.fixture(scope="module")
def stability(selection):
    return selection_stability(selection, 10)


def test_criteria_of_a_sample_are_those_of_its_subjects_as_rows(two_groups, stability, spec_of):
    counts = stream_of(1, 0).multinomial(48, np.full(48, 1 / 48))
    drawn = np.repeat(np.arange(48), counts)
    rows = np.concatenate([np.arange(4) + 4 * i for i in drawn])
    sample = replace(
        two_groups,
        numeric={name: values[rows] for name, values in two_groups.numeric.items()},
        factors={"id": Factor(codes=np.repeat(np.arange(48), 4), levels=tuple(f"d{i:02d}" for i in range(48)))},
    )
    for place, K in enumerate((1, 2, 3)):
        found = criteria(fit_gbtm_cohort(spec_of((1,) * K), sample).estimates)
        # Two ends within 1e-6 of the log-likelihood are one; ICL moves with the posterior.
        expected = [pytest.approx(getattr(found, name), abs=1e-3) for name in CRITERIA]
        assert stability.criteria[0, place].tolist() == expected
    random_intercept = fit_gbtm_cohort(spec_of((1,), random=0), sample)
    assert stability.models[3] == "1 class + random intercept"
    assert stability.criteria[0, 3, 1] == pytest.approx(random_intercept.bic, abs=1e-5)


def test_shares_of_the_samples_add_up_and_differences_are_of_the_chosen_model(stability):
    for criterion in CRITERIA:
        assert stability.selected(criterion).sum() == pytest.approx(1.0)
        differences = stability.differences(criterion)
        assert (differences.loc[stability.chosen[criterion], ["mean", "standard_deviation"]] == 0).all()
    assert stability.selected()["2 classes"] > 0.5
    assert stability.beaten_by_mixed_model() < 0.5


def test_the_summary_tells_how_often_the_choice_of_the_data_is_repeated(stability):
    share = 100 * stability.selected()["2 classes"]
    assert f"The data choose 2 classes by BIC (subjects); so do {share:.0f} % of the samples." in stability.summary()


def test_settings_that_can_not_be_are_refused(selection, stability):
    with pytest.raises(SpecError, match="2 problems"):
        selection_stability(selection, 0, n_starts=-1)
    with pytest.raises(SpecError, match="a selection from select_classes"):
        selection_stability("selection")
    with pytest.raises(SpecError, match="one of aic"):
        stability.selected("bic")
