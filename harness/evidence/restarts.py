"""Where the engine with the lower log-likelihood goes from the other's estimates."""

from dataclasses import replace

from harness.cases import Case, Engine
from harness.comparison.attribution import needs_restart
from harness.comparison.verdict import Comparison, CrossEvidence, Restart
from harness.engines import NAME, OurSide
from harness.errors import SpecError
from harness.evidence.points import optimum_of
from harness.quantities import Point, Reading


def with_restart(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:
    """Return the evidence with where the loser goes from the winner's estimates; None where that tells nothing."""
    if not needs_restart(comparison):
        return None
    restart = _restart_of_the_loser(ours, engine, comparison.left, comparison.right)
    return None if restart is None else replace(comparison.evidence, restart=restart)


def restarted(case: Case, engine: Engine, reading: Reading, start: Point) -> Restart | None:
    """Return where an engine that is not ours goes from another's estimates; None where it can't be run."""
    if reading.source != "live":
        return None
    again = engine.read(case, start=start)
    reached = next((q.value for q in again.quantities if q.path == "log_likelihood"), None)
    return Restart(engine=reading.engine, log_likelihood=reached) if isinstance(reached, float) else None


def _restart_of_the_loser(ours: OurSide, engine: Engine, left: Reading, right: Reading) -> Restart | None:
    """Start the engine with the lower log-likelihood at the other's estimates; None where it can't be run."""
    our_point, their_point = optimum_of(left), optimum_of(right)
    if our_point is None or their_point is None:
        return None
    if ours.log_likelihood(our_point) < ours.log_likelihood(their_point):
        try:
            return Restart(engine=NAME, log_likelihood=ours.restarted(their_point))
        except SpecError:  # on a way to a sigma of zero, where there is no maximum
            return None
    if right.source != "live":
        return None
    again = engine.read(ours.case, start=our_point)
    reached = optimum_of(again)
    return None if reached is None else Restart(engine=right.engine, log_likelihood=ours.log_likelihood(reached))
