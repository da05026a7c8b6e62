"""Every family against its formula in 50 digits (mpmath), at points where naive code overflows or cancels."""

import mpmath
import numpy as np
import pytest

from harness.gbtm.families.build import row_family
from harness.gbtm.families.censored_normal import mills
from harness.gbtm.families.gamma_derivatives import digamma_and_trigamma
from harness.gbtm.families.gaussian import Gaussian

INF = float("inf")


def normal(y, eta, zeta):
    sigma = mpmath.exp(zeta)
    return -mpmath.log(sigma * mpmath.sqrt(2 * mpmath.pi)) - ((y - eta) / sigma) ** 2 / 2


def censored(y, eta, zeta, limits):
    lower, upper = map(mpmath.mpf, limits)
    sigma = mpmath.exp(zeta)
    if y <= lower:
        return mpmath.log(mpmath.erfc((eta - lower) / sigma / mpmath.sqrt(2)) / 2)
    if y >= upper:
        return mpmath.log(mpmath.erfc((upper - eta) / sigma / mpmath.sqrt(2)) / 2)
    return normal(y, eta, zeta)


def expit(x):
    return 1 / (1 + mpmath.exp(-x))


def binomial(y, eta, _zeta, trials):
    return mpmath.log(mpmath.binomial(trials, y) * expit(eta) ** y * expit(-eta) ** (trials - y))


def count(y, eta, _zeta):
    return y * eta - mpmath.exp(eta) - mpmath.loggamma(y + 1)


def count_with_zeros(y, eta, zeta):
    extra = expit(zeta) if y == 0 else 0
    return mpmath.log(extra + expit(-zeta) * mpmath.exp(count(y, eta, zeta)))


def share(y, eta, zeta):
    phi = mpmath.exp(zeta)
    a, b = expit(eta) * phi, expit(-eta) * phi
    gammas = mpmath.loggamma(phi) - mpmath.loggamma(a) - mpmath.loggamma(b)
    return gammas + (a - 1) * mpmath.log(y) + (b - 1) * mpmath.log(1 - y)


# Family, formula, what else it takes, and points (y, eta, zeta). y and limits are numbers that a double holds exactly.
TABLE = [
    (
        "gaussian",
        normal,
        {},
        [(0.5, 0.5, 0.0), (1.0, -2.0, 0.7), (3.0, 3.0 + 2**-20, -11.0), (-40.0, 25.0, 0.0), (1e3, -1e3, 12.0)],
    ),
    (
        "censored_normal",
        censored,
        {"limits": (0.0, 21.0)},
        [
            (0.0, 1.5, 0.3),
            (0.0, -2.5, 0.3),
            (0.0, 40.0, -0.5),
            (0.0, 48.5, 0.0),
            (0.0, 51.5, 0.0),
            (0.0, 1e4, 0.0),
            (0.0, 1e4, -5.0),
            (0.0, -37.0, 0.0),
            (0.0, 0.0, 9.0),
            (21.0, 20.0, 0.3),
            (21.0, 25.0, 1.3),
            (21.0, -1e4, 0.0),
            (21.0, 60.0, 0.0),
            (10.5, -30.0, 1.0),
            (20.0, 21.0, -4.0),
        ],
    ),
    ("censored_normal", censored, {"limits": (-INF, 4.0)}, [(4.0, 3.0, 0.5), (-90.0, 3.0, 0.5)]),
    ("censored_normal", censored, {"limits": (-4.0, INF)}, [(-4.0, 3.0, 0.5), (90.0, 3.0, 0.5)]),
    (
        "logit",
        binomial,
        {"trials": 1},
        [(0.0, 0.3, 0), (1.0, 0.3, 0), (1.0, 40.0, 0), (0.0, 40.0, 0), (1.0, -300.0, 0), (0.0, -745.0, 0)],
    ),
    (
        "logit",
        binomial,
        {"trials": 12},
        [(0.0, 3.0, 0), (12.0, 3.0, 0), (12.0, 50.0, 0), (5.0, -0.25, 0), (5.0, 90.0, 0), (7.0, -90.0, 0)],
    ),
    ("logit", binomial, {"trials": 10**6}, [(999_999.0, 14.0, 0), (10**6, 20.0, 0), (500_000.0, 1e-3, 0)]),
    (
        "poisson",
        count,
        {},
        [(0.0, 0.5, 0), (3.0, 1.0, 0), (0.0, -60.0, 0), (4.0, -60.0, 0), (150.0, 5.0, 0), (2.0, 60.0, 0)],
    ),
    (
        "zip",
        count_with_zeros,
        {},
        [
            (0.0, 0.4, -0.7),
            (2.0, 0.4, -0.7),
            (0.0, -30.0, 0.2),  # lambda -> 0
            (0.0, -30.0, 35.0),
            (0.0, 6.0, 0.5),  # lambda large
            (0.0, 9.0, -30.0),
            (0.0, 3.0, -20.0),
            (0.0, 3.0, -np.exp(3.0)),  # extra and ordinary equally likely
            (0.0, 2.0, 50.0),  # rho -> 1
            (5.0, 2.0, 50.0),
            (0.0, 0.0, -80.0),  # rho -> 0
            (7.0, 2.0, -80.0),
            (300.0, 5.5, 1.0),
        ],
    ),
    (
        "beta",
        share,
        {},
        [
            (0.5, 0.0, 0.0),
            (0.125, -1.3, 2.1),
            (2**-20, 0.0, 3.0),
            (1 - 2**-20, 0.0, 3.0),
            (0.25, 35.0, 1.0),  # mu -> 1
            (0.25, -35.0, 1.0),
            (0.75, -300.0, 1.0),
            (2**-400, -250.0, 0.5),
            (0.5, 0.25, -30.0),  # phi -> 0
            (0.5, 2**-12, 11.0),  # phi large
            (0.875, 1.0, 8.0),
        ],
    ),
]
POINTS = [
    pytest.param(family, formula, more, point, id=f"{family} {more or ''} {point}")
    for family, formula, more, points in TABLE
    for point in points
]
# Rounding of the largest term of the formula can't be undone by any order of sums.
ROUNDING = 1e-12


def at(family, more, point):
    y, eta, zeta = (np.array([value], dtype=float) for value in point)
    given = {**more, "trials": np.array([float(more["trials"])])} if "trials" in more else more
    return row_family(family, y, **given), eta, zeta


def digits(value):
    return mpmath.mpf(float(value))


@pytest.mark.parametrize(("family", "formula", "more", "point"), POINTS)
def test_the_log_density_is_that_of_the_formula_in_50_digits(family, formula, more, point):
    rows, eta, zeta = at(family, more, point)
    with mpmath.workdps(50):
        exact = float(formula(*map(digits, point), **more))
    terms = max(1.0, abs(exact), abs(point[0] * point[1]), *(more[k] for k in more if k == "trials"))
    if family == "beta":  # log Gamma(phi) is the largest
        terms = max(terms, np.exp(point[2]) * abs(point[2]))
    if family in {"poisson", "zip"}:
        terms = max(terms, np.exp(point[1]))
    assert rows.log_density(eta, zeta)[0] == pytest.approx(exact, rel=0, abs=ROUNDING * terms)


@pytest.mark.parametrize(("family", "formula", "more", "point"), POINTS)
def test_derivatives_are_the_slopes_of_the_formula(family, formula, more, point):
    rows, eta, zeta = at(family, more, point)
    found = rows.derivatives(eta, zeta)
    wanted = {"d_eta": (1, 0), "d2_eta": (2, 0)}
    if rows.has_second:
        wanted |= {"d_zeta": (0, 1), "d_eta_zeta": (1, 1), "d2_zeta": (0, 2)}
    else:
        assert found.d_zeta is found.d_eta_zeta is found.d2_zeta is None
    y, *predictors = map(digits, point)
    with mpmath.workdps(50):
        for name, order in wanted.items():
            exact = mpmath.diff(lambda e, z: formula(y, e, z, **more), tuple(predictors), order)
            tolerance = 1e-7 if sum(order) == 1 else 1e-6
            assert getattr(found, name)[0] == pytest.approx(float(exact), rel=tolerance, abs=1e-14), name


def test_derivatives_of_log_gamma_are_those_of_mpmath():
    x = np.array([1.0, 1 + 1e-9, 1.4616321449683623, 2.0, 5.5, 7.0, 30.0, 1e3, 1e8, 1e15])
    found = digamma_and_trigamma(x)
    for order, values in enumerate(found):
        exact = [float(mpmath.polygamma(order, digits(value))) for value in x]
        # A few units in the last place; digamma passes through 0, where its parts are about 2.
        np.testing.assert_allclose(values, exact, rtol=5e-15, atol=5e-15 if order == 0 else 0)


def test_the_ratio_of_mills_keeps_its_digits_in_the_tail():
    a = np.array([3.0, 0.0, -7.0, -49.9, -50.1, -51.5, -300.0, -1e4, -1e8])
    r, rest = mills(a)
    with mpmath.workdps(50):
        exact = [mpmath.exp(-(digits(x) ** 2) / 2) / mpmath.erfc(-digits(x) / mpmath.sqrt(2)) for x in a]
        exact = [mpmath.sqrt(2 / mpmath.pi) * value for value in exact]
        sums = [float(value + digits(x)) for value, x in zip(exact, a, strict=True)]
    np.testing.assert_allclose(r, [float(value) for value in exact], rtol=1e-14)
    # Next to the series the sum of two numbers of 50 that are of opposite sign is 1/50.
    np.testing.assert_allclose(rest, sums, rtol=50 * 50 * 4e-16)


def test_derivatives_have_the_shape_of_eta_and_zeta_may_be_one_a_class():
    stream = np.random.default_rng(4)
    outcomes = {
        "gaussian": stream.standard_normal(7),
        "censored_normal": np.clip(stream.standard_normal(7), -0.5, 0.5),
        "zip": stream.poisson(1.0, 7).astype(float),
        "beta": stream.uniform(0.1, 0.9, 7),
    }
    eta, zeta = stream.standard_normal((3, 2, 7)), stream.standard_normal((3, 2, 1))
    for family, y in outcomes.items():
        rows = row_family(family, y, limits=(-0.5, 0.5) if family == "censored_normal" else None)
        spread = np.broadcast_to(zeta, eta.shape)
        np.testing.assert_array_equal(rows.log_density(eta, zeta), rows.log_density(eta, spread))
        narrow, wide = rows.derivatives(eta, zeta), rows.derivatives(eta, spread)
        for name in ("d_eta", "d2_eta", "d_zeta", "d_eta_zeta", "d2_zeta"):
            assert getattr(narrow, name).shape == eta.shape, (family, name)
            np.testing.assert_allclose(getattr(narrow, name), getattr(wide, name), rtol=1e-14, err_msg=name)


def test_without_limits_a_censored_normal_is_a_gaussian_exactly():
    stream = np.random.default_rng(1)
    y, eta, zeta = stream.standard_normal((3, 50))
    free, plain = row_family("censored_normal", y, limits=(-INF, INF)), Gaussian(y=y)
    np.testing.assert_array_equal(free.log_density(eta, zeta), plain.log_density(eta, zeta))
    np.testing.assert_array_equal(free.derivatives(eta, zeta).d2_zeta, plain.derivatives(eta, zeta).d2_zeta)
    np.testing.assert_array_equal(free.mean(eta, zeta), plain.mean(eta, zeta))


def test_without_extra_zeros_a_zip_is_a_poisson_exactly():
    stream = np.random.default_rng(1)
    y, eta, never = stream.poisson(1.0, 50).astype(float), stream.normal(0, 3, 50), np.array([-INF])
    extra, plain = row_family("zip", y), row_family("poisson", y)
    np.testing.assert_array_equal(extra.log_density(eta, never), plain.log_density(eta, None))
    found = extra.derivatives(eta, never)
    np.testing.assert_array_equal(found.d_eta, plain.derivatives(eta, None).d_eta)
    np.testing.assert_array_equal(found.d2_eta, plain.derivatives(eta, None).d2_eta)
    for name in ("d_zeta", "d_eta_zeta", "d2_zeta"):
        assert not getattr(found, name).any(), name


@pytest.mark.parametrize("family", ["poisson", "zip", "beta", "logit", "censored_normal"])
def test_predictors_that_a_search_may_try_give_no_warning_and_no_nan(family):
    y = np.array([0.25, 0.5] if family == "beta" else [0.0, 1.0])
    rows = row_family(family, y, limits=(0.0, 1.0))
    eta, zeta = (part.reshape(-1, 1) * np.ones(2) for part in np.meshgrid([-1e4, -800, 0, 800, 1e4], [-200, 0, 200]))
    assert not np.isnan(rows.log_density(eta, zeta)).any()
    found = rows.derivatives(eta, zeta)
    assert np.isfinite(found.d_eta).all()
    assert np.isfinite(found.d2_eta).all()
