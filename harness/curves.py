"""Both engines' fitted curves at the same times: our design evaluated at either engine's estimates."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.arrays import Vector
from harness.comparison.alignment import relabelled
from harness.comparison.curves import CurvePair
from harness.comparison.verdict import Comparison
from harness.engines import OurGbtm, OurLmm, OurSide
from harness.gbtm.estimates import path_of
from harness.gbtm.inference.mean_curves import mean_curves
from harness.gbtm.named import Parameter
from harness.gbtm.result import GbtmResult
from harness.lmm.curve import curve_columns, population_rows
from harness.lmm.result import LmmResult
from harness.quantities import Reading

_POINTS = 25
_MOST_CURVES = 12
_MOST_ROWS = 20_000  # a picture for people is not worth more time than this takes
_MOST_TIMES = 15


def curves_of(ours: OurSide, comparison: Comparison) -> tuple[CurvePair, ...]:
    """Return a pair of curves for each class, or each level of the factor that curves are drawn apart by.

    Empty where there is nothing along which to draw, or an engine does not give the estimates that it takes.
    """
    reference = comparison.right
    if comparison.permutation:
        reference = relabelled(reference, comparison.permutation)
    left, right = _estimates(comparison.left), _estimates(reference)
    if not right or not left or not all(map(math.isfinite, (*left.values(), *right.values()))):
        return ()
    if isinstance(ours, OurLmm):
        pairs = _population_pairs(ours.result, left, right)
    elif isinstance(ours, OurGbtm):
        pairs = _class_pairs(ours.result, left, right)
    else:
        return ()
    return tuple(pair for pair in pairs if all(map(math.isfinite, (*pair.left, *pair.right))))


def _estimates(reading: Reading) -> dict[str, float]:
    return {q.path: float(q.value) for q in reading.quantities if q.path.endswith(".estimate")}


def _population_pairs(fit: LmmResult, left: Mapping[str, float], right: Mapping[str, float]) -> Iterator[CurvePair]:
    design = fit.design
    along, apart = curve_columns(fit.spec, design)
    paths = [f"fixed[{name}].estimate" for name in fit.estimates.fixed_names]
    if along is None or design.n_observations > _MOST_ROWS or not left.keys() & right.keys() >= set(paths):
        return
    if apart is not None and len(design.frame.levels[apart]) > _MOST_CURVES:
        apart = None
    ours, theirs = (np.array([values[path] for path in paths]) for values in (left, right))
    is_factor = along in design.frame.codes
    times = design.frame.codes[along].astype(float) if is_factor else design.frame.numeric[along]
    for rows in population_rows(design, along, apart, _POINTS):
        yield CurvePair(
            label=rows.level or "all",
            times=_floats(rows.x),
            left=_floats(rows.means @ ours),
            right=_floats(rows.means @ theirs),
            observed=tuple(_observed(times[rows.rows], design.y[rows.rows])),
            along=along,
            outcome=fit.spec.formula.outcome,
            levels=tuple(design.frame.levels[along]) if is_factor else (),
        )


def _observed(times: Vector, y: Vector) -> Iterator[tuple[float, float]]:
    """Yield the mean outcome at each time, or in ten bins of equal size where there are many times."""
    distinct, place = np.unique(times, return_inverse=True)
    if len(distinct) > _MOST_TIMES:
        place = np.searchsorted(np.quantile(times, np.linspace(0, 1, 11)[1:-1]), times, side="right")
    for b in np.unique(place):
        yield float(times[place == b].mean()), float(y[place == b].mean())


def _class_pairs(fit: GbtmResult, left: Mapping[str, float], right: Mapping[str, float]) -> Iterator[CurvePair]:
    mixture = fit.design.mixture_of(fit.fit.class_kinds)
    n_classes, outcome = fit.estimates.n_classes, fit.design.outcomes[0]
    values = [_user_values(mixture.parameters, side, n_classes) for side in (left, right)]
    if values[0] is None or values[1] is None or fit.design.n_observations > _MOST_ROWS:
        return
    times = fit.drawn_times
    if fit.spec.sigma != "visit":
        times = np.linspace(times.min(), times.max(), _POINTS)
    ours, theirs = (
        mean_curves(mixture.from_user(side), mixture, outcome, times, scale="response").fitted
        for side in values
        if side is not None
    )
    means = fit.observed_means()
    # Curves are means at an exposure of one; what was observed at other exposures is not comparable with them.
    is_shown = fit.spec.exposure is None
    for g in range(n_classes):
        own = means[means["latent_class"] == g + 1]
        yield CurvePair(
            label=f"class {g + 1}",
            times=_floats(times),
            left=_floats(ours[g]),
            right=_floats(theirs[g]),
            observed=tuple(zip(map(float, own.iloc[:, 1]), map(float, own["mean"]), strict=True)) if is_shown else (),
            along=str(fit.spec.time),
            outcome=fit.spec.outcome,
        )


def _user_values(parameters: Sequence[Parameter], estimates: Mapping[str, float], n_classes: int) -> Vector | None:
    """Return an engine's parameters in our order, log-odds that it reports as shares from these; None if one lacks."""
    found = []
    for parameter in parameters:
        path = f"{path_of(parameter)}.estimate"
        if path in estimates:
            found.append(estimates[path])
            continue
        shares = [estimates.get(f"class[{g}].share.estimate", 0.0) for g in (parameter.latent_class, n_classes)]
        if parameter.role != "log_odds" or min(shares) <= 0:
            return None
        found.append(math.log(shares[0] / shares[1]))
    return np.array(found)


def _floats(values: Vector) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
