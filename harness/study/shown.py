"""How counts and p values may stand in a table: small counts withheld, and those that a total would tell."""

import math

from harness.study.section import Cell

_LONGEST_SHORT_NAME = 5


def count_cell(n: int, of: int, limit: int) -> Cell:
    """Return a count of patients out of all as it may be shown: "< 11" if it is small, "> 198" if the others are few.

    Parameters
    ----------
    n, of
        The count, and the whole that a reader knows.
    limit
        The smallest count above 0 that may be shown.
    """
    if 0 < n < limit:
        return f"< {limit}"
    return f"> {of - limit}" if 0 < of - n < limit else n


def denominator(n: int, of: int, limit: int) -> int | None:
    """Return a number of patients, None where it or the rest is small."""
    cell = count_cell(n, of, limit)
    return cell if isinstance(cell, int) else None


def p_cell(p: float) -> Cell:
    """Return a p value to three decimals; empty where there is none."""
    if math.isnan(p):
        return None
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_words(p: float) -> str:
    """Return a p value within a sentence."""
    if math.isnan(p):
        return "p not estimable"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def signed(value: float, digits: int = 1) -> str:
    """Return a difference with its sign, within a sentence."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def scale_title(scale: str) -> str:
    """Return a scale's name as a paper has it: GAD-7 of gad7; long names stay as they are."""
    letters = scale.rstrip("0123456789")
    number = scale[len(letters) :]
    if len(letters) > _LONGEST_SHORT_NAME or not letters.isalpha():
        return scale
    return f"{letters.upper()}-{number}" if number else letters.upper()
