"""The ML deviance with one parameter held and all others at their best: its rise and its slope."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Vector
from harness.lmm.evaluation import evaluate
from harness.lmm.likelihood.descent import lowest
from harness.lmm.likelihood.spherical import angle_rows
from harness.lmm.likelihood.surface import Local, Surface, apart, held

_UNDETERMINED = 1e-8
_LARGEST_STEP = 1.0
_SMALL = 0.1
_ZERO = 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """The parameter at x: the deviance's rise above its minimum, its slope in x, and the others at their best.

    `finished` unless the search of the others ran out of steps.
    """

    x: float
    rise: float
    slope: float
    local: Local
    finished: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameter:
    """A parameter as a coordinate x in which its profile is smooth.

    `hold(x, near)` starts from the others' best values at a nearby x. `step` is a standard error, as far as the
    curvature at the optimum tells. `value` turns x into the user's parameter, `coordinate` back. `confirm` searches the
    others at the same x from elsewhere and returns the lower.
    """

    name: str
    hold: Callable[[float, Held], Held]
    centre: Held
    step: float
    bounds: tuple[float, float]
    value: Callable[[float], float]
    coordinate: Callable[[float], float]
    confirm: Callable[[Held], Held] = lambda here: here


def standard_deviation(name: str, effect: int, surface: Surface, best: Local) -> Parameter:
    """Return the standard deviation of a random effect, a number >= 0."""
    at = surface.order.index(effect)
    unit = float(surface.units[at])
    return _of_surface(
        name, at, surface, best, bounds=(0.0, np.inf), value=lambda x: abs(x) * unit, coordinate=lambda sd: sd / unit
    )


def correlation(name: str, effects: tuple[int, int], surface: Surface, best: Local) -> Parameter:
    """Return the correlation of two random effects, the first two of their block in the order of the surface.

    It means nothing where one of the two does not vary, so that the deviance there bounds the profile from above; and
    through there the search would pass to the opposite correlation. So it is also searched from there.
    """
    pair = [surface.order.index(effect) for effect in effects]
    at = len(surface.units) + angle_rows(surface.blocks)[pair[1]].start
    smooth = _of_surface(
        name,
        at,
        surface,
        best,
        bounds=(-np.pi / 2, np.pi / 2),
        value=lambda x: float(np.sin(x)),
        coordinate=lambda r: float(np.arcsin(r)),
    )
    free = np.delete(np.arange(surface.size), at)
    constant = [_without(surface, best, place) for place in pair]

    def lower(x: float, found: list[Held]) -> Held:
        """Return the lowest of those that have not passed to the opposite correlation, and of no variation."""
        own = [one for one in found if np.prod(one.local.point[pair]) > 0]
        own += [Held(x=x, rise=local.value - best.value, slope=0.0, local=local) for local in constant]
        return min(own, key=lambda one: one.rise)

    def confirm(here: Held) -> Held:
        found = [here]
        for local, place in zip(constant, pair, strict=True):
            start = local.point.copy()
            start[at], start[place] = here.x, _SMALL
            there, finished = lowest(surface.at, start, free)
            rise, slope = there.value - best.value, float(there.gradient[at])
            found.append(Held(x=here.x, rise=rise, slope=slope, local=there, finished=finished))
        return lower(here.x, found)

    return replace(smooth, hold=lambda x, near: lower(x, [smooth.hold(x, near)]), confirm=confirm)


def _without(surface: Surface, best: Local, place: int) -> Local:
    """Return the lowest point at which one random effect does not vary."""
    start = best.point.copy()
    start[place] = 0.0
    return lowest(surface.at, start, np.delete(np.arange(surface.size), place))[0]


def residual_sd(name: str, surface: Surface, best: Local) -> Parameter:
    """Return sigma; so far below the estimate that its square is beyond rounding, it is zero."""
    least = float(best.point[-1]) - _ZERO
    return _of_surface(
        name,
        surface.size - 1,
        surface,
        best,
        bounds=(least, np.inf),
        value=lambda x: float(np.exp(x)) if x > least else 0.0,
        coordinate=lambda sd: float(np.log(sd)),
    )


def fixed_effect(name: str, index: int, surface: Surface, best: Local) -> Parameter:
    """Return a fixed effect: its model is that of the statistics multiplied from the right by a matrix."""
    statistics, every = surface.statistics, np.arange(surface.size)
    own, origin = apart(statistics, index), float(statistics.coordinates.origin[index])

    def at_theta(local: Local) -> tuple[float, float]:
        """Return the estimate of the effect given theta, and its variance given theta, relative to sigma^2."""
        here, coordinates = evaluate(surface.relative(local.point)[0], statistics), statistics.coordinates
        row = coordinates.fixed[index]
        return float(origin + row @ here.beta), float(row @ here.inverse @ row)

    def hold(x: float, near: Held) -> Held:
        local, finished = lowest(replace(surface, statistics=held(own, x - origin)).at, near.local.point, every)
        estimate, variance = at_theta(local)
        # At given theta the residual sum of squares rises by the square of the distance, over the variance.
        slope = 2 * (x - estimate) / (variance * float(np.exp(2 * local.point[-1])))
        return Held(x=x, rise=local.value - best.value, slope=slope, local=local, finished=finished)

    estimate, variance = at_theta(best)
    step = float(np.sqrt(variance) * np.exp(best.point[-1]))
    return Parameter(
        name=name,
        hold=hold,
        centre=Held(x=estimate, rise=0.0, slope=0.0, local=best),
        step=step,
        bounds=(-np.inf, np.inf),
        value=lambda x: x,
        coordinate=lambda value: value,
    )


def _of_surface(
    name: str,
    at: int,
    surface: Surface,
    best: Local,
    *,
    bounds: tuple[float, float],
    value: Callable[[float], float],
    coordinate: Callable[[float], float],
) -> Parameter:
    free = np.delete(np.arange(surface.size), at)

    def hold(x: float, near: Held) -> Held:
        start = near.local.point.copy()
        tangent = _tangent(near.local, at, free) * (x - start[at])
        start[free] += np.clip(tangent, -1 - np.abs(start[free]), 1 + np.abs(start[free]))
        start[at] = x
        local, finished = lowest(surface.at, start, free)
        slope = float(local.gradient[at])
        return Held(x=x, rise=local.value - best.value, slope=slope, local=local, finished=finished)

    return Parameter(
        name=name,
        hold=hold,
        centre=Held(x=float(best.point[at]), rise=0.0, slope=0.0, local=best),
        step=_standard_error(best, at, free),
        bounds=bounds,
        value=value,
        coordinate=coordinate,
    )


def _tangent(local: Local, at: int, free: Codes) -> Vector:
    """Return how the best values of the other coordinates move with the one held; undetermined ones stay."""
    inner = local.hessian[np.ix_(free, free)]
    units = 1 / np.sqrt(np.maximum(np.abs(np.diag(inner)), np.finfo(float).tiny))
    solved = np.linalg.pinv(units[:, None] * inner * units, rcond=_UNDETERMINED, hermitian=True)
    return np.asarray(-units * (solved @ (units * local.hessian[free, at])))


def _standard_error(best: Local, at: int, free: Codes) -> float:
    curvature = float(best.hessian[at, at] + best.hessian[at, free] @ _tangent(best, at, free))
    return float(np.sqrt(2 / curvature)) if curvature > 2 * _LARGEST_STEP**-2 else _LARGEST_STEP
