"""One replicate: data from its seed, our fit, the reference's, the judge, a row.

The reference is first asked for its fit alone, and the judge compares all estimates, and both log-likelihoods at the
reference's optimum. Only where that is no agreement is it asked for everything that `harness compare` looks at, so that
a disagreement gets its cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.campaigns.cells import Cell, spec_of
from harness.campaigns.simulated import Sample, simulate
from harness.cases import Case, Engine
from harness.comparison.judge import judge
from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison, CrossEvidence, Outcome
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.crosscheck import References, compare_with
from harness.engines import NAME, OurLmm, OurSide, own_versions, solve
from harness.errors import EngineError, SpecError
from harness.evidence import evidence_between
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.table import coefficient_table
from harness.quantities import Failure, Kind, Quantity, Reading
from harness.reports.ranking import ratio, worst

WALD = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
LONGEST_REASON = 400

Row = Mapping[str, Any]
Covered = list[bool | None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The reference engine, for its fit alone and for everything."""

    brief: Engine
    whole: Engine


def replicate_case(cell: Cell, number: int) -> tuple[Case, Sample]:
    """Return a replicate as a case, and what its data were drawn from."""
    sample = simulate(cell.kind, cell.factors, cell.data_seed(number))
    name = f"{cell.key}_{number}"
    return Case(name=name, cohort=sample.cohort, spec=spec_of(cell), references=(cell.reference,)), sample


def run_replicate(cell: Cell, number: int, asked: Asked) -> Row:
    """Return the row of a replicate; a failure of an engine, ours included, is a row like any other.

    Raises
    ------
    EngineError
        If the reference engine is not installed, which is no result.
    """
    case, sample = replicate_case(cell, number)
    ours, refusal = _ours(case)
    comparison = _refused(case, refusal, asked) if ours is None else _compared(ours, asked)
    if comparison.right.failure is not None and comparison.right.failure.reason == "absent":
        raise EngineError(cell.reference, "absent", comparison.right.failure.sentence)
    return {
        "cell": cell.key,
        "replicate": number,
        "seed": f"{cell.data_seed(number):032x}",
        **_verdict(comparison),
        **_optima(comparison),
        **_coverage(comparison, sample.truths, ours),
        "left_seconds": None if ours is None else comparison.left.seconds,
        "right_seconds": None if comparison.right.failure is not None else comparison.right.seconds,
    }


def _ours(case: Case) -> tuple[OurSide | None, Failure | None]:
    try:
        return solve(case), None
    except SpecError as error:
        return None, Failure(reason="refused", sentence=f"{NAME} refused the model: {error}")
    except Exception as error:  # noqa: BLE001  # a bug of ours is a disagreement, and no reason to lose the campaign
        return None, Failure(reason="crashed", sentence=f"{NAME} raised {type(error).__name__}: {error}")


def _compared(ours: OurSide, asked: Asked) -> Comparison:
    right = asked.brief.read(ours.case)
    left = ours.reading(against=asked.brief.name)
    comparison = judge(ours.case.name, left, right, evidence_between(ours, right))
    if comparison.outcome is Outcome.AGREE or (right.failure is not None and right.failure.reason == "absent"):
        return comparison
    name = asked.whole.name
    found = compare_with(ours, name, References(live={name: asked.whole}))
    return (
        comparison if isinstance(found, Skipped) else replace(found, right=replace(found.right, seconds=right.seconds))
    )


def _refused(case: Case, refusal: Failure | None, asked: Asked) -> Comparison:
    """Return the comparison where we gave no fit: not compared if the reference refuses the model too."""
    left = Reading(engine=NAME, source="computed", versions=own_versions(), failure=refusal)
    right = asked.brief.read(case)
    comparison = judge(case.name, left, right, CrossEvidence())
    both = [reading.failure for reading in (left, right) if reading.failure is not None]
    if len(both) == 2 and all(failure.reason == "refused" for failure in both):
        sentence = "Both refused: " + "; ".join(failure.sentence for failure in both)
        return replace(comparison, outcome=Outcome.NOT_COMPARED, attribution=None, sentence=sentence)
    return comparison


def _verdict(comparison: Comparison) -> Row:
    digits = [v.digits for v in comparison.verdicts if v.kind is Kind.OPTIMUM and v.digits is not None]
    nearest = worst(comparison)
    return {
        "outcome": comparison.outcome.value,
        "attribution": None if comparison.attribution is None else comparison.attribution.value,
        "reason": " ".join(comparison.sentence.split())[:LONGEST_REASON],
        "distance": comparison.distance,
        "digits": min(digits, default=None),
        "worst_ratio": None if nearest is None else ratio(nearest),
        "worst_quantity": None if nearest is None else nearest.quantity,
        "compared": len(comparison.verdicts) - comparison.count(Outcome.NOT_COMPARED),
        "disagreeing": comparison.count(Outcome.DISAGREE),
    }


def _optima(comparison: Comparison) -> Row:
    """Return both log-likelihoods, and whose optimum is the better one: "both" where they agree."""
    found = next((v for v in comparison.verdicts if v.quantity == LOG_LIKELIHOOD), None)
    left, right = (None, None) if found is None else (_float(found.left_value), _float(found.right_value))
    better = None
    if found is not None and left is not None and right is not None:
        better = "both" if found.outcome is Outcome.AGREE else "left" if left > right else "right"
    return {"left_log_likelihood": left, "right_log_likelihood": right, "better": better}


def _coverage(comparison: Comparison, truths: Mapping[str, float], ours: OurSide | None) -> Row:
    """Return whether each truth lies in each engine's 95 % interval: Wald's of both, and ours with few subjects."""
    permutation = comparison.permutation
    theirs = [q.relabelled(permutation) if permutation else q for q in comparison.right.quantities]
    return {
        "covered_left": _wald(comparison.left.quantities, truths),
        "covered_right": _wald(theirs, truths),
        "covered_t": _satterthwaite(ours, truths) if isinstance(ours, OurLmm) else None,
    }


def _wald(quantities: Sequence[Quantity], truths: Mapping[str, float]) -> Covered:
    known = {quantity.path: quantity for quantity in quantities}
    found = [known.get(f"{path}.estimate", known.get(path)) for path in truths]
    covered = [
        None
        if quantity is None or quantity.standard_error is None or not isinstance(quantity.value, float)
        else bool(abs(quantity.value - truth) <= WALD * quantity.standard_error)
        for quantity, truth in zip(found, truths.values(), strict=True)
    ]
    return None if all(one is None for one in covered) else covered


def _satterthwaite(ours: OurLmm, truths: Mapping[str, float]) -> Covered:
    table = coefficient_table(fixed_effects(ours.result.fit, ours.result.design, "satterthwaite"))
    rows = {f"fixed[{name}]": k for k, name in enumerate(table.names)}
    return [
        None
        if path not in rows or np.isnan(table.lower[rows[path]])
        else bool(table.lower[rows[path]] <= truth <= table.upper[rows[path]])
        for path, truth in truths.items()
    ]


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
