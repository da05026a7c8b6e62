"""The sentences of a bundle that say what it shows and what it does not."""

from collections import Counter

from harness.certification.certify import Certified
from harness.certification.requirement import PHASES
from harness.certification.traceability import Standing, Traceability
from harness.reports.words import counted, sentence

EQUAL = (
    "Numbers equal those of an engine where they lie within the limit that is printed beside them; each limit has its"
    " basis. Nothing is said of numbers, versions, data or limits that are not listed here."
)
PURPOSE = (
    "Whether the package is fit for a purpose is for its user to decide; this bundle is evidence for that decision, not"
    " the decision."
)

_MOST_ORPHANS = 20


def headline(found: Traceability) -> str:
    """Return the standing of all requirements in one sentence."""
    total = counted(len(found.traced), "requirement")
    parts = [f"{found.count(standing)} {standing.value}" for standing in Standing if found.count(standing)]
    orphans = counted(len(found.orphans), "orphan") if found.orphans else "no orphans"
    return f"{total}: {', '.join(parts)}; {orphans}"


def scope(certified: Certified) -> tuple[str, ...]:
    """Return what the run was, and what bounds all that it shows."""
    sources = Counter(comparison.right.source for comparison in certified.run.comparisons)
    said = [EQUAL]
    if sources["pinned"]:
        which = "All reference results" if not sources["live"] else f"{sources['pinned']} of the reference results"
        said.append(
            f"{which} are recorded ones: sealed files of what engines said on an earlier day, with the versions below."
        )
    if sources["live"]:
        said.append(f"{counted(sources['live'], 'reference result')} came from R as it ran for this bundle.")
    partly = sum(one.counts.not_compared > 0 for one in certified.traceability.traced)
    if partly:
        said.append(f"{counted(partly, 'requirement is', 'requirements are')} only partly compared; each says so.")
    return (*said, PURPOSE)


def told(found: Traceability) -> tuple[str, ...]:
    """Return what the terminal says: the headline, each part, and all that keeps the bundle from being complete."""
    lines = [f"{headline(found)}."]
    for phase, title in PHASES.items():
        standings = Counter(one.standing for one in found.traced if one.requirement.phase == phase)
        parts = ", ".join(f"{standings[standing]} {standing.value}" for standing in Standing if standings[standing])
        lines.append(f"{phase}  {title}: {parts or 'no requirement'}")
    for one in found.traced:
        if not one.standing.is_enough:
            statement = sentence(one.requirement.statement)
            lines.append(f"{one.requirement.identifier} {one.standing.value}: {statement} {sentence(one.sentence)}")
    lines += [f"orphan: {sentence(orphan.sentence)}" for orphan in found.orphans[:_MOST_ORPHANS]]
    rest = len(found.orphans) - _MOST_ORPHANS
    lines += [f"and {counted(rest, 'more orphan')}, listed in traceability.json"] if rest > 0 else []
    return (*lines, *(f"note: {sentence(note)}" for note in found.notes))
