"""Data of replicates: a pure function of factors and seed, with the truth that they claim."""

import numpy as np
import pytest

from harness.campaigns.plan_reader import default_factors
from harness.campaigns.simulated import simulate, truths_of
from harness.cohorts import to_frame


@pytest.mark.parametrize("kind", ["lmm", "gbtm"])
def test_the_same_seed_gives_the_same_cohort_and_another_another(kind):
    factors = default_factors(kind, subjects=15, dropout=0.3)
    one, same, other = (simulate(kind, factors, seed).cohort.sha256 for seed in (5, 5, 6))
    assert one == same != other


def test_the_stream_is_pinned():
    # Computed by this recipe when it was written: a changed stream needs a new `RECIPE`.
    sample = simulate("lmm", default_factors("lmm", subjects=4, visits=2), 2**127 + 1)
    assert sample.cohort.numeric["score"][:3].tolist() == pytest.approx(
        [35.04540561035948, 27.451824422682453, 29.482043119714568], rel=1e-15
    )


def test_whoever_left_does_not_return_and_the_stated_share_is_gone():
    sample = simulate("lmm", default_factors("lmm", subjects=20_000, visits=4, dropout=0.4), 1)
    frame = to_frame(sample.cohort)
    by_subject = frame.groupby("subject", observed=True)["visit"]
    assert (by_subject.max() == by_subject.size() - 1).all()
    staying = (by_subject.size() == 4).mean()
    assert staying == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 20_000))  # four standard errors of a rate


def test_means_of_both_arms_are_the_truth():
    factors = default_factors("lmm", subjects=40_000, visits=3)
    sample = simulate("lmm", factors, 2)
    frame = to_frame(sample.cohort)
    means = frame.groupby(["arm", "visit"], observed=True)["score"].mean()
    truths = truths_of("lmm", factors)
    for (arm, visit), mean in means.items():
        slope = truths["fixed[visit]"] + (truths["fixed[visit:arm[b]]"] if arm == "b" else 0)
        # The largest standard deviation of a score is below 6, so four standard errors are below 0.17.
        assert mean == pytest.approx(truths["fixed[intercept]"] + slope * visit, abs=4 * 6 / np.sqrt(20_000))


def test_classes_have_their_shares_and_stay_in_order():
    factors = default_factors("gbtm", subjects=100, classes=4, smallest=0.1, separation=1)
    truths = truths_of("gbtm", factors)
    assert truths["class[1].share"] == 0.1
    assert sum(truths[f"class[{g}].share"] for g in range(1, 5)) == pytest.approx(1, abs=1e-15)
    ends = [truths[f"class[{g}].beta[intercept]"] + 4 * truths[f"class[{g}].beta[visit]"] for g in range(1, 5)]
    assert ends == sorted(ends)
