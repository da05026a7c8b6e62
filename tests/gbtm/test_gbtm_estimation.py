import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import logsumexp

from harness.gbtm.curves import class_curves
from harness.gbtm.density import class_log_densities, log_likelihood
from harness.gbtm.estimation import estimate, estimates_at, reported_jacobian, score_distance
from harness.gbtm.fit import fit


@pytest.fixture(scope="module")
def fitted(design_of):
    design = design_of(orders=(2, 1, 2), sigma="class", n_starts=30)
    return fit(design), design


def test_the_covariance_is_the_inverse_numeric_hessian_in_the_users_units(fitted):
    found, design = fitted
    estimates = estimate(found, design)
    point, P = np.array(found.point), len(found.point)
    # Steps of a thousandth of a standard error's scale in each parameter, four-point second differences.
    errors = np.sqrt(np.diag(estimates.covariance))[1:]
    errors[: design.n_classes - 1] = 0.3
    h = 0.02 * errors

    def value(*moves):
        return log_likelihood(tuple(point + sum(moves)), design, found.class_kinds)

    hessian = np.empty((P, P))
    steps = np.diag(h)
    for a in range(P):
        for b in range(P):
            plus, minus = value(steps[a], steps[b]), value(-steps[a], -steps[b])
            mixed = value(steps[a], -steps[b]) + value(-steps[a], steps[b])
            hessian[a, b] = (plus + minus - mixed) / (4 * h[a] * h[b])
    numeric = np.linalg.inv(-hessian)
    K = design.n_classes
    ours = estimates.covariance[K:, K:]
    theirs = numeric[K - 1 :, K - 1 :]
    scale = np.sqrt(np.outer(np.diag(ours), np.diag(ours)))
    # Second differences with steps of 0.02 standard errors are good to about 1e-4.
    np.testing.assert_allclose(ours / scale, theirs / scale, atol=2e-3)


@pytest.fixture(scope="module")
def weighted(design_of, trial):
    design = design_of(
        (1, 0), "shared", trial, membership="age", covariates="dose", common="stress", weights="sampling", n_starts=10
    )
    return fit(design), design


def slope(function, at, h):
    """Derivatives of a function by each of P numbers with steps h (P,), by five points."""
    moves = np.diag(h)
    return np.array(
        [
            (8 * (function(at + e) - function(at - e)) - (function(at + 2 * e) - function(at - 2 * e))) / (12 * step)
            for e, step in zip(moves, h, strict=True)
        ]
    )


def test_both_covariances_follow_from_the_log_likelihoods_of_subjects(weighted):
    """Weights, risk factors, covariates by class and common: scores of subjects and Hessian by numeric slopes."""
    found, design = weighted
    point, w = np.array(found.point), design.mixture.weights
    h = 1e-3 * np.sqrt(np.diag(estimate(found, design).covariance))[2:]

    def by_subject(at):
        return logsumexp(class_log_densities(tuple(at), design, found.class_kinds), axis=1)

    scores = slope(by_subject, point, h)
    hessian = slope(lambda at: slope(by_subject, at, h) @ w, point, h)
    information = -(hessian + hessian.T) / 2
    inverse = np.linalg.inv(information)
    for kind, expected in (
        ("observed information", inverse),
        ("sandwich", inverse @ (scores * w**2) @ scores.T @ inverse),
    ):
        covariance = estimate(found, design, kind).covariance[2:, 2:]
        scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
        # Slopes of slopes with steps of a thousandth of a standard error: rounding of 1e-15 * 300 / 1e-6.
        np.testing.assert_allclose(covariance / scale, expected / scale, atol=2e-5)


def test_sandwich_and_information_differ_and_each_says_which_it_is(weighted):
    found, design = weighted
    both = [estimate(found, design, kind) for kind in ("observed information", "sandwich")]
    assert [estimates.covariance_kind for estimates in both] == ["observed information", "sandwich"]
    assert np.abs(both[0].covariance / both[1].covariance - 1).max() > 0.01


def test_shares_and_parameters_have_the_jacobian_of_their_slopes(weighted):
    found, design = weighted
    mixture = design.mixture_of(found.class_kinds)
    n_odds = mixture.membership.n_free

    def reported(vector):
        shares = mixture.membership.shares(vector[None, :n_odds], mixture.weights)[0]
        return np.concatenate([shares, mixture.to_user(vector)])

    numeric = slope(reported, found.vector, np.full(mixture.n_free, 1e-3)).T
    jacobian = reported_jacobian(found.vector, mixture)
    np.testing.assert_allclose(jacobian, numeric, atol=1e-9 * np.abs(jacobian).max())


def test_with_risk_factors_mean_posteriors_are_mean_shares(weighted):
    """The score of the intercepts and of each risk factor vanishes: sums of p_ig and of p_ig w_i are those of pi_ig."""
    found, design = weighted
    estimates = estimate(found, design)
    w = design.mixture.weights
    np.testing.assert_allclose(estimates.class_shares, w @ estimates.posterior / w.sum(), rtol=1e-9)


def test_whole_weights_are_as_far_from_an_optimum_as_subjects_that_occur_several_times(design_of, cohort_of):
    stream = np.random.default_rng(3)
    subject, week = np.repeat(range(8), 3), np.tile([0.0, 1.0, 2.0], 8)
    score, times = stream.normal(0, 1, 24) + 3 * (subject % 2), 1 + subject % 3
    rows = np.concatenate([np.flatnonzero(subject == i) for i in range(8) for _ in range(1 + i % 3)])
    repeated = cohort_of(np.repeat(range(len(rows) // 3), 3), week[rows], score[rows])
    cohort = cohort_of(subject, week, score, times=times)
    designs = design_of((1, 1), "shared", cohort, weights="times"), design_of((1, 1), "shared", repeated)
    for point in ((0.1, 0.5, 0.1, 2.5, -0.1, 1.2), (2.0, -9.0, 4.0, 11.0, -3.0, 0.4)):
        distances = [score_distance(point, design) for design in designs]
        # Weights have the mean 1: there are 8 subjects, not 15.
        assert distances[0] == pytest.approx(distances[1] * np.sqrt(8 / (len(rows) / 3)), rel=1e-8)


def test_one_class_has_the_standard_errors_of_maximum_likelihood_least_squares(design_of):
    design = design_of(orders=(2,), sigma="shared")
    estimates = estimate(fit(design), design)
    rows = design.outcomes[0].rows
    reference = sm.OLS(rows.y, np.vander(rows.time, 3, increasing=True)).fit()
    n = design.n_observations
    np.testing.assert_allclose(estimates.covariance[1:4, 1:4], reference.cov_params() * (n - 3) / n, rtol=1e-7)
    assert np.sqrt(estimates.covariance[4, 4]) == pytest.approx(estimates.sigma[0] / np.sqrt(2 * n), rel=1e-9)
    assert estimates.aic == pytest.approx(reference.aic + 2, abs=1e-8)  # statsmodels does not count sigma


def test_shares_are_mean_posteriors_and_their_covariance_sums_to_nothing(fitted):
    estimates = estimate(*fitted)
    np.testing.assert_allclose(estimates.class_shares, estimates.posterior.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(estimates.covariance[:3, :3].sum(axis=0), 0.0, atol=1e-14)
    assert len(estimates.optimum_covariance().paths) == len(estimates.covariance)


def test_criteria_are_the_log_likelihood_with_their_penalties(fitted):
    found, design = fitted
    estimates = estimate(found, design)
    p = 2 + 3 + 2 + 3 + 3
    assert estimates.n_parameters == p == len(found.point)
    assert estimates.aic == pytest.approx(-2 * found.log_likelihood + 2 * p)
    assert estimates.bic_subjects == pytest.approx(-2 * found.log_likelihood + p * np.log(60))
    assert estimates.bic_observations == pytest.approx(-2 * found.log_likelihood + p * np.log(design.n_observations))


def test_the_score_distance_vanishes_at_the_optimum_and_is_the_distance_near_it(fitted):
    found, design = fitted
    assert score_distance(found.point, design, found.class_kinds) < 1e-8
    estimates = estimate(found, design)
    near = np.array(found.point)
    near[-1] += 1e-3 * np.sqrt(estimates.covariance[-1, -1])
    distance = score_distance(tuple(near), design, found.class_kinds)
    gap = found.log_likelihood - log_likelihood(tuple(near), design, found.class_kinds)
    # To the second order the gap is half the square of the distance; the third order is a thousandth of it.
    assert gap == pytest.approx(distance**2 / 2, rel=5e-3, abs=1e-11)
    assert distance >= 1e-3 * (1 - 1e-3)  # 1 / sqrt((I^-1)_jj) <= sqrt(I_jj), up to the third order


def test_the_score_distance_is_finite_and_large_far_from_any_optimum(fitted):
    found, design = fitted
    far = np.array(found.point)
    far[2] += 15.0
    assert 1 < score_distance(tuple(far), design, found.class_kinds) < 1e6


def test_the_score_distance_is_finite_where_two_classes_are_one(design_of):
    design = design_of(orders=(1, 1), sigma="shared")
    single = fit(design_of(orders=(1,), sigma="shared")).point
    twice = (0.0, *single[:2], *single[:2], single[2])
    assert score_distance(twice, design) == pytest.approx(0.0, abs=1e-6)


def test_no_standard_errors_where_the_information_is_singular(design_of, cohort_of):
    stream = np.random.default_rng(0)
    noise = cohort_of(np.repeat(range(60), 5), np.tile(np.arange(5.0), 60), stream.standard_normal(300))
    design = design_of((0,) * 5, "shared", noise, n_starts=20)
    estimates = estimate(fit(design), design)
    assert estimates.covariance is None
    assert estimates.optimum_covariance() is None


def test_estimates_at_a_point_are_those_of_the_fit(fitted):
    found, design = fitted
    there, best = estimates_at(found.point, design, found.class_kinds), estimate(found, design)
    # Row by row there, by sums over rows here.
    assert there.log_likelihood == pytest.approx(best.log_likelihood, rel=1e-14)
    np.testing.assert_allclose(there.posterior, best.posterior, rtol=1e-11, atol=1e-14)
    assert there.covariance is None


@pytest.mark.parametrize(("origin", "unit"), [(2000.0, 1 / 52), (45000.0, 7.0), (1.7e9, 604800.0)])
def test_an_origin_of_time_far_away_costs_no_digits(design_of, cohort_of, simulated, origin, unit):
    """Coefficients of powers of a date cancel to 1e-11 of themselves: nothing may be computed from them."""
    subject, time, outcome, _ = simulated(
        (0.5, 0.3, 0.2), ((20.0, -2.0, 0.1), (22.0, 0.5), (10.0, 1.0, -0.2)), (2,) * 3
    )
    orders, found = (3, 3, 3), []
    for times in (time, origin + unit * time):
        design = design_of(orders, "class", cohort_of(subject, times, outcome), n_starts=20)
        fitted = fit(design)
        at = times.min() + np.linspace(0, 1, 5) * np.ptp(times)
        found.append((estimate(fitted, design), class_curves(fitted, design, at)))
        assert found[-1][0].log_likelihood == fitted.log_likelihood
    (plain, plain_curves), (dated, dated_curves) = found
    # The dates themselves are rounded, by 4e-12 of a week or less.
    assert dated.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(dated.posterior, plain.posterior, atol=1e-9)
    for column in ("fitted", "standard_error"):
        np.testing.assert_allclose(dated_curves[column], plain_curves[column], rtol=1e-9)


def test_an_offset_of_the_outcome_costs_no_digits(design_of, cohort_of, simulated):
    subject, time, outcome, _ = simulated((0.6, 0.4), ((20.0, -2.0), (10.0, 1.0)), (2, 2))
    offset = outcome + 1e9
    log_likelihoods = [
        fit(design_of((1, 1), "shared", cohort_of(subject, time, values), n_starts=20)).log_likelihood
        for values in (offset, offset - 1e9)  # the second is exact
    ]
    assert log_likelihoods[0] == pytest.approx(log_likelihoods[1], abs=1e-9)
