"""Which counts must be withheld so that no small one can be worked out again."""

from collections.abc import Iterable, Sequence

from harness.suppression.circulation import Arc, interval


def withheld_arcs(arcs: Sequence[Arc], small: Iterable[int], order: Sequence[int], limit: int) -> frozenset[int]:
    """Return which counts are withheld.

    At first every count but the zeros is. Then each of `order` is shown in turn, if every small one stays as uncertain
    as it was at first: as far as the table tells, it may be any number that it might be if only zeros were shown. The
    order does not depend on the counts, so that it tells nothing about them.

    Parameters
    ----------
    arcs
        All counts of the table with its margins.
    small
        Those to be protected, from 1 to limit - 1.
    order
        Those that may be shown, the most wanted first.
    limit
        The smallest count that needs no protection.
    """
    protected = tuple(small)
    if not protected:
        return frozenset()
    withheld = frozenset(place for place, arc in enumerate(arcs) if arc.count > 0)
    needed = {place: interval(arcs, withheld, place, limit) for place in protected}
    for candidate in order:
        if candidate not in withheld:
            continue
        fewer = withheld - {candidate}
        if all(interval(arcs, fewer, place, limit) == needed[place] for place in protected):
            withheld = fewer
    return withheld
