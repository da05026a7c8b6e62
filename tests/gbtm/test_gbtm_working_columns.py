"""Working columns: orthogonal, exactly mapped to the user's, and for splines those of R."""

import numpy as np
import pytest

from harness import fixture_cohort
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.working_columns import natural_spline, train_columns

TIMES = np.array([0, 0.5, 1.3, 2, 3.1, 4, 5.5, 6])
# R 4.2.2: splines::ns(TIMES, knots = c(1.5, 3.5), Boundary.knots = c(0, 6), intercept = TRUE)
NS = np.array(
    [
        (-0.238667185252719, -0.228895887219167, 0.640908484213668, -0.412012596994501),
        (0.112409595178109, -0.167897754046264, 0.48122482244065, -0.309358814426132),
        (0.531152703127555, -0.0275276453426067, 0.272366295848188, -0.175092618759549),
        (0.611742261343203, 0.177145080835748, 0.183623403289536, -0.116059489416289),
        (0.342377509483226, 0.506938917058737, 0.19707473593924, -0.0616750286593526),
        (0.114182274838254, 0.543719628840946, 0.261288742949055, 0.0764731096914804),
        (0.00178409804434773, 0.0760142450284544, 0.377530484290698, 0.544603418828996),
        (0, -0.149006622516556, 0.417218543046358, 0.731788079470199),
    ]
)


def test_the_span_of_the_spline_is_that_of_r():
    own = np.column_stack([np.ones(8), natural_spline(TIMES, np.array([0, 1.5, 3.5, 6]))])
    assert np.linalg.matrix_rank(own) == np.linalg.matrix_rank(NS) == 4
    for columns, others in ((own, NS), (NS, own)):
        fitted = columns @ np.linalg.lstsq(columns, others, rcond=None)[0]
        # R's numbers were written with fifteen digits; cubes of 6 stand beside them.
        np.testing.assert_allclose(fitted, others, atol=1e-12 * np.abs(others).max())


def test_one_class_with_a_spline_has_the_log_likelihood_of_lm():
    spec = GbtmSpec(outcome="reaction", time="days", subject="subject", orders=(3,), knots=(3, 6))
    found = fit_gbtm_cohort(spec, fixture_cohort("sleepstudy"))
    # R 4.2.2: logLik(lm(Reaction ~ splines::ns(Days, knots = c(3, 6)), lme4::sleepstudy))
    assert found.log_likelihood == pytest.approx(-949.924610704220, abs=1e-9)
    assert [parameter.name for parameter in found.estimates.parameters[:4]] == [
        "intercept",
        "days",
        "ns(days)[2]",
        "ns(days)[3]",
    ]


def test_a_natural_spline_is_straight_beyond_its_boundary_knots():
    beyond = natural_spline(np.array([7.0, 8.0, 9.0, 10.0]), np.array([0, 1.5, 3.5, 6]))
    np.testing.assert_allclose(np.diff(beyond, n=2, axis=0), 0.0, atol=1e-11)


RANDOM = np.random.default_rng(3)
MANY = np.sort(RANDOM.uniform(2015, 2023, 40))
COVARIATES = RANDOM.normal((70, 0.02), (12, 0.004), (40, 2))
COMMON = RANDOM.normal(3e5, 2e4, (40, 1))


@pytest.mark.parametrize("knots", [(), (2016.5, 2019.0)])
def test_working_columns_are_orthogonal_and_raw_columns_map_to_them(knots):
    columns = train_columns(MANY, COVARIATES, COMMON, 3, knots)
    X, T = columns.at(MANY, COVARIATES, COMMON), columns.raw_from_working()
    by_class = X[:, :6]
    np.testing.assert_allclose(by_class.T @ by_class, 40 * np.eye(6), atol=40 * 1e-12)
    np.testing.assert_allclose(X[:, 0], 1.0, rtol=1e-13)
    np.testing.assert_allclose(X[:, 6:].mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(X[:, 6:].std(axis=0), 1.0, rtol=1e-12)
    time = (
        natural_spline(MANY, np.array([MANY[0], *knots, MANY[-1]]))
        if knots
        else np.vander(MANY, 4, increasing=True)[:, 1:]
    )
    raw = np.column_stack([np.ones(40), COVARIATES, time, COMMON])
    np.testing.assert_array_equal(T, np.triu(T))
    # A sum of terms as large as raw @ T is rounded to 1e-16 of them: all that powers of a year leave.
    rounding = np.abs(raw) @ np.abs(T) * 1e-14
    assert (np.abs(raw @ T - X) <= rounding).all()


def test_covariates_that_are_not_given_are_at_their_means():
    columns = train_columns(MANY, COVARIATES, COMMON, 2, ())
    means = np.tile(COVARIATES.mean(axis=0), (5, 1)), np.tile(COMMON.mean(axis=0), (5, 1))
    at = np.linspace(2014, 2025, 5)
    np.testing.assert_allclose(columns.at(at), columns.at(at, *means), atol=1e-12)


def test_a_constant_time_has_an_intercept_only():
    columns = train_columns(np.full(4, 7.0), np.empty((4, 0)), np.empty((4, 0)), 0, ())
    np.testing.assert_allclose(columns.at(np.full(4, 7.0)), np.ones((4, 1)), rtol=1e-15)
    np.testing.assert_allclose(columns.raw_from_working(), np.eye(1), rtol=1e-15)
