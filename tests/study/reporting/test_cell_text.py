"""Numbers as they are printed."""

import math

import pytest

from harness.study.cell_text import cell_text, estimate_text, is_numeric, p_text
from harness.study.section import Estimate


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, None, ""),
        (3, 2, "3"),
        (True, None, "yes"),
        (2.0, 2, "2.00"),
        (-0.0004, 2, "0.00"),
        (-0.04, 2, "-0.04"),
        (math.nan, 2, "not estimable"),
        (math.inf, 0, "∞"),
        (-math.inf, 0, "-∞"),
        (0.000123456, None, "0.0001235"),
        ("=cmd()", None, "'=cmd()"),
        ("-cmd()", None, "'-cmd()"),
        ("-3.2 to 4", None, "-3.2 to 4"),
        ("@a", None, "'@a"),
        ("-", None, "-"),
        ("a\nb", None, "a b"),
    ],
)
def test_cells(value, digits, text):
    assert cell_text(value, digits) == text


@pytest.mark.parametrize(
    ("p", "text"), [(None, "—"), (0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (1.0, "1.000")]
)
def test_a_p_value_is_never_printed_as_zero(p, text):
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("value", "se", "text"),
    [
        (-10.2345, 0.5678, "-10.23"),
        (1234.5, 23.4, "1234"),
        (0.001234, 0.00056, "0.00123"),
        (5.0, 0.0, "5"),
        (2, 9.96, "2.0"),
    ],
)
def test_two_digits_of_the_standard_error_decide_the_decimals(value, se, text):
    assert estimate_text(Estimate(path="a", label="b", value=value, standard_error=se)).value == text


def test_an_interval_decides_where_there_is_no_standard_error():
    text = estimate_text(Estimate(path="a", label="b", value=0.388235, lower=0.2914, upper=0.4949))
    assert (text.value, text.interval, text.standard_error, text.p) == ("0.388", "0.291 to 0.495", "—", "—")


@pytest.mark.parametrize(
    ("cells", "numeric"),
    [
        ([94, 28.9, None, "< 11", "\N{EN DASH}"], True),
        (["0.808", "< 0.001", None], True),
        (["12.5 %", "withheld"], True),
        (["\N{MINUS SIGN}3.2", "+1"], True),
        (["four", 3], False),
        (["9.0 (4.3 to 21.6)"], False),
        (["withheld", None], False),
        ([], False),
    ],
)
def test_columns_of_numbers_may_have_gaps_and_withheld_numbers(cells, numeric):
    assert is_numeric(cells) is numeric
