"""The loop around the judge: our engine once a case, each reference on it, the evidence between them, a comparison."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.cases import Case, Engine, Probe
from harness.comparison.attribution import needs_restart
from harness.comparison.judge import judge
from harness.comparison.known import KnownDifference
from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison
from harness.curves import curves_of
from harness.engines import OurSide, solve
from harness.evidence import FURTHER, evidence_between, evidence_of, optimum_of, restarted
from harness.quantities import ObjectiveValue, Reading

Progress = Callable[[str], None]
Witness = Callable[[OurSide, Comparison], None]
"""Who is shown each comparison while our fit is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Where reference results come from: R's engines that can be run now, and pins for those that can't.

    `live` is None where R was not looked for.
    """

    live: Mapping[str, Engine] | None = None
    pinned: Mapping[str, Engine] = field(default_factory=dict)

    def engine(self, name: str) -> Engine | None:
        """Return the live engine where there is one, else the pinned one."""
        return (self.live or {}).get(name) or self.pinned.get(name)


def cross_check(
    cases: Iterable[Case],
    references: References,
    known: Sequence[KnownDifference] = (),
    progress: Progress = lambda _: None,
    witness: Witness = lambda *_: None,
) -> tuple[tuple[Comparison, ...], tuple[Skipped, ...]]:
    """Fit each case with our engine and compare it with each of the case's references; show the witness each."""
    comparisons: list[Comparison] = []
    skipped: list[Skipped] = []
    for case in cases:
        progress(f"{case.name}: harness")
        ours = solve(case)
        for name in case.references:
            progress(f"{case.name}: {name}")
            found = compare_with(ours, name, references, known)
            if isinstance(found, Skipped):
                skipped.append(found)
            else:
                comparisons.append(found)
                witness(ours, found)
    return tuple(comparisons), tuple(skipped)


def compare_with(
    ours: OurSide, name: str, references: References, known: Sequence[KnownDifference] = ()
) -> Comparison | Skipped:
    """Compare our fit of one case with one reference engine."""
    case = ours.case
    engine = references.engine(name)
    if engine is None:
        return Skipped(case=case.name, reference=name, reason=f"{name} is neither installed nor recorded")
    right = engine.read(case, ours.probes())
    if right.failure is not None and right.failure.reason == "absent":
        return Skipped(case=case.name, reference=name, reason=right.failure.sentence)
    comparison = judged(ours, engine, right, known)
    return replace(comparison, curves=curves_of(ours, comparison))


def judged(
    ours: OurSide,
    engine: Engine,
    right: Reading,
    known: Sequence[KnownDifference] = (),
    left: Reading | None = None,
) -> Comparison:
    """Compare our fit of one case with what an engine said about it; the loser of two optima is started again.

    `left` is our reading under the engine's definitions, where it is there already.
    """
    case = ours.case
    left = left or ours.reading(against=right.engine)
    comparison = judge(case.name, left, right, evidence_between(ours, right), known)
    for further in FURTHER:
        more = further(ours, engine, comparison)
        if more is not None:
            comparison = judge(case.name, left, right, more, known)
    return comparison


def compare_engines(
    case: Case,
    left: Engine,
    right: Engine,
    probes: Sequence[Probe] = (),
    known: Sequence[KnownDifference] = (),
) -> Comparison:
    """Compare two engines of which neither is ours, such as lme4 and nlme.

    Both evaluate their log-likelihood at the probes and, where they run live, at each other's optimum; the one that
    ended lower is started again from the other's estimates.
    """
    one = left.read(case, probes)
    other = right.read(case, (*probes, *_optimum_as_probe(one)))
    if (theirs := _optimum_as_probe(other)) and one.source == "live" and one.failure is None:
        one = replace(one, objective=(*one.objective, *_at(left.read(case, theirs), theirs)))
    comparison = judge(case.name, one, other, evidence_of(one, other), known)
    if not needs_restart(comparison):
        return comparison
    one_loses = _log_likelihood(one) < _log_likelihood(other)
    loser, reading, start = (left, one, optimum_of(other)) if one_loses else (right, other, optimum_of(one))
    restart = None if start is None else restarted(case, loser, reading, start)
    if restart is None:
        return comparison
    return judge(case.name, one, other, replace(comparison.evidence, restart=restart), known)


def _optimum_as_probe(reading: Reading) -> tuple[Probe, ...]:
    point = optimum_of(reading)
    return () if point is None else (Probe(label=f"{reading.engine}'s optimum", point=point),)


def _at(reading: Reading, probes: Sequence[Probe]) -> tuple[ObjectiveValue, ...]:
    points = {probe.point for probe in probes}
    return tuple(value for value in reading.objective if value.point in points and value.label != "optimum")


def _log_likelihood(reading: Reading) -> float:
    values = (q.value for q in reading.quantities if q.path == "log_likelihood")
    return next((value for value in values if isinstance(value, float)), float("nan"))
