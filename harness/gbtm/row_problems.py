"""Problems of values, told with the rows in which they are."""

from collections.abc import Iterator

import numpy as np

from harness.arrays import Codes, Mask, Vector
from harness.errors import Problem

LARGEST = 1e60
"""Powers and squares of larger numbers overflow, and those of smaller ones vanish."""

_NAMED = 5


def named(rows: Codes) -> str:
    """Return the first rows (from 0) as they are told, from 1."""
    return ", ".join(map(str, (rows[:_NAMED] + 1).tolist())) + (", ..." if len(rows) > _NAMED else "")


def row_problems(column: str, wrong: Mask, what: str, expected: str, advice: str = "") -> Iterator[Problem]:
    """Yield that something is wrong in some rows of the cohort, if it is in any."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        found = f"{what} in {len(rows)} row(s): {named(rows)}"
        yield Problem(found=found, expected=expected, column=column, advice=advice)


def size_problems(column: str, values: Vector) -> Iterator[Problem]:
    """Yield that finite values are all too small, or some too large, for their squares to be numbers."""
    largest = float(np.abs(values).max(initial=0.0))
    if np.isfinite(largest) and not (largest == 0 or 1 / LARGEST <= largest <= LARGEST):
        expected = f"{1 / LARGEST:g} to {LARGEST:g} in size"
        found = f"values of up to {largest:g}"
        yield Problem(found=found, expected=expected, column=column, advice="Use another unit.")


def change_problems(role: str, column: str, codes: Codes, values: Vector, observed: Mask) -> Iterator[Problem]:
    """Yield that a column that belongs to subjects changes within one, among the rows with an outcome."""
    rows = np.flatnonzero(observed)
    order = rows[np.argsort(codes[rows], kind="stable")]
    same = codes[order][1:] == codes[order][:-1]
    changed = np.flatnonzero(same & (values[order][1:] != values[order][:-1]))
    if len(changed):
        found = f"{role} {column!r} changes within a subject in row(s) {named(np.sort(order[changed + 1]))}"
        yield Problem(found=found, expected="one value a subject", column=column)
