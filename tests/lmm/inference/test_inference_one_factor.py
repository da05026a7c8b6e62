"""What the engine of one grouping factor gives to inference: closed forms, dense matrices, differences, invariances."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.lmm.covariance import layout
from harness.lmm.evaluation import evaluate
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.one_factor import kenward_roger_parts, satterthwaite_parts
from harness.lmm.inference.table import coefficient_table

KENWARD_ROGER = ("kenward-roger", "kenward-roger-observed", "kenward-roger-observed-linear")
# In the third panel the search reorders the random effects; in the fourth and fifth it adapts the coordinates.
PANELS = {
    "correlated": ("y ~ t * g + (1 + t | id)", {}),
    "uncorrelated": ("y ~ t * g + (1 + t || id)", {}),
    "slopes vary most": ("y ~ t * g + (1 + t | id)", {"sd": (0.3, 2.0)}),
    "small residuals": ("y ~ t * g + (1 + t | id)", {"sd": (6, 2), "sigma": 0.03}),
    "small residuals, uncorrelated": ("y ~ t * g + (1 + t || id)", {"sd": (6, 2), "sigma": 0.03}),
    "irregular times": ("y ~ t + g + (1 + t | id)", {"jitter": 0.2}),
}
# What dense V, whose condition goes up to 1e6 here, leaves of the digits in which it is inverted: 19, or 16 where
# numpy's longdouble is no more than a double.
DENSE = 1e-9 if np.finfo(np.longdouble).eps < 1e-18 else 1e-6
# Single pieces are carried back to the user's columns first, by a matrix of condition 1e2, from both sides.
PIECES = 100 * DENSE


@pytest.fixture(scope="module", params=PANELS)
def panel(request, simulate, make_cohort, fitted, dense):
    formula, settings = PANELS[request.param]
    design, found = fitted(formula, make_cohort(**simulate(m=25, seed=2, **settings)))
    return design, found, dense(design, found)


@pytest.fixture(scope="module", params=["REML", "ML"])
def plain(request, simulate, make_cohort, fitted):
    return fitted("y ~ t * g + (1 + t | id)", make_cohort(**simulate(m=25, seed=4)), request.param)


def assert_near(actual, expected, limit):
    """To a share of the largest entry: small entries are differences of large ones."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=limit * np.abs(expected).max())


def by_hand(phi, slopes, spread):
    """Degrees of freedom of each coefficient: twice its variance squared over the variance of its variance."""
    variances, gradients = np.diag(phi), np.diagonal(slopes, axis1=1, axis2=2)
    return 2 * variances**2 / np.einsum("rk,rs,sk->k", gradients, spread, gradients)


@pytest.mark.parametrize("method", ["satterthwaite", *KENWARD_ROGER])
def test_sleepstudy_has_exactly_17_degrees_of_freedom(fitted, method):
    design, found = fitted("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"))
    table = coefficient_table(fixed_effects(found, design, method))
    np.testing.assert_allclose(table.df, 17, rtol=1e-11)
    # Balanced data: Kenward and Roger's covariance is the plain one. Closed form, 40 digits.
    np.testing.assert_allclose(table.standard_error, (6.824556532069072, 1.545788896294727), rtol=1e-12)


def test_sleepstudy_by_ml_has_18_degrees_of_freedom(fitted):
    design, found = fitted("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"), "ML")
    np.testing.assert_allclose(coefficient_table(fixed_effects(found, design)).df, 18, rtol=1e-11)


def test_the_pieces_of_kenward_roger_are_their_dense_definitions(panel):
    design, found, big = panel
    parts, statistics = kenward_roger_parts(found), found.statistics
    entries = layout(design.blocks)
    # V as a function of the working G, whose entries are linear in those of the user's.
    turn = np.eye(len(parts.parameters))
    for r, (a, b) in enumerate(zip(statistics.layout.rows, statistics.layout.columns, strict=True)):
        unit = np.zeros((design.n_random, design.n_random))
        unit[a, b] = unit[b, a] = 1.0
        random = statistics.coordinates.random
        turn[r, :-1] = (random @ unit @ random.T)[entries.rows, entries.columns]
    back = np.linalg.inv(parts.fixed)
    Q = np.einsum("ra,sb,abij->rsij", turn, turn, big.Q)
    assert_near(parts.fixed @ parts.phi @ parts.fixed.T, big.phi, PIECES)
    for own, whole in zip(parts.P, np.tensordot(turn, big.P, 1), strict=True):
        assert_near(back.T @ own @ back, whole, PIECES)
    for r, s in np.ndindex(*turn.shape):
        assert_near(back.T @ parts.Q[r, s] @ back, (Q[r, s] + Q[r, s].T) / 2, PIECES)
    for own, user in ((parts.expected, big.expected), (parts.observed, big.observed)):
        whole = turn @ user @ turn.T
        scale = np.sqrt(np.diag(turn @ big.expected @ turn.T))
        np.testing.assert_allclose(own / np.outer(scale, scale), whole / np.outer(scale, scale), atol=PIECES)


def test_kenward_roger_tables_are_those_of_dense_matrices(panel):
    """From the definitions in the user's own parameters: the linear forms do not depend on the parametrisation."""
    design, found, big = panel
    for method, information in (("kenward-roger", big.expected), ("kenward-roger-observed", big.observed)):
        spread = 2 * np.linalg.inv(information)
        inner = np.einsum("rs,rsij->ij", spread, big.Q) - np.einsum("rs,rij,jk,skl->il", spread, big.P, big.phi, big.P)
        adjusted = big.phi + 2 * big.phi @ inner @ big.phi
        effects = fixed_effects(found, design, method)
        table = coefficient_table(effects)
        assert_near(effects.vcov, adjusted, DENSE)
        np.testing.assert_allclose(table.df, by_hand(big.phi, big.phi @ big.P @ big.phi, spread), rtol=DENSE)
        np.testing.assert_allclose(table.standard_error, np.sqrt(np.diag(adjusted)), rtol=DENSE)


def test_satterthwaite_is_the_delta_method_in_any_parameters(panel):
    """At a regular optimum, (theta, sigma) here and (G, sigma^2) by dense matrices give the same degrees of freedom."""
    design, found, big = panel
    spread = 2 * np.linalg.inv(big.observed)
    table = coefficient_table(fixed_effects(found, design))
    np.testing.assert_allclose(table.df, by_hand(big.phi, big.phi @ big.P @ big.phi, spread), rtol=DENSE)


def test_satterthwaite_is_the_delta_method_under_ml_too(plain, dense):
    design, found = plain
    big = dense(design, found)
    spread = 2 * np.linalg.inv(big.observed)
    table = coefficient_table(fixed_effects(found, design))
    np.testing.assert_allclose(table.df, by_hand(big.phi, big.phi @ big.P @ big.phi, spread), rtol=1e-9)


def test_satterthwaite_equals_kenward_roger_with_the_observed_information(panel):
    """For one contrast both are the delta method for its unadjusted variance; only the covariance of G differs."""
    design, found, _ = panel
    first = coefficient_table(fixed_effects(found, design)).df
    second = coefficient_table(fixed_effects(found, design, "kenward-roger-observed")).df
    np.testing.assert_allclose(first, second, rtol=1e-8)


def test_derivatives_are_limits_of_differences(plain):
    """Central differences with steps of 1e-5: 1e-10 from the step, 1e-11 from rounding; a Hessian has 1e-7."""
    _, found = plain
    statistics, Lambda = found.statistics, found.Lambda
    parts, here = satterthwaite_parts(found), evaluate(found.Lambda, found.statistics)
    step, rows, columns = 1e-5, statistics.layout.rows, statistics.layout.columns

    def deviance(theta_step, ratio):
        """-2 log-likelihood with beta profiled out, up to a constant, at sigma = ratio times its estimate."""
        at = evaluate(Lambda + theta_step, statistics)
        return at.log_det + at.residual / (ratio * here.sigma) ** 2 + 2 * at.df * np.log(ratio)

    units = np.zeros((len(rows), *Lambda.shape))
    units[np.arange(len(rows)), rows, columns] = step
    for j, unit in enumerate(units):
        ends = [found.sigma**2 * evaluate(Lambda + sign * unit, statistics).inverse for sign in (1, -1)]
        assert_near(parts.phi_1[j], (ends[0] - ends[1]) / (2 * step), 1e-8)
    np.testing.assert_array_equal(parts.phi_1[-1], 2 * parts.phi)
    steps = [*((unit, 0.0) for unit in units), (0 * units[0], step)]
    for j, (a, p) in enumerate(steps):
        for k, (b, q) in enumerate(steps):
            corners = (s * t * deviance(s * a + t * b, 1 + s * p + t * q) for s in (1, -1) for t in (1, -1))
            assert parts.hessian[j, k] == pytest.approx(sum(corners) / (4 * step**2), abs=1e-2)


@pytest.mark.parametrize("method", ["satterthwaite", *KENWARD_ROGER])
@pytest.mark.parametrize(
    ("outcome", "time"),
    [((0.0, 1e6), (0.0, 1.0)), ((1e7, 1.0), (0.0, 1.0)), ((0.0, 1e-6), (0.0, 1e-4)), ((5.0, -3.0), (2000.0, 1 / 12))],
)
def test_units_and_origins_change_no_degrees_of_freedom(simulate, make_cohort, fitted, *, method, outcome, time):
    panel = simulate(m=30, seed=8)
    design, found = fitted("y ~ t * g + (1 + t | id)", make_cohort(**panel))
    before = coefficient_table(fixed_effects(found, design, method))
    (a, b), (origin, unit) = outcome, time
    moved = {**panel, "y": a + b * panel["y"], "t": origin + unit * panel["t"]}
    design, found = fitted("y ~ t * g + (1 + t | id)", make_cohort(**moved))
    after = coefficient_table(fixed_effects(found, design, method))
    slopes = [before.names.index(name) for name in ("t", "t:g[b]")]
    # The outcome + 1e7 and times around 2000 hold 9 and 13 digits of what is left.
    np.testing.assert_allclose(after.df[slopes], before.df[slopes], rtol=1e-7)
    ratio = after.standard_error[slopes] / before.standard_error[slopes]
    np.testing.assert_allclose(ratio, abs(b) / unit, rtol=1e-7)


def test_rows_that_random_effects_do_not_see_count_for_sigma(make_cohort, fitted, dense):
    """Subjects seen at time 0 only have a zero row of Z with data behind it: rows are counted, not rows of R."""
    stream = np.random.default_rng(3)
    ids = [f"s{i // 2}" for i in range(40)]
    t = np.array([0.0, 0.0] * 10 + [0.0, 1.0] * 10)
    y = stream.normal(size=40) + 2 * np.repeat(stream.normal(size=20), 2) * t
    design, found = fitted("y ~ t + (0 + t | id)", make_cohort(id=ids, t=t, y=y))
    big = dense(design, found)
    spread = 2 * np.linalg.inv(big.expected)
    table = coefficient_table(fixed_effects(found, design, "kenward-roger"))
    np.testing.assert_allclose(table.df, by_hand(big.phi, big.phi @ big.P @ big.phi, spread), rtol=1e-9)


def test_prior_weights_are_in_every_piece(simulate, make_cohort, make_weighted, dense):
    panel = simulate(m=25, seed=4)
    weights = np.random.default_rng(2).uniform(0.2, 3, len(panel["y"]))
    design, found = make_weighted("y ~ t * g + (1 + t | id)", make_cohort(**panel, w=weights), "w")
    big = dense(design, found)
    slopes = big.phi @ big.P @ big.phi
    for method, information in (("satterthwaite", big.observed), ("kenward-roger", big.expected)):
        spread = 2 * np.linalg.inv(information)
        table = coefficient_table(fixed_effects(found, design, method))
        np.testing.assert_allclose(table.df, by_hand(big.phi, slopes, spread), rtol=1e-8)


def test_twice_the_subjects_are_twice_the_information(simulate, make_cohort, fitted):
    """Patterns carry counts: under ML the same panel twice has the same theta, and its Hessian doubles."""
    panel = simulate(m=20, seed=6)
    twice = {name: [*values, *values] for name, values in panel.items()}
    twice["id"] = [*panel["id"], *(f"{label}'" for label in panel["id"])]
    _, once = fitted("y ~ t * g + (1 + t | id)", make_cohort(**panel), "ML")
    _, both = fitted("y ~ t * g + (1 + t | id)", make_cohort(**twice), "ML")
    assert both.statistics.R.shape == once.statistics.R.shape
    np.testing.assert_allclose(both.theta, once.theta, rtol=1e-9)
    first, second = satterthwaite_parts(once), satterthwaite_parts(both)
    np.testing.assert_allclose(second.hessian, 2 * first.hessian, rtol=1e-7)
    vcov = [parts.fixed @ parts.phi @ parts.fixed.T for parts in (first, second)]
    np.testing.assert_allclose(vcov[1], vcov[0] / 2, rtol=1e-9)


def test_a_vanished_variance_counts_as_known(make_cohort, fitted):
    """Where the variance between is estimated as zero, rows are independent: Satterthwaite gives n - p."""
    y = [7.0, 3.0, 5.5, 6.0, 2.5, 6.5, 3.5, 6.0, 5.0, 4.0, 3.0, 8.0]
    design, found = fitted("y ~ 1 + (1 | id)", make_cohort(id=[f"s{i // 3}" for i in range(12)], y=y))
    effects = fixed_effects(found, design)
    assert effects.degrees.of_rows(np.ones((1, 1))) == pytest.approx(11, rel=1e-9)
    assert "singular" in effects.remarks[0]


def test_parts_ask_nothing_of_single_subjects(simulate, make_cohort, fitted):
    _, found = fitted("y ~ t * g + (1 + t | id)", make_cohort(**simulate(m=40, seed=4)))
    without = replace(found, statistics=replace(found.statistics, U=None, pattern=None))
    np.testing.assert_array_equal(satterthwaite_parts(without).hessian, satterthwaite_parts(found).hessian)
    np.testing.assert_array_equal(kenward_roger_parts(without).expected, kenward_roger_parts(found).expected)
