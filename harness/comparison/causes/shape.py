"""Causes in the shape of the log-likelihood: an optimum at a bound, and a direction that the data do not determine."""

from harness.comparison.causes.cause import FITTED, Cause, worst
from harness.comparison.findings import Findings
from harness.comparison.verdict import Attribution
from harness.comparison.yardstick import IRREGULAR
from harness.convergence import Stop
from harness.quantities import Reading

AT_A_BOUND = IRREGULAR - {Stop.FLAT}


def boundary(found: Findings) -> Cause | None:
    """Return `boundary` if an engine ended where a variance or a share is at its bound, or a class is empty."""
    reading = _stopped_at(found, AT_A_BOUND)
    if reading is None or reading.convergence is None:
        return None
    return Cause(
        attribution=Attribution.BOUNDARY,
        sentence=f"{reading.engine} stopped at: {reading.convergence.stop}; the log-likelihoods differ by"
        f" {found.gap:.3g}, and what differs most is {worst(found)}.{_direction(found)}",
        next_step=reading.convergence.next_step,
    )


def flat(found: Findings) -> Cause | None:
    """Return `flat` if an engine ended where the log-likelihood does not bend in some direction."""
    reading = _stopped_at(found, frozenset({Stop.FLAT}))
    if reading is None or reading.convergence is None:
        return None
    return Cause(
        attribution=Attribution.FLAT,
        sentence=f"The data do not determine every parameter: {reading.engine} stopped at a flat direction, the"
        f" log-likelihoods differ by {found.gap:.3g}, and what differs most is {worst(found)}.{_direction(found)}",
        next_step=reading.convergence.next_step,
    )


def _stopped_at(found: Findings, stops: frozenset[Stop]) -> Reading | None:
    if not found.all_measured(*FITTED):
        return None
    return next(
        (one for one in (found.right, found.left) if one.convergence is not None and one.convergence.stop in stops),
        None,
    )


def _direction(found: Findings) -> str:
    """Return which parameters move along the direction of least curvature, in words; empty where nobody looked."""
    direction = found.evidence.flat
    if direction is None:
        return ""
    moving = sorted(direction.weights.items(), key=lambda item: -abs(item[1]))
    shown = ", ".join(f"{weight:+.2f} {name}" for name, weight in moving[:4])
    rest = f" and {len(moving) - 4} more" if len(moving) > 4 else ""
    known = f"information {direction.information:.2g}, where one observation has about 1"
    return f" The flattest direction is {shown}{rest} ({known})."
