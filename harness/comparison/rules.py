"""How each kind of quantity is judged: one function a kind, from two numbers to a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, log, log10, nan, sqrt

import numpy as np

from harness.comparison.tolerances import DEFAULT, Measure, Tolerance
from harness.comparison.verdict import Outcome, Verdict
from harness.comparison.yardstick import LOG_LIKELIHOOD, Yardstick, number
from harness.quantities import Kind, Quantity, Value

R_INTEGER_NA = -2147483648
"""What R's missing integer becomes when its bits are read as a number."""

NEGLIGIBLE = 1e-2
"""A random effect known to this share of its fixed effect's standard error is known as well as matters."""

DIGITS_OF_DOUBLE = 16.0

LEAST_P = 1e-300
"""Smaller p-values are nothing, on one side at least."""

LARGEST_P = 1 + 1e-12
"""A sum of probabilities may exceed one by its rounding."""

LEAST_NORMAL = float(np.finfo(float).tiny)
"""Doubles below it have lost digits: zero on one side and such a number on the other are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far two numbers are apart, in which metric, and how far they may be."""

    metric: str
    observed: float
    tolerance: Tolerance


def judge_pair(left: Quantity, right: Quantity, scales: Yardstick) -> Verdict:
    """Return the verdict on a quantity that both engines give, under the same path."""
    if left.kind is not right.kind:
        return unjudged(
            left.path, left, right, Outcome.DISAGREE, f"it is {left.kind} on one side and {right.kind} on the other"
        )
    if left.kind is Kind.DIAGNOSTIC:
        return unjudged(left.path, left, right, Outcome.NOT_COMPARED, "a diagnostic is shown, never judged")
    complaint = _unusable(left, scales.engines[0]) or _unusable(right, scales.engines[1])
    if complaint:
        return unjudged(left.path, left, right, Outcome.DISAGREE, complaint)
    if left.kind is Kind.EXACT:
        return _exact(left, right)
    difference = RULES[left.kind](left, right, scales)
    return verdict(left.path, left.kind, (left.value, right.value), difference)


def verdict(
    path: str, kind: Kind, values: tuple[Value | None, Value | None], difference: Difference, *, reason: str = ""
) -> Verdict:
    """Return a verdict by the one rule that holds for all numbers: agreement is a difference within its limit."""
    left, right = values
    within = difference.observed <= difference.tolerance.limit  # false for NaN
    return Verdict(
        quantity=path,
        kind=kind,
        left_value=left,
        right_value=right,
        metric=difference.metric,
        observed=difference.observed,
        limit=difference.tolerance.limit,
        basis=difference.tolerance.basis,
        digits=None if left is None or right is None else digits(number(left), number(right)),
        outcome=Outcome.AGREE if within else Outcome.DISAGREE,
        reason=reason,
    )


def relative(left: float, right: float, floor: float = 0.0) -> float:
    """Return |left - right| over the larger of both magnitudes and a floor; NaN where one isn't finite."""
    if not (isfinite(left) and isfinite(right)):
        return nan
    return abs(left - right) / max(abs(left), abs(right), floor, LEAST_NORMAL)


def digits(left: float, right: float) -> float | None:
    """Return the log relative error -log10(|left - right| / |right|), from 0 to 16; None where it has no meaning."""
    if not (isfinite(left) and isfinite(right)):
        return None
    if left == right:
        return DIGITS_OF_DOUBLE
    if right == 0:
        return None
    return min(max(-log10(abs(left - right) / abs(right)), 0.0), DIGITS_OF_DOUBLE)


def _algebraic(left: Quantity, right: Quantity, scales: Yardstick) -> Difference:
    base = scales.tolerance(Measure.ALGEBRAIC)
    a, b = number(left.value), number(right.value)
    limit, basis = base.limit, base.basis
    if left.path.endswith(".penalty") and max(abs(a), abs(b)) > 0:
        # A penalty is a criterion minus a deviance: it inherits the rounding of numbers far larger than itself.
        limit += 4 * np.finfo(float).eps * abs(2 * scales.log_likelihood) / max(abs(a), abs(b))
        basis += f" Here four roundings of a deviance of {abs(2 * scales.log_likelihood):.6g}."
    return Difference(metric=Measure.ALGEBRAIC, observed=relative(a, b), tolerance=Tolerance(limit=limit, basis=basis))


def _objective(left: Quantity, right: Quantity, scales: Yardstick) -> Difference:
    observed = relative(number(left.value), number(right.value))
    return Difference(metric=Measure.OBJECTIVE, observed=observed, tolerance=scales.tolerance(Measure.OBJECTIVE))


def _optimum(left: Quantity, right: Quantity, scales: Yardstick) -> Difference:
    a, b = number(left.value), number(right.value)
    if left.path == LOG_LIKELIHOOD:
        return Difference(metric="log-likelihood gap", observed=abs(a - b), tolerance=scales.gap_limit)
    error = scales.errors.get(left.path)
    if error is not None and not (scales.irregular and _is_variance(left.path)):
        tolerance = scales.tolerance(Measure.DISTANCE)
        return Difference(metric=Measure.DISTANCE, observed=abs(a - b) / error, tolerance=tolerance)
    substitute = scales.substitute_error(left)
    if substitute is not None:
        tolerance = _at_least_default(
            Measure.DISTANCE,
            scales,
            f"No information matrix ({scales.irregular or 'no standard error given'}): a moment standard error stands"
            " in, and the log-likelihood gap and the predictions decide beside it.",
        )
        return Difference(metric=f"moment {Measure.DISTANCE}", observed=abs(a - b) / substitute, tolerance=tolerance)
    return Difference(metric=Measure.RELATIVE, observed=relative(a, b), tolerance=scales.tolerance(Measure.RELATIVE))


def _curvature(left: Quantity, right: Quantity, scales: Yardstick) -> Difference:
    a, b = number(left.value), number(right.value)
    if left.path.startswith("fixed.correlation["):
        tolerance = scales.tolerance(Measure.CORRELATION)
        return Difference(metric=Measure.CORRELATION, observed=abs(a - b), tolerance=tolerance)
    if left.path.startswith("mode["):
        return _conditional_variance(left, right, scales)
    tested = _TESTED.get(left.path.rsplit(".", 1)[-1])
    if tested is not None:
        measure, distance = tested
        return Difference(metric=measure, observed=distance(a, b), tolerance=scales.tolerance(measure))
    tolerance = scales.tolerance(Measure.STANDARD_ERROR)
    return Difference(metric=Measure.STANDARD_ERROR, observed=relative(a, b), tolerance=tolerance)


def _log_p_difference(left: float, right: float) -> float:
    """Return how far two p-values are apart by their logarithms, those of nothing at all taken as 1e-300."""
    a, b = (log(min(max(p, LEAST_P), 1.0)) for p in (left, right))
    return relative(a, b, floor=1.0)


_TESTED: dict[str, tuple[Measure, Callable[[float, float], float]]] = {
    "df": (Measure.DF, relative),
    "df2": (Measure.DF, relative),
    "scaling": (Measure.DF, relative),
    "statistic": (Measure.STATISTIC, lambda left, right: relative(left, right, floor=1.0)),
    "p_value": (Measure.P_VALUE, _log_p_difference),
    "tukey_p_value": (Measure.PROBABILITY, lambda left, right: abs(left - right)),
}


def _conditional_variance(left: Quantity, right: Quantity, scales: Yardstick) -> Difference:
    """Measure relative to the variance itself, but never to less than what matters beside the fixed effect's."""
    scale = scales.effect_error(left.path) ** 2
    floor, tolerance = NEGLIGIBLE**2 * scale, scales.tolerance(Measure.CONDITIONAL_VARIANCE)
    if scales.irregular:
        basis = (
            f"{scales.irregular}: a variance may be zero, so the scale is the fixed effect's squared standard error."
        )
        floor, tolerance = scale, _at_least_default(Measure.CONDITIONAL_VARIANCE, scales, basis)
    observed = relative(number(left.value), number(right.value), floor)
    return Difference(metric=Measure.CONDITIONAL_VARIANCE, observed=observed, tolerance=tolerance)


def _posterior(left: Quantity, right: Quantity, scales: Yardstick) -> Difference:
    apart = abs(number(left.value) - number(right.value))
    is_mode = left.path.startswith("mode[")
    errors = [q.standard_error for q in (left, right) if q.standard_error is not None and isfinite(q.standard_error)]
    if not (is_mode or errors):
        tolerance = scales.tolerance(Measure.PROBABILITY)
        return Difference(metric=Measure.PROBABILITY, observed=apart, tolerance=tolerance)
    effect = scales.effect_error(left.path)
    scale = max(errors[0], NEGLIGIBLE * effect) if errors else effect
    tolerance = scales.tolerance(Measure.PREDICTION)
    if scales.irregular:
        tolerance = _at_least_default(Measure.PREDICTION, scales, f"{scales.irregular}: predictions judge the fit.")
    observed = 0.0 if apart == 0 else apart / scale if scale > 0 else inf
    return Difference(metric=Measure.PREDICTION, observed=observed, tolerance=tolerance)


def _stochastic(left: Quantity, right: Quantity, scales: Yardstick) -> Difference:
    error = sqrt(sum((q.standard_error or 0.0) ** 2 for q in (left, right)))
    apart = abs(number(left.value) - number(right.value))
    observed = apart / error if error > 0 else inf  # without a Monte-Carlo error nothing can be said
    return Difference(metric=Measure.MONTE_CARLO, observed=observed, tolerance=scales.tolerance(Measure.MONTE_CARLO))


RULES: dict[Kind, Callable[[Quantity, Quantity, Yardstick], Difference]] = {
    Kind.ALGEBRAIC: _algebraic,
    Kind.OBJECTIVE: _objective,
    Kind.OPTIMUM: _optimum,
    Kind.CURVATURE: _curvature,
    Kind.POSTERIOR: _posterior,
    Kind.STOCHASTIC: _stochastic,
}


def _exact(left: Quantity, right: Quantity) -> Verdict:
    """Judge by equality; the truth value True, the number 1 and the text "1" are three different things."""
    same_sort = _sort(left.value) == _sort(right.value)
    equal = same_sort and left.value == right.value
    tolerance = DEFAULT[Measure.EQUALITY]
    both_numbers = same_sort and _sort(left.value) == "a number"
    apart = abs(number(left.value) - number(right.value)) if both_numbers else float(not equal)
    difference = Difference(metric=Measure.EQUALITY, observed=apart if not equal else 0.0, tolerance=tolerance)
    reason = "" if same_sort else f"{_sort(left.value)} on one side and {_sort(right.value)} on the other"
    return verdict(left.path, left.kind, (left.value, right.value), difference, reason=reason)


def _unusable(quantity: Quantity, engine: str) -> str:
    """Say why a value can't be judged, or return nothing."""
    value = quantity.value
    if _sort(value) != "a number":
        return "" if quantity.kind is Kind.EXACT else f"{engine} gives {_sort(value)} where a number belongs"
    if not isfinite(number(value)):
        return f"{engine} gives {value!r}, which agrees with nothing"
    if value == R_INTEGER_NA:
        return f"{engine} gives {R_INTEGER_NA}, R's missing integer read as a number"
    if quantity.path.endswith("p_value") and not -LEAST_P <= number(value) <= LARGEST_P:
        return f"{engine} gives {value!r}, which is no probability"
    return ""


def _sort(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "a truth value"
    if isinstance(value, str):
        return "a text"
    return "a number"


def _is_variance(path: str) -> bool:
    return path.startswith("random.") or path.endswith("sigma.estimate")


def _at_least_default(measure: Measure, scales: Yardstick, basis: str) -> Tolerance:
    """Return the limit for a substitute scale, which isn't sharp enough for an engine's own strict limit."""
    return Tolerance(limit=max(scales.tolerance(measure).limit, DEFAULT[measure].limit), basis=basis)


def unjudged(
    path: str,
    left: Quantity | None,
    right: Quantity | None,
    outcome: Outcome,
    reason: str,
    *,
    kind: Kind = Kind.DIAGNOSTIC,
) -> Verdict:
    """Return a verdict on what can't be measured: a side is missing, unusable, or not meant to be judged.

    `kind` is needed only where there is no quantity to take it from.
    """
    given = left if left is not None else right
    return Verdict(
        quantity=path,
        kind=kind if given is None else given.kind,
        left_value=None if left is None else left.value,
        right_value=None if right is None else right.value,
        metric="none",
        observed=None,
        limit=None,
        basis="",
        digits=None,
        outcome=outcome,
        reason=reason,
    )
