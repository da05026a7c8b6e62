"""Codings of factors, orthogonal polynomials and natural splines, as R has them and as their definitions want them."""

import numpy as np
import pytest

from harness.coding.bases import train_polynomial, train_spline
from harness.coding.codings import contrasts
from harness.coding.columns import Frame
from harness.cohorts import fixture_cohort
from harness.formula import parse_formula
from harness.lmm.design import all_rows, fixed_rows
from harness.lmm.result import fit_lmm_cohort
from harness.lmm.spec import LmmSpec

X = np.array([0, 1, 2, 4, 6, 9, 0.5, 3.25])
NEW = np.array([-1.5, 5, 9, 12])
# R 4.2.2: poly(x, 3) and predict of it at NEW.
POLYNOMIAL = [
    [-0.39641194979171646, 0.4264283520347264, -0.43262156428819248],
    [-0.27325483917681426, 0.077036837622297294, 0.22944832526671971],
    [-0.150097728561912, -0.18158121322743404, 0.43168905225243953],
    [0.096216492667892367, -0.42649692423880425, -0.0065132143907775421],
    [0.34253071389769685, -0.30831878099938392, -0.67362083003202555],
    [0.71200204574240333, 0.54974941057997861, 0.24503669816627882],
    [-0.33483339448426536, 0.24038591188317462, -0.035720415328761121],
    [0.0038486597067157345, -0.37720359365455491, 0.24230194835431909],
]
NEW_POLYNOMIAL = [
    [-0.5811476157140697, 1.1207158678334284, -2.5814706385667257],
    [0.21937360328279454, -0.41279458440044287, -0.37855432447326143],
    [0.71200204574240333, 0.5497494105799785, 0.24503669816627852],
    [1.0814733775871099, 2.2247787742236196, 6.6876995709142513],
]
# R 4.2.2, splines: ns(x, 3) and predict of it at NEW; the first and the last lie beyond the boundary knots.
SPLINE = [
    [0, 0, 0],
    [-0.1488993887534297, 0.42101348732104837, -0.24989187634539647],
    [-0.082676288133017917, 0.6082445349750748, -0.35978447206277986],
    [0.39039851463730108, 0.45612678262003747, -0.19159085971420536],
    [0.42797016276470712, 0.35019270316540818, 0.14730297257920164],
    [-0.15897745350814632, 0.39113500466289969, 0.76784244884524666],
    [-0.089244195634604409, 0.226403267919353, -0.13438129450697084],
    [0.22912475356389525, 0.53949678249544619, -0.29079586556125708],
]
NEW_SPLINE = [
    [0.2825270881617028, -0.69510632801688776, 0.41257923985518502],
    [0.47351484754740036, 0.38317540082477913, -0.033363816350095256],
    [-0.15897745350814632, 0.39113500466289969, 0.76784244884524666],
    [-0.89066871468539122, 0.4770420758132643, 1.413626638872127],
]
# Entries are of order one, and both sides round.
ROUNDING = 1e-14


def test_polynomials_are_those_of_r():
    found = train_polynomial(X, 3)
    np.testing.assert_allclose(found.columns(X), POLYNOMIAL, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(found.columns(NEW), NEW_POLYNOMIAL, rtol=0, atol=ROUNDING)


def test_natural_splines_are_those_of_r():
    found = train_spline(X, 3)
    np.testing.assert_allclose(found.columns(X), SPLINE, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(found.columns(NEW), NEW_SPLINE, rtol=0, atol=ROUNDING)


def test_a_spline_with_one_degree_of_freedom_is_the_line_of_r():
    """R 4.2.2, splines: ns(x, 1) is 0.0890870806374748 x."""
    found = train_spline(X, 1).columns(np.append(X, NEW))
    np.testing.assert_allclose(found[:, 0], 0.08908708063747478 * np.append(X, NEW), rtol=1e-13, atol=ROUNDING)


@pytest.mark.parametrize("origin", [0.0, 2000.0, -1e6])
@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e4])
def test_polynomials_are_orthonormal_over_the_rows_that_trained_them_in_any_unit(origin, unit):
    x = origin + unit * X
    P = train_polynomial(x, 4).columns(x)
    # What rounding to a double takes from the distances to the origin.
    limit = 1e-14 + 1e-14 * abs(origin) / unit
    np.testing.assert_allclose(P.T @ P, np.eye(4), atol=limit)
    np.testing.assert_allclose(P.sum(axis=0), 0, atol=limit)
    np.testing.assert_allclose(P[:, :3], POLYNOMIAL, atol=10 * limit)


@pytest.mark.parametrize("df", [2, 3, 5])
def test_natural_splines_are_straight_beyond_the_boundary_and_smooth_at_the_knots(df):
    spline = train_spline(X, df)
    for start in (-5.0, 10.0):
        beyond = spline.columns(start + np.array([0.0, 1.5, 3.0]))
        np.testing.assert_allclose(np.diff(beyond, 2, axis=0), 0, atol=1e-13)
    step = 1e-3
    for knot in np.unique(spline.knots):
        left, right = (spline.columns(knot + step * side * np.arange(4)) for side in (-1, 1))
        np.testing.assert_allclose(left[0], right[0], atol=1e-13)
        # One-sided first and second differences, exact to the third derivative times the step.
        slopes = [np.array([-11, 18, -9, 2]) @ rows / 6 for rows in (left, right)]
        bends = [np.array([2, -5, 4, -1]) @ rows for rows in (left, right)]
        np.testing.assert_allclose(-slopes[0] / step, slopes[1] / step, atol=1e-5)
        np.testing.assert_allclose(bends[0] / step**2, bends[1] / step**2, atol=10 * step)


def test_splines_of_evenly_spread_times_reproduce_lines():
    """A natural spline holds every straight line, whatever its knots."""
    spline = train_spline(X, 4)
    basis = np.column_stack([np.ones(8), spline.columns(X)])
    weights = np.linalg.lstsq(basis, 3 - 2 * X, rcond=None)[0]
    far = np.array([-100.0, 2.2, 50.0])
    np.testing.assert_allclose(np.column_stack([np.ones(3), spline.columns(far)]) @ weights, 3 - 2 * far, rtol=1e-11)


def test_codings_are_those_of_r():
    """R 4.2.2: contr.treatment(4), contr.sum(4), contr.helmert(4), contr.poly(4)."""
    assert contrasts("treatment", 4).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert contrasts("sum", 4).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]]
    assert contrasts("helmert", 4).tolist() == [[-1, -1, -1], [1, -1, -1], [0, 2, -1], [0, 0, 3]]
    polynomials = [
        [-0.67082039324993692, 0.5, -0.22360679774997891],
        [-0.22360679774997896, -0.5, 0.67082039324993681],
        [0.22360679774997896, -0.5, -0.67082039324993692],
        [0.67082039324993692, 0.5, 0.22360679774997899],
    ]
    np.testing.assert_allclose(contrasts("poly", 4), polynomials, rtol=0, atol=1e-15)


@pytest.mark.parametrize("coding", ["treatment", "sum", "helmert", "poly"])
@pytest.mark.parametrize("n_levels", [2, 3, 7])
def test_a_coding_and_the_intercept_tell_all_levels_apart(coding, n_levels):
    table = np.column_stack([np.ones(n_levels), contrasts(coding, n_levels)])
    assert np.linalg.matrix_rank(table) == n_levels


@pytest.fixture(scope="module")
def panel(make_cohort):
    """Ten subjects, two arms, six visits; four outcomes are missing, and one week."""
    week = np.tile([0.0, 1, 2, 4, 6, 9], 10)
    week[7] = np.nan
    y = np.random.default_rng(3).normal(size=60)
    y[[5, 17, 23, 59]] = np.nan
    return make_cohort(
        id=[f"s{i}" for i in range(10) for _ in range(6)],
        arm=["x"] * 30 + ["y"] * 30,
        visit=["0", "1", "2", "4", "6", "9"] * 10,
        week=week,
        y=y,
    )


V = ["1", "2", "4", "6", "9"]


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        (
            "0 + C(visit, sum) * arm",
            [f"C(visit, sum)[{v}]" for v in ["0", *V]]
            + ["arm[y]"]
            + [f"C(visit, sum)[{v}]:arm[y]" for v in ["0", *V[:-1]]],
        ),
        ("0 + arm + C(visit, sum)", ["arm[x]", "arm[y]", *(f"C(visit, sum)[{v}]" for v in ["0", *V[:-1]])]),
        (
            "arm:C(visit, helmert)",
            ["intercept", *(f"arm[{a}]:C(visit, helmert)[{v}]" for v in ["0", *V] for a in "xy")],
        ),
        ("C(visit, poly)", ["intercept", *(f"C(visit, poly)[{k}]" for k in range(1, 6))]),
        ("C(visit, poly):arm - 1", [f"C(visit, poly)[{v}]:arm[{a}]" for a in "xy" for v in ["0", *V]]),
        ("0 + week + week:arm", ["week", "week:arm[x]", "week:arm[y]"]),
        (
            "arm * poly(week, 2)",
            ["intercept", "arm[y]", *(f"{a}poly(week, 2)[{k}]" for a in ("", "arm[y]:") for k in (1, 2))],
        ),
        ("0 + poly(week, 2):arm", [f"poly(week, 2)[{k}]:arm[{a}]" for a in "xy" for k in (1, 2)]),
        ("ns(week, 2) * arm - arm", ["intercept", "ns(week, 2)[1]", "ns(week, 2)[2]", "ns(week, 2)[1]:arm[y]",
                                     "ns(week, 2)[2]:arm[y]"]),
        ("visit * arm - arm", ["intercept", *(f"visit[{v}]" for v in V), *(f"visit[{v}]:arm[y]" for v in ["0", *V])]),
        ("0 + visit:arm", [f"visit[{v}]:arm[{a}]" for a in "xy" for v in ["0", *V]]),
        ("week:visit + arm", ["intercept", "arm[y]", *(f"week:visit[{v}]" for v in ["0", *V])]),
    ],
)  # fmt: skip
def test_factors_are_coded_where_r_codes_them_and_in_its_order(panel, make_design, formula, names):
    """R 4.2.2: colnames(model.matrix(...)) on the same layout, names in our spelling."""
    assert list(make_design(f"y ~ {formula} + (1 | id)", panel).all_names) == names


def test_a_basis_is_trained_on_all_rows_whose_value_is_known_as_lm_and_lme4_do(panel, make_design):
    """R's model.frame works out poly( ) before it drops rows: lme4 1.1-31 on data with missing outcomes has these."""
    design = make_design("y ~ poly(week, 2) + ns(week, 3) + (1 + poly(week, 2) | id)", panel)
    week = panel.numeric["week"]
    known = week[~np.isnan(week)]
    used = design.frame.numeric["week"]
    expected = np.column_stack([train_polynomial(known, 2).columns(used), train_spline(known, 3).columns(used)])
    np.testing.assert_array_equal(all_rows(design, design.frame)[:, 1:], expected)
    np.testing.assert_array_equal(design.Z[:, 1:], expected[:, :2])


def test_rows_of_another_frame_are_coded_as_the_rows_of_the_model(panel, make_design):
    design = make_design("y ~ C(visit, sum) * ns(week, 2) + arm:visit + poly(week, 2) + (1 | id)", panel)
    own = design.frame
    few = Frame(
        n_rows=3,
        numeric={name: values[[40, 2, 17]] for name, values in own.numeric.items()},
        codes={name: codes[[40, 2, 17]] for name, codes in own.codes.items()},
        levels=own.levels,
    )
    np.testing.assert_array_equal(fixed_rows(design, few), design.X[[40, 2, 17]])
    assert all_rows(design, few).shape == (3, len(design.all_names))
    assert design.n_fixed < len(design.all_names)


def test_a_matrix_worked_out_by_cells_is_that_worked_out_by_rows(make_cohort, make_design):
    stream = np.random.default_rng(5)
    n = 400
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(n)],
        a=[f"a{k}" for k in stream.integers(3, size=n)],
        b=[f"b{k}" for k in stream.integers(4, size=n)],
        t=stream.normal(size=n),
        y=stream.normal(size=n),
    )
    design = make_design("y ~ C(a, helmert) * b * t + (1 | id)", cohort)
    columns = dict(zip(design.all_names, all_rows(design, design.frame).T, strict=True))
    assert len(columns) == 24
    for name, column in columns.items():
        expected = np.prod([columns[part] for part in name.split(":")], axis=0)
        np.testing.assert_array_equal(column, expected)


@pytest.mark.parametrize(
    ("formula", "criterion", "slope"),
    [
        ("visit * protocol + (1 + week | subject)", 7150.1491671133, -5.3507271665),
        ("poly(week, 3) * protocol + (1 + week | subject)", 7135.2099970346, -56.0063669242),
        ("ns(week, 3) * protocol + (1 | subject)", 7283.5177716296, -6.0680094810),
        ("C(visit, helmert) * protocol + (1 + week || subject)", 7215.3415201471, -2.6875671536),
        ("visit * protocol - protocol + (1 | sex / subject)", 7273.3827553698, -5.3980661586),
    ],
)
def test_models_of_coded_columns_are_lme4s(formula, criterion, slope):
    """lme4 1.1-31 by bobyqa, rhoend = 1e-11: REMLcrit(m), fixef(m)[2], on data with 130 missing outcomes.

    The criterion of a REML fit moves with the coding of X, so it holds knots, scales and signs too.
    """
    spec = LmmSpec(formula=parse_formula(f"madrs ~ {formula}"))
    result = fit_lmm_cohort(spec, fixture_cohort("ketamine_real"))
    assert result.fit.deviance == pytest.approx(criterion, abs=1e-9)
    assert result.fit.beta[1] == pytest.approx(slope, rel=1e-7)


@pytest.mark.parametrize("criterion", ["ML", "REML"])
@pytest.mark.parametrize(
    ("formula", "others"),
    [
        ("visit * arm", ["C(visit, sum) * arm", "C(visit, poly) * C(arm, sum)", "0 + visit:arm", "visit * arm - arm"]),
        ("week + week^2", ["poly(week, 2)", "week + poly(week, 2)", "poly(week, 2) + week^2"]),
        ("arm * week", ["ns(week, 1) * C(arm, helmert)", "0 + arm + arm:poly(week, 1)"]),
    ],
)
def test_another_coding_of_the_same_columns_is_the_same_model(panel, formula, others, criterion):
    """-2 log-likelihood stays under ML, and moves by 2 log|det T| under REML, X T being the other columns."""

    def fitted(fixed):
        spec = LmmSpec(formula=parse_formula(f"y ~ {fixed} + (1 | id)"), criterion=criterion)
        found = fit_lmm_cohort(spec, panel)
        _, log_det = np.linalg.slogdet(found.design.conditioned.triangle)
        return found.fit.deviance - (2 * log_det if criterion == "REML" else 0.0), found.design.n_fixed

    expected = fitted(formula)
    for other in others:
        assert fitted(other) == pytest.approx(expected, rel=1e-11), other
