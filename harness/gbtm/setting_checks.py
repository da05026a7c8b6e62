"""What is wrong with the settings of a trajectory model, before any data are looked at."""

import math
from collections.abc import Iterator
from numbers import Real
from typing import TYPE_CHECKING, get_args

from harness.errors import Problem
from harness.gbtm.spec import HIGHEST_ORDER, Errors, Family, GbtmSpec, RandomCovariance, RandomScale, Sigma

if TYPE_CHECKING:
    from types import UnionType

_GAUSSIAN = ("gaussian", "censored_normal")
_HIGHEST_RANDOM = 2
_MOST_LAGS = 2


def type_problems(spec: GbtmSpec) -> Iterator[Problem]:
    """Yield every setting that is of a type which the other checks can't read."""
    column, terms = "the name of a column", "the right side of a formula, such as 'age + sex'"
    kinds: tuple[tuple[str, type | UnionType, str], ...] = (
        ("outcome", str, column),
        ("time", str | None, f"{column}, or None"),
        ("subject", str, column),
        ("orders", tuple, "one order per class, such as (2, 2, 1)"),
        ("trials", str | None, f"{column}, or None"),
        ("exposure", str | None, f"{column}, or None"),
        ("knots", tuple, "interior knots, such as (2.0, 5.0), or () for none"),
        ("covariates", str, terms),
        ("common", str, terms),
        ("membership", str, terms),
        ("weights", str | None, f"{column}, or None"),
    )
    for name, kind, expected in kinds:
        value = getattr(spec, name)
        if not isinstance(value, kind):
            yield Problem(found=f"{name} {value!r:.60}", expected=expected)


def setting_problems(spec: GbtmSpec) -> Iterator[Problem]:
    """Yield every setting that can't be, or that the others leave without a meaning."""
    if not spec.orders:
        yield Problem(found="no polynomial orders", expected="one order per class, such as (2, 2, 1)")
    for order in spec.orders:
        if not _is_whole(order, 0):
            yield Problem(found=f"order {order!r}", expected="a whole number >= 0; 0 is a constant class")
    words = (
        ("family", spec.family, get_args(Family)),
        ("sigma", spec.sigma, get_args(Sigma)),
        ("random_covariance", spec.random_covariance, get_args(RandomCovariance)),
        ("random_scale", spec.random_scale, get_args(RandomScale)),
        ("errors", spec.errors, get_args(Errors)),
    )
    wrong = [
        Problem(found=f"{name} {word!r}", expected=f"one of {', '.join(map(repr, allowed))}")
        for name, word, allowed in words
        if word not in allowed
    ]
    yield from wrong
    for name, value, least in (("n_starts", spec.n_starts, 1), ("seed", spec.seed, 0)):
        if not _is_whole(value, least):
            yield Problem(found=f"{name} {value!r}", expected=f"a whole number >= {least}")
    if not wrong and all(_is_whole(order, 0) for order in spec.orders):
        yield from _curve_problems(spec)
        yield from _family_problems(spec)
        yield from _within_class_problems(spec)


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _curve_problems(spec: GbtmSpec) -> Iterator[Problem]:
    highest = max(spec.orders, default=0)
    if spec.time is None and (highest > 0 or spec.random or spec.knots):
        yield Problem(found="no time", expected="a column of time, or order 0 in every class and at most random = 0")
    if spec.knots:
        finite = all(_is_number(knot) and math.isfinite(knot) for knot in spec.knots)
        if not finite or list(spec.knots) != sorted(set(spec.knots)):
            yield Problem(found=f"knots {spec.knots!r}", expected="finite numbers, each larger than the one before")
        elif highest > len(spec.knots) + 1:
            most = len(spec.knots) + 1
            found = f"order {highest} with {len(spec.knots)} knot(s)"
            yield Problem(found=found, expected=f"at most {most} column(s) of a spline with these knots")
    elif highest > HIGHEST_ORDER:
        yield Problem(found=f"order {highest}", expected=f"orders of at most {HIGHEST_ORDER}, or knots of a spline")


def _family_problems(spec: GbtmSpec) -> Iterator[Problem]:
    family = spec.family
    if family == "censored_normal":
        limits: object = spec.limits
        pair = isinstance(limits, tuple) and len(limits) == 2 and all(map(_is_number, limits))
        if not (pair and limits[0] < limits[1]):  # type: ignore[index]  # pair says that it is one
            yield Problem(found=f"limits {limits!r}", expected="(lower, upper) with lower < upper, such as (0, 60)")
    for name, value, families in (
        ("limits", spec.limits, ("censored_normal",)),
        ("trials", spec.trials, ("logit",)),
        ("exposure", spec.exposure, ("poisson", "zip")),
        ("zero_orders", spec.zero_orders, ("zip",)),
        ("sigma", None if spec.sigma == "shared" else spec.sigma, _GAUSSIAN),
        ("random", spec.random, ("gaussian",)),
        ("errors", None if spec.errors == "independent" else spec.errors, ("gaussian",)),
    ):
        if value is not None and family not in families:
            expected = f"family {' or '.join(map(repr, families))}"
            yield Problem(found=f"{name} = {value!r} for family {family!r}", expected=expected)
    if family == "zip":
        yield from _per_class("zero_orders", spec.zero_orders, spec, (-1, HIGHEST_ORDER))


def _within_class_problems(spec: GbtmSpec) -> Iterator[Problem]:
    if spec.random is not None and not (_is_whole(spec.random, 0) and spec.random <= _HIGHEST_RANDOM):
        yield Problem(found=f"random {spec.random!r}", expected="0 (intercept), 1 (and slope), 2, or None")
    if spec.random is None and spec.random_scale == "class":
        yield Problem(found="random_scale 'class' without random effects", expected="random = 0, 1 or 2")
    if spec.errors != "independent" and spec.time is None:
        yield Problem(found=f"errors {spec.errors!r} without time", expected="a column of time")
    if (spec.random is not None or spec.errors != "independent") and spec.sigma == "visit":
        yield Problem(found="sigma 'visit' with random effects or a process", expected="'shared' or 'class'")
    if spec.dropout is not None:
        yield from _per_class("dropout", spec.dropout, spec, (0, _MOST_LAGS))
        if spec.time is None:
            yield Problem(found="a dropout model without time", expected="a column of time")


def _per_class(name: str, values: object, spec: GbtmSpec, between: tuple[int, int]) -> Iterator[Problem]:
    low, high = between
    fine = isinstance(values, tuple) and all(_is_whole(value, low) and value <= high for value in values)
    if not fine or len(values) != spec.n_classes:  # type: ignore[arg-type]  # fine says that it is a tuple
        expected = f"{spec.n_classes} whole number(s) from {low} to {high}, one a class"
        yield Problem(found=f"{name} {values!r}", expected=expected)
