"""What a reader must know of a design: columns, levels and rows that are left out, slopes that can't vary."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.lmm.design import LmmDesign
from harness.lmm.dropped import RowCount
from harness.lmm.rows import representatives

_LISTED = 10


def design_remarks(design: LmmDesign) -> tuple[str, ...]:
    """Return one sentence for each state of the design that is no error but should not go unnoticed."""
    return tuple(_remarks(design))


def constant_slopes(design: LmmDesign) -> tuple[str, ...]:
    """Return the random effects, but intercepts, whose column varies within no level of its grouping.

    Such an effect is a variance between subjects that grows with the column, not a slope that anyone has.
    """
    found: list[str] = []
    for one in design.random:
        same = np.equal(one.Z, one.Z[representatives(one.codes)])
        found += [name for j, name in enumerate(one.names) if same[:, j].all() and name != "intercept"]
    return tuple(found)


def _remarks(design: LmmDesign) -> Iterator[str]:
    if design.aliased:
        columns = _listed([f"{name} ({sentence})" for name, sentence in design.aliased.items()])
        yield f"Left out of the fixed part: {columns}."
    if design.empty_levels:
        yield f"Levels without a complete row: {_listed(design.empty_levels)}."
    if design.lone_levels:
        yield f"Levels with a single row: {_listed(design.lone_levels)}."
    slopes = constant_slopes(design)
    if slopes:
        yield f"Constant within every subject, so a variance between subjects and not a slope: {_listed(slopes)}."
    yield from _dropped(design)


def _dropped(design: LmmDesign) -> Iterator[str]:
    dropped = design.dropped
    if not dropped.total:
        return
    columns = ", ".join(f"{name} in {count}" for name, count in dropped.by_column.items())
    yield f"Rows dropped: {dropped.total}; missing is {columns}."
    if dropped.by_visit_and_arm:
        cells = {f"{visit} {arm}": count for (visit, arm), count in dropped.by_visit_and_arm.items()}
        yield from _cells(f"{dropped.visit} and {dropped.arm}", cells)
    for name in filter(None, (dropped.visit, dropped.arm) if not dropped.by_visit_and_arm else ()):
        yield from _cells(name, dropped.by_level[name])
    if dropped.lost_subjects:
        yield f"Subjects without a complete row: {len(dropped.lost_subjects)}."


def _cells(columns: str, counts: Mapping[str, RowCount]) -> Iterator[str]:
    shares = [f"{cell} {count.dropped} of {sum(count)}" for cell, count in counts.items() if count.dropped]
    if shares:
        yield f"Rows dropped by {columns}: {', '.join(shares)}."


def _listed(words: Sequence[str]) -> str:
    rest = len(words) - _LISTED
    return ", ".join(words[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
