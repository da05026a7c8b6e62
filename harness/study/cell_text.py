"""How the numbers of a study look: with as many digits as their uncertainty bears, the same in every report."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reports.words import ABSENT, number, sentence
from harness.study.section import Cell, Estimate

NOT_ESTIMABLE = "not estimable"

_LONGEST_CELL = 400
_LONGEST_LINE = 26
_GAPS = {"", "-", "\N{EN DASH}", ABSENT, "withheld"}
_LIKE_A_NUMBER = re.compile(r"(?:[<>] ?)?[-+\N{MINUS SIGN}]?\d[\d.,]*(?: %)?")
_STARTS_OF_A_FORMULA = ("=", "@", "+", "-")
_MOST_DECIMALS = 8
_QUARTER = 4.0  # an interval of 95 % is about four standard errors wide


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateText:
    """An estimate as it is printed; what is not given is a dash."""

    value: str
    interval: str
    standard_error: str
    p: str
    denominator: str


def cell_text(value: Cell, digits: int | None = None) -> str:
    """Return a cell of a table; `digits` are the decimals of a float.

    Text that a spreadsheet would run as a formula gets the apostrophe that stops it, because people paste tables;
    a number with its sign is no formula.
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            return _float_text(value, digits)
        case str():
            shown = sentence(value, _LONGEST_CELL)
            is_formula = shown.startswith(_STARTS_OF_A_FORMULA) and not shown.lstrip("+-")[:1].isdigit()
            return f"'{shown}" if is_formula and len(shown) > 1 else shown


def is_numeric(cells: Sequence[Cell]) -> bool:
    """Tell whether a column is one of numbers, beside which dashes, blanks and withheld numbers may stand."""
    known = [cell for cell in cells if cell is not None and cell not in _GAPS]
    return bool(known) and all(not isinstance(cell, str) or _LIKE_A_NUMBER.fullmatch(cell) for cell in known)


def is_short(text: str) -> bool:
    """Tell whether a cell is better kept on one line."""
    return 0 < len(text) <= _LONGEST_LINE


def p_text(p: float | None) -> str:
    """Return a p value to three decimals, never as 0."""
    if p is None:
        return ABSENT
    if math.isnan(p):
        return NOT_ESTIMABLE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def estimate_text(estimate: Estimate) -> EstimateText:
    """Return an estimate as text: two digits of its standard error decide the decimals of all its numbers."""
    decimals = _decimals(estimate)

    def shown(value: float | None) -> str:
        if value is None:
            return ABSENT
        return _float_text(value, decimals)

    limits = (estimate.lower, estimate.upper)
    interval = ABSENT if limits == (None, None) else f"{shown(limits[0])} to {shown(limits[1])}"
    return EstimateText(
        value=shown(estimate.value),
        interval=interval,
        standard_error=shown(estimate.standard_error),
        p=p_text(estimate.p),
        denominator=ABSENT if estimate.denominator is None else str(estimate.denominator),
    )


def _decimals(estimate: Estimate) -> int | None:
    """Return the decimals that show two digits of the standard error, None where nothing tells it."""
    scale = estimate.standard_error
    if scale is None and estimate.lower is not None and estimate.upper is not None:
        scale = (estimate.upper - estimate.lower) / _QUARTER
    if scale is None or not math.isfinite(scale) or scale <= 0:
        return None
    return min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(scale))))


def _float_text(value: float, digits: int | None) -> str:
    if math.isnan(value):
        return NOT_ESTIMABLE
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else "-\N{INFINITY}"
    text = number(value, 4) if digits is None else f"{value:.{digits}f}"
    # A number that rounds to nothing has no sign.
    return text.removeprefix("-") if text.startswith("-") and not text.strip("-0.") else text
