"""Rates of two groups: every interval and test that a study prints, by path."""

from dataclasses import dataclass

import numpy as np

from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError
from harness.quantities import InputEvidence, Quantity
from harness.rates import (
    Interval,
    Proportion,
    adjusted_difference,
    chi_square,
    fisher,
    odds_ratio,
    risk_difference,
    risk_ratio,
    wilson,
)
from harness.two_samples.balance import difference_of_shares
from harness.two_samples.groups import column, evidence_of, groups_of, quantities_of
from harness.two_samples.spec import LEVEL, RatesSpec

WHERE = "rates of two groups"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RatesResult:
    """What was asked, of what, and the numbers by path."""

    cohort: Cohort
    spec: RatesSpec
    evidence: InputEvidence
    numbers: dict[str, float | int]

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers that are defined."""
        return quantities_of(self.numbers)


def rates_of_two(spec: RatesSpec, cohort: Cohort) -> RatesResult:
    """Return the rates of two groups with all that compares them.

    Rows with a missing count or group are left out; those with a missing covariate from the adjusted difference only.

    Raises
    ------
    SpecError
        Columns that are not there, other than two groups, or counts that are none.
    """
    events = column(cohort, spec.events, WHERE)
    total = np.ones(cohort.n_rows) if spec.total is None else column(cohort, spec.total, WHERE)
    covariates = [column(cohort, name, WHERE) for name in spec.covariates]
    groups = groups_of(cohort, spec.by, ~np.isnan(events) & ~np.isnan(total), WHERE)
    e, n = events[groups.rows], total[groups.rows]
    problems = []
    if not (np.equal(np.mod(e, 1), 0).all() and np.equal(np.mod(n, 1), 0).all() and (e >= 0).all() and (e <= n).all()):
        problems.append(Problem(found="numbers that are no counts", expected="whole numbers, 0 <= events <= total"))
    if covariates and not (n == 1).all():
        problems.append(Problem(found="covariates of groups of patients", expected="one row a patient"))
    if covariates and spec.by is None:
        problems.append(Problem(found="covariates without groups", expected="`by`, whose difference they adjust"))
    if problems:
        raise SpecError(WHERE, problems)
    rates = [
        Proportion(events=int(e[groups.group == g].sum()), n=int(n[groups.group == g].sum()))
        for g in range(len(groups.labels))
    ]
    numbers: dict[str, float | int] = {}
    for label, rate in zip(groups.labels, rates, strict=True):
        numbers |= {f"events[{label}]": rate.events, f"total[{label}]": rate.n}
        numbers |= _interval(f"rate[{label}]", wilson(rate, LEVEL))
    if spec.by is not None:
        numbers |= _comparison(*rates)
    if covariates:
        X = np.column_stack([values[groups.rows] for values in covariates])
        known = np.isfinite(X).all(axis=1)
        adjusted = adjusted_difference(e[known] == 1, groups.group[known] == 1, X[known], LEVEL)
        numbers |= _interval("adjusted_difference", adjusted)
    names = {"events": events} | ({} if spec.total is None else {"total": total})
    return RatesResult(
        cohort=cohort,
        spec=spec,
        evidence=evidence_of(cohort, groups, names, "events"),
        numbers=numbers,
    )


def _comparison(reference: Proportion, other: Proportion) -> dict[str, float | int]:
    exact = fisher(other, reference, LEVEL)
    numbers = {
        **_interval("difference", risk_difference(other, reference, LEVEL)),
        **_interval("ratio", risk_ratio(other, reference, LEVEL)),
        **_interval("odds_ratio", odds_ratio(other, reference, LEVEL)),
        **_interval("conditional_odds_ratio", exact.odds_ratio),
    }
    table = [[other.events, other.others], [reference.events, reference.others]]
    for name, found in (("chi_square", chi_square(table)), ("chi_square_corrected", chi_square(table, yates=True))):
        numbers |= {f"{name}.statistic": found.statistic, f"{name}.p_value": found.p}
    numbers["fisher.p_value"] = exact.p
    shares = difference_of_shares(*([rate.others, rate.events] for rate in (other, reference)))
    return {**numbers, "standardised_difference.estimate": shares}


def _interval(path: str, found: Interval) -> dict[str, float | int]:
    return {f"{path}.estimate": found.estimate, f"{path}.lower": found.lower, f"{path}.upper": found.upper}
