"""Tables of terms: sums of squares of nested models, marginal means, codings, empty cells."""

import numpy as np
import pytest

from harness.errors import SpecError
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.hypotheses import TYPES, term_hypotheses
from harness.lmm.inference.terms import term_table

# lmerTest 3.1-3, lme4 1.1-31 by bobyqa with rhoend 1e-11: y ~ visit * arm + sex + (1 | id), two cells empty.
LMERTEST = {
    "df1": [4, 2, 1, 6],
    "df2": [91.7491105950004, 39.8449397685098, 36.859609803875, 91.523684260078],
    "F": [0.908820251130244, 2.318249470663589, 0.680522921035482, 1.361828683952153],
    "p": [0.462296789147149, 0.111581798715733, 0.414713715319668, 0.238457082750261],
}
# A small share of 1: R's rule for the rank of such rows would see the same.
SAME = 1e-9


def rows_of(design, type_):
    return {one.term: one.rows for one in term_hypotheses(design, type_)}


def projector(rows):
    """Two hypotheses are one if their rows span the same space."""
    return rows.T @ np.linalg.pinv(rows @ rows.T) @ rows


def explained(X, y):
    return float(np.sum((X @ np.linalg.lstsq(X, y)[0]) ** 2))


def sum_of_squares(design, rows):
    """Return that of a hypothesis on the coefficients by least squares."""
    inverse = np.linalg.inv(design.X.T @ design.X)
    value = rows @ inverse @ design.X.T @ design.y
    return float(value @ np.linalg.solve(rows @ inverse @ rows.T, value))


@pytest.fixture(scope="module")
def layout(trial, make_design):
    return lambda text: make_design(f"y ~ {text} + (1 + t | id)", trial)


@pytest.mark.parametrize("type_", ["I", "II"])
def test_types_one_and_two_are_differences_of_nested_models(layout, type_):
    """Theorem (Searle 1987, chapter 12): the sum of squares is what the term explains after those before it."""
    design = layout("visit * arm + sex")
    after = {
        "I": {"visit": "1", "arm": "visit", "sex": "visit + arm", "visit:arm": "visit + arm + sex"},
        "II": {"visit": "arm + sex", "arm": "visit + sex", "sex": "visit * arm", "visit:arm": "visit + arm + sex"},
    }[type_]
    for term, rows in rows_of(design, type_).items():
        smaller = layout(after[term]).X
        both = smaller if term == "visit:arm" else layout(f"{after[term]} + {term}").X
        larger = layout("visit * arm + sex").X if term == "visit:arm" else both
        difference = explained(larger, design.y) - explained(smaller, design.y)
        assert sum_of_squares(design, rows) == pytest.approx(difference, rel=1e-7), term


def test_type_three_compares_marginal_means(layout):
    """Each cell counts alike, however many rows it has."""
    design = layout("visit * arm")
    cells = {"visit": np.repeat(np.arange(5), 3), "arm": np.tile(np.arange(3), 5)}
    # Every cell has a subject in the trial: the rows of X of the cells give their means.
    codes = [design.frame.codes[name] for name in ("visit", "arm")]
    first = [np.flatnonzero((codes[0] == v) & (codes[1] == a))[0] for v, a in zip(*cells.values(), strict=True)]
    means = design.X[first]
    hypotheses = rows_of(design, "III")
    for name, levels in cells.items():
        marginal = np.array([means[levels == level].mean(axis=0) for level in np.unique(levels)])
        contrasts = marginal[1:] - marginal[0]
        np.testing.assert_allclose(projector(hypotheses[name]), projector(contrasts), atol=SAME)


def test_type_three_of_three_factors_compares_marginal_means(layout):
    """Marginal means again, over both other factors; and interactions of two of them over the third."""
    design = layout("arm * sex * visit")
    names = ("arm", "sex", "visit")
    codes = np.column_stack([design.frame.codes[name] for name in names])
    cells, first = np.unique(codes, axis=0, return_index=True)
    assert len(cells) == 30
    means, hypotheses = design.X[first], rows_of(design, "III")
    for j, name in enumerate(names):
        marginal = np.array([means[cells[:, j] == level].mean(axis=0) for level in np.unique(cells[:, j])])
        np.testing.assert_allclose(projector(hypotheses[name]), projector(marginal[1:] - marginal[0]), atol=SAME)
    pairs = np.array([[means[(cells[:, :2] == (a, b)).all(axis=1)].mean(axis=0) for b in (0, 1)] for a in (0, 1, 2)])
    interaction = (pairs[1:, 1] - pairs[1:, 0]) - (pairs[0, 1] - pairs[0, 0])
    np.testing.assert_allclose(projector(hypotheses["arm:sex"]), projector(interaction), atol=SAME)


@pytest.mark.parametrize("type_", TYPES)
def test_units_of_numeric_columns_change_no_test(trial, make_cohort, fitted, type_):
    columns = {name: [factor.levels[k] for k in factor.codes] for name, factor in trial.factors.items()}
    tables = []
    for unit in (1.0, 1e8):
        cohort = make_cohort(**columns, y=trial.numeric["y"], t=unit * trial.numeric["t"], x=trial.numeric["x"] / unit)
        design, found = fitted("y ~ t * arm + x * sex + (1 + t | id)", cohort)
        tables.append(term_table(fixed_effects(found, design, "kenward-roger"), design, type_))
    np.testing.assert_allclose(tables[1].F, tables[0].F, rtol=1e-7)
    np.testing.assert_array_equal(tables[1].df1, tables[0].df1)
    np.testing.assert_allclose(tables[1].df2, tables[0].df2, rtol=1e-7)


def test_rows_of_types_one_and_two_have_ones_on_their_own_columns(layout):
    """Satterthwaite's pooled degrees of freedom depend on the scale of rows: this is lmerTest's."""
    design = layout("visit * arm")
    for type_ in ("I", "II"):
        for term, rows in rows_of(design, type_).items():
            own = [design.fixed_names.index(name) for name in design.fixed_names if _term(name) == term]
            np.testing.assert_allclose(np.diag(rows[:, own]), 1, rtol=1e-12)


def _term(name):
    return ":".join(part.split("[")[0] for part in name.split(":"))


def test_type_two_compares_at_time_zero_what_only_its_slope_is_tested_with(layout):
    """arm is not contained in t:arm, so no term goes behind it and its rows are its own."""
    design = layout("t * arm")
    names = design.fixed_names
    at_zero = np.eye(len(names))[[names.index("arm[b]"), names.index("arm[c]")]]
    np.testing.assert_array_equal(rows_of(design, "II")["arm"], at_zero)


def test_type_three_of_a_slope_is_its_mean_over_the_levels(layout):
    design = layout("t * arm")
    hypotheses, names = rows_of(design, "III"), design.fixed_names
    mean_slope = np.zeros((1, len(names)))
    for name, weight in {"t": 1, "t:arm[b]": 1 / 3, "t:arm[c]": 1 / 3}.items():
        mean_slope[0, names.index(name)] = weight
    np.testing.assert_allclose(projector(hypotheses["t"]), projector(mean_slope), atol=SAME)
    # arm is not contained in t:arm, which has another numeric column: it is compared at t = 0.
    at_zero = np.eye(len(names))[[names.index("arm[b]"), names.index("arm[c]")]]
    np.testing.assert_allclose(projector(hypotheses["arm"]), projector(at_zero), atol=SAME)


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
def test_codings_change_no_type_three_test(trial, fitted, method):
    texts = ("visit * arm", "C(visit, sum) * C(arm, sum)", "C(visit, helmert) * C(arm, poly)")
    tables = []
    for text in texts:
        design, found = fitted(f"y ~ {text} + (1 | id)", trial)
        tables.append(term_table(fixed_effects(found, design, method), design, "III"))
    for table in tables[1:]:
        np.testing.assert_allclose(table.F, tables[0].F, rtol=1e-8)
        np.testing.assert_array_equal(table.df1, [4, 2, 8])
        np.testing.assert_allclose(table.df2, tables[0].df2, rtol=1e-8)


def test_balanced_data_have_one_table(make_cohort, fitted):
    stream = np.random.default_rng(1)
    ids = [f"s{i // 6}" for i in range(72)]
    factors = {"a": ["p", "p", "p", "q", "q", "q"] * 12, "b": ["x", "y", "z"] * 24}
    y = stream.normal(size=72) + np.repeat(stream.normal(size=12), 6)
    design, found = fitted("y ~ a * b + (1 | id)", make_cohort(id=ids, y=y, **factors))
    effects = fixed_effects(found, design)
    first, second, third = (term_table(effects, design, type_) for type_ in TYPES)
    np.testing.assert_allclose(first.F, third.F, rtol=1e-10)
    np.testing.assert_allclose(second.F, third.F, rtol=1e-10)
    # The classical table: all on the error's degrees of freedom, 71 - 11 - 5.
    np.testing.assert_allclose(third.df2, 55, rtol=1e-10)


@pytest.fixture(scope="module")
def empty_cells(trial, make_cohort, fitted):
    """The trial without arm c at its last two visits."""
    arms = [trial.factors["arm"].levels[k] for k in trial.factors["arm"].codes]
    kept = [k for k, arm in enumerate(arms) if not (arm == "c" and trial.numeric["t"][k] > 2)]
    columns = {name: trial.numeric[name][kept] for name in ("t", "y")}
    for name, factor in trial.factors.items():
        columns[name] = [factor.levels[factor.codes[k]] for k in kept]
    return fitted("y ~ visit * arm + sex + (1 | id)", make_cohort(**columns))


def test_empty_cells_are_named_and_tested_as_lmertest_does(empty_cells):
    """lmerTest 3.1-3 with lme4 1.1-31, bobyqa with rhoend 1e-11; its type III contrasts are rounded to 7 digits."""
    design, found = empty_cells
    table = term_table(fixed_effects(found, design), design, "III")
    assert table.terms == ("visit", "arm", "sex", "visit:arm")
    assert "visit[v3]:arm[c], visit[v4]:arm[c]" in table.remarks[0]
    np.testing.assert_array_equal(table.df1, LMERTEST["df1"])
    np.testing.assert_allclose(table.F, LMERTEST["F"], rtol=1e-6)
    np.testing.assert_allclose(table.df2, LMERTEST["df2"], rtol=1e-6)
    np.testing.assert_allclose(table.p, LMERTEST["p"], rtol=1e-6)


def test_a_term_that_is_wholly_aliased_has_no_test(trial, fitted):
    design, found = fitted("y ~ visit + t + (1 | id)", trial)
    effects = fixed_effects(found, design)
    for type_ in TYPES:
        table = term_table(effects, design, type_)
        np.testing.assert_array_equal(table.df1, [4, 0])
        assert np.isnan([table.F[1], table.df2[1], table.p[1]]).all()


def test_without_an_intercept_the_levels_themselves_are_tested(trial, fitted):
    design, found = fitted("y ~ 0 + arm + t + (1 | id)", trial)
    for type_ in TYPES:
        assert rows_of(design, type_)["arm"].shape == (3, 4)
    np.testing.assert_allclose(projector(rows_of(design, "III")["arm"]), np.diag([1.0, 1, 1, 0]), atol=SAME)
    assert term_table(fixed_effects(found, design), design).df1.tolist() == [3, 1]


def test_a_slope_without_the_main_effect_of_its_factor_is_contained_all_the_same(layout):
    """lmerTest 3.1-3 overlooks variables of a term that R codes in full, and would test the first arm's slope."""
    design = layout("t + t:arm")
    assert design.fixed_names == ("intercept", "t", "t:arm[b]", "t:arm[c]")
    mean_slope = np.array([[0, 1, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(projector(rows_of(design, "III")["t"]), projector(mean_slope), atol=SAME)


def test_terms_without_main_effects_are_not_contained_in_others(layout):
    """lmerTest 3.1-3 takes arm:sex, coded in full, to be contained in visit, and tests it without regard to visits."""
    design = layout("visit + arm:sex")
    rows = rows_of(design, "II")["arm:sex"]
    difference = explained(design.X, design.y) - explained(layout("visit").X, design.y)
    assert sum_of_squares(design, rows) == pytest.approx(difference, rel=1e-8)


def test_an_intercept_only_model_has_an_empty_table(trial, fitted):
    design, found = fitted("y ~ 1 + (1 | id)", trial)
    table = term_table(fixed_effects(found, design), design)
    assert table.terms == ()
    assert table.table().empty


def test_the_table_as_a_frame_has_a_row_a_term(empty_cells):
    design, found = empty_cells
    frame = term_table(fixed_effects(found, design, "kenward-roger"), design, "II").table()
    assert list(frame.index) == ["visit", "arm", "sex", "visit:arm"]
    assert list(frame.columns) == ["df1", "df2", "F", "p"]


def test_an_unknown_type_is_refused(empty_cells):
    design, _ = empty_cells
    with pytest.raises(SpecError, match="type 'IV'; expected 'I', 'II' or 'III'"):
        term_hypotheses(design, "IV")
