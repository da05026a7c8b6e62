"""The mean of an outcome by class at any times, as a function of the free vector, with its slopes."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.densities.rows import RowsDensity
from harness.gbtm.design import Outcome
from harness.gbtm.inference.observed_scale import Scale, mean_and_slopes
from harness.gbtm.mixture import Mixture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanCurves:
    """K classes, T times, P free parameters: curves (K, T) in the user's units, and d curve / d free vector."""

    fitted: Matrix
    slopes: Tensor  # (K, T, P)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictor:
    """One predictor in the user's units, (K, T) or (K, 1).

    `parts` have, by class, the places of its coefficients in the free vector and what multiplies them, (T or 1, q).
    """

    fitted: Matrix
    parts: tuple[tuple[Codes, Matrix], ...]


def mean_curves(
    vector: Vector, mixture: Mixture, outcome: Outcome, times: Vector, *, scale: Scale = "predictor"
) -> MeanCurves:
    """Return the curves of an outcome by class, covariates at their means over the rows, exposures 1.

    Parameters
    ----------
    vector, mixture
        The free vector of the mixture, and which.
    outcome
        Of the design.
    times
        In the user's units.
    scale
        "predictor": the linear predictor. "response": the mean of the outcome as it is observed.

    Raises
    ------
    SpecError
        If the mean depends on a sigma that goes by visit, and a time is none of the visits.
    """
    eta = first_predictor(vector, mixture, outcome, times)
    values, by_eta = eta.fitted, np.ones_like(eta.fitted)
    slopes = np.zeros((*values.shape, len(vector)))
    if scale == "response" and outcome.spec.family != "gaussian":
        zeta = second_predictor(vector, mixture, outcome, times)
        values, by_eta, by_zeta = mean_and_slopes(outcome.spec, values, None if zeta is None else zeta.fitted)
        for g, (places, columns) in enumerate(() if zeta is None else zeta.parts):
            slopes[g][:, places] += by_zeta[g, :, None] * columns
    for g, (places, columns) in enumerate(eta.parts):
        slopes[g][:, places] += by_eta[g, :, None] * columns
    return MeanCurves(fitted=values, slopes=slopes)


def first_predictor(vector: Vector, mixture: Mixture, outcome: Outcome, times: Vector) -> Predictor:
    """Return the predictor of the mean at any times."""
    X, response = outcome.columns.at(times), mixture.densities[outcome.density].response
    values, parts = np.empty((mixture.n_classes, len(times))), []
    # By the basis: coefficients of raw powers of a year or of days since 1970 have no digits left for this.
    for g, (places, used) in enumerate(coefficient_places(mixture, outcome.density)):
        values[g] = X[:, used] @ (response.scale * vector[places] + response.pooled[used])
        parts.append((places, response.scale * X[:, used]))
    return Predictor(fitted=values, parts=tuple(parts))


def second_predictor(vector: Vector, mixture: Mixture, outcome: Outcome, times: Vector) -> Predictor | None:
    """Return log sigma, the log-odds of an extra zero, or the log precision; None in a family without.

    Raises
    ------
    SpecError
        If sigma goes by visit, and a time is none of the visits.
    """
    density = mixture.densities[outcome.density]
    if not isinstance(density, RowsDensity) or not density.family.has_second:
        return None
    second = density.second
    try:
        Z = second.at(times)
    except ValueError as error:
        expected = "the times of visits, because sigma goes by visit and the mean of this outcome depends on it"
        raise SpecError("curves", [Problem(found=str(error), expected=expected)]) from error
    start = mixture.parts[outcome.density].start + density.response.n_coefficients
    unit = np.log(density.response.scale) if second.role == "sigma" else 0.0
    parts = []
    for places in second.index:
        used = np.flatnonzero(places >= 0)
        parts.append((start + places[used], Z[:, used]))
    return Predictor(fitted=second.values(vector[None, start : start + second.n_free], Z)[0] + unit, parts=tuple(parts))


def coefficient_places(mixture: Mixture, number: int = 0) -> list[tuple[Codes, Codes]]:
    """Return, by class, the places of a density's coefficients in the free vector and the columns they are of."""
    response, start = mixture.densities[number].response, mixture.parts[number].start
    found = []
    for g in range(mixture.n_classes):
        used = response.used(g)
        found.append((start + response.index[g, used], used))
    return found
