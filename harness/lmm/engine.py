"""The three engines under one face, and which of them fits a design."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.arrays import Vector
from harness.lmm import curvature, deviance, estimation, fit
from harness.lmm.crossed import estimation as crossed_estimation
from harness.lmm.crossed import fit as crossed
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fitted import Fitted
from harness.lmm.visits import distance as visit_distance
from harness.lmm.visits import estimation as visit_estimation
from harness.lmm.visits import fit as visits


@dataclass(frozen=True, slots=True, kw_only=True)
class LmmEngine:
    """What can be done with a design: fit it, read the estimates off the fit, evaluate the criterion anywhere.

    `fit(design, start)` begins at `start`, a `Point` of the engine's own parameters, or at moments where it is None;
    `deviance(point, design)` is the criterion there, `distance(point, design)` how many standard errors a Newton step
    from there would go.
    """

    fit: Callable[..., Any]
    estimate: Callable[[Any, LmmDesign], LmmEstimates]
    deviance: Callable[[Vector, LmmDesign], float]
    distance: Callable[[Vector, LmmDesign], float]


ONE_FACTOR = LmmEngine(
    fit=fit.fit,
    estimate=estimation.estimate,
    deviance=deviance.profiled_deviance,
    distance=curvature.distance_to_optimum,
)
CROSSED = LmmEngine(
    fit=crossed.fit,
    estimate=crossed_estimation.estimate,
    deviance=crossed.profiled_deviance,
    distance=crossed.distance_to_optimum,
)
VISITS = LmmEngine(
    fit=visits.fit_visits,
    estimate=visit_estimation.estimate,
    deviance=visits.visit_deviance,
    distance=visit_distance.distance_to_optimum,
)


def engine_of(design: LmmDesign) -> LmmEngine:
    """Return the engine that fits the design: by its residual structure, then by its number of grouping factors."""
    if design.residual is not None:
        return VISITS
    return ONE_FACTOR if len({one.grouping for one in design.random}) == 1 else CROSSED


def fitted(design: LmmDesign, start: Vector | None = None) -> tuple[Fitted, LmmEstimates]:
    """Return the fit of a design and its estimates.

    Raises
    ------
    SpecError
        If the model has no maximum for these data, or can't be fitted by its engine; with all reasons.
    """
    engine = engine_of(design)
    found: Fitted = engine.fit(design, None if start is None else np.asarray(start, dtype=float))
    return found, engine.estimate(found, design)
