"""Models whose best end lies at infinity, or where two ways of writing the same model must give the same fit."""

import numpy as np
import pandas as pd
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


def test_a_class_that_jumps_between_neighbouring_times_is_climbed_to_infinity():
    """Found by fuzzing against flexmix, seed 1, case 67, made smaller.

    By hand: a parabola that is positive at 201/1040 and negative at all other times tells every row of s1, s2 and s3,
    and s4 is another class, so that the supremum is 3 log(3/4) + log(1/4).
    """
    times = [100.6, 200.4, 247, 349.6, 115.6, 201, 250.4, 343.6, 116, 205.6, 241.2, 354.2, 113.2, 206.6, 243.6, 349.2]
    rows = pd.DataFrame(
        {
            "id": [f"s{1 + k // 4}" for k in range(16)],
            "t": np.array(times) / 1040,
            "y": [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
        }
    )
    fit = harness.fit_gbtm(rows, outcome="y", time="t", subject="id", orders=(2, 1), family="logit", n_starts=8)
    assert fit.log_likelihood == pytest.approx(3 * np.log(3 / 4) + np.log(1 / 4), abs=1e-4)
    assert fit.fit.convergence.stop is Stop.BOUNDARY
    assert any("At a boundary" in warning for warning in fit.warnings)
