"""The complete machine-readable report, whose JSON Schema stands beside it in the report folder.

Every verdict is in it, unshortened; field names are those of the dataclasses. All text is ASCII, other characters are
escaped, so that the file survives any encoding. Left out of readings is what stands elsewhere: quantities that a
verdict names, log-likelihoods that the evidence pairs with the other engine's, and the covariance matrix, of which the
largest difference is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from harness.comparison.curves import CurvePair
from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.quantities import Reading
from harness.reports.json_schema import schema_of
from harness.reports.json_verdicts import VerdictBlock, in_blocks
from harness.reports.plain import Json, plain, text_of
from harness.reports.ranking import compared, outcome_of
from harness.reports.summary import EngineUse, Overall, summarise

__all__ = ["SCHEMA_VERSION", "Json", "document", "plain", "render", "schema"]

SCHEMA_VERSION = "2.0"

_OMITTED: Mapping[type, frozenset[str]] = {Reading: frozenset({"covariance"})}
_REPLACED: Mapping[tuple[type, str], object] = {(Comparison, "verdicts"): tuple[VerdictBlock, ...]}
_LINES_DOWN_TO = 5  # a block of verdicts has a line


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonInBrief:
    """One comparison in a line; its outcome is never better than its verdicts."""

    case: str
    left: str
    right: str
    source: str
    outcome: Outcome
    compared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryShown:
    """What every report says first; `quantities` counts verdicts by outcome."""

    overall: Overall
    headline: str
    pinned: tuple[str, ...]
    not_compared: tuple[str, ...]
    not_given: tuple[str, ...]
    engines: tuple[EngineUse, ...]
    quantities: Mapping[str, int]
    comparisons: tuple[ComparisonInBrief, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What `harness check` and `harness compare` write to run.json."""

    schema_version: str
    summary: SummaryShown
    run: Run


def render(run: Run) -> str:
    """Return the run as JSON, the same text for the same run."""
    return text_of(document(run), _LINES_DOWN_TO) + "\n"


def document(run: Run) -> dict[str, Json]:
    """Return the run as JSON values."""
    shown = {
        field.name: plain(getattr(run, field.name), _OMITTED) for field in fields(run) if field.name != "comparisons"
    }
    shown["comparisons"] = [_comparison(comparison) for comparison in run.comparisons]
    return {"schema_version": SCHEMA_VERSION, "summary": plain(_summary(run)), "run": shown}


def schema() -> str:
    """Return the JSON Schema of what `render` returns."""
    return text_of(schema_of(Document, _OMITTED, _REPLACED), 3) + "\n"


def _comparison(comparison: Comparison) -> Json:
    named = {verdict.quantity for verdict in comparison.verdicts}
    paired = {(pair.label, pair.point) for pair in comparison.evidence.objectives}
    right = _without(comparison.right, named, comparison.permutation)
    alone = tuple(value for value in right.objective if (value.label, value.point) not in paired)
    brief = replace(
        comparison,
        left=_without(comparison.left, named, {}),
        right=replace(right, objective=alone),
        verdicts=(),
        curves=tuple(map(_rounded, comparison.curves)),
    )
    shown = plain(brief, _OMITTED)
    return {**shown, "verdicts": plain(in_blocks(comparison.verdicts))} if isinstance(shown, dict) else shown


def _without(reading: Reading, named: set[str], permutation: Mapping[int, int]) -> Reading:
    """Return the reading without the quantities that a verdict names, whose classes have the left engine's numbers."""
    rest = (
        quantity
        for quantity in reading.quantities
        if (quantity.relabelled(permutation) if quantity.latent_class in permutation else quantity).path not in named
    )
    return replace(reading, quantities=tuple(rest))


def _rounded(pair: CurvePair) -> CurvePair:
    """Return a picture's numbers with the five digits that a picture can show."""
    left, right = (tuple(float(f"{value:.5g}") for value in side) for side in (pair.left, pair.right))
    times = tuple(float(f"{value:.5g}") for value in pair.times)
    observed = tuple((float(f"{time:.5g}"), float(f"{mean:.5g}")) for time, mean in pair.observed)
    return replace(pair, times=times, left=left, right=right, observed=observed)


def _summary(run: Run) -> SummaryShown:
    summary = summarise(run)
    return SummaryShown(
        overall=summary.overall,
        headline=summary.headline,
        pinned=summary.pinned,
        not_compared=summary.not_compared,
        not_given=summary.not_given,
        engines=summary.engines,
        quantities={outcome.value: run.count(outcome) for outcome in Outcome},
        comparisons=tuple(
            ComparisonInBrief(
                case=comparison.case,
                left=comparison.left.engine,
                right=comparison.right.engine,
                source=comparison.right.source,
                outcome=outcome_of(comparison),
                compared=compared(comparison),
            )
            for comparison in run.comparisons
        ),
    )
