import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.cohorts.subset import keep_levels
from harness.errors import CohortError


def test_rows_of_other_levels_are_left_out():
    cohort = fixture_cohort("ketamine_real")
    kept = keep_levels(cohort, {"visit": ["inf1", "inf6"], "protocol": ["six"]})
    assert (kept.n_rows, kept.n_subjects) == (2 * 115, 115)
    assert kept.factors["visit"].levels == ("inf1", "inf6")
    assert kept.factors["protocol"].levels == ("six",)
    visit, protocol = cohort.factors["visit"], cohort.factors["protocol"]
    rows = np.isin(visit.codes, [0, 5]) & (protocol.codes == 1)
    np.testing.assert_array_equal(kept.numeric["madrs"], cohort.numeric["madrs"][rows])
    subjects = np.array(cohort.subjects.levels)[cohort.subjects.codes[rows]]
    np.testing.assert_array_equal(np.array(kept.subjects.levels)[kept.subjects.codes], subjects)


def test_keeping_every_level_changes_nothing():
    cohort = fixture_cohort("orthodont")
    assert keep_levels(cohort, {"sex": ["Female", "Male"]}).sha256 == cohort.sha256
    assert keep_levels(cohort, {}).sha256 == cohort.sha256


def test_unknown_columns_and_levels_are_refused_together():
    with pytest.raises(CohortError) as caught:
        keep_levels(fixture_cohort("orthodont"), {"sex": ["F"], "age": ["8"]})
    assert len(caught.value.problems) == 2
