"""Kenward and Roger's pieces where V is linear in its parameters, from products that every such engine has."""

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.lmm.inference.parts import KenwardRogerParts


def linear_parts(
    sums: tuple[Tensor, Tensor, Matrix],
    *,
    inverse: Matrix,
    beta: Vector,
    variance: float,
    fixed: Matrix,
    parameters: tuple[str, ...],
) -> KenwardRogerParts:
    """Return the pieces in r parameters gamma, the derivatives V_r of V in which do not depend on them.

    Parameters
    ----------
    sums : (r, c, c), (r, r, c, c), (r, r)
        D'Omega V_r Omega D, D'Omega V_r Omega V_s Omega D and tr(Omega V_r Omega V_s), Omega = (V/sigma^2)^-1, of the
        columns D = [working columns of X, residual]; of the second, either the products or their symmetric parts.
    inverse, beta : (p, p), (p,)
        (X'Omega X)^-1 and the coefficients of the working columns.
    variance
        sigma^2, which the sums are free of.
    fixed, parameters
        As in `KenwardRogerParts`.
    """
    M_1, M_2, traces = sums
    r = len(M_1)
    v = np.append(-beta, 1.0)
    P, Q = -M_1[:, :-1, :-1], M_2[:, :, :-1, :-1]
    CP = inverse @ P
    trace_Q = np.tensordot(Q, inverse, 2)
    trace_PP = CP.reshape(r, -1) @ CP.swapaxes(-1, -2).reshape(r, -1).T
    Mv = M_1 @ v
    # Second derivatives of v'D'V^-1 Dv, beta profiled out; Q and its transpose are both orders of r and s.
    residual_2 = 2 * ((M_2 @ v) @ v - Mv[:, :-1] @ inverse @ Mv[:, :-1].T) / variance
    return KenwardRogerParts(
        fixed=fixed,
        phi=read_only(variance * inverse),
        P=read_only(P / variance**2),
        Q=read_only(Q / variance**3),
        R=None,
        expected=read_only((traces - 2 * trace_Q + trace_PP) / variance**2),
        observed=read_only((residual_2 - traces + 2 * trace_Q - trace_PP) / variance**2),
        parameters=parameters,
    )
