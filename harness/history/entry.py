"""What is remembered of a comparison: how near to its limits it came, in which measure, and on which versions."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import inf, isnan

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import InputEvidence, Kind

_WITH_DIGITS = frozenset({Kind.OBJECTIVE, Kind.OPTIMUM, Kind.CURVATURE})
"""Kinds whose digits tell something; a conditional mode or a probability near zero has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The quantity of one metric that came nearest to its limit; `ratio` is observed / limit."""

    metric: str
    quantity: str
    observed: float
    limit: float

    @property
    def ratio(self) -> float:
        """Return the share of the limit that was used up; infinite for no number at all."""
        return inf if isnan(self.observed) else self.observed / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One comparison of one run.

    `input` identifies what our side was given, so that a series ends where the data change. Known differences are
    beyond their limits by agreement and count for nothing here.
    """

    started: str
    case: str
    engine: str
    source: str
    input: str
    versions: Mapping[str, str]
    outcome: str
    attribution: str | None
    digits: float | None
    distance: float | None
    seconds: float | None
    nearest: tuple[Nearest, ...]

    @property
    def worst(self) -> Nearest | None:
        """The nearest to its limit of all metrics; None where nothing has a limit above zero."""
        return max(self.nearest, key=lambda item: item.ratio, default=None)


def entries_of(run: Run) -> Iterator[Entry]:
    """Yield what is remembered of each comparison of the run."""
    for comparison in run.comparisons:
        yield Entry(
            started=run.started,
            case=comparison.case,
            engine=comparison.right.engine,
            source=comparison.right.source,
            input=_identified(comparison.left.evidence),
            versions=_versions(comparison),
            outcome=comparison.outcome.value,
            attribution=None if comparison.attribution is None else comparison.attribution.value,
            digits=_least_digits(comparison.verdicts),
            distance=comparison.distance,
            seconds=comparison.right.seconds,
            nearest=_nearest(comparison.verdicts),
        )


def _identified(evidence: InputEvidence | None) -> str:
    content = None if evidence is None else asdict(evidence)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _versions(comparison: Comparison) -> Mapping[str, str]:
    return {**comparison.left.versions, **comparison.right.versions}


def _least_digits(verdicts: Iterable[Verdict]) -> float | None:
    return min((v.digits for v in _judged(verdicts) if v.digits is not None and v.kind in _WITH_DIGITS), default=None)


def _nearest(verdicts: Iterable[Verdict]) -> tuple[Nearest, ...]:
    found: dict[str, Nearest] = {}
    for verdict in _judged(verdicts):
        if verdict.observed is None or not verdict.limit:
            continue
        item = Nearest(
            metric=verdict.metric, quantity=verdict.quantity, observed=abs(verdict.observed), limit=verdict.limit
        )
        if verdict.metric not in found or item.ratio > found[verdict.metric].ratio:
            found[verdict.metric] = item
    return tuple(found[metric] for metric in sorted(found))


def _judged(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    return (verdict for verdict in verdicts if verdict.outcome in {Outcome.AGREE, Outcome.DISAGREE})
