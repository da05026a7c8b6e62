"""Tables of rates: by protocol, protocols compared, under other definitions, adjusted for covariates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.rates import Interval, Proportion, TwoRates, wilson
from harness.study.endings import Rates
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Table
from harness.study.shown import count_cell, p_cell, scale_title

WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two protocols compared: `safe` says whether anything of it may be shown. `holm` is the adjusted p value."""

    rates: Rates
    other: str
    reference: str
    tests: TwoRates
    difference: Interval
    ratio: Interval
    odds: Interval
    adjusted: Interval | None
    holm: float
    safe: bool


def rates_table(found: Sequence[Rates], plan: StudyPlan) -> Table:
    """Return each rate with Wilson's interval, by scale, outcome and protocol."""
    rows: list[tuple[Cell, ...]] = []
    for rates in found:
        for protocol, own in rates.by_protocol.items():
            shown = wilson(own) if rates.may_be_shown(protocol, plan.small_cell_limit) else None
            numbers = (None,) * 3 if shown is None else (100 * shown.estimate, 100 * shown.lower, 100 * shown.upper)
            events = count_cell(own.events, own.n, plan.small_cell_limit)
            rows.append((scale_title(rates.scale), rates.outcome, protocol, events, own.n, *numbers))
    return Table(
        name="rates",
        caption="Response and remission at the end of treatment, with Wilson's 95 % intervals",
        header=("scale", "outcome", "protocol", "patients with it", "of", "%", "lower", "upper"),
        rows=tuple(rows),
        digits=(0, 0, 0, 0, 0, 1, 1, 1),
        notes=(
            (
                f"Counts of 1 to {plan.small_cell_limit - 1} are withheld, and with them their shares and all that "
                "compares them, from which they could be worked out."
            ),
            "How many patients a rate rests on is always shown: without it no rate can be judged.",
        ),
    )


def comparisons_table(comparisons: Sequence[Comparison], plan: StudyPlan) -> Table:
    """Return differences and ratios with intervals, and both tests whatever the counts are."""
    rows: list[tuple[Cell, ...]] = []
    for one in comparisons:
        names = (scale_title(one.rates.scale), one.rates.outcome, f"{one.other} against {one.reference}")
        if not one.safe:
            rows.append((*names, *[WITHHELD] * 7))
            continue
        chi, exact = one.tests.chi_square, one.tests.fisher
        rows.append(
            (
                *names,
                _points(one.difference),
                _interval(one.ratio),
                _interval(one.odds),
                f"{chi.statistic:.3f}" if not math.isnan(chi.statistic) else None,
                p_cell(chi.p),
                p_cell(exact.p),
                p_cell(one.holm),
            )
        )
    primary = {"chi-square": "the chi-square test", "fisher": "Fisher's test"}[plan.primary_test]
    return Table(
        name="comparisons",
        caption="Protocols compared at the end of treatment",
        header=(
            *("scale", "outcome", "protocols", "difference in points (95 % interval)", "ratio (95 % interval)"),
            *("odds ratio (95 % interval)", "chi-square", "p, chi-square", "p, Fisher", "p, primary, Holm"),
        ),
        rows=tuple(rows),
        notes=(
            (
                f"The primary test was declared beforehand: {primary}. Pearson's chi-square has no correction for "
                "continuity; Fisher's test is two-sided."
            ),
            "Intervals: Newcombe's for differences, Wald's of the logarithm for ratios.",
            (
                "Holm's adjustment is over the rows of this table; a row that is withheld counts as a test without an "
                "effect, which makes no other p value smaller."
            ),
        ),
    )


def sensitivity_table(found: Mapping[str, Sequence[Comparison]], plan: StudyPlan) -> Table:
    """Return the same comparisons under other definitions and denominators, by the label of the analysis."""
    rows: list[tuple[Cell, ...]] = []
    for label, comparisons in found.items():
        for one in comparisons:
            cells = [
                _share(one.rates.by_protocol[protocol], shown=one.rates.may_be_shown(protocol, plan.small_cell_limit))
                for protocol in (one.reference, one.other)
            ]
            numbers = (_points(one.difference), p_cell(one.tests.p)) if one.safe else (WITHHELD, WITHHELD)
            rows.append((label, scale_title(one.rates.scale), one.rates.outcome, one.other, *cells, *numbers))
    return Table(
        name="sensitivity",
        caption="Response and remission under other definitions of the end and of who counts",
        header=(
            *("analysis", "scale", "outcome", "protocol", "reference", "protocol's rate"),
            *("difference in points (95 % interval)", "p, primary test"),
        ),
        rows=tuple(rows),
        notes=(
            (
                "Each row is protected by itself. Two rows of the same patients tell how many are counted differently "
                "by two definitions."
            ),
        ),
    )


def adjusted_table(comparisons: Sequence[Comparison], plan: StudyPlan) -> Table:
    """Return the differences adjusted for covariates."""
    rows = [
        (
            scale_title(one.rates.scale),
            one.rates.outcome,
            f"{one.other} against {one.reference}",
            _points(one.difference) if one.safe else WITHHELD,
            _points(one.adjusted) if one.safe else WITHHELD,
            one.adjusted.remark if one.safe else "",
        )
        for one in comparisons
        if one.adjusted is not None
    ]
    return Table(
        name="adjusted",
        caption=f"Differences adjusted for {', '.join(plan.adjust_for)}",
        header=("scale", "outcome", "protocols", "as observed", "adjusted", "remark"),
        rows=tuple(rows),
        notes=(
            (
                "Adjusted: logistic regression, its predictions averaged over all patients under either protocol; "
                "patients with a missing covariate are left out."
            ),
        ),
    )


def _points(found: Interval) -> Cell:
    """Return a difference of rates in percentage points."""
    if math.isnan(found.estimate):
        return None
    numbers = [
        f"{100 * value:.1f}".replace("-", "\N{MINUS SIGN}") for value in (found.estimate, found.lower, found.upper)
    ]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"


def _interval(found: Interval) -> Cell:
    if math.isnan(found.estimate) or math.isinf(found.estimate):
        return None
    if math.isnan(found.lower):
        return f"{found.estimate:.2f} (no interval: {found.remark})"
    return f"{found.estimate:.2f} ({found.lower:.2f} to {found.upper:.2f})"


def _share(rate: Proportion, *, shown: bool) -> Cell:
    if not shown:
        return WITHHELD
    return f"{rate.events} of {rate.n} ({100 * rate.events / rate.n:.1f} %)" if rate.n else "0 of 0"
