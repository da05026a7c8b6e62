"""Profile-likelihood intervals of every parameter: where the ML deviance, all others at their best, has risen enough.

Exact to rounding. lme4 interpolates the signed root of the rise by splines through a dozen points; here its crossing is
found by Newton's method, with the slope that the envelope theorem gives: the gradient in the parameter held.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.stats import chi2

from harness.arrays import Vector, read_only
from harness.errors import Problem, SpecError, nearest
from harness.lmm.design import LmmDesign
from harness.lmm.fit import LmmFit, fit
from harness.lmm.inference.distributions import checked_level
from harness.lmm.likelihood.descent import lowest
from harness.lmm.likelihood.held import Held, Parameter, correlation, fixed_effect, residual_sd, standard_deviation
from harness.lmm.likelihood.parameters import parameter_names
from harness.lmm.likelihood.surface import Local, Surface, surface_of

# How near the rise comes to the quantile: above the rounding of the deviance, absolute and relative.
_TOLERANCE = 1e-10
_ROUNDING = 1e-13
_STEPS = 60
_FARTHER = 4.0


class End(StrEnum):
    """What an end of a profile interval is."""

    CROSSING = "the deviance has risen by the quantile"
    BOUND = "the bound of the parameter: the deviance never rises so far"
    UNFINISHED = "about where the deviance has risen by the quantile: the search of the other parameters did not finish"
    NOT_REACHED = "not reached: the deviance rises too slowly"
    LOWER_OPTIMUM = "a lower deviance was found on the way: the fit is not the optimum"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileInterval:
    """The values of a parameter that a likelihood-ratio test at 1 - `level` does not reject.

    `parameter` is `random.sd[intercept]`, `random.correlation[t,intercept]`, `sigma` or `fixed[t]`; lme4 names these
    `.sig01`, ..., `.sigma` and by the coefficient. An end is 0, 1 or -1 at a bound, infinite where it is not
    reached, NaN where a lower optimum shows that there is no interval yet.
    """

    parameter: str
    estimate: float
    lower: float
    upper: float
    level: float
    lower_end: End
    upper_end: End


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProfileCurve:
    """The signed root `zeta` (k,) of the deviance's rise at `values` (k,): a straight line where it is quadratic."""

    parameter: str
    estimate: float
    values: Vector
    zeta: Vector


def profile_intervals(
    design: LmmDesign, *, level: float = 0.95, parameters: Sequence[str] | None = None
) -> tuple[ProfileInterval, ...]:
    """Return profile intervals of the ML fit: standard deviations, correlations, sigma, then fixed effects.

    A REML design is refitted by ML, as lme4 does. R: ``confint(m, method = "profile", level = level)``.

    Raises
    ------
    SpecError
        For a level outside (0, 1), an unknown parameter, or a model that has no such profile.
    """
    level = checked_level(level, "profile")
    quantile = float(chi2.ppf(level, 1))
    return tuple(_interval(parameter, quantile, level) for parameter in _parameters(design, parameters))


def profile_curve(design: LmmDesign, parameter: str, values: Sequence[float]) -> ProfileCurve:
    """Return the signed root of the ML deviance's rise at given values of one parameter. R: ``profile(m)``.

    Raises
    ------
    SpecError
        For an unknown parameter, values that it can't have, or a model that has no such profile.
    """
    (chosen,) = _parameters(design, [parameter])
    with np.errstate(invalid="ignore", divide="ignore"):
        targets = np.array([chosen.coordinate(float(value)) for value in values])
    low, high = chosen.bounds
    if not (np.isfinite(targets) & (targets >= low) & (targets <= high)).all():
        found = f"values {list(values)!r:.60} of {chosen.name}"
        raise SpecError("profile", [Problem(found=found, expected="values that it can have")])
    zeta = np.empty(len(targets))
    for side in (1, -1):
        there = chosen.centre
        for i in np.argsort(side * targets).tolist():
            if side * (targets[i] - chosen.centre.x) >= 0:
                there = chosen.hold(float(targets[i]), there)
                zeta[i] = side * np.sqrt(max(there.rise, 0.0))
    return ProfileCurve(
        parameter=chosen.name,
        estimate=chosen.value(chosen.centre.x),
        values=read_only(np.array(values, dtype=float)),
        zeta=read_only(zeta),
    )


def _parameters(design: LmmDesign, wanted: Sequence[str] | None) -> Iterator[Parameter]:
    """Yield the parameters wanted, or all, in lme4's order."""
    _refuse_other_models(design)
    names = parameter_names(design)
    unknown = [name for name in wanted or () if name not in names]
    if unknown:
        expected = f"one of {', '.join(names)}"
        problems = [
            Problem(found=f"parameter {name!r}", expected=expected, advice=nearest(str(name), names))
            for name in unknown
        ]
        raise SpecError("profile", problems)
    found = fit(replace(design, criterion="ML"))
    natural = _surface(found)
    for name, (kind, effects) in names.items():
        if wanted is not None and name not in wanted:
            continue
        if kind == "sd":
            yield standard_deviation(name, effects[0], *natural)
        elif kind == "correlation":
            yield correlation(name, (effects[0], effects[1]), *_surface(found, effects))
        elif kind == "sigma":
            yield residual_sd(name, *natural)
        else:
            yield fixed_effect(name, effects[0], *natural)


def _refuse_other_models(design: LmmDesign) -> None:
    groupings = list(dict.fromkeys(one.grouping for one in design.random))
    problems, advice = [], "Use Wald's intervals or the parametric bootstrap."
    if len(groupings) != 1:
        found = f"random effects by {', '.join(groupings)}" if groupings else "no random effects"
        expected = "random effects of one grouping factor"
        problems.append(Problem(found=found, expected=expected, advice=advice))
    if design.residual is not None:
        found = f"a residual structure, {design.residual}"
        problems.append(Problem(found=found, expected="independent residuals", advice=advice))
    if problems:
        raise SpecError("profile", problems)


def _surface(found: LmmFit, leading: Sequence[int] = ()) -> tuple[Surface, Local]:
    """Return the ML surface and its lowest point."""
    surface = surface_of(found.statistics, found.sigma, leading)
    Lambda = found.statistics.coordinates.user_factor(found.Lambda)
    best, _ = lowest(surface.at, surface.point(Lambda, found.sigma), np.arange(surface.size))
    return surface, best


def _interval(parameter: Parameter, quantile: float, level: float) -> ProfileInterval:
    (lower, lower_end), (upper, upper_end) = (_end(parameter, quantile, side) for side in (-1, 1))
    return ProfileInterval(
        parameter=parameter.name,
        estimate=parameter.value(parameter.centre.x),
        lower=lower,
        upper=upper,
        level=level,
        lower_end=lower_end,
        upper_end=upper_end,
    )


def _end(parameter: Parameter, quantile: float, side: int) -> tuple[float, End]:
    """Return where the rise reaches the quantile on one side of the estimate.

    Newton's method on the signed root of the rise, which is nearly straight; kept between the last point below the
    quantile and the first above it.
    """
    bound = parameter.bounds[(side + 1) // 2]
    inner, outer, here = parameter.centre, None, parameter.centre
    tolerance = _TOLERANCE + _ROUNDING * abs(here.local.value)
    x = here.x + side * np.sqrt(quantile) * parameter.step
    for _ in range(_STEPS):
        x = side * min(side * x, side * bound)
        here = parameter.hold(x, here)
        if here.rise < -tolerance:
            return np.nan, End.LOWER_OPTIMUM
        if abs(here.rise - quantile) <= tolerance:
            here = parameter.confirm(here)
            if abs(here.rise - quantile) <= tolerance:
                return parameter.value(x), End.CROSSING if here.finished else End.UNFINISHED
        if here.rise > quantile:
            outer = here
        elif x == bound:
            return parameter.value(bound), End.BOUND
        else:
            inner = here
        x = _next((parameter.centre, inner, outer), here, quantile, side)
    return side * np.inf, End.NOT_REACHED


def _next(known: tuple[Held, Held, Held | None], here: Held, quantile: float, side: int) -> float:
    """Return the next x to try, between the last one below the quantile and the first above it, if there is any."""
    centre, inner, outer = known
    root = float(np.sqrt(max(here.rise, 0.0)))
    climbing = side * here.slope > 0 and root > 0
    x = here.x + (np.sqrt(quantile) - root) * 2 * root / here.slope if climbing else side * np.inf
    if outer is not None:
        return float(x) if side * inner.x < side * x < side * outer.x else (inner.x + outer.x) / 2
    farthest = centre.x + _FARTHER * (here.x - centre.x)
    return side * min(side * float(x), side * farthest)
