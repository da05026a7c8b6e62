"""Models whose best end lies at infinity, or where two ways of writing the same model must give the same fit."""

import numpy as np
import pytest

import harness
from harness.cohorts import to_frame
from harness.convergence import Stop
from harness.gbtm.account import HIT


@pytest.fixture(scope="module")
def trial():
    return to_frame(harness.fixture_cohort("beat_the_blues"))


def test_a_class_without_random_variance_is_climbed_to_its_end(trial):
    """Real lcmm 2.2.2, from uneven starts of its own, ends at -1336.73388 with its offset added."""
    start = (-2.0, 19.5, -1.4, 41.7, -0.25, 6.2, 0.5, 10.0)
    fit = harness.fit_gbtm(
        trial,
        outcome="bdi",
        time="month",
        subject="subject",
        orders=(1, 1),
        random=0,
        random_scale="class",
        start=start,
    )
    assert fit.log_likelihood == pytest.approx(-1336.73388, abs=HIT / 100)
    assert fit.fit.convergence.stop in {Stop.SINGULAR, Stop.BOUNDARY}
    assert any("class[1].scale" in warning for warning in fit.warnings)


def test_a_factor_by_time_is_a_difference_of_slopes(trial):
    columns = {"outcome": "bdi", "time": "month", "subject": "subject", "orders": (1, 1)}
    written = harness.fit_gbtm(trial, **columns, covariates="treatment:month")
    coded = trial.assign(slope=trial["month"] * (trial["treatment"] == "BtheB"))
    by_hand = harness.fit_gbtm(coded, **columns, covariates="slope")
    assert written.log_likelihood == pytest.approx(by_hand.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(written.estimates.point, by_hand.estimates.point, rtol=1e-7)
