"""What inference needs of a fit with several grouping factors, from the sums over pairs: no dense n x n matrix.

V is linear in gamma = (lower triangles of each factor's G, sigma^2), so the derivative in sigma^2, the identity, is
(V - sum of the other terms)/sigma^2, and every product that has it follows from those that have not.
"""

import numpy as np

from harness.arrays import Matrix, Tensor, read_only
from harness.lmm.crossed.evaluation import eliminated, gamma_derivatives
from harness.lmm.crossed.layout import factors_at, gamma_parameters
from harness.lmm.crossed.newton import Place
from harness.lmm.inference.linear import linear_parts
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts


def satterthwaite_parts(at: Place) -> SatterthwaiteParts:
    """Return the covariance of the fixed effects and its derivatives in (theta, sigma in units of its estimate)."""
    here = at.here
    C, variance, J = here.inverse, here.sigma**2, len(at.theta)
    Lambdas = factors_at(at.theta, at.where, at.cross.layout)
    _, sums = eliminated(Lambdas, at.cross)
    slopes, _ = gamma_derivatives(Lambdas, at.where)
    phi_1 = np.empty((J + 1, *C.shape))
    phi_1[:J] = variance * C @ np.tensordot(slopes, sums.FF[:, :-1, :-1], 1) @ C
    phi_1[J] = 2 * variance * C
    return SatterthwaiteParts(
        fixed=at.cross.fixed,
        phi=read_only(variance * C),
        phi_1=read_only(phi_1),
        hessian=read_only(here.joint_hessian),
    )


def kenward_roger_parts(at: Place) -> KenwardRogerParts:
    """Return the pieces of the Kenward-Roger adjustment; G is that of the working random effects.

    R: ``attr(pbkrtest::vcovAdj(m), "P")`` and ``"W"``, which is 2 `expected`^-1; no result depends on G's units.
    """
    layout = at.cross.layout
    Lambdas = factors_at(at.theta, at.where, layout)
    found, sums = eliminated(Lambdas, at.cross)
    M = sum((one.M for one in found), np.zeros_like(found[0].M))
    deltas, names = gamma_parameters(layout)
    G = np.concatenate([(Lambda @ Lambda.T).reshape(-1) for Lambda in Lambdas])

    # In units of sigma, D'Omega V_r Omega D, D'Omega V_r Omega V_s Omega D and tr(Omega V_r Omega V_s):
    first = np.tensordot(deltas, sums.FF, 1)
    second = np.einsum("rkxy,sk->rsxy", np.tensordot(deltas, sums.FPF, 1), deltas)
    traces = deltas @ sums.PP @ deltas.T
    inner = np.einsum("rkxy,k->rxy", np.tensordot(deltas, sums.FPF, 1), G)
    whole = np.tensordot(G, sums.FF, 1)
    twice = np.einsum("kxy,k->xy", np.tensordot(G, sums.FPF, 1), G)
    with_sigma = first - inner
    last = M - whole
    both = last - whole + twice
    n = at.cross.n_observations
    P_1 = deltas @ sums.P
    trace_mixed = P_1 - deltas @ sums.PP @ G
    trace_sigma = n - 2 * G @ sums.P + G @ sums.PP @ G

    M_1 = np.concatenate([first, last[None]])
    M_2 = _bordered(second, with_sigma, both)
    t = _bordered(traces[..., None, None], trace_mixed[:, None, None], np.array([[trace_sigma]]))[..., 0, 0]
    return linear_parts(
        (M_1, M_2, t),
        inverse=at.here.inverse,
        beta=at.here.beta,
        variance=at.here.sigma**2,
        fixed=at.cross.fixed,
        parameters=(*names, "sigma^2"),
    )


def _bordered(inside: Tensor, edge: Tensor, corner: Matrix) -> Tensor:
    """Return (r + 1, r + 1, c, c) of products of two derivatives, the last of them that in sigma^2.

    A product in the other order is the transpose.
    """
    r = len(edge)
    whole = np.empty((r + 1, r + 1, *corner.shape))
    whole[:r, :r] = inside
    whole[:r, r] = edge
    whole[r, :r] = edge.swapaxes(-1, -2)
    whole[r, r] = corner
    return whole
