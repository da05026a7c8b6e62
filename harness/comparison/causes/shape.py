"""Causes in the shape of the log-likelihood: an optimum at a bound, and a direction that the data do not determine."""

import numpy as np

from harness.comparison.adjudication import rises_without_end
from harness.comparison.causes.cause import FITTED, Cause, worst
from harness.comparison.findings import Findings
from harness.comparison.verdict import Attribution
from harness.comparison.yardstick import IRREGULAR
from harness.convergence import Stop
from harness.quantities import Kind, Reading

AT_A_BOUND = IRREGULAR - {Stop.FLAT}


def without_maximum(found: Findings) -> Cause | None:
    """Return `boundary` if the right engine ended on a way along which the likelihood rises without end.

    What an engine rounds on that way is part of it, so the log-likelihoods may differ there.
    """
    ascent = found.evidence.ascent
    if not rises_without_end(ascent) or not found.all_measured(*FITTED, Kind.OBJECTIVE):
        return None
    steps, name = np.diff(ascent), found.right.engine
    return Cause(
        attribution=Attribution.BOUNDARY,
        sentence=f"The likelihood has no maximum, because random effects reproduce the outcome with a sigma of zero:"
        f" with those of {name}'s end ten times as large beside sigma it is {steps[0]:.3g} higher, and {steps[1]:.3g}"
        f" again. {name} stopped on the way, {-found.gap:.3g} above {found.left.engine}, which ended at a maximum that"
        " is finite.",
        next_step="Leave out random effects, or fixed effects, until a residual is left.",
    )


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
        return _told_twice(found)
    return Cause(
        attribution=Attribution.FLAT,
        sentence=f"The data do not determine every parameter: {reading.engine} stopped at a flat direction, the"
        f" log-likelihoods differ by {found.gap:.3g}, and what differs most is {worst(found)}.{_direction(found)}",
        next_step=reading.convergence.next_step,
    )


def _told_twice(found: Findings) -> Cause | None:
    """Return `flat` if two grouping factors have the same rows: of their variances only the sum is determined."""
    names = found.evidence.told_twice
    if not names or not found.all_measured(*FITTED) or abs(found.gap) > found.scales.gap_limit.limit:
        return None
    return Cause(
        attribution=Attribution.FLAT,
        sentence=f"The data do not determine every parameter: {' and '.join(names)} put the same rows together, so that"
        f" only the sum of their variances is known; the log-likelihoods differ by {found.gap:.3g}, and what differs"
        f" most is {worst(found)}.{_direction(found)}",
        next_step="Leave out one of the two.",
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
