"""Random terms as columns and groupings: factors, nesting, crossing, blocks, weights, and the order of rows."""

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.grouping import side_by_side
from harness.lmm.spec import LmmSpec


@pytest.fixture(scope="module")
def machines():
    """Six workers on three machines, each pair three times."""
    return fixture_cohort("machines")


@pytest.mark.parametrize(
    ("random", "names", "blocks"),
    [
        ("(1 | worker)", ["intercept"], (1,)),
        ("(machine | worker)", ["intercept", "machine[B]", "machine[C]"], (3,)),
        ("(0 + machine | worker)", ["machine[A]", "machine[B]", "machine[C]"], (3,)),
        ("(0 + machine || worker)", ["machine[A]", "machine[B]", "machine[C]"], (1, 1, 1)),
        ("(1 + machine || worker)", ["intercept", "machine[B]", "machine[C]"], (1, 1, 1)),
        ("(1 | worker) + (0 + machine | worker)", ["intercept", "machine[A]", "machine[B]", "machine[C]"], (1, 3)),
        ("(1 | worker/machine)", ["intercept", "intercept"], (1, 1)),
        ("(C(machine, sum) | worker)", ["intercept", "C(machine, sum)[A]", "C(machine, sum)[B]"], (3,)),
        ("(0 + C(machine, helmert) || worker)", [f"C(machine, helmert)[{m}]" for m in "ABC"], (1, 1, 1)),
    ],
)
def test_effects_of_factors_are_coded_as_lme4_codes_them(machines, make_design, random, names, blocks):
    """lme4 1.1-31: names of ranef( ) for `|`; `||` makes every column independent, which lme4 does to numbers only."""
    design = make_design(f"score ~ machine + {random}", machines)
    assert list(design.random_names) == names
    assert design.blocks == blocks
    assert design.Z.shape == (54, len(names))


def test_nested_groupings_number_the_combinations_that_occur(machines, make_design):
    design = make_design("score ~ machine + (1 | worker/machine)", machines)
    outer, inner = design.random
    assert (outer.grouping, inner.grouping) == ("worker", "worker:machine")
    assert len(outer.labels) == 6
    assert len(inner.labels) == 18
    of, what = design.frame.codes["worker"], design.frame.codes["machine"]
    for row in range(54):
        worker, machine = design.frame.levels["worker"][of[row]], design.frame.levels["machine"][what[row]]
        assert inner.labels[inner.codes[row]] == f"{worker}:{machine}"
    assert design.subject_labels == outer.labels


def test_a_combination_without_a_row_is_no_level(make_cohort, make_design):
    cohort = make_cohort(
        site=["a", "a", "b", "b", "b", "a", None, "b"],
        id=["x", "y", "y", "z", "z", "x", "x", None],
        y=[1, 2, 4, 3, 6, 2, 1, 1],
    )
    design = make_design("y ~ 1 + (1 | site:id)", cohort)
    assert design.random[0].labels == ("a:x", "a:y", "b:y", "b:z")
    assert design.starts.tolist() == [0, 2, 3, 4, 6]
    assert design.y.tolist() == [1, 2, 2, 4, 3, 6]
    assert (design.dropped_rows, design.dropped_by_subject) == (2, {})


def test_terms_of_crossed_groupings_keep_their_own_codes(make_design):
    """Rows are sorted by the first grouping; the second one's codes go with them."""
    cohort = fixture_cohort("penicillin")
    design = make_design("diameter ~ 1 + (1 | plate) + (1 | sample)", cohort)
    plate, sample = design.random
    assert (len(plate.labels), len(sample.labels)) == (24, 6)
    assert np.all(np.diff(plate.codes) >= 0)
    pairs = {
        (plate.labels[a], sample.labels[b]): y for a, b, y in zip(plate.codes, sample.codes, design.y, strict=True)
    }
    factors = cohort.factors
    assert len(pairs) == 144
    for k in range(144):
        key = tuple(factors[name].levels[factors[name].codes[k]] for name in ("plate", "sample"))
        assert pairs[key] == cohort.numeric["diameter"][k]


def test_rows_come_by_subject_and_visit_under_a_residual_structure(make_cohort, make_design):
    cohort = make_cohort(
        id=["b", "a", "b", "a", "a", "b"],
        visit=["v2", "v3", "v1", "v1", "v2", "v3"],
        y=[1, 2, 3, 5, 4, 6],
    )
    design = make_design("y ~ 1 + cs(visit | id)", cohort)
    assert (design.n_random, design.random, design.blocks, design.Z.shape) == (0, (), (), (6, 0))
    assert design.subject_labels == ("b", "a")
    assert design.y.tolist() == [1, 6, 3, 4, 2, 5]  # levels in order of appearance: v2, v3, v1
    assert design.starts.tolist() == [0, 3, 6]


def test_weights_scale_rows_and_leave_the_users_units(make_cohort):
    stream = np.random.default_rng(12)
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(24)], t=np.tile(np.arange(4.0), 6), y=30 + stream.normal(size=24),
        w=stream.uniform(0.2, 5, size=24),
    )  # fmt: skip
    spec = LmmSpec(formula=parse_formula("y ~ t + (1 + t | id)"), weights="w")
    design = build_design(spec, cohort)
    roots = np.sqrt(cohort.numeric["w"])
    assert spec.columns == ("y", "t", "id", "w")
    np.testing.assert_array_equal(design.weights, cohort.numeric["w"])
    assert design.log_weights == pytest.approx(np.log(cohort.numeric["w"]).sum(), rel=1e-14)
    np.testing.assert_array_equal(design.y, cohort.numeric["y"])
    for scaled, plain in ((design.scaled.X, design.X), (design.scaled.Z, design.Z)):
        np.testing.assert_allclose(scaled, roots[:, None] * plain, rtol=1e-15)
    D, p = design.conditioned.D, 2
    np.testing.assert_allclose(D[:, :p] @ design.conditioned.triangle, design.scaled.X, atol=1e-13)
    np.testing.assert_allclose(D[:, :p].T @ D, np.eye(p, p + 1), atol=1e-13)
    np.testing.assert_allclose(
        D[:, :p] @ design.conditioned.coefficients + D[:, p], design.scaled.y, rtol=1e-14, atol=1e-12
    )


def test_without_weights_the_rows_are_the_users(make_design, uneven):
    design = make_design("y ~ t + (1 | id)", uneven)
    assert (design.weights, design.log_weights) == (None, 0.0)
    assert design.scaled.y is design.y
    assert design.scaled.X is design.X
    assert design.scaled.Z is design.Z


@pytest.mark.parametrize("n_rows", [40, 12_000])
def test_the_conditioned_design_keeps_the_digits_of_an_outcome_far_from_zero(make_cohort, make_design, n_rows):
    """y + 1e9 has the residuals of y, but for the rounding of y + 1e9 itself; by either way of decomposing X."""
    stream = np.random.default_rng(13)
    base = {
        "id": [f"s{i // 4}" for i in range(n_rows)],
        "t": 2000 + np.tile(np.arange(4.0), n_rows // 4),
        "g": ["a", "b"] * (n_rows // 2),
    }
    y = stream.normal(size=n_rows)
    moved = (y + 1e9) - 1e9
    plain = make_design("y ~ t * g + (1 | id)", make_cohort(**base, y=moved))
    far = make_design("y ~ t * g + (1 | id)", make_cohort(**base, y=y + 1e9))
    np.testing.assert_allclose(far.conditioned.D, plain.conditioned.D, rtol=0, atol=1e-12)
    np.testing.assert_allclose(plain.conditioned.D[:, :4].T @ plain.conditioned.D, np.eye(4, 5), atol=1e-12)


def test_z_of_no_term_has_no_columns():
    assert side_by_side((), 7).shape == (7, 0)
