"""The profiled criterion and its derivatives, at parameters that no optimiser chose."""

import tracemalloc

import mpmath
import numpy as np
import pytest

from harness.lmm.covariance import lower_triangular, relative_factor, theta_of
from harness.lmm.curvature import distance_to_optimum
from harness.lmm.deviance import profiled_deviance
from harness.lmm.evaluation import evaluate, pivoted
from harness.lmm.fit import fit
from harness.lmm.patterns import sufficient_statistics

CORRELATED = ((1.0, 0.0, 1.0), (0.5, 0.3, 0.2), (1.5, -0.6, 0.05))
# lme4 1.1-31 computed these: lmer(f, d, REML = r, devFunOnly = TRUE)(theta), on the panel `uneven`.
LME4 = [
    ("(1 + t | id)", "REML", (1.0, 0.0, 1.0), 80.786942326163597),
    ("(1 + t | id)", "REML", (0.5, 0.3, 0.2), 78.458578677393675),
    ("(1 + t | id)", "REML", (1.5, -0.6, 0.05), 81.246961405425708),
    ("(1 + t | id)", "ML", (1.0, 0.0, 1.0), 89.55907435967967),
    ("(1 + t | id)", "ML", (0.5, 0.3, 0.2), 84.228061880173868),
    ("(1 + t | id)", "ML", (1.5, -0.6, 0.05), 86.681915895350983),
    ("(1 + t || id)", "REML", (0.5, 0.2), 78.106935341280447),
    ("(1 + t || id)", "REML", (2.0, 0.0), 75.007196136853551),
    ("(1 + t || id)", "ML", (0.5, 0.2), 82.691921358050323),
    ("(1 | id)", "REML", (0.25,), 79.653888525279598),
    ("(1 | id)", "ML", (3.0,), 82.821528543890139),
]


@pytest.mark.parametrize(("random", "criterion", "theta", "value"), LME4)
def test_deviance_equals_lme4_away_from_the_optimum(uneven, make_design, *, random, criterion, theta, value):
    design = make_design(f"y ~ t * g + {random}", uneven, criterion)
    assert profiled_deviance(np.array(theta), design) == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize(
    ("formula", "theta"),
    [
        *(("y ~ t * g + (1 + t | id)", theta) for theta in CORRELATED),
        ("y ~ 0 + t + (1 + t || id)", (0.7, 0.4)),
        ("y ~ t^2 + g + (0 + t | id)", (0.7,)),
        ("y ~ t + (1 + t + t^2 | id)", (1.0, 0.3, -0.1, 0.4, 0.2, 0.1)),
        ("y ~ t + (0 + t + exp(t) || id)", (0.4, 0.01)),
    ],
)
def test_both_forms_of_the_deviance_equal_its_definition(
    dense_criterion, uneven, make_design, *, formula, theta, criterion
):
    design = make_design(formula, uneven, criterion)
    statistics = sufficient_statistics(design)
    expected = dense_criterion(theta, design)
    assert profiled_deviance(np.array(theta), design) == pytest.approx(expected, rel=1e-12)
    assert evaluate(working(np.array(theta), statistics), statistics).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize(
    ("formula", "theta"),
    [
        *(("y ~ t * g + (1 + t | id)", theta) for theta in (*CORRELATED, (0.0, 0.4, 0.3), (0.8, -0.2, 0.0))),
        ("y ~ t + (1 + t || id)", (0.7, 0.4)),
        ("y ~ t + (1 | id)", (0.7,)),
        ("y ~ t + (1 + t + t^2 | id)", (1.0, 0.3, -0.1, 0.4, 0.2, 0.1)),
    ],
)
def test_gradient_and_hessian_are_those_of_the_value(uneven, make_design, formula, theta, criterion):
    design = make_design(formula, uneven, criterion)
    statistics = sufficient_statistics(design)
    Lambda = working(np.array(theta), statistics)
    here, centre = evaluate(Lambda, statistics), statistics.layout.theta(Lambda)

    def at(theta):
        return evaluate(statistics.layout.factor(theta), statistics)

    step = 1e-4
    for j, unit in enumerate(np.eye(len(centre))):
        up, down = at(centre + step * unit), at(centre - step * unit)
        # Central differences: an error of step^2 times the third derivative (here up to 50) over 6.
        assert here.gradient[j] == pytest.approx((up.value - down.value) / (2 * step), rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(here.hessian[j], (up.gradient - down.gradient) / (2 * step), rtol=1e-6, atol=1e-6)


def test_an_offset_of_the_outcome_costs_no_digits(uneven, make_design, make_cohort):
    """40 digits decide, on the very doubles of y + 1e7."""
    shifted = make_cohort(
        id=[uneven.factors["id"].levels[k] for k in uneven.factors["id"].codes],
        t=uneven.numeric["t"],
        y=uneven.numeric["y"] + 1e7,
    )
    design = make_design("y ~ t + (1 + t | id)", shifted)
    theta = np.array([0.5, 0.3, 0.2])
    with mpmath.workdps(40):
        expected = float(exact(theta, design))
    assert profiled_deviance(theta, design) == pytest.approx(expected, rel=1e-12)
    statistics = sufficient_statistics(design)
    assert evaluate(working(theta, statistics), statistics).value == pytest.approx(expected, rel=1e-12)


def test_a_tiny_sigma_costs_no_digits(simulate, make_cohort, make_design):
    """G/sigma^2 of 4e11, where least squares is far from generalised least squares."""
    design = make_design("y ~ t + (1 + t | id)", make_cohort(**simulate(m=8, sd=(6, 2), sigma=1e-5)), "ML")
    theta = np.array([6e5, 2e4, 1.8e5])
    with mpmath.workdps(60):
        expected = float(exact(theta, design))
    # The outcome, about 20, is rounded by 4e-15: 4e-10 of sigma.
    assert profiled_deviance(theta, design) == pytest.approx(expected, rel=1e-9)


def working(theta, statistics):
    """Lambda in the coordinates of the statistics."""
    factor = statistics.layout.factor(theta)
    return statistics.coordinates.working_factor(factor)


def exact(theta, design):
    """-2 log-likelihood in mpmath's working precision."""
    L = mpmath.matrix([[theta[0], 0], [theta[1], theta[2]]])
    D, p, n = mpmath.matrix(np.column_stack([design.X, design.y]).tolist()), design.n_fixed, design.n_observations
    M, log_det = mpmath.zeros(p + 1), mpmath.mpf(0)
    for rows in design.subject_rows():
        half = mpmath.matrix(design.Z[rows].tolist()) * L
        V = mpmath.eye(half.rows) + half * half.T
        own = D[rows.start : rows.stop, :]
        M += own.T * mpmath.inverse(V) * own
        log_det += mpmath.log(mpmath.det(V))
    A = M[:p, :p]
    residual = M[p, p] - (M[p, :p] * mpmath.lu_solve(A, M[:p, p]))[0]
    if design.criterion == "REML":
        log_det, n = log_det + mpmath.log(mpmath.det(A)), n - p
    return log_det + n * (1 + mpmath.log(2 * mpmath.pi * residual / n))


def test_a_theta_of_the_wrong_length_is_refused(uneven, make_design):
    with pytest.raises(ValueError, match=r"shape \(2,\); expected \(3,\)"):
        profiled_deviance(np.ones(2), make_design("y ~ t + (1 + t | id)", uneven))


def test_the_distance_to_the_optimum_is_the_root_of_the_gap(simulate, make_cohort, make_design):
    design = make_design("y ~ t * g + (1 + t | id)", make_cohort(**simulate()))
    best = fit(design)
    assert distance_to_optimum(best.theta, design) < 1e-12
    near = best.theta * (1 + 1e-4)
    gap = profiled_deviance(near, design) - best.deviance
    # Terms of third order are as small as the step; the gap of 1e-6 is known to about 1e-12.
    assert distance_to_optimum(near, design) == pytest.approx(np.sqrt(gap), rel=1e-3)


def test_the_distance_from_a_false_boundary_is_infinite(simulate, make_cohort, make_design):
    """The gradient in a zero column of Lambda is zero whatever the data, so the gradient alone would say 0."""
    design = make_design("y ~ t + (1 | id)", make_cohort(**simulate()))
    assert distance_to_optimum(np.zeros(1), design) == np.inf


def test_pivoting_changes_nothing_but_the_coordinates(uneven, make_design):
    design = make_design("y ~ t * g + (1 + t | id)", uneven)
    statistics = sufficient_statistics(design)
    Lambda = working(np.array([0.05, 0.6, 0.4]), statistics)
    turned, there = pivoted(statistics, Lambda)
    np.testing.assert_array_equal(turned.coordinates.random, statistics.coordinates.random[:, [1, 0]])
    assert evaluate(there, turned).value == pytest.approx(evaluate(Lambda, statistics).value, rel=1e-14)


@pytest.mark.parametrize("origin", [0, 45_000], ids=["plain coordinates", "adapted coordinates"])
def test_subjects_of_many_rows_give_the_criterion_of_the_definition(
    dense_criterion, simulate, make_cohort, make_design, origin
):
    """Of more than a hundred rows of a subject the rotation is not formed; far from the origin they are adapted."""
    near = simulate(m=4, visits=150, seed=3)
    design, at_zero = (
        make_design("y ~ t + (1 + t | id)", make_cohort(**{**near, "t": shift + near["t"]})) for shift in (origin, 0)
    )
    theta = np.array([1.0, 0.3, 0.2])
    Lambda = relative_factor(theta, (2,))
    Lambda[0] -= origin * Lambda[1]
    turned = theta_of(lower_triangular(Lambda))
    assert profiled_deviance(turned, design) == pytest.approx(dense_criterion(theta, at_zero), rel=1e-12)


def test_memory_grows_with_the_rows_of_a_subject_not_with_their_square(simulate, make_cohort, make_design):
    design = make_design("y ~ t + (1 + t | id)", make_cohort(**simulate(m=2, visits=3000, dropout=0.0)))
    tracemalloc.start()
    sufficient_statistics(design)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 3000**2 / 10  # the square of one subject's rows is 72 MB
