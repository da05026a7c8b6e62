"""The sentence that says who moved, from which versions to which, and what to do about it."""

from collections.abc import Mapping, Sequence

from harness.comparison.triangle import Moved, Mover
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import Reading

RECORDED = "recorded"
"""What the versions of a pin call the day of the recording."""


def sentence(
    mover: Mover, moved: Sequence[Moved], furthest: Verdict | None, sides: tuple[Comparison, Comparison, Comparison]
) -> str:
    """Return who moved, by how many quantities, the furthest of them, and the versions then and now.

    `sides` are ours and live, ours and the pin, live and the pin.
    """
    ours_live, ours_pinned, live_pinned = sides
    said = _who(mover, moved, furthest, (ours_live, live_pinned))
    worst = f" Furthest: {_measured(furthest)}." if furthest is not None and mover is not Mover.NOBODY else ""
    return f"{said}{worst} {then_and_now(ours_pinned.right, ours_live.right)}{_our_versions(mover, ours_live.left)}"


def sentence_of_failure(live: Reading, pin: Reading) -> str:
    """Return that the reference answered when it was recorded, and does not today."""
    reason = "" if live.failure is None else live.failure.sentence.rstrip(".")
    return f"{live.engine} gave an answer when it was recorded and gives none today: {reason}. {_then(pin)}."


def sentence_of_stale(reason: str, ours_live: Comparison) -> str:
    """Return that the pin tells of another input."""
    agreed = " Ours and live" + (" agree." if _agrees(ours_live) else " disagree.")
    return f"The input moved, so nobody else can be blamed: {reason.rstrip('.')}.{agreed}"


def next_step(mover: Mover, ours_live: Comparison) -> str:
    """Return what a user does about it; nothing where nobody moved."""
    case, engine = ours_live.case, ours_live.right.engine
    again = f'`harness record {case} --reason "…"`'
    steps: Mapping[Mover, str] = {
        Mover.NOBODY: "",
        Mover.OURS: f"Find the change of ours (`harness explain {case}`); the recording stays.",
        Mover.REFERENCE: f"Read what {engine} changed between the two versions, then {again}."
        if _agrees(ours_live)
        else f"Find out which of {engine}'s two versions is right; record again or add a known difference.",
        Mover.BOTH: f"Find what both depend on; only if the new numbers are right, {again}.",
        Mover.INPUT: f"If the change was meant, {again}; if not, undo it.",
        Mover.UNKNOWN: "Nothing moved by more than a limit; look at what is nearest to its limit before it breaks.",
    }
    return steps[mover]


def then_and_now(pin: Reading, live: Reading) -> str:
    """Return which versions the recording was made with and which of them run today."""
    changed = [
        f"{name} {pin.versions.get(name, 'absent')} became {live.versions.get(name, 'absent')}"
        for name in dict.fromkeys((*pin.versions, *live.versions))
        if name != RECORDED and pin.versions.get(name) != live.versions.get(name)
    ]
    return f"{_then(pin)}; since then {', '.join(changed) if changed else 'no version has changed'}."


def _who(mover: Mover, moved: Sequence[Moved], furthest: Verdict | None, sides: tuple[Comparison, Comparison]) -> str:
    ours_live, live_pinned = sides
    engine, n = ours_live.right.engine, _counted(moved)
    where = "ours still agrees with it" if _agrees(ours_live) else "ours stands with the recording"
    stands = "stands where it was recorded" if _agrees(live_pinned) else "is not compared with its recording"
    nobody = (
        f"Nobody moved: {engine} says to the last bit what was recorded."
        if furthest is None
        else f"Nobody moved by more than a limit: {engine} moved most in {_measured(furthest)}."
    )
    both = (
        f"Ours and {engine} moved alike: they agree with each other and not with the recording in {n}."
        if _agrees(ours_live)
        else f"Ours and {engine} both moved: no two sides agree on all of {n}."
    )
    said: Mapping[Mover, str] = {
        Mover.NOBODY: nobody,
        Mover.OURS: f"Ours moved, or never agreed: {engine} stands where it was recorded, ours is elsewhere in {n}.",
        Mover.REFERENCE: f"{engine} moved: it left its recording in {n}, and {where}.",
        Mover.BOTH: both,
        Mover.INPUT: f"The input moved: ours and {engine} were both given something else than was recorded, {n}.",
        Mover.UNKNOWN: f"Nobody can be said to have moved: {engine} {stands}, and {n} at the edge of a limit.",
    }
    return said[mover]


def _agrees(comparison: Comparison) -> bool:
    return comparison.outcome in {Outcome.AGREE, Outcome.KNOWN}


def _counted(moved: Sequence[Moved]) -> str:
    return "1 quantity" if len(moved) == 1 else f"{len(moved)} quantities"


def _measured(verdict: Verdict | None) -> str:
    if verdict is None:
        return "nothing"
    if verdict.observed is None or verdict.limit is None:
        return f"{verdict.quantity}, {verdict.reason}"
    return f"{verdict.quantity}, {verdict.observed:.3g} {verdict.metric} (limit {verdict.limit:.3g})"


def _then(pin: Reading) -> str:
    versions = [f"{name} {version}" for name, version in pin.versions.items() if name != RECORDED]
    day = pin.versions.get(RECORDED, "an unknown day")
    return f"Recorded {day}" + (f" with {', '.join(versions)}" if versions else "")


def _our_versions(mover: Mover, ours: Reading) -> str:
    """Return what ours runs on where ours moved; a pin does not tell what it ran on then."""
    if mover not in {Mover.OURS, Mover.BOTH}:
        return ""
    return " Ours runs on " + ", ".join(f"{name} {version}" for name, version in ours.versions.items()) + "."
