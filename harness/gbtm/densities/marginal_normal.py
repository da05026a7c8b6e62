"""The multivariate normal of a subject's rows given its class, random effects integrated out; S starts at a time.

With r = y - X beta and a = Sigma^-1 r, log f = -1/2 [ n log 2 pi + log |Sigma| + r' a ] (Laird & Ware 1982), on the
kept rows of a `RotatedPanel`; the other rows are independent.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor
from harness.gbtm.densities.rotated_panel import RotatedPanel

LOG_2_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residuals:
    """Of one class: r and a of the kept rows, (S, m, N); sums of squares of the other rows, (S, N)."""

    kept: Tensor
    a: Tensor
    rest: Matrix


def residuals(beta: Matrix, inverse: Tensor, panel: RotatedPanel) -> Residuals:
    """Return the residuals of one class at coefficients (S, Q); `inverse` (S, m, m, C) is that of its covariance."""
    S, (m, Q, N) = len(beta), panel.X.shape
    kept = panel.y - (beta @ panel.X.transpose(1, 0, 2).reshape(Q, m * N)).reshape(S, m, N)
    moving = beta[:, panel.columns]
    squares = (moving[:, :, None] * moving[:, None, :]).reshape(S, -1)
    rest = np.concatenate([np.ones((S, 1)), -2 * moving, squares], axis=1) @ panel.rest_sums.T
    return Residuals(kept=kept, a=np.einsum("sabn,sbn->san", panel.by_subject(inverse), kept), rest=rest)


def log_density(found: Residuals, log_det: Matrix, rest_variance: Matrix, panel: RotatedPanel) -> Matrix:
    """Return log f (S, N), all constants included.

    Parameters
    ----------
    found
        From `residuals`.
    log_det
        Of the covariance of the kept rows, (S, C).
    rest_variance
        Of each of the other rows, (S, 1).
    panel
        The rotated rows.
    """
    log_dets = panel.by_subject(log_det) + np.log(rest_variance) * panel.rest
    squares = np.einsum("san,san->sn", found.a, found.kept) + found.rest / rest_variance
    return np.asarray(-0.5 * (LOG_2_PI * panel.sizes + log_dets + squares))
