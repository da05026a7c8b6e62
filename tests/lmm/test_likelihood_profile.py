"""Profile intervals: closed forms, a dense likelihood minimised by other means, lme4's numbers, and invariances."""

import numpy as np
import pytest
from scipy.linalg import solve_triangular
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import chi2

from harness.cohorts import fixture_cohort
from harness.errors import SpecError
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.likelihood.profile import End, profile_curve, profile_intervals
from harness.lmm.likelihood.spherical import factor, spherical
from harness.lmm.spec import LmmSpec

QUANTILE = chi2.ppf(0.95, 1)

# lme4 1.1-31, confint(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE)), bobyqa with rhoend 1e-11.
LME4 = {
    0.95: {
        "random.sd[intercept]": (14.381563664350027, 37.715996254696499),
        "random.correlation[days,intercept]": (-0.481500738786691, 0.684985970752715),
        "random.sd[days]": (3.801164102182695, 8.753383159896938),
        "sigma": (22.898266876559347, 28.857996539985120),
        "fixed[intercept]": (237.680695489443281, 265.129514618670441),
        "fixed[days]": (7.358653260046941, 13.575918752251180),
    },
    0.80: {
        "random.sd[intercept]": (17.380813368750378, 32.074246343025621),
        "random.correlation[days,intercept]": (-0.309157445081808, 0.488491631093746),
        "random.sd[days]": (4.387534093588074, 7.511525186051425),
        "sigma": (23.774422518104778, 27.653117263916293),
        "fixed[intercept]": (242.707901632530337, 260.102308122928207),
        "fixed[days]": (8.497335224107324, 12.437236708377576),
    },
}


def by_name(intervals):
    return {interval.parameter: interval for interval in intervals}


@pytest.fixture(scope="module")
def one_way(make_cohort):
    """Return a balanced one-way layout of k = 8 times 4 with given mean squares, and these."""

    def make(between, seed=3):
        stream = np.random.default_rng(seed)
        y = np.repeat(between * stream.standard_normal(8), 4) + stream.standard_normal(32)
        table = y.reshape(8, 4)
        means = table.mean(axis=1)
        sums = 4 * ((means - means.mean()) ** 2).sum(), ((table - means[:, None]) ** 2).sum()
        return make_cohort(id=[f"s{i}" for i in np.repeat(range(8), 4)], y=y), y.mean(), sums

    return make


def one_way_deviance(variance_between, variance, sums, k=8, n=4):
    """-2 log-likelihood of a balanced one-way layout up to a constant, the mean at its estimate."""
    total = variance + n * variance_between
    return k * (n - 1) * np.log(variance) + sums[1] / variance + k * np.log(total) + sums[0] / total


def test_a_balanced_one_way_layout_has_its_closed_form(one_way, make_design):
    cohort, mean, sums = one_way(2.0)
    found = by_name(profile_intervals(make_design("y ~ 1 + (1 | id)", cohort)))
    variance, between = sums[1] / 24, (sums[0] / 8 - sums[1] / 24) / 4
    least = one_way_deviance(between, variance, sums)

    half = np.sqrt(sums[0] / 32 * np.expm1(QUANTILE / 8))  # the sum of squares between grows by 32 half^2
    interval = found["fixed[intercept]"]
    assert (interval.lower, interval.upper) == pytest.approx((mean - half, mean + half), rel=1e-10)

    def over_sigma(sigma):
        return 24 * np.log(sigma**2 / variance) + sums[1] / sigma**2 - 24 - QUANTILE

    interval = found["sigma"]
    sigma = np.sqrt(variance)
    assert interval.lower == pytest.approx(brentq(over_sigma, sigma / 3, sigma, xtol=1e-13), rel=1e-9)
    assert interval.upper == pytest.approx(brentq(over_sigma, sigma, 3 * sigma, xtol=1e-13), rel=1e-9)

    def over_sd(sd):
        best = minimize_scalar(
            lambda log_variance: one_way_deviance(sd**2, np.exp(log_variance), sums),
            bracket=(np.log(variance), np.log(variance) + 0.1),
            options={"xtol": 1e-10},
        )
        return best.fun - least - QUANTILE

    interval, sd = found["random.sd[intercept]"], np.sqrt(between)
    assert interval.lower == pytest.approx(brentq(over_sd, 0.1 * sd, sd, xtol=1e-12), rel=1e-8)
    assert interval.upper == pytest.approx(brentq(over_sd, sd, 5 * sd, xtol=1e-12), rel=1e-8)


def test_a_variance_of_zero_is_a_named_bound_and_the_other_end_exact(one_way, make_design):
    cohort, _, sums = one_way(0.0, seed=5)
    assert sums[0] / 8 < sums[1] / 24, "the layout was to be singular"
    found = by_name(profile_intervals(make_design("y ~ 1 + (1 | id)", cohort)))
    interval = found["random.sd[intercept]"]
    assert (interval.estimate, interval.lower, interval.lower_end) == (pytest.approx(0, abs=1e-6), 0, End.BOUND)
    least = one_way_deviance(0.0, sum(sums) / 32, sums)
    best = minimize_scalar(
        lambda log_variance: one_way_deviance(interval.upper**2, np.exp(log_variance), sums),
        bracket=(-0.1, 0.1),
        options={"xtol": 1e-10},
    )
    assert best.fun - least == pytest.approx(QUANTILE, abs=1e-8)
    assert interval.upper_end is End.CROSSING


def covariance(design, point):
    """V from (log sd, log sd, arcsin r, log sigma), without a factor of G."""
    first, second, r, sigma = np.exp(point[0]), np.exp(point[1]), np.sin(point[2]), np.exp(point[3])
    G = np.array([[first**2, r * first * second], [r * first * second, second**2]])
    subject = np.repeat(np.arange(design.n_subjects), np.diff(design.starts))
    return (subject[:, None] == subject) * (design.Z @ G @ design.Z.T) + sigma**2 * np.eye(len(subject))


def dense_deviance(design, point, held=None):
    """-2 log-likelihood by its definition, the fixed effects profiled out but for (index, value)."""
    X, y = design.X, design.y
    if held is not None:
        y, X = y - held[1] * X[:, held[0]], np.delete(X, held[0], axis=1)
    L = np.linalg.cholesky(covariance(design, point))
    half = solve_triangular(L, np.column_stack([X, y]), lower=True)
    residual = half[:, -1] - half[:, :-1] @ np.linalg.lstsq(half[:, :-1], half[:, -1], rcond=None)[0]
    return 2 * np.log(np.diag(L)).sum() + residual @ residual + len(y) * np.log(2 * np.pi)


def constrained_minimum(design, start, fixed=None, held=None):
    free = [j for j in range(4) if fixed is None or j != fixed[0]]

    def at(values):
        point = np.array(start, dtype=float)
        point[free] = values
        if fixed is not None:
            point[fixed[0]] = fixed[1]
        return dense_deviance(design, point, held)

    found = minimize(at, np.array(start)[free], method="BFGS", options={"gtol": 1e-6})
    return found.fun


def test_the_deviance_at_each_end_has_risen_by_the_quantile(simulate, make_cohort, make_design):
    """The rise by BFGS on dense matrices, in other coordinates."""
    design = make_design(
        "y ~ t + (1 + t | id)", make_cohort(**simulate(m=16, visits=4, sd=(1.5, 0.8), dropout=0, seed=4)), "ML"
    )
    found = by_name(profile_intervals(design))
    estimates = [found[f"random.{name}"].estimate for name in ("sd[intercept]", "sd[t]", "correlation[t,intercept]")]
    sigma = found["sigma"].estimate
    start = [np.log(estimates[0]), np.log(estimates[1]), np.arcsin(estimates[2]), np.log(sigma)]
    least = constrained_minimum(design, start)
    coordinates = {
        "random.sd[intercept]": (0, np.log),
        "random.sd[t]": (1, np.log),
        "random.correlation[t,intercept]": (2, np.arcsin),
        "sigma": (3, np.log),
    }
    for name, interval in found.items():
        assert interval.lower_end is interval.upper_end is End.CROSSING, name
        for end in (interval.lower, interval.upper):
            if name in coordinates:
                index, transform = coordinates[name]
                rise = constrained_minimum(design, start, fixed=(index, transform(end))) - least
            else:
                index = design.fixed_names.index(name.removeprefix("fixed[").removesuffix("]"))
                rise = constrained_minimum(design, start, held=(index, end)) - least
            assert rise == pytest.approx(QUANTILE, abs=1e-8), name


@pytest.mark.parametrize("level", [0.95, 0.80])
def test_intervals_of_sleepstudy_are_those_of_lme4(make_design, level):
    design = make_design("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"))
    found = by_name(profile_intervals(design, level=level))
    assert list(found) == list(LME4[level])
    for name, (lower, upper) in LME4[level].items():
        # Splines through points of the profile: lme4's own accuracy is about 1e-3 of the half width.
        accuracy = 1e-3 * (upper - lower) / 2
        assert (found[name].lower, found[name].upper) == pytest.approx((lower, upper), abs=accuracy), name


def test_intervals_keep_their_ratio_to_units_of_time_and_outcome(simulate, make_cohort, make_design):
    columns = simulate(m=40, seed=6)
    scaled = {**columns, "t": [1e4 * t for t in columns["t"]], "y": [1e-3 * y for y in columns["y"]]}
    found = by_name(profile_intervals(make_design("y ~ t + (1 + t | id)", make_cohort(**columns))))
    other = by_name(profile_intervals(make_design("y ~ t + (1 + t | id)", make_cohort(**scaled))))
    for name, interval in found.items():
        unit = 1 if "correlation" in name else 1e-7 if name.endswith("[t]") else 1e-3
        ends = (unit * interval.lower, unit * interval.upper)
        assert (other[name].lower, other[name].upper) == pytest.approx(ends, rel=1e-7), name


def test_the_origin_of_time_moves_no_interval_of_the_slope(simulate, make_cohort, make_design):
    """Around the year 2000 intercept and slope correlate as -0.999998, and the fit adapts its coordinates."""
    columns = simulate(m=40, seed=6)
    later = {**columns, "t": [2000 + t for t in columns["t"]]}
    here, there = (
        by_name(profile_intervals(make_design("y ~ t + (1 + t | id)", make_cohort(**c)))) for c in (columns, later)
    )
    for name in ("random.sd[t]", "sigma", "fixed[t]"):
        ends = (here[name].lower, here[name].upper)
        assert (there[name].lower, there[name].upper) == pytest.approx(ends, rel=1e-7), name
        assert there[name].lower_end is here[name].lower_end


def test_correlations_of_three_effects_are_the_same_in_another_order(simulate, make_cohort, make_design):
    columns = simulate(m=60, visits=5, sd=(1.5, 0.8), seed=2)
    columns["w"] = [float(t % 2) for t in columns["t"]]
    cohort = make_cohort(**columns)
    first = by_name(profile_intervals(make_design("y ~ t + (1 + t + w | id)", cohort)))
    second = by_name(profile_intervals(make_design("y ~ t + (1 + w + t | id)", cohort)))
    for name, interval in first.items():
        twin = second.get(name) or second["random.correlation[t,w]"]
        assert (interval.lower, interval.upper) == pytest.approx((twin.lower, twin.upper), rel=1e-7), name
        assert (interval.lower_end, interval.upper_end) == (twin.lower_end, twin.upper_end)


def test_a_perfect_correlation_ends_at_its_bound(simulate, make_cohort, make_design):
    columns = simulate(m=60, sd=(1.0, 0.5), correlation=1.0, seed=3)
    design = make_design("y ~ t * g + (1 + t | id)", make_cohort(**columns))
    (interval,) = profile_intervals(design, parameters=["random.correlation[t,intercept]"])
    assert interval.estimate == pytest.approx(1, abs=1e-9)
    assert (interval.upper, interval.upper_end) == (1.0, End.BOUND)
    assert 0 < interval.lower < 1
    assert interval.lower_end is End.CROSSING


def test_sigma_can_be_zero_where_random_effects_explain_each_row(make_cohort, make_design):
    """Eight rows and eight random effects: without residual the deviance stays near its minimum."""
    stream = np.random.default_rng(0)
    y = 20 + np.repeat(stream.standard_normal(4), 2) + np.tile([0.0, -1.0], 4) + stream.standard_normal(8)
    cohort = make_cohort(id=[f"s{i}" for i in np.repeat(range(4), 2)], t=np.tile([0.0, 1.0], 4), y=y)
    found = by_name(profile_intervals(make_design("y ~ t + (1 + t || id)", cohort)))
    assert (found["sigma"].lower, found["sigma"].lower_end) == (0, End.BOUND)
    assert found["sigma"].upper_end is End.CROSSING
    assert np.isfinite([end for one in found.values() for end in (one.lower, one.upper)]).all()


def test_the_only_fixed_effect_has_a_profile_and_nothing_is_printed(one_way, make_design, capfd):
    profile_intervals(make_design("y ~ 1 + (1 | id)", one_way(2.0)[0]))
    assert capfd.readouterr() == ("", "")


def test_the_curve_crosses_the_quantile_at_the_ends_and_zero_at_the_estimate(simulate, make_cohort, make_design):
    design = make_design("y ~ t + (1 + t | id)", make_cohort(**simulate(m=40, sd=(1.5, 0.8), seed=6)))
    for interval in profile_intervals(design):
        assert interval.lower_end is interval.upper_end is End.CROSSING
        values = [interval.upper, interval.estimate, interval.lower]
        curve = profile_curve(design, interval.parameter, values)
        root = np.sqrt(QUANTILE)
        np.testing.assert_allclose(curve.zeta[[0, 2]], [root, -root], rtol=1e-8)
        assert curve.zeta[1] == pytest.approx(0, abs=1e-5)  # the root of the deviance's rounding


def test_a_common_unit_of_the_weights_goes_into_sigma_alone(simulate, make_cohort):
    columns = simulate(m=30, seed=9)
    spec = LmmSpec(formula=parse_formula("y ~ t + (1 + t | id)"), weights="w")
    found = []
    for unit in (1, 4):
        cohort = make_cohort(**columns, w=[unit * (1.0 + i % 3) for i in range(len(columns["y"]))])
        found.append(by_name(profile_intervals(build_design(spec, cohort))))
    for name, interval in found[0].items():
        unit = 2 if name == "sigma" else 1
        ends = (unit * interval.lower, unit * interval.upper)
        assert (found[1][name].lower, found[1][name].upper) == pytest.approx(ends, rel=1e-7), name


def test_what_has_no_profile_is_refused(uneven, make_design):
    design = make_design("y ~ t + (1 | id)", uneven)
    with pytest.raises(SpecError, match="level 95; expected a number between 0 and 1"):
        profile_intervals(design, level=95)
    with pytest.raises(SpecError, match=r"fixed\[T\].*Did you mean 'fixed\[t\]'"):
        profile_intervals(design, parameters=["fixed[T]"])


def test_derivatives_of_the_factor_are_those_of_differences():
    stream = np.random.default_rng(4)
    blocks = (3, 1, 2)
    sds, angles = stream.uniform(0.5, 2, 6), stream.uniform(-1, 1, 4)
    F, F_1, F_2 = factor(sds, angles, blocks)
    assert np.linalg.norm(F, axis=1) == pytest.approx(sds)
    step = 1e-6
    for j in range(10):
        shift = step * np.eye(10)[j]
        up, down = (factor(sds + s * shift[:6], angles + s * shift[6:], blocks) for s in (1, -1))
        np.testing.assert_allclose((up[0] - down[0]) / (2 * step), F_1[j], atol=1e-9)
        np.testing.assert_allclose((up[1] - down[1]) / (2 * step), F_2[j], atol=1e-9)
    back = spherical(F, blocks)
    np.testing.assert_allclose(back[0], sds, rtol=1e-14)
    np.testing.assert_allclose(back[1], angles, rtol=1e-12)
