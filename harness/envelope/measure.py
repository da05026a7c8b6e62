"""The loop that measures: each case fitted in all ways, each fit judged against the first, each verdict a bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from harness.cases import Case, Engine
from harness.comparison.judge import judge
from harness.comparison.known import KnownDifference
from harness.comparison.tolerances import Measure
from harness.comparison.verdict import Comparison, CrossEvidence, Outcome
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.convergence import Stop
from harness.crosscheck import Progress, References, judged
from harness.drift import as_known_noise
from harness.engines import NAME, OurSide, own_versions, solve
from harness.envelope.bound import Bound, bounds_of, merged
from harness.envelope.ceiling import ceiling
from harness.envelope.platforms import PLATFORMS, Platform, linear_algebra, read_on
from harness.envelope.references import again
from harness.envelope.variations import variations
from harness.quantities import Reading

BETWEEN = "ours and the reference"

ENDLESS = frozenset({Stop.BOUNDARY, Stop.FLAT, Stop.EMPTY_CLASS})
"""Ways to stop at which a parameter may have no value, such as the logit of a probability of zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The bounds of all limits that the cases reach, and on what they were measured.

    `varied` counts how many pairs each variation has; one that this machine can't make has none. `left_out` names
    those that tell of no noise, and why: they ended at another optimum, or move along a ridge. `versions` are ours,
    the references' and those of BLAS.
    """

    cases: int
    comparisons: int
    varied: Mapping[str, int]
    left_out: tuple[str, ...]
    versions: Mapping[str, str]
    bounds: tuple[Bound, ...]

    @property
    def outside(self) -> tuple[Bound, ...]:
        """The bounds whose limit lies below what was seen, or above what misleads."""
        return tuple(bound for bound in self.bounds if not bound.inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What has been measured so far."""

    bounds: list[Bound] = field(default_factory=list)
    varied: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, comparison: Comparison, engine: str, how: str) -> None:
        """Add the bounds that a comparison gives an engine, or that a variation of it tells of no noise."""
        self.varied[how] = self.varied.get(how, 0) + 1
        where = f"{comparison.case} {engine}, {how}"
        if how == BETWEEN:
            self.bounds.extend(merged(bounds_of(comparison, engine, how)))
        elif ended_elsewhere(comparison):
            self.left_out.append(f"{where}: another optimum")
        elif moves_along_a_ridge(comparison):
            self.left_out.append(f"{where}: a parameter that the data do not hold, at a boundary")
        else:
            self.bounds.extend(merged(bounds_of(comparison, engine, how)))


def measure(
    cases: Sequence[Case], references: References, known: Sequence[KnownDifference], progress: Progress
) -> Envelope:
    """Fit every case in all ways and return the bounds of the limits that judge them."""
    collected = Collected()
    first: dict[str, Mapping[str, Reading]] = {}
    versions = dict(own_versions()) | {f"BLAS {k}": text for k, text in enumerate(linear_algebra(), start=1)}
    for case in cases:
        progress(f"{case.name}: harness")
        ours = solve(case)
        first[case.name] = {name: ours.reading(name) for name in case.references}
        _add_ours(ours, first[case.name], collected)
        for name in case.references:
            progress(f"{case.name}: {name}")
            compared = _compared(ours, first[case.name][name], references.engine(name), known)
            if compared is not None:
                collected.add(compared, name, BETWEEN)
                versions |= compared.right.versions
                _add_live(ours, compared, references.live or {}, known, collected)
    for platform in PLATFORMS:
        progress(platform.name)
        _add_platform(platform, cases, first, collected)
    return Envelope(
        cases=len(cases),
        comparisons=collected.varied.get(BETWEEN, 0),
        varied=collected.varied,
        left_out=tuple(collected.left_out),
        versions=versions,
        bounds=merged(collected.bounds),
    )


def _compared(
    ours: OurSide, mine: Reading, engine: Engine | None, known: Sequence[KnownDifference]
) -> Comparison | None:
    """Compare ours with an engine; None where it has no answer."""
    said = None if engine is None else engine.read(ours.case, ours.probes())
    if engine is None or said is None or said.failure is not None:
        return None
    return judged(ours, engine, said, known, left=mine)


def _add_ours(ours: OurSide, first: Mapping[str, Reading], collected: Collected) -> None:
    for how, other in variations(ours):
        for name, reading in first.items():
            collected.add(_between(ours.case, reading, other.reading(name)), NAME, how)


def _add_platform(
    platform: Platform, cases: Sequence[Case], first: Mapping[str, Mapping[str, Reading]], collected: Collected
) -> None:
    """Add how far our fits move on another platform; it is counted with none where it can't be had."""
    collected.varied[platform.name] = 0
    for case, found in zip(cases, read_on(platform, cases), strict=False):
        for name, reading in found.items():
            collected.add(_between(case, first[case.name][name], reading), NAME, platform.name)


def _add_live(
    ours: OurSide,
    compared: Comparison,
    live: Mapping[str, Engine],
    known: Sequence[KnownDifference],
    collected: Collected,
) -> None:
    """Add how far a live reference moves by itself."""
    said = compared.right
    if said.source != "live" or said.failure is not None:
        return
    for how, reading in again(ours.case, live[said.engine], said, live):
        excused = replace(reading, not_given={**said.not_given, **reading.not_given})
        between = as_known_noise(_between(ours.case, said, excused), known)
        collected.add(between, reading.engine, how)


def _between(case: Case, one: Reading, other: Reading) -> Comparison:
    """Return what the judge says of two readings of one engine, or of two of its optimisers."""
    return judge(case.name, one, other, CrossEvidence())


def ended_elsewhere(comparison: Comparison) -> bool:
    """Whether two fits of one engine ended at different optima: their log-likelihoods lie too far apart for noise."""
    gaps = (v for v in comparison.verdicts if v.quantity == LOG_LIKELIHOOD and v.observed is not None)
    return any(gap.observed is not None and gap.observed >= (ceiling(gap) or inf) for gap in gaps)


def moves_along_a_ridge(comparison: Comparison) -> bool:
    """Whether a parameter without a standard error moved at a boundary, towards which a search can go on for ever."""
    convergence = comparison.left.convergence
    return (
        convergence is not None
        and convergence.stop in ENDLESS
        and any(
            verdict.metric == Measure.RELATIVE and verdict.outcome is Outcome.DISAGREE
            for verdict in comparison.verdicts
        )
    )
