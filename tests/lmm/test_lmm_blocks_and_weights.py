"""Random effects in independent blocks, and prior weights: the criterion, its derivatives, and the optimum."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort
from harness.convergence import Stop
from harness.formula import parse_formula
from harness.lmm.covariance import layout, pivot_order, relative_factor, theta_of
from harness.lmm.design import build_design
from harness.lmm.deviance import profiled_deviance
from harness.lmm.evaluation import evaluate
from harness.lmm.fit import fit
from harness.lmm.patterns import sufficient_statistics
from harness.lmm.spec import LmmSpec

BLOCKS = "(1 | id) + (0 + t + exp(t) | id)"
BACKWARDS = "(0 + t + exp(t) | id) + (1 | id)"
# lme4 1.1-31 computed these on the panel `uneven`: lmer(f, d, REML = r, weights = w, devFunOnly = TRUE)(theta), where
# w is 1, 1.5, 2, 0.5, 1, 1.5, ... by rows.
WEIGHTED = [
    ("(1 + t | id)", "REML", (1.0, 0.0, 1.0), 82.108806339395244),
    ("(1 + t | id)", "REML", (0.5, 0.3, 0.2), 79.822729329339026),
    ("(1 + t | id)", "REML", (1.5, -0.6, 0.05), 82.288571113914401),
    ("(1 + t | id)", "ML", (1.0, 0.0, 1.0), 91.478276423644431),
    ("(1 + t | id)", "ML", (0.5, 0.3, 0.2), 86.277090463494289),
    ("(1 + t | id)", "ML", (1.5, -0.6, 0.05), 87.988593709078174),
    ("(1 | id)", "REML", (0.25,), 81.045735003432966),
    ("(1 | id)", "ML", (0.25,), 85.220687189831438),
    ("(1 + t || id)", "REML", (2.0, 0.0), 76.150750217364305),
    ("(1 + t || id)", "ML", (2.0, 0.0), 82.067976641720605),
    (BLOCKS, "REML", (0.4, 0.3, -0.1, 0.2), 92.733649019904462),
    (BLOCKS, "ML", (0.4, 0.3, -0.1, 0.2), 100.20105553896491),
]
UNWEIGHTED = [
    (BLOCKS, "REML", (0.4, 0.3, -0.1, 0.2), 90.964762721551438),
    (BLOCKS, "ML", (0.4, 0.3, -0.1, 0.2), 98.054684726531633),
]


def designed(cohort, random, criterion="REML", weights=None, fixed="t * g"):
    """Return the design; weights is a vector by rows."""
    formula = parse_formula(f"y ~ {fixed} + {random}")
    if weights is not None:
        cohort = replace(cohort, numeric={**cohort.numeric, "w": np.asarray(weights, dtype=float)})
    return build_design(LmmSpec(formula=formula, criterion=criterion, weights=None if weights is None else "w"), cohort)


def some_weights(n):
    return 0.5 + np.arange(1, n + 1) % 4 / 2


def evaluated(theta, design):
    statistics = sufficient_statistics(design)
    Lambda = statistics.coordinates.working_factor(relative_factor(np.array(theta), design.blocks))
    return evaluate(Lambda, statistics), Lambda, statistics


@pytest.mark.parametrize(("random", "criterion", "theta", "value"), WEIGHTED)
def test_the_weighted_criterion_equals_lme4(uneven, *, random, criterion, theta, value):
    design = designed(uneven, random, criterion, some_weights(uneven.n_rows))
    assert profiled_deviance(np.array(theta), design) == pytest.approx(value, rel=1e-13)
    assert evaluated(theta, design)[0].value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("random", "criterion", "theta", "value"), UNWEIGHTED)
def test_the_criterion_of_blocks_equals_lme4(uneven, *, random, criterion, theta, value):
    assert profiled_deviance(np.array(theta), designed(uneven, random, criterion)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("random", "theta"),
    [
        ("(1 + t | id)", (0.5, 0.3, 0.2)),
        (BLOCKS, (0.4, 0.3, -0.1, 0.2)),
        (BACKWARDS, (0.3, -0.1, 0.2, 0.4)),
        ("(1 + t || id)", (0.7, 0.4)),
    ],
)
def test_criterion_gradient_and_hessian_are_those_of_the_definition(
    uneven, dense_criterion, *, random, theta, weighted, criterion
):
    design = designed(uneven, random, criterion, some_weights(uneven.n_rows) if weighted else None)
    here, Lambda, statistics = evaluated(theta, design)
    assert here.value == pytest.approx(dense_criterion(theta, design), rel=1e-12)
    assert profiled_deviance(np.array(theta), design) == pytest.approx(dense_criterion(theta, design), rel=1e-12)
    step = 1e-4
    for j in range(len(theta)):
        unit = np.eye(len(theta))[j] * step
        moved = [evaluate(Lambda + statistics.layout.factor(sign * unit), statistics) for sign in (1, -1)]
        # Central differences: an error of step^2 times the third derivative over 6.
        slope = (moved[0].value - moved[1].value) / (2 * step)
        curve = (moved[0].gradient - moved[1].gradient) / (2 * step)
        assert here.gradient[j] == pytest.approx(slope, rel=1e-6, abs=1e-5)
        np.testing.assert_allclose(here.hessian[j], curve, rtol=1e-5, atol=1e-5)


def test_weights_of_one_are_no_weights(uneven):
    weighted, plain = (fit(designed(uneven, "(1 + t | id)", weights=w)) for w in (np.ones(uneven.n_rows), None))
    assert weighted.deviance == plain.deviance
    np.testing.assert_array_equal(weighted.theta, plain.theta)


def test_the_unit_of_weights_moves_sigma_and_nothing_else(uneven):
    """V = sigma^2 (diag(1/w) + Z Gamma Z'): with 4w, sigma is twice as large and Lambda half."""
    w = some_weights(uneven.n_rows)
    one, four = (fit(designed(uneven, "(1 + t | id)", weights=unit * w)) for unit in (1, 4))
    assert four.deviance == pytest.approx(one.deviance, rel=1e-13)
    assert four.sigma == pytest.approx(2 * one.sigma, rel=1e-10)
    np.testing.assert_allclose(2 * four.theta, one.theta, rtol=1e-7)
    np.testing.assert_allclose(four.beta, one.beta, rtol=1e-9)


def test_rows_written_twice_are_not_weights(uneven):
    """A weight of 2 halves a row's variance; a second copy of it is one observation more."""
    twice = np.repeat(np.arange(uneven.n_rows), 2)
    copied = Cohort(
        name="copied",
        subject="id",
        time=None,
        numeric={name: values[twice] for name, values in uneven.numeric.items()},
        factors={name: replace(each, codes=each.codes[twice]) for name, each in uneven.factors.items()},
    )
    weighted, double = designed(uneven, "(1 | id)", weights=np.full(uneven.n_rows, 2.0)), designed(copied, "(1 | id)")
    theta = np.array([0.7])
    n, p = uneven.n_rows, weighted.n_fixed
    here, there = evaluated(theta, weighted)[0], evaluated(theta, double)[0]
    # The residual sum of squares is the same; sigma's divisor counts rows.
    assert there.residual == pytest.approx(here.residual, rel=1e-12)
    assert (here.df, there.df) == (n - p, 2 * n - p)


def test_marginal_covariances_are_those_of_the_model(uneven):
    design = designed(uneven, BLOCKS, weights=some_weights(uneven.n_rows))
    found = fit(design)
    V = np.zeros((design.n_observations, design.n_observations))
    for rows, own in found.marginal_covariances(design):
        V[np.ix_(rows, rows)] = own
    X, r = design.X, design.y - design.X @ found.beta
    # Generalised least squares with V gives beta back, and the REML estimate of sigma.
    np.testing.assert_allclose(X.T @ np.linalg.solve(V, r), 0, atol=1e-8)
    assert r @ np.linalg.solve(V, r) == pytest.approx(design.n_observations - design.n_fixed, rel=1e-9)


@pytest.mark.parametrize("random", [BLOCKS.replace("exp(t)", "t^2"), BACKWARDS.replace("exp(t)", "t^2")])
@pytest.mark.parametrize(
    "shape",
    [{}, {"sd": (0.0, 1.0)}, {"sd": (6.0, 2.0), "sigma": 1e-5}, {"sd": (0.0, 6.0), "sigma": 1e-5}],
    ids=str,
)
def test_blocks_end_at_a_certified_optimum_whatever_their_sizes(simulate, make_cohort, random, shape):
    design = designed(make_cohort(**simulate(m=20, seed=4, **shape)), random)
    found = fit(design)
    assert found.convergence.converged
    assert found.convergence.distance < 1e-8
    # The bound of the other tests of hard panels: 1e-12 of the criterion.
    assert profiled_deviance(found.theta, design) == pytest.approx(found.deviance, rel=1e-11, abs=1e-8)
    for start in np.random.default_rng(3).normal(size=(2, 4)):
        assert found.deviance <= fit(design, start=start * np.abs(found.theta).max()).deviance + 1e-8


def test_the_order_of_blocks_changes_the_order_of_theta_only(simulate, make_cohort):
    cohort = make_cohort(**simulate(seed=4))
    one, other = (fit(designed(cohort, text.replace("exp(t)", "t^2"))) for text in (BLOCKS, BACKWARDS))
    assert other.deviance == pytest.approx(one.deviance, rel=1e-13)
    np.testing.assert_allclose(other.theta[[3, 0, 1, 2]], one.theta, rtol=1e-6, atol=1e-6)


def test_one_block_of_each_random_effect_is_the_double_bar(simulate, make_cohort):
    cohort = make_cohort(**simulate())
    bars, terms = (fit(designed(cohort, text)) for text in ("(1 + t || id)", "(1 | id) + (0 + t | id)"))
    assert bars.deviance == terms.deviance
    np.testing.assert_array_equal(bars.theta, terms.theta)


def test_theta_stands_block_after_block_by_columns():
    Lambda = relative_factor(np.arange(1.0, 5.0), (1, 2))
    np.testing.assert_array_equal(Lambda, [[1, 0, 0], [0, 2, 0], [0, 3, 4]])
    np.testing.assert_array_equal(theta_of(Lambda, (1, 2)), [1, 2, 3, 4])
    np.testing.assert_array_equal(layout((2, 1)).factor(np.arange(4.0)), [[0, 0, 0], [1, 2, 0], [0, 0, 3]])


def test_pivots_stay_within_their_block():
    Lambda = np.diag([0.1, 5.0, 0.1, 7.0])
    assert pivot_order(Lambda, layout((2, 2)).blocks) == (1, 0, 3, 2)
    assert pivot_order(Lambda, layout((1, 1, 2)).blocks) == (0, 1, 3, 2)
    assert pivot_order(Lambda, layout((1, 1, 1, 1)).blocks) == (0, 1, 2, 3)


def test_a_perfect_correlation_is_said_of_its_own_block(simulate, make_cohort):
    panel = simulate(m=25, correlation=-1.0, sd=(1.0, 0.5), seed=2)
    _, subject = np.unique(panel["id"], return_inverse=True)
    bent = panel["y"] + np.random.default_rng(1).normal(size=25)[subject] * panel["t"] ** 2
    found = fit(designed(make_cohort(**{**panel, "y": bent}), "(0 + t^2 | id) + (1 + t | id)"))
    assert found.convergence.stop is Stop.SINGULAR
    assert "intercept and t are perfectly negatively correlated" in found.convergence.message
