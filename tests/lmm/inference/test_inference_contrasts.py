"""Contrasts with t and F by every method: closed forms, invariances, lmerTest's rules, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.cohorts import fixture_cohort
from harness.convergence import Stop
from harness.errors import SpecError
from harness.lmm.fit import fit
from harness.lmm.inference.contrasts import contrast, joint_test
from harness.lmm.inference.degrees import whitening
from harness.lmm.inference.distributions import f_tail, t_quantile, two_sided_p
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.kenward_roger import moments_of_f
from harness.lmm.inference.methods import METHODS
from harness.lmm.inference.parts import KenwardRogerParts
from harness.lmm.inference.satterthwaite import pooled_df, spread_of
from harness.lmm.inference.table import coefficient_table, tabulated

# Wretenberg et al. (1993): effort to rise from 4 stools, 9 subjects.
ERGO_STOOL = [12, 15, 12, 10, 10, 14, 13, 12, 7, 14, 13, 9, 7, 11, 10, 9, 8, 11, 8, 7, 9, 11, 11, 10,
              8, 12, 12, 11, 7, 11, 8, 7, 9, 13, 10, 8]  # fmt: skip


@pytest.fixture(scope="module")
def sleepstudy(fitted):
    design, found = fitted("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"))
    return lambda method: fixed_effects(found, design, method)


@pytest.fixture(scope="module")
def visits(trial, fitted):
    """Unbalanced: every degrees of freedom is another one."""
    design, found = fitted("y ~ visit * arm + sex + (1 + t | id)", trial)
    return lambda method: fixed_effects(found, design, method)


@pytest.fixture(scope="module")
def aliased(trial, fitted):
    """The visits determine t, which comes after them in the formula and goes."""
    design, found = fitted("y ~ visit + t + sex + (1 | id)", trial)
    return fixed_effects(found, design, "kenward-roger")


def test_both_coefficients_of_sleepstudy_by_hotelling(sleepstudy):
    """Closed form, 40 digits: with X = Z for all, F is Hotelling's T^2 of 18 pairs of coefficients on (2, 16)."""
    plain = joint_test(sleepstudy("satterthwaite"), np.eye(2))
    assert (plain.F, plain.df1, plain.scaling) == (pytest.approx(749.959567524804305, rel=1e-11), 2, 1.0)
    assert plain.df2 == pytest.approx(17, rel=1e-10)
    for method in ("kenward-roger", "kenward-roger-observed", "kenward-roger-observed-linear"):
        adjusted = joint_test(sleepstudy(method), np.eye(2))
        assert pytest.approx(705.84429884687464, rel=1e-10) == adjusted.F
        assert adjusted.df2 == pytest.approx(16, rel=1e-10)
        assert adjusted.scaling == pytest.approx(16 / 17, rel=1e-10)
        assert adjusted.p == pytest.approx(stats.f.sf(705.84429884687464, 2, 16), rel=1e-9)


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
def test_a_balanced_layout_has_the_degrees_of_freedom_of_its_mean_squares(make_cohort, fitted, method):
    """MS subjects 8.3125 on 8, MS error 1.2106 on 24: Satterthwaite's (1946) own formula, and the F of the table."""
    ids, stools = [f"s{i // 4}" for i in range(36)], ["T1", "T2", "T3", "T4"] * 9
    design, found = fitted("y ~ stool + (1 | id)", make_cohort(id=ids, stool=stools, y=ERGO_STOOL))
    effects = fixed_effects(found, design, method)
    np.testing.assert_allclose(coefficient_table(effects).df, [15.5298082483733439, 24, 24, 24], rtol=1e-11)
    test = joint_test(effects, np.eye(4)[1:])
    assert (test.F, test.df1) == (pytest.approx(22.3556405353728489, rel=1e-12), 3)
    assert (test.df2, test.scaling) == (pytest.approx(24, rel=1e-10), pytest.approx(1, rel=1e-10))


def test_kenward_rogers_f_is_that_of_the_definition(visits):
    """The formulas of Halekoh & Hojsgaard (2014), written out with Theta, on the user's columns."""
    effects = visits("kenward-roger")
    degrees, working = effects.degrees, effects.working
    L = np.random.default_rng(4).normal(size=(4, len(effects.beta)))
    phi, slopes = working @ degrees.phi @ working.T, working @ degrees.slopes @ working.T
    k, W = len(L), degrees.spread
    theta = L.T @ np.linalg.inv(L @ phi @ L.T) @ L
    own = theta @ slopes
    A1 = np.einsum("rs,rii,sjj->", W, own, own)
    A2 = np.einsum("rs,rij,sji->", W, own, own)
    B = (A1 + 6 * A2) / (2 * k)
    g = ((k + 1) * A1 - (k + 4) * A2) / ((k + 2) * A2)
    c1, c2, c3 = np.array([g, k - g, k + 2 - g]) / (3 * k + 2 * (1 - g))
    rho = (1 / k) * ((1 - A2 / k) / (1 - c2 * B)) ** 2 * (1 + c1 * B) / (1 - c3 * B)
    df2 = 4 + (k + 2) / (k * rho - 1)
    unscaled = L @ effects.beta @ np.linalg.solve(L @ effects.vcov @ L.T, L @ effects.beta) / k
    test = joint_test(effects, L)
    assert test.df2 == pytest.approx(df2, rel=1e-9)
    assert test.scaling == pytest.approx(df2 * (1 - A2 / k) / (df2 - 2), rel=1e-9)
    assert pytest.approx(test.scaling * unscaled, rel=1e-9) == test.F


def test_satterthwaites_pooled_df_is_lmertests(visits):
    """Eigenvectors of L vcov L', their own degrees of freedom, and E = sum nu / (nu - 2)."""
    effects = visits("satterthwaite")
    L = np.random.default_rng(4).normal(size=(4, len(effects.beta)))
    values, axes = np.linalg.eigh(L @ effects.vcov @ L.T)
    rows = axes.T @ L
    df = np.array([contrast(effects, row).df for row in rows])
    E = np.sum(df / (df - 2))
    test = joint_test(effects, L)
    assert test.df2 == pytest.approx(2 * E / (E - 4), rel=1e-9)
    assert pytest.approx(np.mean((rows @ effects.beta) ** 2 / values), rel=1e-9) == test.F


def test_redundant_rows_have_no_part_in_the_pooled_df(visits):
    """Of the eigenvectors the first three count; the fourth has an eigenvalue of rounding."""
    effects = visits("satterthwaite")
    L = np.random.default_rng(4).normal(size=(3, len(effects.beta)))
    L = np.vstack([L[0] + L[1], L])
    _, axes = np.linalg.eigh(L @ effects.vcov @ L.T)
    df = np.array([contrast(effects, row).df for row in axes.T[1:] @ L])
    E = np.sum(df / (df - 2))
    assert joint_test(effects, L).df2 == pytest.approx(2 * E / (E - 3), rel=1e-9)


@pytest.mark.parametrize(("method", "share"), [("kenward-roger-observed", 0.25), ("kenward-roger-observed-linear", 0)])
def test_second_derivatives_of_v_count_a_quarter_in_the_second_order_form_only(trial, fitted, method, share):
    """phi + 2 phi [sum W (Q - P phi P - R/4)] phi, with pieces of no model in particular."""
    design, found = fitted("y ~ t + (1 | id)", trial)
    stream = np.random.default_rng(3)
    half = stream.normal(size=(3, 3))
    P, Q, R = (stream.normal(size=(*size, 2, 2)) for size in ((3,), (3, 3), (3, 3)))
    P, Q, R = P + P.swapaxes(-1, -2), Q + Q.transpose(1, 0, 3, 2), R + R.swapaxes(-1, -2)
    R = R + R.swapaxes(0, 1)
    parts = KenwardRogerParts(
        fixed=np.eye(2),
        phi=50 * np.eye(2),
        P=P / 1000,
        Q=Q / 1000,
        R=R / 1000,
        expected=np.eye(3),
        observed=half @ half.T,
        parameters=("a", "b", "c"),
    )

    class Curved:
        beta, convergence = found.beta, found.convergence

        def kenward_roger_parts(self):
            return parts

    W = 2 * np.linalg.inv(parts.observed)
    inner = np.einsum("rs,rsij->ij", W, parts.Q - share * parts.R)
    inner -= np.einsum("rs,rij,jk,skl->il", W, parts.P, parts.phi, parts.P)
    effects = fixed_effects(Curved(), design, method)
    np.testing.assert_allclose(effects.vcov, parts.phi + 2 * parts.phi @ inner @ parts.phi, rtol=1e-10)
    assert effects.method.order == ("second order" if share else "linear")


def test_pooled_df_has_lmertests_exceptions_in_order():
    assert pooled_df(np.array([1.5])) == 1.5
    assert pooled_df(np.array([1.5, 1.5 + 1e-9])) == pytest.approx(1.5, rel=1e-9)
    assert pooled_df(np.array([1.5, 30.0])) == 2
    E = 10 / 8 + 30 / 28
    assert pooled_df(np.array([10.0, 30.0])) == pytest.approx(2 * E / (E - 2), rel=1e-14)
    assert pooled_df(np.array([np.inf, np.inf])) == np.inf
    assert pooled_df(np.array([1e12, 2e12])) == pytest.approx(4e12 / 3, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_test_of_one_row_is_the_squared_t(visits, method):
    effects = visits(method)
    row = np.random.default_rng(1).normal(size=len(effects.names))
    single, joint = contrast(effects, row), joint_test(effects, [row])
    assert pytest.approx(single.t**2, rel=1e-12) == joint.F
    assert (joint.df1, joint.df2, joint.scaling) == (1, pytest.approx(single.df, rel=1e-12), 1)
    assert joint.p == pytest.approx(single.p, rel=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_hypothesis_in_other_words_has_the_same_f(visits, method):
    """L to AL, and a redundant row more, is the same hypothesis; Satterthwaite's df2 alone depends on the rows."""
    effects = visits(method)
    stream = np.random.default_rng(7)
    L = stream.normal(size=(3, len(effects.names)))
    mixed = stream.normal(size=(3, 3)) @ L
    before, after = joint_test(effects, L), joint_test(effects, np.vstack([mixed, mixed[0] - 1e4 * mixed[1]]))
    assert (after.F, after.df1) == (pytest.approx(before.F, rel=1e-8), 3)
    if method != "satterthwaite":
        assert after.df2 == pytest.approx(before.df2, rel=1e-8)


def test_redundancy_does_not_depend_on_units(visits):
    """One contrast in units of 1e-6 beside others: the rule on raw eigenvalues would take it for redundant."""
    effects = visits("kenward-roger")
    L = np.eye(len(effects.names))[1:4]
    scaled = L * np.array([[1.0], [1e-6], [1e6]])
    assert joint_test(effects, scaled).df1 == 3
    assert pytest.approx(joint_test(effects, L).F, rel=1e-9) == joint_test(effects, scaled).F
    white = whitening(scaled, effects.vcov) @ scaled
    np.testing.assert_allclose(white @ effects.vcov @ white.T, np.eye(3), atol=1e-9)


def test_the_expected_information_makes_another_kenward_roger(visits):
    """pbkrtest's and SAS's differ on unbalanced data; G and sigma^2 leave nothing to the second order."""
    expected, second, linear = (coefficient_table(visits(name)) for name in METHODS if name.startswith("kenward-roger"))
    np.testing.assert_array_equal(second.df, linear.df)
    np.testing.assert_array_equal(second.standard_error, linear.standard_error)
    assert np.all(np.abs(expected.df / second.df - 1) > 1e-4)
    assert (expected.method.information, second.method.information) == ("expected", "observed")
    assert second.method.order == "linear"
    assert "G[1,1], G[2,1], G[2,2], sigma^2" in expected.method.parametrisation


def test_residual_and_wald_have_fixed_degrees_of_freedom(visits):
    residual, wald = coefficient_table(visits("residual")), coefficient_table(visits("wald"))
    n, p = 155, 16
    np.testing.assert_array_equal(residual.df, np.full(p, n - p))
    np.testing.assert_allclose(residual.p, 2 * stats.t.sf(np.abs(residual.t), n - p), rtol=1e-12)
    assert np.isinf(wald.df).all()
    np.testing.assert_allclose(wald.p, 2 * stats.norm.sf(np.abs(wald.t)), rtol=1e-12)
    L = np.eye(p)[1:4]
    test = joint_test(visits("wald"), L)
    assert test.p == pytest.approx(stats.chi2.sf(3 * test.F, 3), rel=1e-12)


def test_intervals_hold_the_values_that_are_not_rejected(visits):
    effects = visits("kenward-roger")
    weights = {"visit[v4]:arm[b]": 1.0, "visit[v4]": 1.0}
    found = contrast(effects, weights, level=0.9)
    assert dict(found.weights) == weights
    for end in (found.lower, found.upper):
        assert contrast(effects, weights, null=end).p == pytest.approx(0.1, rel=1e-9)
    assert found.upper - found.estimate == pytest.approx(stats.t.ppf(0.95, found.df) * found.standard_error, rel=1e-12)


def test_a_singular_fit_has_the_tables_of_lmertest_and_pbkrtest(simulate, make_cohort, fitted):
    """lmerTest 3.1-3, pbkrtest 0.5.2, lme4 1.1-31 by bobyqa (rhoend 1e-11), whose Lambda[2, 2] ends at 3e-8.

    Satterthwaite's derivatives vanish with the parameter; Kenward and Roger's G moves freely around its boundary.
    """
    design, found = fitted("y ~ t * g + (1 + t | id)", make_cohort(**simulate(m=25, seed=1, correlation=1.0)))
    plain, adjusted = fixed_effects(found, design), fixed_effects(found, design, "kenward-roger")
    table = coefficient_table(plain)
    errors = [0.3092326119685422, 0.0814709003776567, 0.4460952517688425, 0.1170028488838879]
    np.testing.assert_allclose(table.standard_error, errors, rtol=1e-6)
    df = [24.8896131819485, 31.0218276499712, 24.8343774056649, 30.5536290335654]
    np.testing.assert_allclose(table.df, df, rtol=1e-6)
    table = coefficient_table(adjusted)
    errors = [0.3093666088449472, 0.0816209027772399, 0.4462744441192462, 0.1171802760581229]
    np.testing.assert_allclose(table.standard_error, errors, rtol=1e-6)
    df = [23.0124325683081, 23.0848755569323, 22.9612252320242, 22.7186273956083]
    np.testing.assert_allclose(table.df, df, rtol=1e-6)
    joint = joint_test(adjusted, np.eye(4)[1:])
    moments = [66.1158128136432, 25.0202989834841, 0.959743896139388]
    np.testing.assert_allclose([joint.F, joint.df2, joint.scaling], moments, rtol=1e-6)
    assert "count as known" in plain.remarks[0]
    assert "move freely" in joint.remarks[0]


def test_a_weighted_fit_has_the_table_of_lmertest(simulate, make_cohort, make_weighted):
    """lmerTest 3.1-3, lme4 1.1-31 by bobyqa (rhoend 1e-11), weights = w."""
    panel = simulate(m=25, seed=4)
    weights = np.random.default_rng(2).uniform(0.2, 3, len(panel["y"]))
    design, found = make_weighted("y ~ t * g + (1 + t | id)", make_cohort(**panel, w=weights), "w")
    table = coefficient_table(fixed_effects(found, design))
    errors = [0.391580617314809, 0.140915484363878, 0.573261679810444, 0.205643839852293]
    np.testing.assert_allclose(table.standard_error, errors, rtol=1e-6)
    df = [23.8440111249432, 22.2510890492848, 24.6303391125324, 22.6898382242692]
    np.testing.assert_allclose(table.df, df, rtol=1e-6)


def test_tables_and_single_contrasts_agree(visits):
    effects = visits("satterthwaite")
    table = coefficient_table(effects)
    for j in (0, 5):
        single = contrast(effects, {effects.names[j]: 1})
        of_table = (table.estimate[j], table.df[j], table.p[j])
        assert (single.estimate, single.df, single.p) == pytest.approx(of_table, rel=1e-12)
    frame = table.table()
    assert list(frame.index) == list(effects.names)
    assert frame.loc["sex[m]", "df"] == table.df[effects.names.index("sex[m]")]


def test_what_the_data_do_not_determine_has_a_state_and_no_number(aliased):
    assert [aliased.names[j] for j in aliased.kept] == [name for name in aliased.names if name != "t"]
    alone = contrast(aliased, {"t": 1})
    assert alone.state == "not estimable"
    assert np.isnan([alone.estimate, alone.standard_error, alone.df, alone.t, alone.p, alone.lower, alone.upper]).all()
    joint = joint_test(aliased, [{"sex[m]": 1}, {"visit[v1]": 1}])
    assert (joint.state, joint.df1) == ("not estimable", 0)
    assert np.isnan([joint.F, joint.df2, joint.p]).all()


def test_what_they_determine_does_not_depend_on_the_column_that_went(aliased, trial, fitted):
    """From visit 1 to visit 2 the mean moves by visit[v2] - visit[v1] + t, whichever column is kept."""
    design, found = fitted("y ~ t + visit + sex + (1 | id)", trial)
    other = fixed_effects(found, design, "kenward-roger")
    assert [other.names[j] for j in range(len(other.names)) if j not in other.kept] == ["visit[v4]"]
    step = {"visit[v2]": 1, "visit[v1]": -1, "t": 1}
    one, two = contrast(aliased, step), contrast(other, step)
    assert one.state == two.state == "estimated"
    assert (two.estimate, two.df, two.p) == pytest.approx((one.estimate, one.df, one.p), rel=1e-8)


def test_the_table_lists_aliased_columns_without_numbers(aliased):
    table = coefficient_table(aliased)
    place = table.names.index("t")
    assert not table.estimable[place]
    assert table.estimable.sum() == len(table.names) - 1
    assert np.isnan(table.table().loc["t"]).all()
    assert not table.table().drop("t").isna().any().any()


def test_many_contrasts_are_one_table(aliased):
    rows = np.zeros((2, len(aliased.names)))
    rows[0, aliased.names.index("sex[m]")] = rows[1, aliased.names.index("t")] = 1
    table = tabulated(aliased, rows, ("male", "slope"), level=0.99)
    np.testing.assert_array_equal(table.estimable, [True, False])
    assert table.df[0] == pytest.approx(contrast(aliased, {"sex[m]": 1}).df, rel=1e-12)
    assert np.isnan(table.df[1])


def test_doubts_about_a_fit_go_with_every_result(trial, make_design):
    design = make_design("y ~ t + (1 + t | id)", trial)
    unfinished = fit(design, start=np.array([8.0, 0.0, 8.0]), limit=1)
    assert unfinished.convergence.stop is Stop.ITERATION_LIMIT
    effects = fixed_effects(unfinished, design)
    for result in (contrast(effects, {"t": 1}), joint_test(effects, [{"t": 1}]), coefficient_table(effects)):
        assert result.remarks[0].startswith("The fit is no optimum: ")


def test_an_information_that_is_not_positive_is_remarked(trial, fitted):
    design, found = fitted("y ~ t + (1 | id)", trial)
    parts = found.kenward_roger_parts()

    class Indefinite:
        beta, convergence = found.beta, found.convergence

        def kenward_roger_parts(self):
            return replace(parts, observed=np.diag([1.0, -1.0]), expected=np.ones((2, 2)))

    assert "not positive definite" in fixed_effects(Indefinite(), design, "kenward-roger-observed").remarks[0]
    assert "singular in 1 direction" in fixed_effects(Indefinite(), design, "kenward-roger").remarks[0]


def test_kenward_roger_needs_reml(trial, fitted):
    design, found = fitted("y ~ t + (1 | id)", trial, "ML")
    with pytest.raises(SpecError, match=r"'kenward-roger': a fit by ML; expected a fit by REML. Fit the model again"):
        fixed_effects(found, design, "kenward-roger")


def test_an_unknown_method_lists_the_known_ones(trial, fitted):
    design, found = fitted("y ~ t + (1 | id)", trial)
    with pytest.raises(
        SpecError, match=r"no such method; expected one of 'satterthwaite'.*Did you mean 'satterthwaite'"
    ):
        fixed_effects(found, design, "satterthwait")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"viist[v4]": 1}, r"'viist\[v4\]': unknown fixed effect.*Did you mean 'visit\[v4\]'"),
        ([1, 0], r"weights of shape \(2,\); expected 16, one for each of intercept, visit\[v1\]"),
        ({"sex[m]": np.nan}, "a weight that is not finite"),
        ({}, "weights that are all zero"),
        ({"sex[m]": 1e200}, r"a weight of 1e\+200; expected weights of at most 1e\+60"),
    ],
)
def test_weights_that_are_no_contrast_are_refused(visits, weights, message):
    with pytest.raises(SpecError, match=message):
        contrast(visits("wald"), weights)


def test_all_problems_of_all_contrasts_are_told(visits):
    with pytest.raises(SpecError) as caught:
        joint_test(visits("wald"), [{"a": 1, "b": 1}, {"sex[m]": 0}])
    assert len(caught.value.problems) == 3
    with pytest.raises(SpecError, match="no contrast"):
        joint_test(visits("wald"), [])
    with pytest.raises(SpecError, match="level 95"):
        coefficient_table(visits("wald"), level=95)


def test_flat_and_falling_directions_are_left_out_of_the_covariance():
    spread, ignored = spread_of(np.diag([4.0, 1e-30, -2.0]))
    assert (spread[0, 0], ignored) == (0.5, 1)  # a scale of its own makes 1e-30 a curvature like any other
    hessian = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    spread, ignored = spread_of(hessian)
    assert ignored == 2
    np.testing.assert_allclose(hessian @ spread @ hessian, 2 * hessian, rtol=1e-12)


def test_tails_reach_the_limits_of_many_degrees_of_freedom():
    df = np.array([0.5, 17.0, 1e8, np.inf, np.nan])
    p = two_sided_p(np.full(5, -2.0), df)
    np.testing.assert_allclose(p[:3], 2 * stats.t.sf(2, df[:3]), rtol=1e-12)
    assert p[3] == pytest.approx(2 * stats.norm.sf(2), rel=1e-14)
    assert np.isnan(p[4])
    np.testing.assert_allclose(
        t_quantile(0.95, df)[1:4], [stats.t.ppf(0.975, 17), *[stats.norm.ppf(0.975)] * 2], rtol=1e-7
    )
    assert f_tail(3.0, 2, np.inf) == pytest.approx(np.exp(-3), rel=1e-14)
    assert f_tail(3.0, 2, 10.0) == pytest.approx((1 + 6 / 10) ** -5, rel=1e-13)


def test_moments_that_no_f_has_are_no_number():
    assert moments_of_f(0.0, 0.0, 3) == (np.inf, 1.0)
    df2, scaling = moments_of_f(-2.0, -1.0, 2)
    assert np.isnan(df2)
    assert np.isnan(scaling)
