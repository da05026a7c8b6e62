"""Parameters in the user's units, as they travel between engines."""

import numpy as np

from harness.arrays import Vector
from harness.errors import Problem, SpecError
from harness.gbtm.mixture import Mixture
from harness.quantities import Point

_POSITIVE = {"sigma", "precision", "scale"}


def from_point(point: Point, mixture: Mixture) -> Vector:
    """Return a `Point` as a free vector in working units.

    Raises
    ------
    SpecError
        If the point has another length than the model has parameters, is not finite, or has a sigma, precision or
        scale that is not > 0; or if its covariance of random effects is none.
    """
    given = np.array(point, dtype=np.float64)
    problems = []
    if given.shape != (mixture.n_free,):
        problems.append(Problem(found=f"a point of {len(point)} numbers", expected=f"{mixture.n_free} numbers"))
    else:
        if not np.isfinite(given).all():
            problems.append(Problem(found=f"a point that is not finite: {point!r}", expected="finite numbers"))
        wrong = [
            (parameter.role, value)
            for parameter, value in zip(mixture.parameters, given.tolist(), strict=True)
            if parameter.role in _POSITIVE and not value > 0
        ]
        problems += [Problem(found=f"{role} {value!r}", expected=f"{role} > 0") for role, value in wrong]
    if problems:
        raise SpecError("parameters of a trajectory model", problems)
    return mixture.from_user(given)
