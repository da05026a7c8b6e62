"""The smallest difference that misleads a reader of a report, in the units of the metric that judges it.

These sizes are those of printed numbers, not of the judge: a tenth of a standard error in an estimate or a prediction,
5 % of a standard error, of degrees of freedom or of a test, one in the second decimal of a correlation and in the third
of a probability, an AIC's second decimal.
"""

from collections.abc import Callable, Mapping
from math import log

from harness.comparison.tolerances import Measure
from harness.comparison.verdict import Verdict
from harness.comparison.yardstick import number

ERRORS = 0.1
SHARE = 0.05
SECOND_DECIMAL = 0.01
THIRD_DECIMAL = 1e-3
SMALLEST_PRINTED = 1e-4
"""p-values below it are printed as "<0.0001"."""


def ceiling(verdict: Verdict) -> float | None:
    """Return how far the numbers of the verdict may lie apart before it misleads; None for a metric without a size."""
    found = _CEILINGS.get(verdict.metric)
    if found is None:
        return None
    size = max((abs(number(v)) for v in (verdict.left_value, verdict.right_value) if v is not None), default=0.0)
    return found(size, verdict.quantity)


def _objective(size: float, _: str) -> float:
    return THIRD_DECIMAL / max(size, 1.0)


def _algebraic(size: float, quantity: str) -> float:
    criterion = quantity.startswith(("aic", "bic")) and not quantity.endswith(".penalty")
    return min(SHARE, SECOND_DECIMAL / size) if criterion and size > 0 else SHARE


def _input_sum(size: float, _: str) -> float:
    return SECOND_DECIMAL / max(size, 1.0)


def _probability(size: float, quantity: str) -> float:
    return max(SHARE * size, SMALLEST_PRINTED) if quantity.endswith("p_value") else THIRD_DECIMAL


def _p_value(size: float, _: str) -> float:
    """Return 5 % of p as a share of log p, or of one where that is less."""
    return log(1 + SHARE) / max(1.0, -log(min(max(size, SMALLEST_PRINTED), 1.0)))


_CEILINGS: Mapping[str, Callable[[float, str], float]] = {
    Measure.EQUALITY: lambda *_: 1.0,
    Measure.INPUT_SUM: _input_sum,
    Measure.ALGEBRAIC: _algebraic,
    Measure.OBJECTIVE: _objective,
    Measure.DISTANCE: lambda *_: ERRORS,
    f"moment {Measure.DISTANCE}": lambda *_: ERRORS,
    Measure.RELATIVE: lambda *_: SHARE,
    "log-likelihood gap": lambda *_: SECOND_DECIMAL / 2,
    "log-likelihood gap in place of D": lambda *_: SECOND_DECIMAL / 2,
    Measure.STANDARD_ERROR: lambda *_: SHARE,
    Measure.CORRELATION: lambda *_: SECOND_DECIMAL,
    Measure.CONDITIONAL_VARIANCE: lambda *_: SHARE,
    Measure.COVARIANCE: lambda *_: 2 * SHARE,
    Measure.DF: lambda *_: SHARE,
    Measure.STATISTIC: lambda *_: SHARE,
    Measure.P_VALUE: _p_value,
    Measure.PREDICTION: lambda *_: ERRORS,
    Measure.PROBABILITY: _probability,
}
