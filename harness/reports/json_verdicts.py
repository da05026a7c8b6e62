"""Verdicts in blocks: those that were judged alike share one entry, their numbers stand in columns."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from harness.comparison.verdict import Outcome, Verdict
from harness.quantities import Kind, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictBlock:
    """Quantities that were judged alike: entry k of each column is of the k-th quantity.

    `observed` and `limit` are in units of `metric`; `basis` says where the limit comes from. `observed` has six
    significant digits. `fewest_digits` is the least log relative error in the block, where that has a meaning.
    """

    kind: Kind
    metric: str
    limit: float | None
    basis: str
    outcome: Outcome
    reason: str
    fewest_digits: float | None
    quantity: tuple[str, ...]
    left_value: tuple[Value | None, ...]
    right_value: tuple[Value | None, ...]
    observed: tuple[float | None, ...]


def in_blocks(verdicts: Iterable[Verdict]) -> tuple[VerdictBlock, ...]:
    """Return every verdict, in blocks in the order of their first one; NaN limits share a block as others do."""
    found: dict[tuple[Kind, str, str, str, Outcome, str], list[Verdict]] = defaultdict(list)
    for v in verdicts:
        found[v.kind, v.metric, repr(v.limit), v.basis, v.outcome, v.reason].append(v)
    return tuple(
        VerdictBlock(
            kind=alike[0].kind,
            metric=alike[0].metric,
            limit=alike[0].limit,
            basis=alike[0].basis,
            outcome=alike[0].outcome,
            reason=alike[0].reason,
            fewest_digits=min((v.digits for v in alike if v.digits is not None), default=None),
            quantity=tuple(v.quantity for v in alike),
            left_value=tuple(v.left_value for v in alike),
            right_value=tuple(v.right_value for v in alike),
            observed=tuple(None if v.observed is None else float(f"{v.observed:.6g}") for v in alike),
        )
        for alike in found.values()
    )
