"""P values of several tests, adjusted so that the chance of any false finding stays below the level."""

import math
from collections.abc import Sequence

from harness.errors import Problem, ScoringError


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's adjusted p values in the order given; NaN stays NaN and is no test.

    In R, ``p.adjust(p, "holm")``, which leaves out NA likewise.

    Raises
    ------
    ScoringError
        A p value outside 0 to 1.
    """
    wrong = [p for p in p_values if not math.isnan(p) and not 0 <= p <= 1]
    if wrong:
        problems = [Problem(found=f"p = {p!r:.40}", expected="a number from 0 to 1") for p in wrong]
        raise ScoringError("p values", problems)
    order = sorted((place for place, p in enumerate(p_values) if not math.isnan(p)), key=lambda place: p_values[place])
    adjusted, largest = [math.nan] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[place]))
        adjusted[place] = largest
    return tuple(adjusted)
