"""The traceability of a bundle as JSON, and its JSON Schema, made from the types below."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.certification.certify import Certified, InputHashes
from harness.certification.requirement import Outside
from harness.certification.statements import headline, scope
from harness.certification.traceability import Accepted, Counts, Orphan, Row, Standing, Traced, Unshown
from harness.reports.json_schema import schema_of
from harness.reports.plain import Json, plain, text_of

SCHEMA_VERSION = "1.0"
_LINES_DOWN_TO = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShown:
    """A row of evidence; `comparison` and `basis` are places in the lists of comparisons and bases, from 0."""

    comparison: int
    family: str
    kind: str
    counts: Counts
    standing: Standing
    worst: str
    metric: str
    observed: float | None
    limit: float | None
    ratio: float | None
    basis: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBy:
    """What a requirement asks for: patterns, or a check."""

    cases: tuple[str, ...]
    engines: tuple[str, ...]
    quantities: tuple[str, ...]
    also: tuple[str, ...]
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementShown:
    """A requirement with its standing and what it rests on; `caveats` are what its check could not look at."""

    id: str
    phase: str
    statement: str
    standing: Standing
    sentence: str
    counts: Counts
    gaps: tuple[str, ...]
    caveats: tuple[str, ...]
    shown_by: ShownBy
    rows: tuple[RowShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonShown:
    """A comparison of the run with the hashes of what was compared and the engine's versions."""

    case: str
    engine: str
    source: str
    versions: Mapping[str, str]
    inputs: InputHashes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownShown:
    """An accepted difference and what it was used for; `farthest` is the largest, in limits, and `at_most` may be."""

    case: str
    engine: str
    quantity: str
    attribution: str
    at_most: float
    reason: str
    owner: str
    expires: str
    cases: tuple[str, ...]
    quantities: int
    farthest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What `harness certify` writes to traceability.json."""

    schema_version: str
    command: str
    started: str
    headline: str
    is_complete: bool
    scope: tuple[str, ...]
    standings: Mapping[str, int]
    comparisons: tuple[ComparisonShown, ...]
    bases: tuple[str, ...]
    requirements: tuple[RequirementShown, ...]
    orphans: tuple[Orphan, ...]
    not_compared: tuple[Unshown, ...]
    known_differences: tuple[KnownShown, ...]
    outside: tuple[Outside, ...]
    notes: tuple[str, ...]


def render(certified: Certified) -> str:
    """Return the traceability as JSON, the same text for the same run."""
    return text_of(plain(document(certified)), _LINES_DOWN_TO) + "\n"


def schema() -> str:
    """Return the JSON Schema of what `render` returns."""
    made = schema_of(Document, {}, {})
    titled: Json = {**made, "title": "Traceability of requirements"} if isinstance(made, dict) else made
    return text_of(titled, 3) + "\n"


def document(certified: Certified) -> Document:
    """Return what traceability.json holds."""
    found, run = certified.traceability, certified.run
    names = [(comparison.case, comparison.right.engine) for comparison in run.comparisons]
    places = {name: k for k, name in enumerate(names)}
    bases = {basis: k for k, basis in enumerate(dict.fromkeys(row.basis for one in found.traced for row in one.rows))}
    return Document(
        schema_version=SCHEMA_VERSION,
        command=run.command,
        started=run.started,
        headline=headline(found),
        is_complete=found.is_complete,
        scope=scope(certified),
        standings={standing.value: found.count(standing) for standing in Standing},
        comparisons=tuple(
            ComparisonShown(
                case=comparison.case,
                engine=comparison.right.engine,
                source=comparison.right.source,
                versions=comparison.right.versions,
                inputs=certified.inputs[name],
                digest=certified.inputs[name].digest,
            )
            for name, comparison in zip(names, run.comparisons, strict=True)
        ),
        bases=tuple(bases),
        requirements=tuple(_requirement(one, places, bases) for one in found.traced),
        orphans=found.orphans,
        not_compared=found.unshown,
        known_differences=tuple(map(_known, found.accepted)),
        outside=found.outside,
        notes=found.notes,
    )


def _requirement(one: Traced, places: Mapping[tuple[str, str], int], bases: Mapping[str, int]) -> RequirementShown:
    wanted = one.requirement
    return RequirementShown(
        id=wanted.identifier,
        phase=wanted.phase,
        statement=wanted.statement,
        standing=one.standing,
        sentence=one.sentence,
        counts=one.counts,
        gaps=one.gaps,
        caveats=one.checked.caveats if one.checked is not None else (),
        shown_by=ShownBy(
            cases=wanted.cases,
            engines=wanted.engines,
            quantities=wanted.quantities,
            also=wanted.also,
            check=wanted.check,
        ),
        rows=tuple(_row(row, places, bases) for row in one.rows),
    )


def _row(row: Row, places: Mapping[tuple[str, str], int], bases: Mapping[str, int]) -> RowShown:
    return RowShown(
        comparison=places[row.case, row.engine],
        family=row.family,
        kind=row.kind,
        counts=row.counts,
        standing=row.counts.standing,
        worst=row.worst,
        metric=row.metric,
        observed=row.observed,
        limit=row.limit,
        ratio=row.ratio,
        basis=bases[row.basis],
        evidence=row.evidence,
    )


def _known(accepted: Accepted) -> KnownShown:
    entry = accepted.entry
    return KnownShown(
        case=entry.case,
        engine=entry.engine,
        quantity=entry.quantity,
        attribution=entry.attribution.value,
        at_most=entry.at_most,
        reason=" ".join(entry.reason.split()),
        owner=entry.owner,
        expires=entry.expires.isoformat(),
        cases=accepted.cases,
        quantities=accepted.quantities,
        farthest=accepted.farthest,
    )
