"""The only door of the import to the scoring of items, and the names by which MADRS-S is known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.scoring import Disagreement, Instrument, TotalRule, score_items

SELF_RATED = re.compile(
    r"madrs[-_. ]?s(?:$|[-_. 0-9])|madrs[-_. ]?s(?:elf|r(?![a-z]))|self[-_. ]?rated[-_. ]?madrs", re.IGNORECASE
)
"""Names of MADRS-S, the self-rated version of nine items, which is another scale than MADRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Totals of items, a row each, None where they can't be had; and the given totals that contradict them."""

    totals: Sequence[float | None]
    prorated: Sequence[bool]
    disagreements: Sequence[Disagreement]


def totals_of_items(
    scale: Instrument,
    items: Sequence[Sequence[float | None]],
    given: Sequence[float | None],
    places: Sequence[int],
    *,
    prorate: bool,
) -> Totals:
    """Return the totals of rows of items, each in the order of the scale, by the scale's own rule.

    `places` number the rows for the disagreements, whose `line` is one of them.
    """
    columns = dict(zip(scale.item_names, zip(*items, strict=True), strict=True))
    rule = TotalRule(missing="prorate" if prorate else "strict", fractions=True)
    scored = score_items(scale, columns, rule, given=given, lines=places)
    return Totals(
        totals=[None if total is None else float(total) for total in scored.totals],
        prorated=scored.prorated,
        disagreements=scored.disagreements,
    )
