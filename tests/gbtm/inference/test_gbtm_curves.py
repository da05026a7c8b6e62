import numpy as np
import pytest
from scipy import integrate
from scipy.stats import chi2, norm

from harness.errors import SpecError
from harness.gbtm.inference.bands import critical_value
from harness.gbtm.inference.mean_curves import mean_curves
from harness.gbtm.inference.observed_scale import bounded, unbounded
from harness.gbtm.uncertainty import free_covariance

TIMES = np.array([0.0, 1.0, 3.0, 5.0])


def numerical_slopes(curve, vector):
    """Central differences, whose error is about step^2 = 1e-10 of curves with curvature 1."""
    steps = 1e-5 * np.eye(len(vector))
    return np.stack([(curve(vector + s) - curve(vector - s)) / 2e-5 for s in steps], axis=-1)


@pytest.mark.parametrize("scale", ["predictor", "response"])
def test_slopes_of_curves_are_their_derivatives(every_family, scale):
    fit, outcome = every_family.fit, every_family.design.outcomes[0]
    mixture = every_family.design.mixture_of(fit.class_kinds)

    def curve(vector):
        return mean_curves(vector, mixture, outcome, TIMES, scale=scale).fitted

    found = mean_curves(fit.vector, mixture, outcome, TIMES, scale=scale)
    expected = numerical_slopes(curve, fit.vector)
    np.testing.assert_allclose(found.slopes, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())
    errors = np.sqrt(np.einsum("ktp,pq,ktq->kt", expected, free_covariance(fit.vector, mixture), expected))
    table = every_family.class_curves(TIMES, scale=scale, standard_errors="observed information")
    np.testing.assert_allclose(table["standard_error"], errors.ravel(), rtol=1e-6)
    np.testing.assert_allclose(table["fitted"], found.fitted.ravel())


def test_the_observed_mean_of_a_censored_outcome_is_the_integral_over_the_latent_one(family_fit):
    fit = family_fit("censored_normal")
    (low, high), sigma = fit.spec.limits, fit.sigma[0]
    table = fit.class_curves(TIMES, scale="response")
    latent = fit.class_curves(TIMES)["fitted"]
    for mean, eta in zip(table["fitted"], latent, strict=True):

        def observed(y, eta=eta):
            return np.clip(y, low, high) * norm.pdf(y, eta, sigma)

        expected = integrate.quad(observed, eta - 12 * sigma, eta + 12 * sigma, points=[low, high], epsabs=1e-12)[0]
        assert mean == pytest.approx(expected, abs=1e-9)


def test_the_observed_mean_of_zero_inflated_counts_is_what_their_law_has(family_fit):
    fit = family_fit("zip")
    table = fit.class_curves(TIMES, scale="response")
    rate = np.exp(fit.class_curves(TIMES)["fitted"].to_numpy()).reshape(2, -1)
    inflated = next(g for g, kind in enumerate(fit.fit.class_kinds) if kind[1] >= 0)
    extra = 1 / (1 + np.exp(-np.vander(TIMES, 2, increasing=True) @ fit.estimates.of_role("zero", inflated + 1)))
    rate[inflated] *= 1 - extra
    np.testing.assert_allclose(table["fitted"], rate.ravel(), rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("logit", 0, 1), ("beta", 0, 1), ("poisson", 0, np.inf), ("zip", 0, np.inf), ("censored_normal", -0.5, 4)],
)
def test_bands_on_the_scale_of_the_response_stay_in_its_range(family_fit, name, low, high):
    table = family_fit(name).class_curves(np.array([-30.0, 0.0, 3.0, 60.0]), scale="response", level=0.999)
    assert table["lower"].ge(low).all()
    assert table["upper"].le(high).all()
    assert table["lower"].le(table["fitted"]).all()
    assert table["upper"].ge(table["fitted"]).all()


@pytest.mark.parametrize("limits", [(-np.inf, np.inf), (0.0, np.inf), (-np.inf, 2.0), (0.0, 2.0)])
def test_the_scale_without_bounds_is_inverted_and_has_its_slope(limits):
    mean = np.array([0.2, 1.0, 1.7])
    values, slope = unbounded(mean, limits)
    np.testing.assert_allclose(bounded(values, limits), mean, rtol=1e-14)
    up, down = (unbounded(mean + step, limits)[0] for step in (1e-6, -1e-6))
    np.testing.assert_allclose(slope, (up - down) / 2e-6, rtol=1e-8)


def test_on_the_predictor_of_a_logit_and_on_its_mean_bands_are_the_same(family_fit):
    one, other = (family_fit("logit").class_curves(TIMES, scale=scale) for scale in ("predictor", "response"))
    for name in ("fitted", "lower", "upper"):
        np.testing.assert_allclose(1 / (1 + np.exp(-one[name])), other[name], rtol=1e-12)


def test_differences_know_how_curves_covary(family_fit):
    fit = family_fit("random")
    table = fit.curve_differences(2, 1, TIMES)
    for row in table.itertuples():
        weights = {f"class[{g}].beta[{name}]": sign * x for g, sign in ((2, 1), (1, -1)) for name, x in _at(row.week)}
        test = fit.wald(weights)
        assert row.difference == pytest.approx(test.estimates[0], rel=1e-10)
        assert row.standard_error == pytest.approx(test.standard_errors[0], rel=1e-8)
    np.testing.assert_allclose(table["upper"] - table["difference"], 1.959963984540054 * table["standard_error"])


def _at(week):
    return (("intercept", 1.0), ("week", week)) if week else (("intercept", 1.0),)


def test_differences_of_means_are_those_of_the_curves(family_fit):
    fit = family_fit("poisson")
    curves = fit.class_curves(TIMES, scale="response")["fitted"].to_numpy().reshape(2, -1)
    table = fit.curve_differences(1, 2, TIMES, scale="response")
    np.testing.assert_allclose(table["difference"], curves[0] - curves[1], rtol=1e-12)


def test_simultaneous_bands_have_the_known_width_of_independent_and_of_equal_functions():
    # Monte Carlo: sqrt(0.05 * 0.95 / 20000) = 0.0015 of probability, over a density of about 0.12: 0.013; four of them.
    for slopes, expected in ((np.eye(2), norm.ppf((1 + np.sqrt(0.95)) / 2)), (np.ones((5, 2)), norm.ppf(0.975))):
        assert critical_value(slopes, np.eye(2), 0.95, "simultaneous", 1) == pytest.approx(expected, abs=0.05)


def test_simultaneous_bands_are_wider_and_the_same_for_the_same_seed(family_fit):
    fit = family_fit("gaussian")
    narrow, wide, again = (fit.class_curves(bands=bands) for bands in ("pointwise", "simultaneous", "simultaneous"))
    assert wide.equals(again)
    assert (wide["upper"] > narrow["upper"]).all()
    ratio = (wide["upper"] - wide["fitted"]) / (narrow["upper"] - narrow["fitted"])
    # A line has two parameters: Scheffe's band, for all times there are, is an upper bound (and 0.03 of Monte Carlo).
    assert ratio.between(1.0, np.sqrt(chi2.ppf(0.95, 2)) / norm.ppf(0.975) + 0.03).all()


def test_weights_of_subjects_count_in_observed_means(family_fit):
    fit = family_fit("weighted")
    means = fit.observed_means()
    rows, weights = fit.design.outcomes[0].rows, fit.design.subjects.weights
    here = rows.time == means["week"].iloc[0]
    by_row = (fit.posterior[:, 0] * weights)[rows.panel.subject][here]
    assert means["mean"].iloc[0] == pytest.approx(np.sum(by_row * rows.y[here]) / by_row.sum(), rel=1e-12)


def test_settings_of_bands_are_refused_together(family_fit):
    fit = family_fit("gaussian")
    with pytest.raises(SpecError) as refusal:
        fit.class_curves(level=1.5, scale="odds", bands="wide")
    assert len(refusal.value.problems) == 3
    with pytest.raises(SpecError, match="class 3; expected a class from 1 to 2"):
        fit.curve_differences(3, 1)
    with pytest.raises(SpecError, match="class 1 twice"):
        fit.curve_differences(1, 1)


def test_a_mean_that_needs_a_sigma_by_visit_is_refused_elsewhere(family_table):
    from harness.trajectories import fit_gbtm

    fit = fit_gbtm(
        family_table,
        outcome="bounded",
        time="week",
        subject="id",
        orders=(0, 0),
        family="censored_normal",
        limits=(-0.5, 4.0),
        sigma="visit",
        n_starts=4,
    )
    assert fit.class_curves(np.array([1.0, 2.0]), scale="response")["fitted"].between(-0.5, 4.0).all()
    with pytest.raises(SpecError, match="expected the times of visits"):
        fit.class_curves(np.array([1.5]), scale="response")
    assert fit.class_curves(np.array([1.5]))["fitted"].notna().all()


def test_a_mean_count_that_is_no_number_is_refused(family_fit):
    fit = family_fit("poisson")
    assert np.isfinite(fit.class_curves([-1e5, 1e5])["fitted"]).all()
    with pytest.raises(SpecError, match="times at which the mean is a number"):
        fit.class_curves([-1e5, 1e5], scale="response")
