"""What counts as a number, and that its type never matters."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.scoring import GAD7, MADRS, RemissionRule, category, exact, read_totals, remission, response
from harness.scoring.exact import Range, exact_column

TRIES = settings(max_examples=40, deadline=None)
HUNDREDTHS = st.integers(0, 6000)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def in_all_types(hundredths):
    """The same number as float, numpy float, Decimal, Fraction and nullable float; and as integers, if it is whole."""
    value = hundredths / 100
    numbers = [value, np.float64(value), Decimal(hundredths) / 100, Fraction(hundredths, 100)]
    numbers.append(pd.array([value], dtype="Float64")[0])
    if hundredths % 100 == 0:
        whole = hundredths // 100
        numbers += [whole, np.int8(whole), np.int64(whole), np.uint16(whole), np.float32(whole), np.float16(whole)]
        numbers.append(pd.array([whole], dtype="Int64")[0])
    return numbers


@TRIES
@given(HUNDREDTHS)
def test_a_number_is_the_same_fraction_in_every_type(hundredths):
    assert {exact(number) for number in in_all_types(hundredths)} == {Fraction(hundredths, 100)}


@TRIES
@given(HUNDREDTHS, HUNDREDTHS)
def test_outcomes_are_the_same_in_every_type(baseline, later):
    pairs = list(zip(in_all_types(baseline), in_all_types(later), strict=False))
    assert len({response(b, y) for b, y in pairs}) == 1
    assert len({category(b, y) for b, y in pairs}) == 1
    assert len({remission(y, RemissionRule(cut=10)) for _, y in pairs}) == 1


@TRIES
@given(FINITE)
def test_a_float_is_read_as_a_fraction_whose_nearest_double_it_is(value):
    assert float(exact(value)) == value


@TRIES
@given(st.integers(-6000, 6000), st.integers(1, 100))
def test_a_float_of_a_simple_fraction_is_read_as_that_fraction(numerator, denominator):
    # So a prorated total that went through a file of doubles is still 280/9.
    assert exact(numerator / denominator) == Fraction(numerator, denominator)


def test_numpy_floats_of_lower_precision_are_read_by_their_own_digits():
    assert exact(np.float32(5.2)) == exact(np.float16(5.2)) == Fraction(26, 5)


@pytest.mark.parametrize("cell", [None, float("nan"), np.float32("nan"), Decimal("NaN"), pd.NA, np.ma.masked])
def test_missing_values_are_missing_in_every_type(cell):
    assert exact(cell) is None
    assert response(20, cell) is None
    assert response(cell, 5) is None
    assert remission(cell, RemissionRule(cut=10)) is None


@pytest.mark.parametrize(
    "cell",
    ["10", "", "32*", b"10", True, False, np.bool_(1), float("inf"), Decimal("-Infinity"), 1j, [10], pd.Timestamp(0)],
)
def test_what_is_no_number_is_refused(cell):
    for call in (exact, lambda value: response(20, value), lambda value: remission(value, RemissionRule(cut=10))):
        with pytest.raises(ScoringError, match="expected a number"):
            call(cell)
    with pytest.raises(ScoringError, match="line 2"):
        read_totals(GAD7, [3, cell])


def test_columns_of_pandas_and_numpy_are_read_cell_by_cell():
    expected = (Fraction(3), None, Fraction(21))
    for column in (
        pd.Series([3, None, 21], dtype="Int64"),
        pd.Series([3, None, 21], dtype="float64"),
        pd.Series([3, None, 21], dtype="object"),
        np.array([3, np.nan, 21]),
        np.ma.masked_equal(np.array([3, -9, 21]), -9),
        [3, None, Decimal(21)],
    ):
        assert read_totals(GAD7, column) == expected


def test_every_cell_that_is_no_score_is_reported_with_its_line_and_column():
    cells = [7, -1, 99, 888, -9, "12", 3.5, True, 61, None]
    numbers, problems = exact_column(cells, Range(lowest=0, highest=60), column="madrs", lines=range(2, 12))
    assert numbers == (7, *[None] * 9)
    assert [problem.line for problem in problems] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert {problem.column for problem in problems} == {"madrs"}
    assert {problem.expected for problem in problems} == {"a whole number from 0 to 60"}
    assert [problem.found for problem in problems] == [
        "-1",
        "99",
        "888",
        "-9",
        "a text of 2 characters",
        "3.5",
        "a truth value",
        "61",
    ]


def test_messages_show_no_long_number_and_no_text():
    with pytest.raises(ScoringError) as caught:
        read_totals(MADRS, [84739202, "Jane Roe", -5e200, 10**5000])
    message = str(caught.value)
    assert not [part for part in ("8473", "Jane", "Roe", "e+200", "0000") if part in message]
    assert len(message) < 500
