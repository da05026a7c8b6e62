"""What of a run a requirement asks for, and what it asks for in vain."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.certification.requirement import Requirement, matcher
from harness.comparison.run import Run, Skipped
from harness.comparison.verdict import Comparison, Outcome, Verdict

Asked = set[tuple[int, str]]
"""Number of a comparison and a quantity of it; the quantity is empty where the comparison has no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The verdicts that a requirement asks for, by comparison.

    `failed` are comparisons without an answer, `gaps` what was not compared at all, `unmatched` the patterns that
    nothing matches.
    """

    verdicts: Sequence[tuple[Comparison, Sequence[Verdict]]]
    asked: Asked
    failed: tuple[str, ...]
    gaps: tuple[str, ...]
    unmatched: tuple[str, ...]


@dataclass(slots=True)
class _Names:
    """The cases, engines and quantities that were met."""

    case: set[str] = field(default_factory=set)
    engine: set[str] = field(default_factory=set)
    quantity: set[str] = field(default_factory=set)

    def add(self, comparison: Comparison, verdicts: Iterable[Verdict]) -> None:
        quantities = {verdict.quantity for verdict in verdicts}
        if quantities:
            self.case.add(comparison.case)
            self.engine.add(comparison.right.engine)
            self.quantity |= quantities


def select(requirement: Requirement, run: Run) -> Selection:
    """Return what a requirement that has no check asks for."""
    of_quantity = matcher((*requirement.quantities, *requirement.also))
    concerned = [(k, one) for k, one in enumerate(run.comparisons) if concerns(requirement, one.case, one.right.engine)]
    skipped = [one for one in run.skipped if concerns(requirement, one.case, one.reference)]
    failed = [(k, one) for k, one in concerned if not one.verdicts]
    verdicts: list[tuple[Comparison, list[Verdict]]] = []
    asked: Asked = {(k, "") for k, _ in failed}
    present, judged = _Names(), _Names()
    for k, one in concerned:
        chosen = [verdict for verdict in one.verdicts if of_quantity(verdict.quantity)]
        if chosen:
            verdicts.append((one, chosen))
            asked |= {(k, verdict.quantity) for verdict in chosen}
            present.add(one, chosen)
            judged.add(one, (verdict for verdict in chosen if verdict.outcome is not Outcome.NOT_COMPARED))
    return Selection(
        verdicts=verdicts,
        asked=asked,
        failed=tuple(_failure(one) for _, one in failed),
        gaps=(*_gaps(one for one, _ in verdicts), *map(_skip, skipped), *map(_unanswered, _vain(requirement, judged))),
        # Where an engine failed or is absent, that is what has to be told.
        unmatched=() if failed or skipped else tuple(f"{kind} {text!r}" for kind, text in _vain(requirement, present)),
    )


def concerns(requirement: Requirement, case: str, engine: str) -> bool:
    """Return whether a requirement asks for a comparison, whatever the quantity."""
    return matcher(requirement.cases)(case) and matcher(requirement.engines)(engine)


def _vain(requirement: Requirement, met: _Names) -> Iterator[tuple[str, str]]:
    """Yield the patterns that none of the names matches."""
    for kind, patterns, names in (
        ("case", requirement.cases, met.case),
        ("engine", requirement.engines, met.engine),
        ("quantity", requirement.quantities, met.quantity),
    ):
        for pattern in patterns:
            if not any(map(matcher((pattern,)), names)):
                yield kind, pattern


def _unanswered(pattern: tuple[str, str]) -> str:
    kind, text = pattern
    return f"no quantity was compared for the {kind} {text!r}"


def _gaps(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """Yield the comparisons of which no result was compared, only what went in."""
    for one in comparisons:
        if one.outcome is Outcome.NOT_COMPARED:
            yield f"no result of {one.right.engine} on {one.case} was compared"


def _skip(skipped: Skipped) -> str:
    return f"{skipped.reference} on {skipped.case} was not compared: {skipped.reason}"


def _failure(comparison: Comparison) -> str:
    failures = (reading.failure for reading in (comparison.left, comparison.right) if reading.failure is not None)
    said = next((failure.sentence for failure in failures), comparison.sentence or "it has no verdict")
    return f"{comparison.right.engine} on {comparison.case}: {said}"
