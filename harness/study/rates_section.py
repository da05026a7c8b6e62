"""S4: response and remission at the end of treatment, by protocol and compared, also under other definitions."""

from collections.abc import Iterator, Sequence
from typing import Literal

from harness.rates import Interval, Proportion, compare_rates, holm, odds_ratio, risk_difference, risk_ratio
from harness.scoring import common_end
from harness.study.cross_check import CrossChecks
from harness.study.data import StudyData
from harness.study.endings import OUTCOMES, Analysis, Rates, analyses_of, rates_of
from harness.study.firewall import DurabilityNotEstimable
from harness.study.outcome_tables import both_table, categories_table, undefined_table
from harness.study.parts import Later, Part, section_of
from harness.study.plan import StudyPlan
from harness.study.rate_estimates import adjusted_rates, comparison_estimates, rate_estimates
from harness.study.rate_tables import (
    Comparison,
    adjusted_table,
    comparisons_table,
    rates_table,
    sensitivity_table,
)
from harness.study.section import Section
from harness.study.shown import p_words, scale_title
from harness.study.two_sample_checks import Questions, answered

TITLE = "Response and remission"


def rates_section(data: StudyData, plan: StudyPlan) -> Section:
    """Return the rates of response and remission, their comparisons, and both under other definitions, unchecked.

    Raises
    ------
    DurabilityNotEstimable
        As `begin_rates_section`.
    """
    return section_of("S4", TITLE, (later() for later in begin_rates_section(data, plan, None)))


def begin_rates_section(data: StudyData, plan: StudyPlan, checks: CrossChecks | None) -> tuple[Later, ...]:
    """Return what finishes the section when R has answered.

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
    pending = [
        *(one for rates in primary for one in rate_estimates(data, plan, rates, Questions(checks))),
        *(one for found in comparisons for one in comparison_estimates(data, plan, found, Questions(checks))),
    ]
    return (
        lambda: Part(
            paragraphs=tuple(_sentences(comparisons, plan)),
            tables=tuple(table for table in tables if table.rows),
            estimates=answered(pending),
            warnings=tuple(warnings),
        ),
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
                adjusted=adjusted_rates(data, plan, rates, other=other, reference=reference),
                holm=p,
                safe=is_safe,
            )
        )
    return comparisons


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


def _three(found: Interval) -> tuple[float, float, float]:
    return found.estimate, found.lower, found.upper


def _percent(rate: Proportion) -> str:
    return f"{100 * rate.events / rate.n:.1f} %" if rate.n else "no rate"
