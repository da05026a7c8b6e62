"""S10: maximum likelihood, Little's test and imputations against closed forms, theorems and our mixed models."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import harness
from harness.scoring import ImprovementRule
from harness.study.imputation import imputations, little_test, maximum_likelihood
from harness.study.imputed_estimates import (
    Ends,
    difference_of_changes,
    ends_at,
    joined,
    mean_change,
    pooled,
    response_rate,
)
from harness.study.missing_data import begin_missing_data
from harness.study.missing_patterns import PATTERNS, before_missing, combined, pattern_counts
from harness.study.model_rows import by_visit, model_rows, own_visits, shared_visits
from harness.study.tipping_point import tipping_point
from harness.study.trajectories import fit_trajectories

NAN = np.nan


@pytest.fixture(scope="module")
def scores(real, plan):
    """MADRS of the six-infusion protocol at its six visits, some missing at random."""
    rows = model_rows(real.data, plan)
    return by_visit(rows[rows["protocol"] == "six"], "madrs", plan.treatment_visits).to_numpy()


def test_maximum_likelihood_of_two_visits_has_andersons_closed_form():
    generator = np.random.default_rng(1)
    y = generator.multivariate_normal([30, 20], [[36, 20], [20, 64]], 80)
    y[50:, 1] = NAN
    found = maximum_likelihood(y)
    # Anderson (1957): the first visit by all, the regression of the second on it by those who have both.
    slope, intercept = np.polyfit(y[:50, 0], y[:50, 1], 1)
    left = np.mean((y[:50, 1] - intercept - slope * y[:50, 0]) ** 2)
    variance = y[:, 0].var()
    np.testing.assert_allclose(found.mean, [y[:, 0].mean(), intercept + slope * y[:, 0].mean()], rtol=1e-9)
    covariance = [[variance, slope * variance], [slope * variance, left + slope**2 * variance]]
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-8)


def test_maximum_likelihood_is_that_of_a_mixed_model_with_any_covariance(scores):
    found = maximum_likelihood(scores)
    n, q = scores.shape
    frame = pd.DataFrame(
        {
            "subject": np.repeat([f"s{i}" for i in range(n)], q),
            "visit": np.tile([f"v{j}" for j in range(q)], n),
            "y": scores.ravel(),
        }
    )
    fit = harness.fit_lmm("y ~ visit + us(visit | subject)", frame, "ML")
    means = fit.means("visit").estimate
    np.testing.assert_allclose(found.mean, means, atol=1e-6)  # both engines stop before 1e-7 of a point


def test_littles_test_adds_up_the_distances_of_the_means_of_patterns():
    generator = np.random.default_rng(2)
    y = generator.multivariate_normal([10, 12, 14], np.full((3, 3), 3.0) + np.diag([2.0, 3, 4]), 60)
    y[40:50, 2], y[50:55, 1:] = NAN, NAN
    found, whole = little_test(y), maximum_likelihood(y)
    statistic = 0.0
    complete = [*range(40), *range(55, 60)]
    for rows, seen in ((complete, [0, 1, 2]), (range(40, 50), [0, 1]), (range(50, 55), [0])):
        apart = y[np.ix_(list(rows), seen)].mean(axis=0) - whole.mean[seen]
        statistic += len(rows) * apart @ np.linalg.inv(whole.covariance[np.ix_(seen, seen)]) @ apart
    assert found.statistic == pytest.approx(statistic, rel=1e-10)
    assert found.df == 3 + 2 + 1 - 3
    assert found.p == pytest.approx(stats.chi2.sf(statistic, 3), rel=1e-12)


def test_littles_test_of_complete_scores_has_no_degrees_of_freedom():
    found = little_test(np.random.default_rng(3).standard_normal((30, 4)))
    assert found.df == 0
    assert np.isnan(found.p)
    assert np.isnan(combined([found, found]).p)


def test_littles_test_rejects_at_its_level_if_ratings_are_missing_completely_at_random():
    generator, rejected, trials = np.random.default_rng(4), 0, 300
    for _ in range(trials):
        y = generator.multivariate_normal([0, 0, 0], np.full((3, 3), 0.5) + np.eye(3) / 2, 100)
        y[generator.random((100, 3)) < [0, 0.1, 0.2]] = NAN
        rejected += little_test(y).p < 0.05
    # Binomial limits of 99.9 % for a level of 5 % in 300 trials.
    assert stats.binom.ppf(0.0005, trials, 0.05) <= rejected <= stats.binom.ppf(0.9995, trials, 0.05)


def test_imputations_keep_what_was_seen_and_follow_from_their_seed(scores):
    drawn = imputations(scores, 5, 7)
    seen = ~np.isnan(scores)
    assert np.isfinite(drawn).all()
    assert np.all(drawn[:, seen] == scores[seen])
    assert np.all(drawn[:, ~seen].std(axis=0) > 0)
    np.testing.assert_array_equal(drawn, imputations(scores, 5, 7))
    assert not np.array_equal(drawn, imputations(scores, 5, 8))


def test_imputed_means_are_those_of_the_likelihood(scores):
    drawn = imputations(scores, 400, 9)
    means, whole = drawn.mean(axis=1), maximum_likelihood(scores)
    # Four standard errors of the mean of 400 imputations, and the distance of posterior mean and mode, about 1/n.
    limits = 4 * means.std(axis=0, ddof=1) / np.sqrt(400) + np.sqrt(np.diag(whole.covariance)) / len(scores)
    assert np.all(np.abs(means.mean(axis=0) - whole.mean) < limits)


def test_imputations_vary_as_the_information_that_is_missing(scores):
    # The variance of the mean over imputations and parameters is that of complete data plus that between imputations;
    # with likelihood it is the inverse information of a mixed model with any covariance.
    drawn = imputations(scores, 400, 11)
    found = pooled(drawn[:, :, -1].mean(axis=1), drawn[:, :, -1].var(axis=1, ddof=1) / len(scores))
    n, q = scores.shape
    frame = pd.DataFrame(
        {
            "subject": np.repeat([f"s{i}" for i in range(n)], q),
            "visit": np.tile([f"v{j}" for j in range(q)], n),
            "y": scores.ravel(),
        }
    )
    fit = harness.fit_lmm("y ~ visit + us(visit | subject)", frame)
    error = fit.means("visit").standard_error[-1]
    assert found.standard_error == pytest.approx(error, rel=0.05)  # 400 draws tell a variance to about 7 %


def test_points_added_to_missing_scores_move_the_mean_by_their_share(scores):
    ends = ends_at(imputations(scores, 20, 13), scores, 5)
    share = np.isnan(scores[:, 5]).mean()
    assert 0 < share < 0.2
    for delta in (1.0, 5.0, 10.0):
        moved = mean_change(ends, delta).estimate - mean_change(ends, 0.0).estimate
        assert moved == pytest.approx(delta * share, rel=1e-12)
    lower, upper = (response_rate(ends, delta, ImprovementRule()) for delta in (10.0, 0.0))
    assert lower < upper


def test_rubins_rules_with_equal_imputations_are_the_t_test():
    change = np.random.default_rng(5).normal(-2, 6, 40)
    one = np.tile(change, (10, 1))
    ends = Ends(first=np.zeros((10, 40)), last=one, missing=np.zeros(40, dtype=bool))
    found, plain = mean_change(ends, 0.0), stats.ttest_1samp(change, 0)
    # Rubin's degrees of freedom are those of Barnard and Rubin: (df + 1) / (df + 3) df of the complete 39.
    assert found.estimate == pytest.approx(change.mean(), rel=1e-12)
    assert found.standard_error == pytest.approx(stats.sem(change), rel=1e-12)
    df = 40 / 42 * 39
    assert found.p == pytest.approx(2 * stats.t.sf(abs(plain.statistic), df), rel=1e-10)


def test_rubins_rules_add_the_variance_between_imputations():
    found = pooled(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7, 0.6]))
    total = 0.6 + (1 + 1 / 3) * 1.0
    df = 2 / ((4 / 3) / total) ** 2
    assert found.estimate == pytest.approx(2.0, rel=1e-15)
    assert found.standard_error == pytest.approx(np.sqrt(total), rel=1e-15)
    assert found.upper == pytest.approx(2 + stats.t.ppf(0.975, df) * np.sqrt(total), rel=1e-12)


def test_differences_of_changes_are_worse_only_where_points_are_added(scores):
    half = len(scores) // 2
    drawn = imputations(scores, 10, 17)
    one, two = (ends_at(drawn[:, rows], scores[rows], 5) for rows in (slice(half), slice(half, None)))
    before = difference_of_changes(one, two, (0.0, 0.0)).estimate
    assert difference_of_changes(one, two, (0.0, 6.0)).estimate == pytest.approx(before + 6 * two.missing.mean())
    assert difference_of_changes(one, two, (6.0, 0.0)).estimate == pytest.approx(before - 6 * one.missing.mean())
    assert joined([one, two]).n_missing == np.isnan(scores[:, 5]).sum()


def test_every_pattern_of_three_visits_is_counted_once():
    names = {
        (1, 1, 1): PATTERNS[0],
        (1, 0, 1): PATTERNS[1],
        (0, 1, 1): PATTERNS[1],
        (0, 0, 1): PATTERNS[1],
        (1, 1, 0): PATTERNS[2],
        (1, 0, 0): PATTERNS[2],
        (0, 1, 0): PATTERNS[3],
        (0, 0, 0): PATTERNS[4],
    }
    for seen in product((0, 1), repeat=3):
        row = np.array([[1.0 if here else NAN for here in seen]])
        counts = pattern_counts(row)
        assert sum(counts) == 1
        assert PATTERNS[counts.index(1)] == names[seen]


def test_only_planned_visits_can_be_missed(real, plan):
    found = before_missing(model_rows(real.data, plan), plan, "madrs")
    assert found[found["protocol"] == "four"]["visit_number"].max() == 2
    assert found[found["protocol"] == "six"]["visit_number"].max() == 4
    rows = model_rows(real.data, plan)
    four = by_visit(rows[rows["protocol"] == "four"], "madrs", plan.treatment_visits[:4])
    missed = sum(int((four.iloc[:, k].notna() & four.iloc[:, k + 1].isna()).sum()) for k in range(3))
    assert found.loc[found["protocol"] == "four", "missed"].sum() == missed


def lost_at_the_end(rows, plan, scale):
    """Return how many patients of each protocol have no score at the last visit that it plans."""
    scores = {
        protocol: by_visit(rows[rows["protocol"] == protocol], scale, own_visits(plan, protocol)).to_numpy()
        for protocol in plan.protocols
    }
    return {protocol: int(np.isnan(one[:, -1]).sum()) for protocol, one in scores.items()}


def test_steps_that_would_tell_few_missing_scores_are_shown_of_all_patients_together(missing, real, plan):
    lost = lost_at_the_end(model_rows(real.data, plan), plan, "madrs")
    assert any(0 < n < 11 for n in lost.values()), "another draw is needed"
    assert sum(lost.values()) >= 11
    header = next(table.header for table in missing.tables if table.name == "madrs.tipping")
    assert header[1:] == tuple(f"all patients: {what}" for what in ("change", "2.5 %", "97.5 %", "response %"))


def test_steps_of_protocols_are_shown_where_many_scores_are_missing(beat_the_blues):
    plan, data = beat_the_blues.plan, beat_the_blues.data
    rows, visits = model_rows(data, plan), shared_visits(data, plan)
    assert min(lost_at_the_end(rows, plan, "bdi").values()) >= 11
    tables = {table.name: table for table in tipping_point(rows, data, plan, "bdi", visits).tables}
    assert [text.split(":")[0] for text in tables["bdi.tipping"].header[1::4]] == ["TAU", "BtheB"]
    assert len(tables["bdi.tipping_difference"].rows) == 11


def test_a_study_without_missing_ratings_has_nothing_to_impute(plan, no_r, data_of, finished):
    frame = harness.simulate_ketamine("pure", 2, {"four": 40, "six": 40})
    data = data_of(frame)
    small = replace(plan, classes=(2,), chosen_classes={}, starts=5, scales=plan.scales[:1])
    models = fit_trajectories(data, small, no_r)
    section = finished(begin_missing_data(models, data, small, no_r))
    assert any("too few ratings are missing" in text for text in section.paragraphs)
    steps = next(table.rows for table in section.tables if table.name == "madrs.tipping")
    assert all(row[1:] == steps[0][1:] for row in steps)
