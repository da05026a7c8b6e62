"""Causes in the search: it stopped early, it went to another optimum, or it stopped where nobody can tell."""

from harness.comparison.causes.cause import FITTED, Cause, worst
from harness.comparison.findings import NOISE, Findings
from harness.comparison.joint import COVARIANCE, DISTANCE
from harness.comparison.verdict import Attribution
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.convergence import Stop

UNFINISHED = frozenset({Stop.SADDLE, Stop.ITERATION_LIMIT, Stop.REPORTED_FAILURE})


def not_converged(found: Findings) -> Cause | None:
    """Return `not_converged` if an engine says so itself, or ended where its log-likelihood still rises."""
    if not found.all_measured(*FITTED):
        return None
    for reading in (found.right, found.left):
        if reading.convergence is not None and reading.convergence.stop in UNFINISHED:
            message = f" ({reading.convergence.message})" if reading.convergence.message else ""
            return Cause(
                attribution=Attribution.NOT_CONVERGED,
                sentence=f"{reading.engine} says that it did not converge: {reading.convergence.stop}{message}.",
                next_step=reading.convergence.next_step,
            )
    limit = NOISE * found.distance_limit
    for reading in (found.right, found.left):
        gradient, below = found.gradient_of(reading), found.below(reading)
        if gradient is not None and gradient > limit and below > found.scales.rounding:
            return Cause(
                attribution=Attribution.NOT_CONVERGED,
                sentence=f"{reading.engine} stopped {gradient:.2g} standard errors from a stationary point"
                f" (limit {limit:g}), with a log-likelihood {below:.3g} lower.",
                next_step=f"Fit {reading.engine} with tighter control of its optimiser.",
            )
    return None


def local_optimum(found: Findings) -> Cause | None:
    """Return `local_optimum` if the engine with the lower log-likelihood is stationary, or gets to the other's."""
    limit = found.scales.gap_limit.limit
    if found.in_one_place or not (found.all_measured(*FITTED) and found.objectives_agree and abs(found.gap) > limit):
        return None
    loser, winner_best = found.loser, max(found.left_best, found.right_best)
    restart, gradient = found.evidence.restart, found.gradient_of(found.loser)
    settled, told = False, ""
    if restart is not None:
        settled = restart.engine == loser.engine and restart.log_likelihood >= winner_best - limit
        told = f"started at the other's estimates it reaches {restart.log_likelihood:.9g}"
    elif gradient is not None:
        settled = gradient <= NOISE * found.distance_limit
        told = f"its estimates are stationary (gradient {gradient:.2g} standard errors); it was not started again"
    if not settled:
        return None
    return Cause(
        attribution=Attribution.LOCAL_OPTIMUM,
        sentence=f"{loser.engine} ended at a local optimum, {abs(found.gap):.6g} below {winner_best:.9g}: {told}.",
        next_step=f"Give {loser.engine} more starts, or the other's estimates as its start.",
    )


def optimiser_noise(found: Findings) -> Cause | None:
    """Return `optimiser_noise` if both are at one optimum and all that differs is as little as D between them."""
    if _same_at_its_end(found):
        return _beside(found)
    if not found.in_one_basin:
        return None
    # Standard errors and predictions move by no more than about D, relatively and in their own units.
    if found.differing_objectives or not found.all_follow_distance or not found.all_measured(*FITTED):
        return None
    far = found.distance
    return Cause(
        attribution=Attribution.OPTIMISER_NOISE,
        sentence=f"Both are in one basin, D = {far:.2g} standard errors apart (limit {found.distance_limit:g}), and"
        f" the log-likelihood gap {abs(found.gap):.2g} is consistent with D^2/2 = {far**2 / 2:.2g}.",
        next_step="Fit the engine with the lower log-likelihood with tighter control of its optimiser.",
    )


def _same_at_its_end(found: Findings) -> bool:
    """Return whether the left engine, at the right one's end, says all that the right one does, and ended as high."""
    retelling = found.evidence.retelling
    if retelling is None or retelling.differing or found.differing_objectives or not found.all_measured(*FITTED):
        return False
    # What is joint is not told again; where nothing else differs, that it agrees there is not known.
    joint = {DISTANCE, COVARIANCE, LOG_LIKELIHOOD}
    told = {v.quantity for v in found.disagreements} - joint
    return bool(told) and found.gap >= -found.scales.gap_limit.limit and told <= set(retelling.agreeing)


def _beside(found: Findings) -> Cause:
    return Cause(
        attribution=Attribution.OPTIMISER_NOISE,
        sentence=f"At the parameters where {found.right.engine} ended, {found.left.engine} says the same in all"
        f" {len(found.disagreements)} quantities that differ: its search ended beside the optimum, {found.gap:.2g}"
        f" below; what differs most is {worst(found)}.",
        next_step=f"Fit {found.right.engine} with tighter control of its optimiser.",
    )
