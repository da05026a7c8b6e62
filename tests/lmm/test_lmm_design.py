"""Columns, rows and names of the matrices, as R's model.matrix would give them."""

import numpy as np
import pytest

from harness.lmm.design import input_evidence
from harness.lmm.patterns import sufficient_statistics


@pytest.fixture(scope="module")
def trial(make_cohort):
    """Four subjects out of order, two protocols, three visits; one score and one week are missing."""
    return make_cohort(
        id=["b"] * 3 + ["a"] * 3 + ["d"] * 3 + ["c"] * 3,
        protocol=["four"] * 6 + ["six"] * 6,
        visit=["v2", "v1", "v3"] * 4,
        week=[1, 0, 2, 1, 0, 2, 1, 0, np.nan, 1.5, 0, 2],
        madrs=[30, 31, 20, np.nan, 28, 19, 22, 33, 12, 25, 26, 15],
    )


def columns(design):
    return {name: column.tolist() for name, column in zip(design.fixed_names, design.X.T, strict=True)}


def test_rows_are_sorted_by_level_of_the_subject_and_then_by_time(trial, make_design):
    design = make_design("madrs ~ week + (1 + week | id)", trial)
    assert design.subject_labels == ("b", "a", "d", "c")
    assert design.starts.tolist() == [0, 3, 5, 7, 10]
    assert design.Z[:, 1].tolist() == [0, 1, 2, 0, 2, 0, 1, 0, 1.5, 2]
    assert design.y.tolist() == [31, 30, 20, 28, 19, 33, 22, 26, 25, 15]


def test_incomplete_rows_are_dropped_and_counted_by_subject(trial, make_design):
    design = make_design("madrs ~ week + (1 | id)", trial)
    assert design.n_observations == 10
    assert design.dropped_rows == 2
    assert design.dropped_by_subject == {"a": 1, "d": 1}
    assert design.lost_subjects == ()


def test_a_column_that_the_model_does_not_use_drops_no_row(trial, make_design):
    assert make_design("madrs ~ protocol + (1 | id)", trial).n_observations == 11


def test_a_subject_without_a_complete_row_is_named(make_cohort, make_design):
    cohort = make_cohort(id=["a"] * 3 + ["b"] * 2 + ["c"] * 3, y=[1, 2, 4, np.nan, np.nan, 4, 3, 7])
    design = make_design("y ~ 1 + (1 | id)", cohort)
    assert design.subject_labels == ("a", "c")
    assert design.lost_subjects == ("b",)


def test_a_row_without_a_subject_is_dropped_and_counted_for_nobody(make_cohort, make_design):
    cohort = make_cohort(id=["a", "a", None, "b", "b"], y=[1, 2, 4, 4, 3])
    design = make_design("y ~ 1 + (1 | id)", cohort)
    assert (design.n_observations, design.dropped_rows, design.dropped_by_subject) == (4, 1, {})


def test_factors_are_coded_against_their_first_level_and_named(trial, make_design):
    found = columns(make_design("madrs ~ visit + protocol * week + (1 | id)", trial))
    assert list(found) == ["intercept", "visit[v1]", "visit[v3]", "protocol[six]", "week", "protocol[six]:week"]
    assert found["protocol[six]:week"] == [0, 0, 0, 0, 0, 1, 0, 1.5, 0, 2]


def test_a_level_that_no_complete_row_has_gets_no_column_and_is_named(make_cohort, make_design):
    cohort = make_cohort(
        id=[f"s{i // 3}" for i in range(12)],
        visit=["early", "mid", "late"] * 4,
        y=[1, 2, np.nan, 4, 3, np.nan, 1, 1, np.nan, 5, 3, np.nan],
    )
    design = make_design("y ~ visit + (1 | id)", cohort)
    assert design.fixed_names == ("intercept", "visit[mid]")
    assert design.empty_levels == ("visit[late]",)


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("0 + protocol", ["protocol[four]", "protocol[six]"]),
        ("0 + protocol + visit", ["protocol[four]", "protocol[six]", "visit[v1]", "visit[v3]"]),
        ("0 + week + protocol", ["week", "protocol[four]", "protocol[six]"]),
        ("week:protocol", ["intercept", "week:protocol[four]", "week:protocol[six]"]),
        ("week + week:protocol", ["intercept", "week", "week:protocol[six]"]),
        ("protocol + week:protocol", ["intercept", "protocol[six]", "protocol[four]:week", "protocol[six]:week"]),
        ("visit * protocol", ["intercept", "visit[v1]", "visit[v3]", "protocol[six]",
                              "visit[v1]:protocol[six]", "visit[v3]:protocol[six]"]),
        ("visit + visit:protocol", ["intercept", "visit[v1]", "visit[v3]",
                                    "visit[v2]:protocol[six]", "visit[v1]:protocol[six]", "visit[v3]:protocol[six]"]),
        ("week^2 + log1p(week)", ["intercept", "week^2", "log1p(week)"]),
    ],
)  # fmt: skip
def test_contrasts_follow_r(make_cohort, make_design, formula, names):
    """R 4.2.2 computed these columns: colnames(model.matrix(...)) on the same layout, names in our spelling."""
    cohort = make_cohort(
        id=[f"s{i // 3}" for i in range(24)],
        protocol=["four"] * 12 + ["six"] * 12,
        visit=["v2", "v1", "v3"] * 8,
        week=[1, 0, 2] * 8,
        madrs=np.random.default_rng(1).normal(size=24),
    )
    assert list(make_design(f"madrs ~ {formula} + (1 | id)", cohort).fixed_names) == names


def test_the_first_factor_of_an_interaction_varies_fastest(make_cohort, make_design):
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(36)],
        a=["x", "y", "z"] * 12,
        b=["u"] * 12 + ["v"] * 12 + ["w"] * 12,
        y=np.random.default_rng(1).normal(size=36),
    )
    names = make_design("y ~ a * b + (1 | id)", cohort).fixed_names[5:]
    assert names == ("a[y]:b[v]", "a[z]:b[v]", "a[y]:b[w]", "a[z]:b[w]")


def test_an_interaction_is_the_product_of_the_columns_in_its_name(make_cohort, make_design):
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(36)],
        a=["x", "y", "z"] * 12,
        b=["u"] * 12 + ["v"] * 12 + ["w"] * 12,
        t=np.random.default_rng(2).normal(size=36),
        y=np.random.default_rng(1).normal(size=36),
    )
    design = make_design("y ~ a * b * t + (1 | id)", cohort)
    matrix = dict(zip(design.fixed_names, design.X.T, strict=True))
    assert len(matrix) == 18
    for name, column in matrix.items():
        expected = np.prod([matrix[part] for part in name.split(":")], axis=0)
        np.testing.assert_array_equal(column, expected)


def test_powers_and_functions_are_what_they_say(make_cohort, make_design):
    t = np.array([1.0, 2.0, 3.5, 4.0, 5.0, 7.0])
    cohort = make_cohort(id=["a", "a", "b", "b", "c", "c"], t=t, y=[1, 2, 1, 3, 2, 5])
    found = columns(make_design("y ~ t^2 + log(t) + (1 | id)", cohort))
    assert found["t^2"] == (t**2).tolist()
    assert found["log(t)"] == np.log(t).tolist()


def test_input_evidence_counts_what_was_used(trial, make_design):
    evidence = input_evidence(make_design("madrs ~ week + (1 | id)", trial))
    assert (evidence.n_observations, evidence.n_subjects, evidence.outcome_sum) == (10, 4, 249.0)
    assert evidence.design_sums == {"intercept": 10.0, "week": 9.5}


def test_conditioning_factors_the_design(uneven, make_design):
    design = make_design("y ~ t * g + (1 + t | id)", uneven)
    D, p = design.conditioned.D, design.n_fixed
    np.testing.assert_allclose(D[:, :p] @ design.conditioned.triangle, design.X, atol=1e-13)
    np.testing.assert_allclose(D[:, :p].T @ D, np.eye(p, p + 1), atol=1e-13)
    np.testing.assert_allclose(D[:, :p] @ design.conditioned.coefficients + D[:, p], design.y, atol=1e-12)


def test_arrays_of_a_design_are_read_only(uneven, make_design):
    design = make_design("y ~ t + (1 | id)", uneven)
    for array in (design.y, design.X, design.Z, design.starts, design.conditioned.D):
        assert not array.flags.writeable


def test_subjects_seen_at_the_same_times_share_a_pattern(simulate, make_cohort, make_design):
    design = make_design("y ~ t + (1 + t | id)", make_cohort(**simulate(m=200)))
    statistics = sufficient_statistics(design)
    visits = {tuple(design.Z[rows, 1]) for rows in design.subject_rows()}
    assert len(statistics.counts) == len(visits) < 40
    assert statistics.counts.sum() == 200


def test_statistics_lose_nothing_of_the_cross_products(uneven, make_design):
    """With Lambda = 0 the statistics add up to D'D; sums over rows, by another road."""
    design = make_design("y ~ t + (1 + t | id)", uneven)
    statistics = sufficient_statistics(design)
    c = design.n_fixed + 1
    rows, columns_ = np.triu_indices(c)
    diagonal_blocks = statistics.T.reshape(len(statistics.counts), 3, -1)[:, [0, 2]].sum(axis=(0, 1))
    D = design.conditioned.D
    np.testing.assert_allclose(diagonal_blocks + statistics.S[rows, columns_], (D.T @ D)[rows, columns_], atol=1e-12)


def test_padded_rows_are_not_counted(uneven, make_design):
    """A subject with one visit has one row that sees the random effects, whatever q; zero rows of R may be real."""
    design = make_design("y ~ t + (1 + t | id)", uneven)
    statistics = sufficient_statistics(design)
    assert statistics.ranks[statistics.pattern].tolist() == np.minimum(2, np.diff(design.starts)).tolist()


@pytest.mark.parametrize(
    ("formula", "aliased"),
    [
        ("const + week", {"const": "constant (3)"}),
        ("week + month + zero", {"month": "determined by week", "zero": "zero in every row"}),
        ("0 + const + week", {}),
        ("visit * arm", {"visit[v3]:arm[b]": "zero in every row"}),
        ("arm + late + visit", {"visit[v3]": "determined by late[yes]"}),
        (
            "visit + late:arm",
            {
                "late[yes]:arm[a]": "determined by visit[v3]",
                "late[no]:arm[b]": "determined by intercept and visit[v3] and late[no]:arm[a]",
                "late[yes]:arm[b]": "zero in every row",
            },
        ),
    ],
)
def test_a_column_that_others_determine_is_left_out_and_named(make_cohort, make_design, formula, aliased):
    """Arm b has no visit v3; the later column goes, as in R."""
    cohort = make_cohort(
        id=[f"s{i // 3}" for i in range(24)],
        visit=["v1", "v2", "v3"] * 4 + ["v1", "v2", "v2"] * 4,
        late=["no", "no", "yes"] * 4 + ["no", "no", "no"] * 4,
        arm=["a"] * 12 + ["b"] * 12,
        week=[0, 1, 2] * 8,
        month=np.array([0, 1, 2] * 8) / 4,
        const=np.full(24, 3.0),
        zero=np.zeros(24),
        y=np.random.default_rng(2).normal(size=24),
    )
    assert make_design(f"y ~ {formula} + (1 | id)", cohort).aliased == aliased
