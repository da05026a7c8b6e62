import numpy as np
import pytest

from harness.cohorts import cohort_from_frame
from harness.gbtm.several.multi_result import fit_multi_cohort
from harness.gbtm.spec import GbtmSpec


@pytest.fixture(scope="module")
def both(family_table):
    common = {"time": "week", "subject": "id", "n_starts": 6}
    specs = (
        GbtmSpec(outcome="score", orders=(1, 1), membership="age", **common),
        GbtmSpec(outcome="events", orders=(1, 0), family="poisson", **common),
    )
    return fit_multi_cohort(specs, cohort_from_frame(family_table, subject="id", time="week"))


def test_visits_of_all_outcomes_count_for_the_class(both, family_table):
    found = both.predict(family_table, draws=0)
    last = found.classes.groupby("id").tail(1)
    np.testing.assert_allclose(last[["probability_1", "probability_2"]], both.posterior, atol=1e-12)
    # A visit without a score is still one, because its events were counted.
    assert len(found.classes) == len(family_table) + both.design.n_subjects
    assert set(found.course["outcome"]) == {"score", "events"}
    unknown = family_table.assign(events=np.nan)
    alone = both.predict(unknown, draws=0).classes
    assert len(alone) == family_table["score"].notna().sum() + both.design.n_subjects


def test_several_outcomes_are_drawn_resampled_and_tested_together(both):
    drawn = both.simulate(seed=2)
    assert drawn["score"].notna().sum() + drawn["events"].notna().sum() == both.design.n_observations
    for kind in ("nonparametric", "parametric"):
        found = both.bootstrap(3, kind=kind)
        assert found.used.all()
        assert np.isfinite(found.drawn).all()
    test = both.wald("class[1].beta[score: week] = class[2].beta[score: week]")
    table = both.coefficients(standard_errors=test.kind).query("outcome == 'score' and parameter == 'week'")
    assert test.estimates[0] == pytest.approx(-np.diff(table["estimate"])[0], rel=1e-10)
    curves = both.class_curves(np.array([2.0])).query("outcome == 'events'")["fitted"].to_numpy()
    difference = both.curve_differences(2, 1, np.array([2.0]), outcome=1)["difference"]
    np.testing.assert_allclose(difference, np.diff(curves), rtol=1e-12)
