"""Which numbers a print can stand for, in exact fractions."""

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.claims.forms import read_form
from harness.claims.printed import UnreadableError, at_precision, decimal_text, number
from harness.claims.span import Span, around, point

DIGITS = st.integers(0, 4)
NUMBERS = st.fractions(-1000, 1000, max_denominator=9999)
DECIMALS = st.decimals(-1000, 1000, allow_nan=False, places=6)


@given(DECIMALS, DIGITS)
def test_every_way_of_rounding_stays_inside(value, digits):
    unit = Decimal(1).scaleb(-digits)
    for way in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        printed = number(f"{value.quantize(unit, rounding=way)}")
        assert Fraction(value) in printed.span()
    assert Fraction(float(value)) in number(f"{float(value):.{digits}f}").span()


@given(DECIMALS, DIGITS)
def test_what_was_cut_off_is_outside_unless_rounding_gives_the_same_or_it_lies_on_the_tie(value, digits):
    unit = Decimal(1).scaleb(-digits)
    cut, rounded = value.quantize(unit, rounding=ROUND_DOWN), value.quantize(unit, rounding=ROUND_HALF_UP)
    printed = number(f"{cut}")
    rest = abs(Fraction(value) - Fraction(cut))
    on_tie = rest == Fraction(unit) / 2
    assert (Fraction(value) in printed.span()) == (cut == rounded or on_tie)
    if value >= 0 and cut >= 0:
        assert Fraction(value) in printed.cut_off()


@pytest.mark.parametrize(
    ("text", "lower", "upper"),
    [
        ("12.3", "12.25", "12.35"),
        ("12.30", "12.295", "12.305"),
        ("-0.5", "-0.55", "-0.45"),
        (".05", "0.045", "0.055"),
        ("0", "-0.5", "0.5"),
        ("1200", "1199.5", "1200.5"),
        ("1.2e-5", "0.0000115", "0.0000125"),
        ("3e2", "250", "350"),
    ],
)
def test_a_number_stands_for_half_a_unit_of_its_last_digit_to_both_sides(text, lower, upper):
    assert number(text).span() == Span(Fraction(lower), Fraction(upper))


def test_a_bound_cuts_the_span_and_an_inequality_needs_it():
    p = read_form("probability", "p < 0.001")["value"]
    assert p.span(0, 1) == Span(Fraction(0), Fraction(1, 1000))
    p = read_form("probability", "P > .05")["value"]
    assert p.span(0, 1) == Span(Fraction(1, 20), Fraction(1))
    assert read_form("probability", "p = 1.2")["value"].span(0, 1) == Span(Fraction(23, 20), Fraction(5, 4))
    assert number("0.0").span(0) == Span(Fraction(0), Fraction(1, 20))


@given(NUMBERS, DIGITS)
def test_a_number_shown_at_a_precision_stands_for_the_number(value, digits):
    text = at_precision(value, Fraction(1, 10**digits), digits)
    assert value in number(text).span()
    assert decimal_text(value, digits) == text


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1,234", "12,3", "1.2.3", "--1", "1e99", "1" * 41, "=1+1", "nan", "inf", "0x10", "1_000", "\u0661"],
)
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(UnreadableError):
        read_form("number", text)


@pytest.mark.parametrize(
    ("form", "text", "parts"),
    [
        ("number", "BIC = 5093.6", {"value": "5093.6"}),
        ("number", "\u22124.1", {"value": "-4.1"}),
        ("number", "12\u00b73", {"value": "12.3"}),
        ("number", "1.2 \u00d7 10\u22125", {"value": "1.2e-5"}),
        ("probability", "p<.001", {"value": ".001"}),
        ("share", "0.38", {"value": "0.38"}),
        ("share", "38 %", {"value": "38 %"}),
        ("proportion", "13 of 94", {"count": "13", "n": "94"}),
        ("proportion", "36/94 (38.3%)", {"count": "36", "n": "94", "percent": "38.3"}),
        ("proportion", "36 (38.3 %)", {"count": "36", "percent": "38.3"}),
        ("proportion", "38.3 % [36/94]", {"count": "36", "n": "94", "percent": "38.3"}),
        ("percentage", "<1 %", {"percent": "1"}),
        ("percentage", "38.3", {"percent": "38.3"}),
        ("mean and SD", "24.1 (8.3)", {"mean": "24.1", "sd": "8.3"}),
        ("mean and SD", "24.1 \u00b1 8.3", {"mean": "24.1", "sd": "8.3"}),
        ("mean and SD", "-0.5 (SD = 8.3)", {"mean": "-0.5", "sd": "8.3"}),
        ("limits", "-4.9 to -0.2", {"lower": "-4.9", "upper": "-0.2"}),
        ("limits", "(\u22124.9, \u22120.2)", {"lower": "-4.9", "upper": "-0.2"}),
        ("limits", "[1.2; 3.4]", {"lower": "1.2", "upper": "3.4"}),
        ("limits", "1.2\u20133.4", {"lower": "1.2", "upper": "3.4"}),
        ("limits", "\u22124.9\u2013\u22120.2", {"lower": "-4.9", "upper": "-0.2"}),
        ("limits", "95% CI 1.2 to 3.4", {"lower": "1.2", "upper": "3.4", "level": "95 %"}),
        ("list", "45; 30 %; 25", {"1": "45", "2": "30", "3": "25"}),
        ("rates", "13/94; 31/115", {"count 1": "13", "n 1": "94", "count 2": "31", "n 2": "115"}),
        ("range", "0 to 60", {"lower": "0", "upper": "60"}),
    ],
)
def test_the_forms_of_print_are_read(form, text, parts):
    assert {name: part.text for name, part in read_form(form, text).items()} == parts


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("probability", "n.s."),
        ("proportion", "1/20000000"),
        ("size", "-0.1"),
        ("proportion", "13.5/94"),
        ("proportion", "< 13"),
        ("proportion", "13/94/2"),
        ("percentage", "13/94"),
        ("mean and SD", "24.1"),
        ("mean and SD", "24.1 (8.3) (2)"),
        ("limits", "1.2"),
        ("limits", "1,234"),
        ("level", "95"),
        ("level", "0 %"),
        ("list", "45"),
        ("rates", "13/94"),
        ("rates", "95/94; 1/2"),
        ("whole", "94.0"),
        ("whole", "-1"),
        ("range", "60 to 0"),
    ],
)
def test_other_texts_are_refused(form, text):
    with pytest.raises(UnreadableError):
        read_form(form, text)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_results_of_spans_contain_the_results_of_their_numbers(a, b, c, d):
    x, y = Span(min(a, b), max(a, b)), Span(min(c, d), max(c, d))
    assert a + c in x + y
    assert b - d in x - y
    assert a * d in x * y
    if not y.holds_zero:
        assert b / c in x / y
    assert abs(a) in x.magnitude()
    assert b * b in x.square()


@given(st.fractions(0, 10**6, max_denominator=10**4))
def test_a_root_is_enclosed(number_):
    root = point(number_).root()
    assert root.lower**2 <= number_ <= root.upper**2
    assert root.width <= Fraction(1, 10**30)


def test_a_double_is_taken_as_it_is():
    assert around(0.1).lower == Fraction(0.1)
    assert math.isclose(float(around(2.0, 0.5).upper), 2.5)
