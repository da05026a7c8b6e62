"""How names and numbers look."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reports.words import NAME_LENGTH, both, name, number, sentence, shorten, signed, times, visible


@given(st.text())
def test_visible_text_is_one_printable_line(text):
    shown = visible(text)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown


@given(st.text(min_size=1, max_size=300))
def test_a_name_is_bounded_and_starts_no_spreadsheet_formula(text):
    shown = name(text)
    assert len(shown) <= NAME_LENGTH + 1
    assert not shown.startswith(("=", "+", "-", "@"))


def test_shortening_keeps_both_ends():
    assert shorten("a" * 50 + "z" * 50, 10) == "aaaaaa…zzz"
    assert shorten("short", 10) == "short"


def test_line_ends_in_a_sentence_become_spaces():
    assert sentence("one\n two\t three") == "one two three"


def test_numbers_that_are_none_or_not_finite_are_said():
    assert [number(value) for value in (None, math.nan, math.inf, -math.inf, True)] == [
        "—",
        "NaN",
        "inf",
        "-inf",
        "true",
    ]
    assert signed(math.nan) == "NaN"
    assert signed(-0.0) == "0"
    assert times(None) == "—"
    assert times(math.inf) == "x inf"


def test_exponents_are_short():
    assert number(6.4e-5, 2) == "6.4e-5"
    assert number(1.25e300) == "1.25e300"
    assert signed(1e-12) == "+1e-12"


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_two_different_numbers_never_look_the_same(left, right):
    shown = both(left, right)
    assert (shown[0] == shown[1]) == (left == right and math.copysign(1, left) == math.copysign(1, right))


@pytest.mark.parametrize("digits", [8, 12])
def test_both_shows_two_digits_beyond_the_first_that_differs(digits):
    left, right = both(1.0 + 10.0**-digits, 1.0 + 2 * 10.0**-digits)
    assert left != right
    assert len(left) <= digits + 4
