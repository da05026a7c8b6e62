"""How large a wrong number must be to mislead a reader: whatever limits the judge has, nothing that large may pass.

These sizes are those of reports, not of the judge's table of limits: a limit that someone loosens too far shows here.
"""

from harness.comparison.rules import LEAST_P
from harness.comparison.yardstick import LOG_LIKELIHOOD, Yardstick, number
from harness.quantities import Kind, Quantity, Value

DECIMALS_OF_AIC = 0.01
THIRD_DECIMAL = 1e-3
SHARE = 0.05


def what_matters(path: str, kind: Kind, value: Value, ours: Quantity | None, scales: Yardstick) -> float:
    """Return the smallest change that a reader of a report could be misled by.

    A tenth of a standard error in an estimate or a prediction, one in the third decimal of a probability, five per
    cent of a standard error, of degrees of freedom or of a test.
    """
    size = abs(number(value))
    if kind is Kind.EXACT:
        return 1.0
    if kind in {Kind.OBJECTIVE, Kind.POSTERIOR} and not path.startswith("mode["):
        return THIRD_DECIMAL
    if path.startswith(("input.", "fixed.correlation[")) or path == LOG_LIKELIHOOD:
        return DECIMALS_OF_AIC
    if path.startswith("mode["):
        return _of_a_prediction(path, size, ours, scales)
    error = _standard_error(ours, scales) if kind is Kind.OPTIMUM else None
    if error:
        return 0.1 * error
    return max(SHARE * size, _least(path)) or 1.0


def _least(path: str) -> float:
    """Return what matters of a number near zero: little of a test statistic, of the smallest p-values nothing."""
    if path.endswith("tukey_p_value"):
        return 1e-4  # the studentized range is known to an absolute error
    if path.endswith(".statistic"):
        return 0.1 * SHARE
    return 10 * LEAST_P if path.endswith("p_value") else 0.0


def _standard_error(ours: Quantity | None, scales: Yardstick) -> float | None:
    if ours is None:
        return None
    return ours.standard_error or scales.errors.get(ours.path) or scales.substitute_error(ours)


def _of_a_prediction(path: str, size: float, ours: Quantity | None, scales: Yardstick) -> float:
    """Return a tenth of its error, or of a share of the fixed effect's where it is known far better than that."""
    effect = scales.effect_error(path)
    if path.endswith(".variance"):
        return SHARE * max(size, 0.1 * effect**2) or 1.0
    own = 0.0 if ours is None or ours.standard_error is None else ours.standard_error
    return 0.1 * max(own, 0.1 * effect) or 1.0
