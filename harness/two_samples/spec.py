"""What is asked of two groups: their rates, or their means."""

from dataclasses import dataclass

LEVEL = 0.95
"""Of all intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesSpec:
    """The rate of an event, or the rates in the two levels of a factor, of which the first is the reference.

    A row is a patient, whose `events` is 0 or 1, or some patients of one level, `total` of them. With `covariates`,
    which are numeric columns and need patients as rows, the difference is also adjusted for them.
    """

    events: str
    by: str | None = None
    total: str | None = None
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeansSpec:
    """The mean of an outcome, or the means in the two levels of a factor, of which the first is the reference."""

    outcome: str
    by: str | None = None
