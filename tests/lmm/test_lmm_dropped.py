"""What a design leaves out or leaves open, counted and said: rows, subjects, levels, columns, slopes."""

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.lmm.remarks import constant_slopes, design_remarks


@pytest.fixture(scope="module")
def trial(make_cohort):
    """Four subjects of two arms with three visits; d has no outcome at all, c none at v3, one arm is unknown."""
    return make_cohort(
        id=[label for label in "abcd" for _ in range(3)],
        arm=["four"] * 5 + [None] + ["six"] * 6,
        visit=["v1", "v2", "v3"] * 4,
        week=[0, 1, 2] * 4,
        age=[31] * 3 + [54] * 3 + [47] * 3 + [60] * 3,
        y=[21, 17, 12, 25, 22, 20, 30, 28, np.nan, np.nan, np.nan, np.nan],
    )


def test_dropped_rows_are_counted_by_column_subject_visit_and_arm(trial, make_design):
    dropped = make_design("y ~ visit + arm + (1 | id)", trial).dropped
    assert dropped.total == 5
    assert dropped.by_column == {"y": 4, "arm": 1}
    assert dropped.by_subject == {"b": 1, "c": 1, "d": 3}
    assert dropped.lost_subjects == ("d",)
    assert (dropped.visit, dropped.arm) == ("visit", "arm")
    assert dropped.by_level == {
        "visit": {"v1": (1, 3), "v2": (1, 3), "v3": (3, 1)},
        "arm": {"four": (0, 5), "six": (4, 2)},
    }
    assert dropped.by_visit_and_arm == {
        ("v1", "four"): (0, 2), ("v1", "six"): (1, 1),
        ("v2", "four"): (0, 2), ("v2", "six"): (1, 1),
        ("v3", "four"): (0, 1), ("v3", "six"): (2, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    "formula", ["y ~ arm + (1 + week | id)", "y ~ arm + ar1(week | id)", "y ~ arm + car1(week | id)"]
)
def test_few_times_are_visits_where_no_factor_is(trial, make_design, formula):
    dropped = make_design(formula, trial).dropped
    assert dropped.visit == "week"
    assert dropped.by_level["week"] == {"0": (1, 3), "1": (1, 3), "2": (3, 1)}


def test_nothing_dropped_is_nothing_said(trial, make_design):
    design = make_design("age ~ visit + (1 | id)", trial)
    assert (design.dropped.total, design.dropped.by_subject, design.dropped.by_level) == (0, {}, {})
    assert design_remarks(design) == ()


def test_counts_of_every_table_add_up_to_the_rows(make_design):
    cohort = fixture_cohort("ketamine_real")
    design = make_design("madrs ~ visit * protocol + (1 | subject)", cohort)
    dropped = design.dropped
    for table in (*dropped.by_level.values(), dropped.by_visit_and_arm):
        assert sum(count.dropped for count in table.values()) == dropped.total
        assert sum(count.kept for count in table.values()) == design.n_observations
    assert sum(dropped.by_subject.values()) == dropped.total > 0


def test_cells_without_data_lose_the_columns_that_lme4_drops_and_are_named(make_design):
    """lme4 1.1-31: names of the NA in fixef(lmer(madrs ~ visit * protocol + (1 | subject)), add.dropped = TRUE)."""
    design = make_design("madrs ~ visit * protocol + (1 | subject)", fixture_cohort("ketamine_real"))
    assert design.aliased == {
        "visit[inf5]:protocol[six]": "determined by visit[inf5]",
        "visit[inf6]:protocol[six]": "determined by visit[inf6]",
        "visit[fu_1wk]:protocol[six]": "zero in every row",
        "visit[fu_1mo]:protocol[six]": "zero in every row",
    }
    assert (design.n_fixed, len(design.all_names)) == (12, 16)
    assert design.fixed_names == tuple(name for name in design.all_names if name not in design.aliased)
    np.testing.assert_array_equal(design.X[:, -3:].sum(axis=0) > 0, True)
    assert design.null_space.shape == (16, 4)


def test_remarks_say_what_is_left_out(make_design):
    """Counts as R 4.2.2 has them: table(visit, protocol) of all rows and of those without an outcome."""
    design = make_design("madrs ~ visit * protocol + (1 + age | subject)", fixture_cohort("ketamine_real"))
    remarks = design_remarks(design)
    assert remarks[0].startswith("Left out of the fixed part: visit[inf5]:protocol[six] (determined by visit[inf5]), ")
    assert remarks[1] == "Constant within every subject, so a variance between subjects and not a slope: age."
    assert remarks[2] == "Rows dropped: 130; missing is madrs in 130."
    assert remarks[3] == (
        "Rows dropped by visit and protocol: inf2 four 7 of 94, inf2 six 9 of 115, inf3 four 7 of 94, "
        "inf3 six 7 of 115, inf4 four 10 of 94, inf4 six 10 of 115, inf5 six 8 of 115, inf6 six 10 of 115, "
        "fu_1wk four 28 of 94, fu_1mo four 34 of 94."
    )


def test_rows_dropped_by_visit_alone_are_said_where_no_arm_is(trial, make_design):
    design = make_design("y ~ week + (1 + week | id)", trial)
    assert design_remarks(design) == (
        "Rows dropped: 4; missing is y in 4.",
        "Rows dropped by week: 0 1 of 4, 1 1 of 4, 2 2 of 4.",
        "Subjects without a complete row: 1.",
    )


def test_a_slope_that_varies_for_anybody_is_a_slope(trial, make_design):
    assert constant_slopes(make_design("y ~ arm + (0 + week + age | id)", trial)) == ("age",)
    assert constant_slopes(make_design("y ~ arm + (1 + week || id)", trial)) == ()


def test_levels_of_one_row_and_of_none_are_named_and_the_model_stands(make_cohort, make_design):
    stream = np.random.default_rng(8)
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(24)],
        visit=["v1", "v2", "v3", "v3"] * 5 + ["v1", "v2", "v9", "v8"],
        y=[*stream.normal(size=23), np.nan],
    )
    design = make_design("y ~ visit + (1 | id)", cohort)
    assert (design.lone_levels, design.empty_levels) == (("visit[v9]",), ("visit[v8]",))
    remarks = design_remarks(design)
    assert "Levels with a single row: visit[v9]." in remarks
    assert "Levels without a complete row: visit[v8]." in remarks


def test_long_lists_are_cut(make_cohort, make_design):
    cohort = make_cohort(
        id=[f"s{i // 2}" for i in range(60)],
        site=["all"] * 30 + [f"site {k}" for k in range(30)],
        y=np.random.default_rng(9).normal(size=60),
    )
    (remark,) = design_remarks(make_design("y ~ site + (1 | id)", cohort))
    assert remark.startswith("Levels with a single row: site[site 0], ")
    assert remark.endswith("site[site 9] and 20 more.")


def test_labels_of_subjects_and_sites_are_no_levels_to_report(make_cohort, make_design):
    """Subject c of site 2 has one row, subject d none; what only groups is counted by subject, not by level."""
    cohort = make_cohort(
        site=["s1"] * 6 + ["s2"] * 4,
        id=["a"] * 3 + ["b"] * 3 + ["c"] + ["d"] * 3,
        arm=["x", "x", "x", "y", "y", "y", "x", "y", "y", "y"],
        y=[1, 2, 4, 3, 6, 2, 5, np.nan, np.nan, np.nan],
    )
    design = make_design("y ~ arm + (1 | site / id)", cohort)
    assert (design.lone_levels, design.empty_levels) == ((), ())
    assert set(design.dropped.by_level) == {"arm"}
    assert design.dropped.by_subject == {"s2": 3}
    inner = make_design("y ~ arm + (1 | site:id)", cohort).dropped
    assert (inner.by_subject, inner.lost_subjects) == ({"s2:d": 3}, ("s2:d",))
