"""What a fitted model says of one term: the numbers of a coefficient or contrast, each within a program's noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.claims import noise
from harness.claims.criteria import Reading
from harness.claims.span import Span, around

Row = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermNumbers:
    """A coefficient, contrast or parameter; NaN is what the model does not have.

    `lower` and `upper` are limits at the level that was asked for.
    """

    name: str
    estimate: float
    standard_error: float = math.nan
    df: float = math.nan
    statistic: float = math.nan
    p: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    words: str = ""
    adjusted: bool = False

    def span(self, number: str) -> Span | None:
        """Return one of its numbers within the noise of programs, None where the model does not have it."""
        value = float(getattr(self, number))
        if not math.isfinite(value):
            return None
        return around(value, self._noise(number, value))

    def _noise(self, number: str, value: float) -> float:
        error = self.standard_error if math.isfinite(self.standard_error) else 0.0
        match number:
            case "estimate":
                return noise.ESTIMATE * error if error else noise.STANDARD_ERROR * abs(value)
            case "standard_error":
                return noise.STANDARD_ERROR * value
            case "df":
                return noise.DF * value
            case "statistic":
                return noise.statistic_noise(value)
            case "p":
                extra = noise.MULTIPLICITY if self.adjusted else 0.0
                return noise.p_noise(value, self.statistic) + extra
            case _:
                reach = abs(value - self.estimate) / error if error else 0.0
                # The quantile of an adjusted interval is as random as its p value.
                return noise.limit_noise(error, reach) + (noise.MULTIPLICITY * error if self.adjusted else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNumbers:
    """What a fitted model says of itself.

    `optima` are other ends of its search, a sentence and the log-likelihood of each; `criteria` are AIC and BIC, by
    the kind of claim, where engines define them otherwise than by the numbers of parameters, subjects and rows alone.
    """

    log_likelihood: float
    n_parameters: int
    n_subjects: int
    n_observations: int
    entropy: float = math.nan
    notes: tuple[str, ...] = ()
    optima: tuple[tuple[str, float], ...] = ()
    criteria: tuple[tuple[str, Reading], ...] = ()
