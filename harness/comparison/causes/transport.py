"""Causes on the way to an engine: other rows or columns, and values that changed in transit."""

from harness.comparison.causes.cause import FITTED, Cause, both_values
from harness.comparison.causes.coordinates import is_recoded
from harness.comparison.findings import Findings
from harness.comparison.joint import DESIGN, ECHO, INPUT
from harness.comparison.verdict import Attribution, Verdict
from harness.quantities import Kind

COUNTS = frozenset({"n_observations", "n_subjects"})


def different_input(found: Findings) -> Cause | None:
    """Return `input` if the engines were not given the same rows or columns.

    Sums alone may differ for two better reasons: values that did not survive the transport, which its echo shows, and
    another coding of the same columns, which the fitted values show.
    """
    differing = [v for v in _of_input(found) if v.quantity != ECHO]
    only_sums = all(v.quantity.startswith(INPUT) and v.observed is not None for v in differing)
    if not differing or (only_sums and _echo_differs(found)):
        return None
    if all(v.quantity.startswith(DESIGN) for v in differing) and is_recoded(found):
        return None
    return Cause(
        attribution=Attribution.INPUT,
        sentence=f"The engines were not given the same data: {both_values(differing)}.",
        next_step="Look for dropped rows, recoded levels or shuffled columns on the way to the engine.",
    )


def conversion(found: Findings) -> Cause | None:
    """Return `conversion` if the columns did not come back bit for bit as they were sent."""
    of_input = _of_input(found)
    rest = [v for v in found.disagreements if v not in of_input]
    follows = all(v.kind in FITTED | {Kind.OBJECTIVE} and v.observed is not None for v in rest)
    if not (_echo_differs(found) and follows):
        return None
    sums = [v for v in of_input if v.quantity != ECHO]
    by = f": {both_values(sums)}" if sums else ", though their sums agree"
    return Cause(
        attribution=Attribution.CONVERSION,
        sentence=f"{found.right.engine} did not get the values that were sent: its echo of the columns is not equal"
        f" to them bit for bit{by}; {len(rest)} results differ with them.",
        next_step="Run `harness doctor`; look for single precision, text with too few digits, or a recoded NA on the"
        " way to the engine.",
    )


def _of_input(found: Findings) -> list[Verdict]:
    return [v for v in found.disagreements if v.quantity.startswith(INPUT) or v.quantity in COUNTS]


def _echo_differs(found: Findings) -> bool:
    return any(v.quantity == ECHO for v in found.disagreements)
