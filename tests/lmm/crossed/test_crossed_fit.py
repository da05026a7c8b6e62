"""Where the search ends: the same optimum however the model is told, singular ones named, the certificate truthful."""

from fractions import Fraction

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.errors import SpecError
from harness.lmm import fit as one_factor
from harness.lmm.crossed import fit as crossed
from harness.lmm.crossed.estimation import estimate
from harness.lmm.crossed.fit import distance_to_optimum, fit, profiled_deviance
from harness.lmm.estimation import estimate as estimate_one
from harness.lmm.referee import referee

FORMULA = "y ~ t + (1 + t | a) + (1 | b)"


def covariances(design, found):
    return {one.grouping: one.cov for one in estimate(found, design).random}


def with_columns(cohort, **changes):
    columns = {name: changes.get(name, cohort.numeric.get(name)) for name in cohort.numeric}
    factors = {name: changes.get(name, factor) for name, factor in cohort.factors.items()}
    return Cohort(name=cohort.name, subject=cohort.subject, time=None, numeric=columns, factors=factors)


def reordered(cohort, order):
    numeric = {name: values[order] for name, values in cohort.numeric.items()}
    factors = {name: Factor(codes=one.codes[order], levels=one.levels) for name, one in cohort.factors.items()}
    return Cohort(name=cohort.name, subject=cohort.subject, time=None, numeric=numeric, factors=factors)


@pytest.fixture(scope="module")
def fitted(panel, weighted_design):
    def run(formula=FORMULA, cohort=None, **options):
        design = weighted_design(formula, panel(3) if cohort is None else cohort, **options)
        return design, fit(design)

    return run


@pytest.fixture(scope="module")
def reference(fitted):
    return fitted()


@pytest.mark.parametrize("formula", ["y ~ t + (1 + t | a)", "y ~ t + (1 + t || a)", "y ~ t + u + (1 | b)"])
@pytest.mark.parametrize("criterion", ["ML", "REML"])
@pytest.mark.parametrize("weights", [None, "w"])
def test_one_grouping_factor_is_what_its_own_engine_finds(fitted, formula, criterion, weights):
    design, found = fitted(formula, criterion=criterion, weights=weights)
    other = one_factor.fit(design)
    assert found.deviance == pytest.approx(other.deviance, rel=1e-13)
    np.testing.assert_allclose(found.theta, other.theta, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.beta, other.beta, rtol=1e-12)
    mine, theirs = estimate(found, design), estimate_one(other, design)
    np.testing.assert_allclose(mine.vcov, theirs.vcov, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(mine.conditional_modes, theirs.conditional_modes, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(mine.random[0].modes_cov, theirs.random[0].modes_cov, rtol=1e-10, atol=1e-12)
    if mine.variance_cov is not None or theirs.variance_cov is not None:
        np.testing.assert_allclose(mine.variance_cov, theirs.variance_cov, rtol=1e-9, atol=1e-12)
    assert (mine.aic, mine.n_parameters) == (pytest.approx(theirs.aic, rel=1e-13), theirs.n_parameters)


def test_every_start_ends_at_the_same_optimum(reference):
    design, found = reference
    assert found.convergence.stop is Stop.OPTIMUM
    for factor in (0.01, 0.3, 20.0):
        again = fit(design, start=factor * np.ones(4))
        assert again.deviance == pytest.approx(found.deviance, rel=1e-14)
        np.testing.assert_allclose(again.theta, found.theta, rtol=1e-10)


def test_the_certificate_measures_the_distance_that_is_left(reference):
    design, found = reference
    assert found.convergence.distance < 1e-9
    moved = 1.1 * found.theta
    (exact,) = referee(design, [moved])
    assert abs(float(Fraction(profiled_deviance(moved, design)) - exact)) < 1e-9
    moved = found.theta * (1 + 1e-5)
    # Near the optimum the deviance rises by the squared distance in standard errors: by 2e-9, known to about 1e-12.
    rise = profiled_deviance(moved, design) - found.deviance
    assert distance_to_optimum(moved, design) ** 2 == pytest.approx(rise, rel=1e-3)


def test_the_order_of_terms_and_of_rows_and_the_labels_change_nothing(panel, fitted, reference):
    design, found = reference
    expected = covariances(design, found)
    cohort = panel(3)
    order = np.random.default_rng(8).permutation(len(cohort.numeric["y"]))
    turned = {
        name: Factor(codes=len(one.levels) - 1 - one.codes, levels=tuple(f"z{level}" for level in one.levels))
        for name, one in cohort.factors.items()
    }
    for formula, other in (
        ("y ~ t + (1 | b) + (1 + t | a)", cohort),
        (FORMULA, reordered(cohort, order)),
        (FORMULA, with_columns(cohort, **turned)),
    ):
        new_design, new = fitted(formula, other)
        assert new.deviance == pytest.approx(found.deviance, rel=1e-13)
        for grouping, cov in covariances(new_design, new).items():
            np.testing.assert_allclose(cov, expected[grouping], rtol=1e-10)


@pytest.mark.parametrize(("offset", "unit"), [(1e7, 1.0), (0.0, 1e-6), (-1e3, 1e4)])
def test_offset_and_unit_of_the_outcome_cost_no_digits(panel, fitted, reference, offset, unit):
    _, found = reference
    cohort = panel(3)
    _, new = fitted(cohort=with_columns(cohort, y=offset + unit * cohort.numeric["y"]))
    rounding = 1e-12 + 1e-15 * abs(offset) / unit  # what the offset leaves of y's own digits
    np.testing.assert_allclose(new.theta, found.theta, rtol=10 * rounding)
    moved = 2 * (len(cohort.numeric["y"]) - 2) * np.log(unit)
    assert new.deviance == pytest.approx(found.deviance + moved, rel=1e-12 + rounding)


@pytest.mark.parametrize(("origin", "unit"), [(0.0, 1e4), (0.0, 1e-4), (2000.0, 1.0)])
def test_unit_and_origin_of_a_slope_change_its_covariance_and_nothing_else(panel, fitted, reference, origin, unit):
    design, found = reference
    cohort = panel(3)
    new_design, new = fitted(cohort=with_columns(cohort, t=origin + unit * cohort.numeric["t"]))
    # X is recoded with determinant `unit`, so that REML moves by 2 log of it.
    assert new.deviance == pytest.approx(found.deviance + 2 * np.log(unit), rel=1e-11)
    turn = np.array([[1, -origin / unit], [0, 1 / unit]])
    expected = turn @ covariances(design, found)["a"] @ turn.T
    np.testing.assert_allclose(covariances(new_design, new)["a"], expected, rtol=1e-8)
    assert new.convergence.stop is Stop.OPTIMUM


def test_two_copies_of_the_data_double_every_moment_of_the_residuals_only(panel, fitted):
    # With other levels the copy is independent: -2 log L doubles under ML, and the optimum stays.
    cohort = panel(3)
    twice = Cohort(
        name="twice",
        subject="a",
        time=None,
        numeric={name: np.tile(values, 2) for name, values in cohort.numeric.items()},
        factors={
            name: Factor(
                codes=np.concatenate([one.codes, one.codes + len(one.levels)]),
                levels=(*one.levels, *(f"copy of {level}" for level in one.levels)),
            )
            for name, one in cohort.factors.items()
        },
    )
    _, once = fitted(criterion="ML")
    _, both = fitted(cohort=twice, criterion="ML")
    assert both.deviance == pytest.approx(2 * once.deviance, rel=1e-13)
    np.testing.assert_allclose(both.theta, once.theta, rtol=1e-11)


def test_independent_parts_add_up_however_they_are_put_together(panel, weighted_design, monkeypatch):
    design = weighted_design("y ~ t + (1 + t | a) + (1 | a:b)", panel(4, n=200, levels=(12, 3)))
    together = fit(design)
    monkeypatch.setattr("harness.lmm.crossed.layout._COLUMNS_AT_ONCE", 4)
    apart = fit(design)
    assert len(apart.place.cross.layout.parts) > len(together.place.cross.layout.parts) == 1
    assert apart.deviance == pytest.approx(together.deviance, rel=1e-14)
    np.testing.assert_allclose(apart.theta, together.theta, rtol=1e-12, atol=1e-12)
    modes = [estimate(found, design).conditional_modes for found in (apart, together)]
    np.testing.assert_allclose(*modes, rtol=1e-10, atol=1e-12)


def test_a_factor_without_variance_is_a_singular_fit_that_names_it(panel, fitted):
    cohort = panel(9, sd=(0.0, 0.0, 2.0))
    design, found = fitted("y ~ t + (1 | a) + (1 | b)", cohort)
    assert found.convergence.stop is Stop.SINGULAR
    assert "for a, the variance of intercept is zero" in found.convergence.message
    assert found.theta[0] < 1e-4
    # The boundary is a true one: without the factor the criterion is the same.
    _, without = fitted("y ~ t + (1 | b)", cohort)
    assert found.deviance == pytest.approx(without.deviance, rel=1e-12)
    assert covariances(design, found)["b"][0, 0] > 1


def test_a_zero_intercept_variance_before_a_slope_is_no_trap(panel, weighted_design):
    design = weighted_design(FORMULA, panel(21, n=150, levels=(25, 5), sd=(0.0, 1.0, 1.0)))
    found = fit(design)
    assert found.convergence.converged
    assert found.convergence.iterations < 20
    for sign in (1, -1):
        for first in (1e-8, 0.05):
            start = np.array([first, sign * 0.7, 0.3, 1.0])
            assert fit(design, start=start).deviance == pytest.approx(found.deviance, rel=1e-12)


def test_a_column_of_lambda_that_is_zero_is_left_behind(reference):
    design, found = reference
    # Its gradient is exactly zero there, whatever the data.
    assert fit(design, start=np.array([1.0, 0.1, 0.5, 0.0])).deviance == pytest.approx(found.deviance, rel=1e-13)
    assert distance_to_optimum(np.array([1.0, 0.1, 0.5, 0.0]), design) == np.inf


def test_a_perfect_correlation_is_named_with_its_factor(weighted_design, panel):
    cohort = panel(3, n=200, sd=(0.0, 0.0, 1.0))
    b = cohort.factors["b"].codes
    effect = np.array([-1.5, -0.5, 0.0, 0.5, 1.5])[b]
    noise = np.random.default_rng(1).normal(size=200)
    design = weighted_design(
        "y ~ t + (1 | a) + (1 + t | b)", with_columns(cohort, y=effect * (1 + cohort.numeric["t"]) + noise)
    )
    message = fit(design).convergence.message
    assert "for b, intercept and t are perfectly positively correlated" in message


def test_too_many_dependent_rows_have_no_dense_covariance(reference, monkeypatch):
    design, found = reference
    monkeypatch.setattr(crossed, "LARGEST_BLOCK", 50)
    with pytest.raises(SpecError, match="90 rows that all depend on each other"):
        list(found.marginal_covariances(design))


def test_an_outcome_without_residuals_is_refused(panel, weighted_design):
    cohort = panel(3)
    y = cohort.factors["a"].codes * 1.5 + cohort.factors["b"].codes
    with pytest.raises(SpecError, match="random effects fit exactly"):
        fit(weighted_design("y ~ t + (1 | a) + (1 | b)", with_columns(cohort, y=y.astype(float))))


def test_theta_of_the_wrong_length_is_refused(reference):
    design, _ = reference
    with pytest.raises(ValueError, match=r"expected \(4,\)"):
        profiled_deviance(np.ones(3), design)


@pytest.mark.parametrize("sigma", [1e-2, 1e-5])
@pytest.mark.parametrize("formula", [FORMULA, "y ~ t + (1 + t | a) + (1 | a:b)"])
def test_random_effects_that_dwarf_sigma_keep_their_digits(panel, weighted_design, formula, sigma):
    cohort = panel(11, n=120, sigma=sigma)
    design = weighted_design(formula, cohort)
    found = fit(design)
    (exact,) = referee(design, [found.theta])
    assert abs(float(Fraction(found.deviance) - exact)) < 1e-9
    assert found.convergence.distance < 1e-9


def test_a_factor_told_twice_leaves_its_variance_undetermined(panel, weighted_design):
    cohort = panel(3)
    codes = cohort.factors["a"].codes
    twice = Cohort(
        name="panel",
        subject="a",
        time=None,
        numeric=cohort.numeric,
        factors={**cohort.factors, "c": Factor(codes=11 - codes, levels=tuple(f"c{k:02d}" for k in range(12)))},
    )
    design = weighted_design("y ~ t + (1 | a) + (1 | b) + (1 | c)", twice)
    found = fit(design)
    assert found.convergence.stop is Stop.FLAT
    assert "the variance of intercept for a together with the variance of intercept for c" in found.convergence.message
    # Only the sum is determined, and it is that of the factor told once.
    once = fit(weighted_design("y ~ t + (1 | a) + (1 | b)", cohort))
    assert found.deviance == pytest.approx(once.deviance, rel=1e-12)
    assert found.theta[0] ** 2 + found.theta[2] ** 2 == pytest.approx(once.theta[0] ** 2, rel=1e-8)


def test_a_search_cut_short_says_so(reference):
    design, found = reference
    cut = fit(design, start=np.array([5.0, 0.0, 5.0, 5.0]), limit=1)
    assert cut.convergence.stop is Stop.ITERATION_LIMIT
    assert cut.deviance > found.deviance


def test_the_lower_of_two_minima_is_found_with_few_rows(make_cohort, make_design):
    """From moments the search ends at a minimum without variance between the levels of h; there is a lower one."""
    cohort = make_cohort(
        id=list("000011112222333445555667777"),
        h=list("qrprpppqprrpprrqppprpppqppr"),
        t=[0, 1.7, 3.3, 5, 0, 1.7, 3.3, 5, 0, 1.7, 3.3, 5, 0, 1.7, 3.3, 0, 1.7, 0, 1.7, 3.3, 5, 0, 1.7, 0, 1.7, 3.3, 5],
        y=np.array([21, -52, -103, -172, -38, -70, -84, -98, -62, -66, -68, -76, 141, 141, 154, 111, 120, -5, -10, -17,
                    -26, -133, -87, 146, 124, 113, 96]) / 100,
    )  # fmt: skip
    design = make_design("y ~ t + (1 + t | id) + (1 | h)", cohort)
    found = fit(design)
    assert found.convergence.stop is Stop.OPTIMUM
    assert found.deviance < profiled_deviance(np.array([26.5, -0.957, 4.73, 1.1]), design)
