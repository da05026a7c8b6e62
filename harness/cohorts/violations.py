"""Refuse a table: all that is wrong with it at once, but no more than a person reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness.errors import CohortError, Problem

MOST_LISTED = 50


def refuse(where: Path | str, problems: Sequence[Problem]) -> NoReturn:
    """Raise a `CohortError` that lists the first problems by line and counts the rest."""
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    rest = len(ordered) - MOST_LISTED
    listed = ordered[:MOST_LISTED]
    if rest > 0:
        listed.append(Problem(found=f"{rest} more, which are not listed", expected="no problem"))
    raise CohortError(str(where), listed) from None
