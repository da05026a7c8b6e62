"""The log-likelihood at any parameters in the user's units: what two engines are compared by before their optima.

Nagin (2005), ch. 2; the mixture of section 1.1 of docs/gbtm.md.
"""

import numpy as np
from scipy.special import logsumexp

from harness.arrays import Matrix
from harness.gbtm.design import ClassKind, GbtmDesign
from harness.gbtm.mixture import log_joint
from harness.gbtm.point import from_point
from harness.quantities import Point


def log_likelihood(point: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...] | None = None) -> float:
    """Return the log-likelihood with all constants, at parameters in the user's units.

    Parameters
    ----------
    point
        As `GbtmSpec` documents it.
    design
        From `build_design`.
    kinds
        The kind of each class at this point, if not in the order of the spec (see `GbtmFit.class_kinds`).

    Returns
    -------
    float
        sum_i w_i log sum_g pi_ig f_ig, w_i = 1 without weights. In R, ``lcmm::hlme(..., B = point, maxiter = 0)``
        (coefficients by power, then class) gives this number less 1.39138e-8 per row, because lcmm knows pi in single
        precision.

    Raises
    ------
    SpecError
        If the point has the wrong length, is not finite, or has a sigma that is not > 0.
    """
    joint = class_log_densities(point, design, kinds)
    return float(logsumexp(joint, axis=1) @ design.subjects.weights)


def class_log_densities(point: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...] | None = None) -> Matrix:
    """Return log(pi_ig f_ig), (N, K), all constants included; its log-sum-exp over classes is L_i."""
    mixture = design.mixture_of(kinds)
    return np.asarray(log_joint(from_point(point, mixture)[None], mixture)[0].T)
