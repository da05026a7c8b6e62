"""The decision who moved, quantity by quantity, from the verdicts on the three sides of a triangle."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf, isfinite

from harness.comparison.joint import INPUT
from harness.comparison.movement_words import next_step, sentence, sentence_of_failure, sentence_of_stale
from harness.comparison.triangle import Moved, Mover, Triangle
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import Reading, Value

# Who moved, by the sides that disagree: (ours and the pin, live and the pin, ours and live).
_MOVERS: Mapping[tuple[bool, bool, bool], Mover] = {
    (False, False, False): Mover.NOBODY,
    (True, False, True): Mover.OURS,
    (False, True, True): Mover.REFERENCE,
    # It left its recording by more than its own noise, and ours, between the two, still agrees with both.
    (False, True, False): Mover.REFERENCE,
    (True, True, False): Mover.BOTH,
    (True, True, True): Mover.BOTH,
    # One side alone can't disagree unless two sides nearly do: the third corner is at the edge of the limits.
    (True, False, False): Mover.UNKNOWN,
    (False, False, True): Mover.UNKNOWN,
}


def triangle(ours_live: Comparison, ours_pinned: Comparison, live_pinned: Comparison) -> Triangle:
    """Return who moved since the pin was recorded.

    Parameters
    ----------
    ours_live, ours_pinned, live_pinned
        One case and engine on three sides: ours with the engine as it runs, ours with its pin, and the engine as it
        runs with its pin. In all three latent classes carry our labels.

    Returns
    -------
    Triangle
        A quantity is in `moved` if any side disagrees on it; a known difference is agreement with what is known. The
        mover of the whole is the one that explains most: the input if what both were given differs from the pin's, else
        ours, the reference or both, and unknown only if nothing else moved.
    """
    live, pin = ours_live.right, ours_pinned.right
    if pin.failure is not None:
        return _without_pin(ours_live, pin.failure.sentence, pin)
    moved = tuple(_moved(ours_live, ours_pinned, live_pinned))
    mover = Mover.REFERENCE if live.failure is not None else _overall(moved)
    furthest = _furthest(live_pinned, ours_pinned, ours_live, moved)
    return Triangle(
        case=ours_live.case,
        engine=live.engine,
        recorded=pin.versions,
        running=live.versions,
        ours_pinned=ours_pinned.outcome,
        live_pinned=live_pinned.outcome,
        ours_live=ours_live.outcome,
        mover=mover,
        moved=moved,
        drift=_drift(live_pinned),
        sentence=sentence_of_failure(live, pin)
        if live.failure is not None
        else sentence(mover, moved, furthest, (ours_live, ours_pinned, live_pinned)),
        next_step=next_step(mover, ours_live),
    )


def _without_pin(ours_live: Comparison, reason: str, pin: Reading) -> Triangle:
    """Return the triangle of a pin that does not belong to what is there today: the input moved."""
    return Triangle(
        case=ours_live.case,
        engine=ours_live.right.engine,
        recorded=pin.versions,
        running=ours_live.right.versions,
        ours_pinned=Outcome.NOT_COMPARED,
        live_pinned=Outcome.NOT_COMPARED,
        ours_live=ours_live.outcome,
        mover=Mover.INPUT,
        sentence=sentence_of_stale(reason, ours_live),
        next_step=next_step(Mover.INPUT, ours_live),
    )


def _moved(ours_live: Comparison, ours_pinned: Comparison, live_pinned: Comparison) -> Iterator[Moved]:
    """Yield each quantity on which a side disagrees."""
    sides = [{v.quantity: v for v in side.verdicts} for side in (ours_pinned, live_pinned, ours_live)]
    both_moved_alike = {
        path
        for path in dict.fromkeys(path for side in sides for path in side)
        if _disagreeing(path, sides) == (True, True, False)
    }
    input_moved = any(path.startswith(INPUT) for path in both_moved_alike)
    for path in dict.fromkeys(path for side in sides for path in side):
        mover = _MOVERS[_disagreeing(path, sides)]
        if mover is Mover.NOBODY:
            continue
        with_pin, across, with_live = (side.get(path) for side in sides)
        yield Moved(
            quantity=path,
            ours=_value(with_live, "left") if with_live is not None else _value(with_pin, "left"),
            pinned=_value(with_pin, "right") if with_pin is not None else _value(across, "right"),
            live=_value(with_live, "right") if with_live is not None else _value(across, "left"),
            mover=Mover.INPUT if input_moved and path in both_moved_alike else mover,
        )


def _disagreeing(path: str, sides: Sequence[Mapping[str, Verdict]]) -> tuple[bool, bool, bool]:
    with_pin, across, with_live = (
        path in side and side[path].outcome is Outcome.DISAGREE  # what a side can't compare tells nothing
        for side in sides
    )
    return with_pin, across, with_live


def _value(verdict: Verdict | None, side: str) -> Value | None:
    if verdict is None:
        return None
    return verdict.left_value if side == "left" else verdict.right_value


def _overall(moved: Sequence[Moved]) -> Mover:
    found = {item.mover for item in moved}
    if Mover.INPUT in found:
        return Mover.INPUT
    if Mover.BOTH in found or {Mover.OURS, Mover.REFERENCE} <= found:
        return Mover.BOTH
    for mover in (Mover.OURS, Mover.REFERENCE, Mover.UNKNOWN):
        if mover in found:
            return mover
    return Mover.NOBODY


def _drift(live_pinned: Comparison) -> float | None:
    """Return the largest share of a limit by which the reference moved; infinite if it is no number any more."""
    shares = [_share(verdict) for verdict in live_pinned.verdicts if verdict.outcome is not Outcome.NOT_COMPARED]
    return max(shares, default=None)


def _furthest(
    live_pinned: Comparison, ours_pinned: Comparison, ours_live: Comparison, moved: Sequence[Moved]
) -> Verdict | None:
    """Return the verdict that is furthest beyond its limit on any side that disagrees; None where nothing moved.

    Where nothing moved it is what came nearest to the reference's own limits since the recording.
    """
    paths = {item.quantity for item in moved}
    sides = (live_pinned, ours_pinned, ours_live) if moved else (live_pinned,)
    found = [
        verdict
        for side in sides
        for verdict in side.verdicts
        if (verdict.outcome is Outcome.DISAGREE and verdict.quantity in paths) or (not moved and _share(verdict) > 0)
    ]
    return max(found, key=_share, default=None)


def _share(verdict: Verdict) -> float:
    """Return observed / limit; infinite for a disagreement without a number."""
    if verdict.observed is None or verdict.limit is None:
        return inf if verdict.outcome is Outcome.DISAGREE else 0.0
    if not isfinite(verdict.observed):
        return inf
    if verdict.limit <= 0:
        return inf if verdict.observed else 0.0
    return verdict.observed / verdict.limit
