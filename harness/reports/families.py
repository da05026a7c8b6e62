"""What sort of number a quantity is for a reader, and how many digits of it agree."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.comparison.verdict import Outcome, Verdict
from harness.reports.ranking import READING_ORDER, worst_first

MOST_DIGITS = 16
"""A double has no more."""


class Family(StrEnum):
    """The groups of quantities that a reader asks for, in the order of a results table."""

    DATA = "data"
    LIKELIHOOD = "log-likelihood"
    CRITERIA = "AIC, BIC"
    COEFFICIENTS = "coefficients"
    VARIANCES = "variances"
    ERRORS = "standard errors"
    COVARIANCE = "covariance of estimates"
    TESTS = "tests and means"
    MODES = "modes"
    SHARES = "class shares"
    POSTERIORS = "posteriors"
    RATES = "rates"
    OTHER = "other"


# The first pattern that a path begins with decides.
_PATHS: tuple[tuple[re.Pattern[str], Family], ...] = tuple(
    (re.compile(pattern), family)
    for pattern, family in (
        (r"input\.|n_(observations|subjects|classes)|n\[|events|total", Family.DATA),
        (r"objective|log_likelihood|deviance", Family.LIKELIHOOD),
        (r"aic|bic|n_parameters", Family.CRITERIA),
        (r"satterthwaite|kenward-roger|CR\d|profile|residual\.fixed|wald", Family.TESTS),
        (r"mode\[", Family.MODES),
        (r"entropy|class\[\d+\]\.(posterior|average_posterior)", Family.POSTERIORS),
        (r"rate\[|mean\[|.*difference|.*ratio|chi_square|fisher|welch", Family.RATES),
        (r".*\.standard_error$", Family.ERRORS),
        (r"fixed\.correlation|optimum\.covariance", Family.COVARIANCE),
        (r"class\[\d+\]\.share", Family.SHARES),
        (r"random|residual|sigma|process|class\[\d+\]\.(sigma|scale|precision|covariance)", Family.VARIANCES),
        (r"fixed|class\[|common|optimum", Family.COEFFICIENTS),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one family of quantities fared in one comparison.

    `digits` are the fewest of any quantity; infinite where all are equal to the last bit, None where nothing was
    measured. `worst` is the verdict that a reader should see first.
    """

    outcome: Outcome
    digits: float | None
    worst: Verdict
    count: int


def family_of(path: str) -> Family:
    """Return the family of a quantity by its path."""
    start = path[:200]
    return next((family for pattern, family in _PATHS if pattern.match(start)), Family.OTHER)


def digits_of(verdict: Verdict) -> float | None:
    """Return to how many decimals two values agree, in the unit that they were judged in.

    That is of standard errors for estimates and modes, of probabilities, and else of the number itself: a difference
    relative to an estimate that happens to be near zero would say nothing. A difference that is no number has none.
    """
    if verdict.observed is None or verdict.outcome is Outcome.NOT_COMPARED:
        return None
    size = abs(verdict.observed)
    if size == 0:
        return math.inf
    return min(max(-math.log10(size), 0.0), MOST_DIGITS) if math.isfinite(size) else 0.0


def standings(verdicts: Iterable[Verdict]) -> Mapping[Family, Standing]:
    """Return how each family of quantities fared, for those that occur."""
    found: dict[Family, list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault(family_of(verdict.quantity), []).append(verdict)
    return {family: _standing(found[family]) for family in Family if family in found}


def _standing(verdicts: list[Verdict]) -> Standing:
    compared = [verdict for verdict in verdicts if verdict.outcome is not Outcome.NOT_COMPARED]
    digits = [found for verdict in compared if (found := digits_of(verdict)) is not None]
    outcomes = {verdict.outcome for verdict in compared or verdicts}
    return Standing(
        outcome=next(outcome for outcome in READING_ORDER if outcome in outcomes),
        digits=min(digits, default=None),
        worst=worst_first(compared or verdicts)[0],
        count=len(compared),
    )
