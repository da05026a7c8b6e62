"""From a run to its requirements and back: a function of values, which reads and runs nothing."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.certification.families import family_of
from harness.certification.leftovers import accepted, orphan_requirements, orphan_verdicts, unshown
from harness.certification.requirement import Requirement, RequirementSet
from harness.certification.selection import Asked, Selection, select
from harness.certification.traceability import (
    Checked,
    Counts,
    Orphan,
    Row,
    Standing,
    Traceability,
    Traced,
    total,
)
from harness.comparison.known import KnownDifference
from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import Value
from harness.reports.ranking import ratio, worst_first
from harness.reports.words import counted

Inputs = Mapping[tuple[str, str], str]
"""The hash of what was compared, by case and engine."""


def trace(
    requirements: RequirementSet,
    run: Run,
    *,
    checked: Mapping[str, Checked],
    inputs: Inputs,
    known: Sequence[KnownDifference] = (),
) -> Traceability:
    """Return the standing of every requirement, and what is left over on either side.

    Parameters
    ----------
    requirements
        The set; each gets a standing.
    run
        The comparisons.
    checked
        What each check found, by name; a requirement whose check is not among them is not examined.
    inputs
        Hashes of what was compared.
    known
        The entries by which differences were accepted.

    Returns
    -------
    Traceability
        A requirement is shown if every quantity that it asks for and that was compared agrees, and each of its patterns
        found a compared quantity. Verdicts that were compared, comparisons without an answer and skipped ones for
        which nobody asks are orphans, as are requirements and patterns that match nothing.
    """
    asked: Asked = set()
    traced: list[Traced] = []
    orphans: list[Orphan] = []
    for requirement in requirements.requirements:
        if requirement.check:
            traced.append(_checked(requirement, checked.get(requirement.check)))
            continue
        selection = select(requirement, run)
        asked |= selection.asked
        traced.append(_traced(requirement, selection, inputs))
        orphans += orphan_requirements(requirement, selection.unmatched)
    return Traceability(
        traced=tuple(traced),
        orphans=(*orphans, *orphan_verdicts(run, requirements.requirements, asked)),
        unshown=tuple(unshown(run)),
        accepted=tuple(accepted(run, known)),
        outside=requirements.outside,
        notes=run.notes,
    )


def _traced(requirement: Requirement, selection: Selection, inputs: Inputs) -> Traced:
    rows = tuple(row for comparison, verdicts in selection.verdicts for row in _rows(comparison, verdicts, inputs))
    counts = total(row.counts for row in rows)
    standing = counts.standing
    if selection.failed:
        standing = Standing.NOT_SHOWN
    elif selection.gaps and standing.is_enough:
        standing = Standing.NOT_EXAMINED
    gaps = (*selection.failed, *selection.gaps)
    return Traced(
        requirement=requirement,
        standing=standing,
        sentence=_sentence(counts, rows, gaps),
        counts=counts,
        rows=rows,
        gaps=gaps,
    )


def _sentence(counts: Counts, rows: Sequence[Row], gaps: Sequence[str]) -> str:
    quantities = counted(counts.compared, "quantity", "quantities")
    comparisons = counted(len({(row.case, row.engine) for row in rows}), "comparison")
    said = [f"{counts.agree} of {quantities} in {comparisons} {'agrees' if counts.agree == 1 else 'agree'}"]
    if counts.disagree:
        said.append(f"{counts.disagree} {'disagrees' if counts.disagree == 1 else 'disagree'}")
    if counts.known:
        said.append(counted(counts.known, "known difference"))
    parts = [f"{', '.join(said)}."]
    if counts.not_compared:
        parts.append(
            f"Partly compared: {counts.not_compared} of {counts.compared + counts.not_compared} were not compared."
        )
    if gaps:
        parts.append(f"{counted(len(gaps), 'gap')}: {gaps[0].rstrip('.')}.")
    return " ".join(parts)


def _rows(comparison: Comparison, verdicts: Iterable[Verdict], inputs: Inputs) -> Iterator[Row]:
    families: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        families[family_of(verdict.quantity)].append(verdict)
    for family, members in sorted(families.items()):
        compared = [verdict for verdict in members if verdict.outcome is not Outcome.NOT_COMPARED]
        worst = worst_first(compared or members)[0]
        yield Row(
            case=comparison.case,
            engine=comparison.right.engine,
            source=comparison.right.source,
            family=family,
            kind=", ".join(sorted({verdict.kind.value for verdict in members})),
            counts=_counts(members),
            worst=worst.quantity,
            metric=worst.metric,
            observed=worst.observed,
            limit=worst.limit,
            ratio=ratio(worst) if compared else None,
            basis=worst.basis if compared else worst.reason,
            inputs=inputs.get((comparison.case, comparison.right.engine), ""),
            evidence=_evidence(members),
        )


def _counts(verdicts: Iterable[Verdict]) -> Counts:
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    return Counts(
        agree=outcomes[Outcome.AGREE],
        known=outcomes[Outcome.KNOWN],
        disagree=outcomes[Outcome.DISAGREE],
        not_compared=outcomes[Outcome.NOT_COMPARED],
    )


def _evidence(verdicts: Iterable[Verdict]) -> str:
    lines = sorted(
        [v.quantity, *map(_text, (v.left_value, v.right_value, v.observed, v.limit)), v.outcome.value] for v in verdicts
    )
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def _text(value: Value | None) -> str:
    # numpy's numbers are shown with their type.
    return repr(float(value)) if isinstance(value, float) else repr(value)


def _checked(requirement: Requirement, checked: Checked | None) -> Traced:
    if checked is None:
        detail = f"the check {requirement.check!r} was not made"
        return Traced(requirement=requirement, standing=Standing.NOT_EXAMINED, sentence=f"{detail}.", gaps=(detail,))
    return Traced(
        requirement=requirement,
        standing=checked.standing,
        sentence=" ".join([checked.detail, *checked.caveats]),
        checked=checked,
    )
