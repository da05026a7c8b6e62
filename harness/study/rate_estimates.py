"""Rates and their comparisons as estimates, each with the question to R; and the difference adjusted for covariates."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.arrays import Vector
from harness.rates import Interval, adjusted_difference, wilson
from harness.study.data import StudyData
from harness.study.endings import Rates
from harness.study.plan import StudyPlan
from harness.study.rate_tables import Comparison
from harness.study.section import Estimate
from harness.study.shown import scale_title
from harness.study.two_sample_checks import Pending, Questions


def rate_estimates(data: StudyData, plan: StudyPlan, rates: Rates, questions: Questions) -> Iterator[Pending]:
    """Yield the rate of each protocol that may be shown."""
    for protocol, own in rates.by_protocol.items():
        if not own.n or not rates.may_be_shown(protocol, plan.small_cell_limit):
            continue
        shown = wilson(own)
        estimate = Estimate(
            path=f"{rates.scale}.{rates.outcome}.{protocol}",
            label=f"{rates.outcome} on {scale_title(rates.scale)}, {protocol!r}",
            value=shown.estimate,
            lower=shown.lower,
            upper=shown.upper,
            denominator=own.n,
        )
        truths = _answers(data, rates, (protocol,))
        yield questions.rates(list(truths.values())).pending(estimate, "events[", "total[", "rate[")


def comparison_estimates(data: StudyData, plan: StudyPlan, one: Comparison, questions: Questions) -> Iterator[Pending]:
    """Yield what is estimated and tested in one comparison, if it may be shown; undefined numbers are left out."""
    if not one.safe:
        return
    stem = f"{one.rates.scale}.{one.rates.outcome}.{one.other}_against_{one.reference}"
    what = f"{one.rates.outcome} on {scale_title(one.rates.scale)}, {one.other!r} against {one.reference!r}"
    order = (one.reference, one.other)
    truths = _answers(data, one.rates, order)
    question = questions.rates(
        list(truths.values()),
        [data.protocol_of[subject] for subject in truths],
        order,
        None if one.adjusted is None else _covariates(data, plan, one.rates.scale, list(truths)),
    )
    primary = "fisher.p_value" if one.tests.primary == "fisher" else "chi_square.p_value"
    found: list[tuple[str, str, Interval, float | None, tuple[str, ...]]] = [
        ("difference", "difference", one.difference, one.tests.p, ("difference.", primary)),
        ("ratio", "risk ratio", one.ratio, None, ("ratio.",)),
        ("odds_ratio", "odds ratio", one.odds, None, ("odds_ratio.",)),
    ]
    if one.adjusted is not None:
        label = f"difference adjusted for {', '.join(plan.adjust_for)}"
        found.append(("adjusted_difference", label, one.adjusted, None, ("adjusted_difference.",)))
    fisher = one.tests.fisher
    label, tested = "conditional odds ratio, Fisher's test", ("conditional_odds_ratio.", "fisher.")
    found.append(("fisher", label, fisher.odds_ratio, fisher.p, tested))
    for key, label, interval, p, stems in found:
        if math.isfinite(interval.estimate):
            low, high = (limit if math.isfinite(limit) else None for limit in (interval.lower, interval.upper))
            path = f"{stem}.{key}"
            yield question.pending(
                Estimate(path=path, label=f"{what}: {label}", value=interval.estimate, lower=low, upper=high, p=p),
                *stems,
            )
    chi = one.tests.chi_square
    if math.isfinite(chi.statistic):
        label = f"{what}: chi-square without correction"
        yield question.pending(
            Estimate(path=f"{stem}.chi_square", label=label, value=chi.statistic, p=chi.p), "chi_square."
        )


def adjusted_rates(data: StudyData, plan: StudyPlan, rates: Rates, *, other: str, reference: str) -> Interval | None:
    """Return the difference adjusted for the declared covariates, for the primary analysis only."""
    if not plan.adjust_for or rates.analysis.name != "primary":
        return None
    truths = _answers(data, rates, (other, reference))
    X = np.column_stack(list(_covariates(data, plan, rates.scale, list(truths)).values()))
    known = np.isfinite(X).all(axis=1)
    return adjusted_difference(
        np.array(list(truths.values()), dtype=bool)[known],
        np.array([data.protocol_of[subject] == other for subject in truths], dtype=bool)[known],
        X[known],
    )


def _answers(data: StudyData, rates: Rates, protocols: Sequence[str]) -> dict[str, bool]:
    """Return the answers of patients of some protocols, as far as there are any."""
    return {
        subject: truth
        for subject, truth in rates.truths.items()
        if truth is not None and data.protocol_of[subject] in protocols
    }


def _covariates(data: StudyData, plan: StudyPlan, scale: str, subjects: Sequence[str]) -> Mapping[str, Vector]:
    """Return the columns of the declared covariates: each itself, or whether it has each level but the first."""
    cohort = data.cohort
    labels = [cohort.subjects.levels[code] for code in cohort.subjects.codes]
    row_of = dict(zip(labels, range(cohort.n_rows), strict=True))
    rows = np.array([row_of[subject] for subject in subjects], dtype=np.int64)
    found: dict[str, Vector] = {}
    for name in plan.adjust_for:
        if name == "baseline":
            scores = (data.courses[scale][subject].baseline for subject in subjects)
            found[name] = np.array([math.nan if score is None else float(score) for score in scores])
        elif name in cohort.numeric:
            found[name] = cohort.numeric[name][rows]
        else:
            codes = cohort.factors[name].codes[rows]
            for level in range(1, len(cohort.factors[name].levels)):
                found[f"{name} {level}"] = np.where(codes < 0, math.nan, (codes == level).astype(np.float64))
    return found
