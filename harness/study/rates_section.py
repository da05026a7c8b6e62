"""S4: response and remission at the end of treatment, by protocol and compared, also under other definitions."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from harness.rates import (
    Interval,
    Proportion,
    adjusted_difference,
    compare_rates,
    holm,
    odds_ratio,
    risk_difference,
    risk_ratio,
    wilson,
)
from harness.scoring import common_end
from harness.study.data import StudyData
from harness.study.endings import OUTCOMES, Analysis, Rates, analyses_of, rates_of
from harness.study.firewall import DurabilityNotEstimable
from harness.study.outcome_tables import both_table, categories_table, undefined_table
from harness.study.plan import StudyPlan
from harness.study.rate_tables import (
    Comparison,
    adjusted_table,
    comparisons_table,
    rates_table,
    sensitivity_table,
)
from harness.study.section import Estimate, Section
from harness.study.shown import p_words, scale_title


def rates_section(data: StudyData, plan: StudyPlan) -> Section:
    """Return the rates of response and remission, their comparisons, and both under other definitions.

    Raises
    ------
    DurabilityNotEstimable
        The declared end of treatment is a follow-up visit at which a protocol was hardly rated. An alternative end that
        is such a visit is left out, and a warning says why.
    """
    primary_analysis, *others = analyses_of(plan)
    primary = _rates(data, plan, primary_analysis)
    comparisons = _comparisons(data, plan, primary)
    sensitivity: dict[str, Sequence[Comparison]] = {}
    warnings = [text for text in [common_end(plan.end_of_treatment, force=plan.force_different_ends)] if text]
    for analysis in others:
        try:
            sensitivity[analysis.label] = _comparisons(data, plan, _rates(data, plan, analysis))
        except DurabilityNotEstimable as refusal:
            warnings.append(f"The analysis {analysis.label!r} could not be made. {refusal}")
    tables = [rates_table(primary, plan)]
    if comparisons:
        tables += [comparisons_table(comparisons, plan), sensitivity_table(sensitivity, plan)]
    if plan.adjust_for and comparisons:
        tables.append(adjusted_table(comparisons, plan))
    tables += [categories_table(data, plan, primary), both_table(data, plan, primary), undefined_table(data, plan)]
    return Section(
        key="S4",
        title="Response and remission",
        paragraphs=tuple(_sentences(comparisons, plan)),
        tables=tuple(table for table in tables if table.rows),
        estimates=(
            *(one for rates in primary for one in _rate_estimates(rates, plan)),
            *(one for comparison in comparisons for one in _estimates(comparison, plan)),
        ),
        warnings=tuple(warnings),
    )


def _rates(data: StudyData, plan: StudyPlan, analysis: Analysis) -> list[Rates]:
    return [rates_of(data, plan, scale, outcome, analysis) for scale in plan.scales for outcome in OUTCOMES]


def _comparisons(data: StudyData, plan: StudyPlan, found: Sequence[Rates]) -> list[Comparison]:
    """Return every protocol compared with the reference, with p values adjusted over all of them."""
    reference, *others = plan.protocols
    made = [(rates, other) for rates in found for other in others]
    safe = [
        all(rates.may_be_shown(protocol, plan.small_cell_limit) for protocol in (other, reference))
        for rates, other in made
    ]
    test: Literal["chi_square", "fisher"] = "chi_square" if plan.primary_test == "chi-square" else "fisher"
    tests = [compare_rates(r.by_protocol[other], r.by_protocol[reference], test) for r, other in made]
    # Of a test that is withheld nothing may be told, not even by its rank.
    adjusted = holm([one.p if is_safe else 1.0 for one, is_safe in zip(tests, safe, strict=True)])
    comparisons = []
    for (rates, other), is_safe, both, p in zip(made, safe, tests, adjusted, strict=True):
        pair = (rates.by_protocol[other], rates.by_protocol[reference])
        comparisons.append(
            Comparison(
                rates=rates,
                other=other,
                reference=reference,
                tests=both,
                difference=risk_difference(*pair),
                ratio=risk_ratio(*pair),
                odds=odds_ratio(*pair),
                adjusted=_adjusted(data, plan, rates, other, reference),
                holm=p,
                safe=is_safe,
            )
        )
    return comparisons


def _adjusted(data: StudyData, plan: StudyPlan, rates: Rates, other: str, reference: str) -> Interval | None:
    """Return the difference adjusted for the declared covariates, for the primary analysis only."""
    if not plan.adjust_for or rates.analysis.name != "primary":
        return None
    subjects = [
        subject
        for subject, truth in rates.truths.items()
        if truth is not None and data.protocol_of[subject] in {other, reference}
    ]
    X = np.column_stack([column for name in plan.adjust_for for column in _columns(data, rates.scale, name, subjects)])
    known = np.isfinite(X).all(axis=1)
    return adjusted_difference(
        np.array([bool(rates.truths[subject]) for subject in subjects])[known],
        np.array([data.protocol_of[subject] == other for subject in subjects])[known],
        X[known],
    )


def _columns(data: StudyData, scale: str, name: str, subjects: Sequence[str]) -> Iterator[np.ndarray]:
    """Yield the columns of a covariate: itself, or whether it has each level but the first."""
    if name == "baseline":
        scores = (data.courses[scale][subject].baseline for subject in subjects)
        yield np.array([math.nan if score is None else float(score) for score in scores])
        return
    cohort = data.cohort
    row_of = dict(
        zip((cohort.subjects.levels[code] for code in cohort.subjects.codes), range(cohort.n_rows), strict=True)
    )
    rows = np.array([row_of[subject] for subject in subjects], dtype=np.int64)
    if name in cohort.numeric:
        yield cohort.numeric[name][rows]
        return
    codes = cohort.factors[name].codes[rows]
    for level in range(1, len(cohort.factors[name].levels)):
        yield np.where(codes < 0, math.nan, codes == level)


def _sentences(comparisons: Sequence[Comparison], plan: StudyPlan) -> Iterator[str]:
    test = {"chi-square": "Pearson's chi-square test", "fisher": "Fisher's exact test"}[plan.primary_test]
    for one in comparisons:
        what = f"{one.rates.outcome.capitalize()} on {scale_title(one.rates.scale)}"
        if not one.safe:
            yield f"{what}: withheld, because a count is too small to be shown."
            continue
        other, reference = (one.rates.by_protocol[protocol] for protocol in (one.other, one.reference))
        difference = [f"{100 * value:.1f}".replace("-", "\N{MINUS SIGN}") for value in _three(one.difference)]
        yield (
            f"{what}: {_percent(other)} with {one.other!r} and {_percent(reference)} with {one.reference!r}, a "
            f"difference of {difference[0]} points (95 % interval {difference[1]} to {difference[2]}), "
            f"{p_words(one.tests.p)} by {test}."
        )


def _rate_estimates(rates: Rates, plan: StudyPlan) -> Iterator[Estimate]:
    for protocol, own in rates.by_protocol.items():
        if own.n and rates.may_be_shown(protocol, plan.small_cell_limit):
            shown = wilson(own)
            yield Estimate(
                path=f"{rates.scale}.{rates.outcome}.{protocol}",
                label=f"{rates.outcome} on {scale_title(rates.scale)}, {protocol!r}",
                value=shown.estimate,
                lower=shown.lower,
                upper=shown.upper,
                denominator=own.n,
            )


def _estimates(one: Comparison, plan: StudyPlan) -> Iterator[Estimate]:
    """Yield what is estimated and tested in one comparison; undefined numbers are left out."""
    if not one.safe:
        return
    stem = f"{one.rates.scale}.{one.rates.outcome}.{one.other}_against_{one.reference}"
    what = f"{one.rates.outcome} on {scale_title(one.rates.scale)}, {one.other!r} against {one.reference!r}"
    found: list[tuple[str, str, Interval, float | None]] = [
        ("difference", "difference", one.difference, one.tests.p),
        ("ratio", "risk ratio", one.ratio, None),
        ("odds_ratio", "odds ratio", one.odds, None),
    ]
    if one.adjusted is not None:
        found.append(
            ("adjusted_difference", f"difference adjusted for {', '.join(plan.adjust_for)}", one.adjusted, None)
        )
    fisher = one.tests.fisher
    found.append(("fisher", "conditional odds ratio, Fisher's test", fisher.odds_ratio, fisher.p))
    for key, label, interval, p in found:
        if math.isfinite(interval.estimate):
            low, high = (limit if math.isfinite(limit) else None for limit in (interval.lower, interval.upper))
            yield Estimate(
                path=f"{stem}.{key}", label=f"{what}: {label}", value=interval.estimate, lower=low, upper=high, p=p
            )
    chi = one.tests.chi_square
    if math.isfinite(chi.statistic):
        label = f"{what}: chi-square without correction"
        yield Estimate(path=f"{stem}.chi_square", label=label, value=chi.statistic, p=chi.p)


def _three(found: Interval) -> tuple[float, float, float]:
    return found.estimate, found.lower, found.upper


def _percent(rate: Proportion) -> str:
    return f"{100 * rate.events / rate.n:.1f} %" if rate.n else "no rate"
