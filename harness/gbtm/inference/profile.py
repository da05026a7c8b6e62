"""Profile-likelihood intervals: the values of a parameter at which the log-likelihood, all others at their best, holds.

They need no curvature, and so serve where Wald's do not: for a parameter without a maximum one end is infinite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.stats import chi2
from threadpoolctl import threadpool_limits

from harness.arrays import Vector, read_only
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.inference.bands import checked_level
from harness.gbtm.inference.held import Held, HeldParameter, beginning, held_parameter, hold
from harness.gbtm.inference.named_parameters import NamedParameters, named_parameters

_TOLERANCE = 1e-7  # of the fall of -2 log-likelihood at an end
_HIGHER = 1e-5  # a fall below minus this is another, better optimum
_STEPS = 60
_FARTHER = 4.0
_LEVEL = 1e-4  # what another such distance would add to the fall, where the log-likelihood has become level


class End(StrEnum):
    """What an end of a profile interval is."""

    CROSSING = "the log-likelihood has fallen by half the quantile"
    NOT_REACHED = "not reached: the log-likelihood becomes level, or rises, on the way to infinity or zero"
    UNFINISHED = "about where the log-likelihood has fallen so far: the search of the other parameters did not finish"
    HIGHER_OPTIMUM = "a higher log-likelihood was found on the way: the fit is not at the best optimum"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileInterval:
    """The values of a parameter that a likelihood-ratio test at 1 - `level` does not reject, in the user's units.

    An end that is not reached is infinite, or 0 or 1 where the parameter has such a limit; NaN where a higher
    optimum shows that there is no interval yet.
    """

    path: str
    estimate: float
    lower: float
    upper: float
    level: float
    lower_end: End
    upper_end: End


def profile_interval(fit: GbtmFit, design: GbtmDesign, path: str, level: float = 0.95) -> ProfileInterval:
    """Return the profile-likelihood interval of one parameter or class share.

    Parameters
    ----------
    fit, design
        Of one model.
    path
        Such as "class[1].beta[week]", "class[2].share", "sigma", "class[1].membership[age]".
    level
        Of the interval.

    Raises
    ------
    SpecError
        For a level outside (0, 1), an unknown path, a share of a single class, or a model with sampling weights, whose
        weighted sum of logarithms is no likelihood. R: ``confint(m, method = "profile")`` where packages have it.
    """
    level = checked_level(level, "profile interval")
    named, parameter = _parameter(fit, design, path)
    quantile = float(chi2.ppf(level, 1))
    with threadpool_limits(limits=1, user_api="blas"):
        centre = beginning(fit.vector, parameter)
        unit = _unit(named, parameter, centre)
        side = {s: _end(parameter, centre, s * unit, quantile) for s in (-1, 1)}
    return ProfileInterval(
        path=path,
        estimate=float(named.estimates[parameter.place]),
        lower=side[-1][0],
        upper=side[1][0],
        level=level,
        lower_end=side[-1][1],
        upper_end=side[1][1],
    )


def profile_log_likelihood(fit: GbtmFit, design: GbtmDesign, path: str, values: Sequence[float] | Vector) -> Vector:
    """Return the largest log-likelihood with a parameter held at each of some values, in the user's units.

    Raises
    ------
    SpecError
        As `profile_interval`; or if a value is none that the parameter can have.
    """
    _, parameter = _parameter(fit, design, path)
    targets = np.array([parameter.of_user(float(value)) for value in values])
    if not np.isfinite(targets).all():
        found = f"values {list(values)!r:.60} of {path}"
        raise SpecError("profile", [Problem(found=found, expected="values that it can have")])
    reached = np.empty(len(targets))
    with threadpool_limits(limits=1, user_api="blas"):
        centre = beginning(fit.vector, parameter)
        for side in (1, -1):
            here = centre
            for k in np.argsort(side * targets).tolist():
                if side * (targets[k] - centre.h) >= 0:
                    here = hold(float(targets[k]), parameter, here.vector)
                    reached[k] = here.log_likelihood
    return read_only(reached)


def _parameter(fit: GbtmFit, design: GbtmDesign, path: str) -> tuple[NamedParameters, HeldParameter]:
    named = named_parameters(fit, design)
    place = named.place(path)
    problems = []
    if place is None:
        problems.append(named.unknown(path))
    elif place < design.n_classes and design.n_classes == 1:
        problems.append(Problem(found="the share of a single class", expected="a parameter that can vary"))
    if design.spec.weights is not None:
        found, advice = "sampling weights", "Use the limits of coefficients(), by the sandwich."
        problems.append(Problem(found=found, expected="a likelihood", advice=advice))
    if problems or place is None:
        raise SpecError("profile", problems)
    return named, held_parameter(place, design.mixture_of(fit.class_kinds))


def _unit(named: NamedParameters, parameter: HeldParameter, centre: Held) -> float:
    """Return about a standard error of h; of a parameter without one, what a working unit is."""
    _, g = parameter.at(centre.vector)
    length = float(np.sqrt(g @ g))
    if named.covariance is None or named.without_maximum[parameter.place]:
        return length
    error = float(np.sqrt(max(float(g @ named.covariance @ g), 0.0)))
    return error if np.isfinite(error) and error > 0 else length


def _end(parameter: HeldParameter, centre: Held, unit: float, quantile: float) -> tuple[float, End]:
    """Return where -2 log-likelihood has risen by the quantile on the side of the sign of `unit`.

    Newton's method on the root of the rise, which is nearly straight; kept between the last value below the quantile
    and the first above it.
    """
    inner, outer = centre, None
    h = centre.h + float(np.clip(np.sqrt(quantile) * unit, -parameter.longest, parameter.longest))
    for _ in range(_STEPS):
        here = hold(h, parameter, inner.vector)
        rise = 2 * (centre.log_likelihood - here.log_likelihood)
        if rise < -_HIGHER:
            return float("nan"), End.HIGHER_OPTIMUM
        if abs(rise - quantile) <= _TOLERANCE:
            return parameter.user(h), End.CROSSING if here.finished else End.UNFINISHED
        if rise > quantile:
            outer = here
        else:
            inner = here
            if outer is None and abs(2 * here.slope * (h - centre.h)) < _LEVEL:
                return parameter.user(float(np.copysign(np.inf, unit))), End.NOT_REACHED
        h = _next((centre, inner, outer), here, quantile, rise)
        h = inner.h + float(np.clip(h - inner.h, -parameter.longest, parameter.longest))
        if h in {inner.h, None if outer is None else outer.h}:
            return parameter.user(h), End.UNFINISHED
    return parameter.user(h), End.UNFINISHED


def _next(known: tuple[Held, Held, Held | None], here: Held, quantile: float, rise: float) -> float:
    centre, inner, outer = known
    side = 1.0 if here.h > centre.h else -1.0
    root, slope = float(np.sqrt(max(rise, 0.0))), -2 * here.slope * side  # of the rise, outwards
    climbing = slope > 0 and root > 0
    h = here.h + side * (np.sqrt(quantile) - root) * 2 * root / slope if climbing else side * np.inf
    if outer is not None:
        return float(h) if side * inner.h < side * h < side * outer.h else (inner.h + outer.h) / 2
    return side * min(side * float(h), side * (centre.h + _FARTHER * (here.h - centre.h)))
