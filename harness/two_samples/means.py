"""A mean, or the means of two groups: intervals, Welch's test and the standardised difference, by path."""

from dataclasses import dataclass

import numpy as np

from harness.cohorts.cohort import Cohort
from harness.quantities import InputEvidence, Quantity
from harness.two_samples.balance import difference_of_means
from harness.two_samples.groups import column, evidence_of, groups_of, quantities_of
from harness.two_samples.mean_intervals import mean_interval, welch
from harness.two_samples.spec import LEVEL, MeansSpec

WHERE = "means of two groups"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeansResult:
    """What was asked, of what, and the numbers by path."""

    cohort: Cohort
    spec: MeansSpec
    evidence: InputEvidence
    numbers: dict[str, float | int]

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers that are defined."""
        return quantities_of(self.numbers)


def means_of_two(spec: MeansSpec, cohort: Cohort) -> MeansResult:
    """Return the mean of an outcome, or the means of two groups with what compares them.

    Raises
    ------
    SpecError
        Columns that are not there, or other than two groups.
    """
    outcome = column(cohort, spec.outcome, WHERE)
    groups = groups_of(cohort, spec.by, ~np.isnan(outcome), WHERE)
    samples = [outcome[groups.rows][groups.group == g] for g in range(len(groups.labels))]
    numbers: dict[str, float | int] = {}
    for label, values in zip(groups.labels, samples, strict=True):
        found = mean_interval(values, LEVEL)
        error = float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")
        path = f"mean[{label}]"
        numbers |= {
            f"n[{label}]": int(values.size),
            f"{path}.estimate": found.estimate,
            f"{path}.standard_error": error,
        }
        numbers |= {f"{path}.lower": found.lower, f"{path}.upper": found.upper}
    if spec.by is not None:
        reference, other = samples
        difference, p = welch(other, reference, LEVEL)
        numbers |= {
            "difference.estimate": difference.estimate,
            "difference.lower": difference.lower,
            "difference.upper": difference.upper,
            "welch.p_value": p,
            "standardised_difference.estimate": difference_of_means(other, reference),
        }
    return MeansResult(
        cohort=cohort,
        spec=spec,
        evidence=evidence_of(cohort, groups, {"outcome": outcome}, "outcome"),
        numbers=numbers,
    )
