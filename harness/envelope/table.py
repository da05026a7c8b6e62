"""The envelope as lines of text: one a limit, those outside first, then those with little room."""

from collections.abc import Iterator, Sequence
from math import isinf

from harness.comparison.tolerances import Measure
from harness.envelope.bound import TIGHT, Bound
from harness.envelope.measure import Envelope

_WIDTHS = (21, 46, 9, 9, 9, 9, 9)
_HEADS = ("engine", "measure", "floor", "limit", "ceiling", "limit/fl.", "ceil./lim")


def lines(envelope: Envelope, unmeasured: Sequence[str] = ()) -> Iterator[str]:
    """Yield the table, where the limits outside and the tight ones were met, and what was not measured."""
    outside = envelope.outside
    tight = [bound for bound in envelope.bounds if bound.inside and bound.is_tight]
    yield (
        f"{len(envelope.bounds)} limits measured in {envelope.cases} cases and {envelope.comparisons} comparisons:"
        f" {len(envelope.bounds) - len(outside)} inside of their envelope, {len(outside)} outside"
    )
    for how, fits in envelope.varied.items():
        yield f"  {how}: {fits} pairs" if fits else f"  {how}: not possible here"
    yield from (f"  left out: {where}" for where in envelope.left_out)
    yield ""
    yield _row(_HEADS)
    for bound in sorted(envelope.bounds, key=lambda b: (b.inside, b.engine, b.measure)):
        yield _row(_cells(bound))
    yield ""
    for bound in outside:
        why = "a difference without a cause is beyond it" if bound.share >= 1 else "a difference that misleads passes"
        yield f"OUTSIDE  {bound.engine}, {bound.measure}: {why}; {bound.where}"
    for bound in tight:
        yield f"tight    {bound.engine}, {bound.measure}: less than {TIGHT:g} times what was seen; {bound.where}"
    for name in unmeasured:
        yield f"not measured    {name}"


def _cells(bound: Bound) -> tuple[str, ...]:
    exact = bound.measure == Measure.EQUALITY
    limit = f"{bound.limit:.1e}" if bound.limit == bound.largest_limit else f"{bound.limit:.0e}+"
    return (
        bound.engine,
        bound.measure,
        "0" if bound.floor == 0 else f"{bound.floor:.1e}",
        "0" if exact else limit,
        f"{bound.ceiling:.1e}",
        "-" if exact or bound.share == 0 else f"{1 / bound.share:.3g}",
        "-" if isinf(bound.room) else f"{bound.room:.3g}",
    )


def _row(cells: Sequence[str]) -> str:
    padded = (
        cell[:width].ljust(width) if k < 2 else cell.rjust(width)
        for k, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return " ".join(padded).rstrip()
