"""Robust covariances: brute force on dense matrices, the theorem that defines CR2, clubSandwich, refusals."""

import numpy as np
import pytest
from scipy.linalg import block_diag, sqrtm

from harness.errors import SpecError
from harness.lmm.inference.contrasts import joint_test
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.sandwich import KINDS, robust_effects, sandwich
from harness.lmm.inference.table import coefficient_table

# clubSandwich 0.5.8 on lme4 1.1-31 (bobyqa, rhoend 1e-11): y ~ t * arm + sex + (1 + t | id), columns in order of the
# model without interactions first; standard errors and Satterthwaite degrees of freedom.
CLUB_SANDWICH = {
    "CR0": (
        [0.318100112183891, 0.12858832115439, 0.417775954573226, 0.495914713647536, 0.336277090637162,
         0.178357285239133, 0.19294691805542],
        [14.934352166842, 14.0024780651651, 23.7422009273251, 23.7564834064043, 30.7626400436629, 22.7367259563665,
         23.7252191468053],
    ),
    "CR2": (
        [0.331406221896853, 0.132874660082043, 0.438627667044903, 0.520022168535109, 0.354478573599743,
         0.185447945399263, 0.200525813767519],
        [15.0596515416532, 13.9590321830269, 23.5745709423236, 23.59610882594, 30.5370442821519, 22.4914031327991,
         23.5702633302698],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def model(trial, fitted):
    return fitted("y ~ t * arm + sex + (1 + t | id)", trial)


@pytest.fixture(scope="module")
def blocks(model):
    design, found = model
    return list(found.marginal_covariances(design))


def adjustment(V, X, bread):
    """A of Bell & McCaffrey: D'(D (V - X bread X') D')^-1/2 D with D'D = V, by a square root of the whole matrix."""
    D = np.linalg.cholesky(V).T
    return D.T @ np.linalg.inv(sqrtm(D @ (V - X @ bread @ X.T) @ D.T)) @ D


@pytest.mark.parametrize("kind", KINDS)
def test_the_sandwich_is_its_dense_definition(model, blocks, kind):
    design, found = model
    bread = np.linalg.inv(sum(design.X[rows].T @ np.linalg.inv(V) @ design.X[rows] for rows, V in blocks))
    meat, gains = np.zeros_like(bread), []
    for rows, V in blocks:
        X = design.X[rows]
        A = adjustment(V, X, bread) if kind == "CR2" else np.eye(len(V))
        gains.append(X.T @ np.linalg.inv(V) @ A)
        score = gains[-1] @ (design.y[rows] - X @ found.beta)
        meat += np.outer(score, score)
    expected = bread @ meat @ bread
    effects = robust_effects(found, design, kind)
    np.testing.assert_allclose(effects.vcov, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())

    # Degrees of freedom by P, the m x m covariance of the subjects' scores.
    whole = block_diag(*(V for _, V in blocks))
    left = whole - design.X @ bread @ design.X.T
    for j, row in enumerate(np.eye(design.n_fixed)):
        H = block_diag(*(row @ bread @ gain for gain in gains))
        P = H @ left @ H.T
        assert effects.degrees.of_rows((row @ effects.working)[None])[0] == pytest.approx(
            np.trace(P) ** 2 / np.sum(P**2), rel=1e-8
        ), j


def test_cr2_is_unbiased_where_the_model_is_right(model, blocks):
    """Its defining theorem, without simulation: the sandwich is quadratic in the residual, so expectations are sums."""
    design, _ = model
    bread = np.linalg.inv(sum(design.X[rows].T @ np.linalg.inv(V) @ design.X[rows] for rows, V in blocks))
    left = block_diag(*(V for _, V in blocks)) - design.X @ bread @ design.X.T
    values, axes = np.linalg.eigh(left)
    mean = {
        kind: sum(
            sandwich(design.X, root, iter(blocks), kind).covariance
            for root in (axes * np.sqrt(np.maximum(values, 0))).T[values > 1e-9]
        )
        for kind in KINDS
    }
    np.testing.assert_allclose(mean["CR2"], bread, rtol=1e-7, atol=1e-9 * np.abs(bread).max())
    assert np.all(np.diag(mean["CR0"]) < np.diag(bread))


@pytest.mark.parametrize("kind", KINDS)
def test_standard_errors_and_their_degrees_of_freedom_are_clubsandwichs(model, kind):
    design, found = model
    table = coefficient_table(robust_effects(found, design, kind))
    errors, df = CLUB_SANDWICH[kind]
    assert table.names == ("intercept", "t", "arm[b]", "arm[c]", "sex[m]", "t:arm[b]", "t:arm[c]")
    np.testing.assert_allclose(table.standard_error, errors, rtol=1e-6)
    np.testing.assert_allclose(table.df, df, rtol=1e-6)
    assert str(table.method) == f"{kind} sandwich by subject"


def test_a_subject_that_the_fixed_effects_fit_exactly_counts_for_nothing(make_cohort, fitted):
    """The only row of an arm has no residual: A has no inverse there, and the other arms are compared without it."""
    ids = [*(f"s{i // 3}" for i in range(30)), "alone"]
    y = np.random.default_rng(6).normal(size=31) + np.repeat(np.random.default_rng(7).normal(size=11), 3)[:31]
    arm = [*["a"] * 15, *["b"] * 15, "c"]
    with_it, without = (fitted("y ~ arm + (1 | id)", make_cohort(id=ids[:n], arm=arm[:n], y=y[:n])) for n in (31, 30))
    for kind in KINDS:
        many, few = (robust_effects(found, design, kind).vcov for design, found in (with_it, without))
        np.testing.assert_allclose(many[:2, :2], few, rtol=1e-8)


def test_joint_tests_are_walds_on_subjects_less_one(model):
    design, found = model
    effects = robust_effects(found, design)
    L = np.eye(design.n_fixed)[2:4]
    test = joint_test(effects, L)
    value = L @ effects.beta
    assert pytest.approx(value @ np.linalg.solve(L @ effects.vcov @ L.T, value) / 2, rel=1e-10) == test.F
    assert (test.df1, test.df2, test.scaling) == (2, 39, 1)


def test_units_of_columns_and_outcome_carry_over(trial, make_cohort, fitted):
    columns = {name: [factor.levels[k] for k in factor.codes] for name, factor in trial.factors.items()}
    tables = []
    for scale, unit in ((1.0, 1.0), (1e6, 1e-4)):
        cohort = make_cohort(**columns, y=scale * trial.numeric["y"], t=unit * trial.numeric["t"])
        design, found = fitted("y ~ t * arm + sex + (1 + t | id)", cohort)
        tables.append(coefficient_table(robust_effects(found, design)))
    np.testing.assert_allclose(tables[1].df, tables[0].df, rtol=1e-7)
    np.testing.assert_allclose(tables[1].t, tables[0].t, rtol=1e-7)


def test_rows_that_all_depend_on_each_other_are_refused(model, blocks):
    design, found = model
    whole = block_diag(*(V for _, V in blocks))

    class Crossed:
        beta, convergence = found.beta, found.convergence

        def marginal_covariances(self, design):
            yield np.arange(design.n_observations), whole

    with pytest.raises(SpecError, match=r"all depend on each other.*expected independent subjects to cluster by"):
        robust_effects(Crossed(), design)


def test_an_unknown_kind_is_refused(model):
    with pytest.raises(SpecError, match="the kind 'CR1'; expected 'CR0' or 'CR2'"):
        robust_effects(model[1], model[0], "CR1")


def test_robust_and_model_based_tables_share_estimates(model):
    design, found = model
    robust = coefficient_table(robust_effects(found, design))
    plain = coefficient_table(fixed_effects(found, design))
    np.testing.assert_array_equal(robust.estimate, plain.estimate)
    assert np.all(np.abs(robust.standard_error / plain.standard_error - 1) > 1e-4)


def test_a_covariance_that_cannot_be_inverted_is_refused():
    X, V = np.ones((4, 1)), np.ones((2, 2))
    blocks = iter([(np.array([0, 1]), V), (np.array([2, 3]), V)])
    with pytest.raises(SpecError, match="a subject whose covariance is singular"):
        sandwich(X, np.arange(4.0), blocks, "CR2")


def test_scores_that_are_fitted_exactly_leave_no_degrees_of_freedom():
    """Two subjects, two coefficients: each subject has one for itself."""
    X = np.kron(np.eye(2), np.ones((2, 1)))
    blocks = iter([(np.array([0, 1]), np.eye(2)), (np.array([2, 3]), np.eye(2))])
    found = sandwich(X, np.array([1.0, -1.0, 2.0, -2.0]), blocks, "CR2")
    assert np.isnan(found.of_rows(np.eye(2))).all()
