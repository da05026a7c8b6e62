"""What the model says at parameters that need not be its optimum: standard errors there, and where it hardly bends."""

import numpy as np

from harness.arrays import Vector
from harness.gbtm.design import ClassKind, GbtmDesign
from harness.gbtm.estimates import GbtmEstimates, path_of
from harness.gbtm.estimation import estimates_at, reported_jacobian
from harness.gbtm.mixture import derivatives
from harness.gbtm.point import from_point
from harness.gbtm.uncertainty import free_covariance
from harness.quantities import Point


def estimates_with_errors_at(point: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...]) -> GbtmEstimates:
    """Return the estimates at a point with the standard errors that the observed information at that point gives.

    Raises
    ------
    SpecError
        If the model can't have the point.
    """
    mixture = design.mixture_of(kinds)
    vector = from_point(point, mixture)
    jacobian = reported_jacobian(vector, mixture)
    covariance = jacobian @ free_covariance(vector, mixture) @ jacobian.T
    covariance = (covariance + covariance.T) / 2
    covariance[np.diag(covariance) < 0] = np.nan  # no curvature downwards: the point is no neighbour of an optimum
    return estimates_at(point, design, kinds, covariance)


def flattest_direction(
    point: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...]
) -> tuple[Vector, tuple[str, ...], float]:
    """Return the direction of least information, the names of the parameters, and that information.

    The direction is in the user's parameters, each divided by how far it moves where the working units move by one.
    """
    mixture = design.mixture_of(kinds)
    vector = from_point(point, mixture)
    values, vectors = np.linalg.eigh(derivatives(vector[None], mixture).information[0])
    jacobian = mixture.user_jacobian(vector)
    reach = np.linalg.norm(jacobian, axis=1)
    along = jacobian @ vectors[:, 0] / np.where(reach > 0, reach, 1.0)
    return along, tuple(path_of(parameter) for parameter in mixture.parameters), float(values[0])
