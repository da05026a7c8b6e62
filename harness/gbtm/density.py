"""The log-likelihood at any parameters, row by row as in the paper: the reference for everything that is faster.

Nagin (2005), ch. 2; the mixture of section 1.1 with f gaussian and rows independent within class.
"""

import numpy as np
from numpy.polynomial import polynomial
from scipy.special import log_softmax, logsumexp

from harness.arrays import Matrix, Vector
from harness.gbtm.design import GbtmDesign
from harness.gbtm.parameters import checked, layout_of
from harness.quantities import Point


def log_likelihood(point: Point, design: GbtmDesign, orders: tuple[int, ...] | None = None) -> float:
    """Return the log-likelihood with all constants, at parameters in the user's units.

    Parameters
    ----------
    point
        As `GbtmSpec` documents it.
    design
        From `build_design`.
    orders
        The order of each class at this point, if not in the order of the spec (see `GbtmFit.orders`).

    Returns
    -------
    float
        sum_i log sum_g pi_g prod_j N(y_ij; eta_g(t_ij), sigma_g^2). In R, ``lcmm::hlme(..., random = ~ -1)`` with
        ``B = point`` (coefficients by power, then class), ``maxiter = 0`` gives this number less 1.39138e-8 per row,
        because lcmm knows pi in single precision.

    Raises
    ------
    SpecError
        If the point has the wrong length, is not finite, or has a sigma that is not > 0.
    """
    return float(logsumexp(class_log_densities(point, design, orders), axis=1).sum())


def class_log_densities(point: Point, design: GbtmDesign, orders: tuple[int, ...] | None = None) -> Matrix:
    """Return log(pi_g f_ig), (N, K), all constants included; its log-sum-exp over classes is L_i."""
    layout = layout_of(design, orders)
    values = checked(point, layout)
    log_shares = log_softmax(np.append(values[: layout.n_classes - 1], 0.0))
    sigmas = np.broadcast_to(values[-layout.n_sigmas :], layout.n_classes)
    joint = np.empty((design.n_subjects, layout.n_classes))
    for g, block in enumerate(layout.blocks()):
        curve = np.asarray(polynomial.polyval(design.time, values[block]), dtype=np.float64)
        by_row = _gaussian(design.y, curve, sigmas[g])
        joint[:, g] = log_shares[g] + np.add.reduceat(by_row, design.subject_starts)
    return joint


def _gaussian(y: Vector, mean: Vector, sigma: float) -> Vector:
    """Return log N(y; mean, sigma^2) of each row; R: ``dnorm(y, mean, sigma, log = TRUE)``."""
    return np.asarray(-0.5 * np.log(2 * np.pi) - np.log(sigma) - 0.5 * ((y - mean) / sigma) ** 2)
