from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from harness.cohorts import cohort_from_frame, fixture_cohort, frames, to_frame
from harness.cohorts.fixtures import fixture_names
from harness.errors import CohortError


def frame(**columns):
    return pd.DataFrame({"id": ["a", "a", "b", "b"], "week": [0, 1, 0, 1], "y": [1.0, 2.0, 3.0, 4.0]} | columns)


def refusal(data, **options):
    with pytest.raises(CohortError) as caught:
        cohort_from_frame(data, **({"subject": "id", "time": "week"} | options))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", fixture_names())
def test_a_cohort_survives_the_way_through_a_frame(name):
    cohort = fixture_cohort(name)
    back = cohort_from_frame(to_frame(cohort), subject=cohort.subject, time=cohort.time)
    assert back.sha256 == cohort.sha256
    assert {name: factor.levels for name, factor in back.factors.items()} == {
        name: factor.levels for name, factor in cohort.factors.items()
    }


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "Int64", "Float64", "int64[pyarrow]", object])
def test_every_numeric_type_becomes_float64(dtype):
    cohort = cohort_from_frame(frame(x=pd.Series([1, 2, 3, 4]).astype(dtype)), subject="id", time="week")
    assert cohort.numeric["x"].dtype == np.float64
    assert cohort.numeric["x"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float64", object])
def test_missing_numbers_of_every_kind_are_nan(dtype):
    cells = pd.Series([1, None, 3, None], dtype=object).astype(dtype)
    np.testing.assert_array_equal(cohort_from_frame(frame(x=cells), subject="id").numeric["x"], [1, np.nan, 3, np.nan])


@pytest.mark.parametrize("dtype", ["str", "string", object, "category"])
def test_every_text_type_becomes_a_factor_with_sorted_levels(dtype):
    cells = pd.Series(["six", "four", None, ""], dtype=object).astype(dtype)
    arm = cohort_from_frame(frame(arm=cells), subject="id").factors["arm"]
    assert arm.levels == ("four", "six")
    assert arm.codes.tolist() == [1, 0, -1, -1]


def test_categories_keep_their_order_and_their_unused_levels():
    cells = pd.Categorical(["b", "a", "b", None], categories=["c", "b", "a"])
    arm = cohort_from_frame(frame(arm=cells), subject="id").factors["arm"]
    assert arm.levels == ("c", "b", "a")
    assert arm.codes.tolist() == [1, 2, 1, -1]


def test_categories_of_numbers_become_the_labels_they_print_as():
    cells = pd.Categorical([10, 2, 10, 2], categories=[10, 2])
    assert cohort_from_frame(frame(arm=cells), subject="id").factors["arm"].levels == ("10", "2")


@pytest.mark.parametrize("dtype", ["bool", "boolean", object])
def test_truth_values_become_a_factor(dtype):
    cells = pd.Series([True, False, True, True]).astype(dtype)
    arm = cohort_from_frame(frame(arm=cells), subject="id").factors["arm"]
    assert arm.levels == ("False", "True")
    assert arm.codes.tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "uint64", object])
def test_large_ids_stay_exact(dtype):
    ids = pd.Series([2**60, 2**60, 2**60 + 1, 2**60 + 1], dtype=object).astype(dtype)
    cohort = cohort_from_frame(frame(id=ids), subject="id", time="week")
    assert cohort.subjects.levels == (str(2**60), str(2**60 + 1))


def test_ids_stored_as_floats_are_whole_numbers():
    assert cohort_from_frame(frame(id=[10.0, 10.0, 9.0, 9.0]), subject="id").subjects.levels == ("9", "10")


def test_ids_that_are_whole_numbers_are_ordered_as_numbers():
    cohort = cohort_from_frame(frame(id=["10", "10", "9", "9"]), subject="id")
    assert cohort.subjects.levels == ("9", "10")
    assert cohort.subjects.codes.tolist() == [1, 1, 0, 0]


def test_index_row_order_and_column_order_do_not_matter():
    data = frame(arm=["u", "u", "v", "v"])
    expected = cohort_from_frame(data, subject="id", time="week").sha256
    mixed = data.iloc[[3, 1, 0, 2], [2, 3, 0, 1]].set_index(pd.Index([7, 7, 7, 7]))
    assert cohort_from_frame(mixed, subject="id", time="week").sha256 == expected


def test_the_frame_is_not_touched():
    data = frame(arm=["u", "u", "v", "v"])
    copy = data.copy(deep=True)
    cohort = cohort_from_frame(data, subject="id", time="week")
    pd.testing.assert_frame_equal(data, copy)
    assert not cohort.numeric["y"].flags.writeable


def test_only_the_columns_asked_for_are_looked_at():
    data = frame(note=["x", 1, None, {}], day=pd.Timestamp("2024-01-01"))
    assert cohort_from_frame(data, subject="id", columns=["y"]).columns == ("id", "y")
    assert len(refusal(data)) == 2


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"x": [1, "2", 3, 4]}, "column 'x': numbers and texts in one column; expected numbers or labels throughout."),
        (
            {"x": [1, True, 3, 4]},
            "column 'x': numbers and truth values in one column; expected numbers or labels throughout.",
        ),
        ({"x": [[], [], [], []]}, "column 'x': objects that are neither; expected numbers or labels throughout."),
        ({"x": [1j, 2, 3, 4]}, "column 'x': complex numbers; expected numbers or labels throughout."),
        ({"x": [1, 2, np.inf, 4]}, "line 3, column 'x': inf; expected a finite number."),
        (
            {"x": [1, 2, 3, 2**53 + 1]},
            "line 4, column 'x': 9007199254740993; expected a number that a double can hold exactly.",
        ),
        (
            {"x": pd.Series([1, 2, 3, 10**400], dtype=object)},
            "line 4, column 'x': an endless integer; expected a number that a double can hold exactly.",
        ),
        ({"week": ["0", "1", "0", "1"]}, "column 'week': labels as time; expected numbers."),
        ({"week": [0, 1, 0, None]}, "line 4, column 'week': no time; expected a time in every row."),
        ({"id": ["a", None, "b", "b"]}, "line 2, column 'id': no subject; expected a subject in every row."),
        (
            {"week": [0, 1, 1, 1]},
            (
                "line 4: the same subject and time as in line 3; expected each subject and time once. "
                "Remove one of the two; the harness does not choose."
            ),
        ),
    ],
)
def test_each_unusable_column_has_its_sentence(columns, sentence):
    assert refusal(frame(**columns)) == [sentence]


@pytest.mark.parametrize(
    "cells",
    [
        pd.to_datetime(["2024-01-01"] * 4),
        pd.to_datetime(["2024-01-01"] * 4, utc=True),
        pd.to_timedelta([1, 2, 3, 4], unit="D"),
        pd.period_range("2024-01", periods=4, freq="M"),
        [date(2024, 1, 1)] * 4,
        pd.Series([datetime(2024, 1, 1, tzinfo=UTC)] * 4, dtype=object),
    ],
    ids=["datetime", "zoned", "duration", "period", "date", "object"],
)
def test_dates_must_become_days(cells):
    (found,) = refusal(frame(x=cells))
    assert found == (
        "column 'x': dates or durations; expected numbers or labels. "
        "Convert it to days since the first visit, or leave the column out."
    )


def test_names_are_checked():
    doubled = frame(x=1.0)
    doubled.columns = ["id", "week", "x", "x"]
    assert refusal(doubled) == ["column 'x': 2 columns of this name; expected one."]
    assert refusal(frame(), time="month") == ["column 'month': no such column; expected one of the frame's."]
    assert refusal(frame(), columns=["y", "z"]) == ["column 'z': no such column; expected one of the frame's."]
    numbered = frame().rename(columns={"y": 0})
    assert refusal(numbered) == ["a column named 0; expected a text as name."]


def test_a_frame_without_rows_is_refused():
    assert refusal(frame()[:0]) == ["no rows; expected at least one row."]


def test_decimals_are_numbers():
    cells = [Decimal("0.1"), Decimal(2), None, Decimal("-3.5")]
    np.testing.assert_array_equal(cohort_from_frame(frame(x=cells), subject="id").numeric["x"], [0.1, 2, np.nan, -3.5])


def test_a_name_that_looks_like_code_is_a_name():
    name = 'I(system("touch pwned"))'
    assert name in cohort_from_frame(frame().rename(columns={"y": name}), subject="id").numeric


COLUMNS = {
    "doubles": [0.5, -0.0, np.nan, 1e300],
    "integers": np.array([3, -(2**53), 2**53, 0]),
    "small": np.array([1, 2, 3, 200], dtype="uint8"),
    "texts": ["10", "9", None, "9"],
    "words": pd.Series(["b", "a", "a", None], dtype=object),
    "blank": ["b", "", "a", None],
    "categories": pd.Categorical(["b", "a", None, "b"], categories=["c", "b", "a"]),
    "numbered": pd.Categorical([2, 1, None, 2]),
    "truths": [True, False, True, True],
    "mixed truths": pd.Series([True, None, False, True], dtype=object),
    "nullable": pd.Series([1, None, 3, 4], dtype="Int64"),
}
SUBJECTS = {
    "integers": np.array([12, 9, 9, -1]),
    "large": np.array([2**63 + 1, 2**63, 2**63, 5], dtype="uint64"),
    "doubles": [12.0, 9.0, 9.0, 0.5],
    "texts": ["s10", "s9", "s9", "s1"],
    "numbers in texts": ["10", "9", "9", "1"],
    "categories": pd.Categorical(["b", "a", "a", "b"], categories=["c", "b", "a"]),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_columns_read_at_sight_are_those_read_cell_by_cell(subject, monkeypatch):
    data = pd.DataFrame({"id": SUBJECTS[subject], **COLUMNS})
    at_sight = cohort_from_frame(data, subject="id")
    monkeypatch.setattr(frames, "_plain_columns", lambda *_: ({}, {}))
    by_cell = cohort_from_frame(data, subject="id")
    assert at_sight.numeric.keys() == by_cell.numeric.keys()
    for name, values in by_cell.numeric.items():
        np.testing.assert_array_equal(at_sight.numeric[name], values)
        assert not at_sight.numeric[name].flags.writeable
    assert {name: (each.levels, each.codes.tolist()) for name, each in at_sight.factors.items()} == {
        name: (each.levels, each.codes.tolist()) for name, each in by_cell.factors.items()
    }
