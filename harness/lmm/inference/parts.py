"""What an engine owes to inference on fixed effects: how their covariance depends on the covariance parameters.

p fixed effects, r covariance parameters. Matrices belong to working columns X fixed, so that nothing cancels: a
contrast l of the user's coefficients is fixed'l of the working ones, and a covariance C of those is fixed C fixed' in
the user's columns.
"""

from dataclasses import dataclass

from harness.arrays import Matrix, Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SatterthwaiteParts:
    """The covariance of the fixed effects as a function of the optimiser's own parameters, sigma among them.

    `fixed` (p, p); `phi` (p, p) is the covariance of the working coefficients and `phi_1` (r, p, p) its derivatives;
    `hessian` (r, r) is that of -2 log-likelihood with the fixed effects profiled out. Parameters
    may be in any units.
    """

    fixed: Matrix
    phi: Matrix
    phi_1: Tensor
    hessian: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KenwardRogerParts:
    """The pieces of Kenward and Roger (1997) in covariance parameters gamma, V = V(gamma), X the working columns.

    `phi` (p, p) = (X'V^-1 X)^-1; `P` (r, p, p) = -X'V^-1 V_r V^-1 X; `Q` (r, r, p, p) = X'V^-1 V_r V^-1 V_s V^-1 X, of
    which the symmetric part of each (p, p) is enough; `R` (r, r, p, p) = X'V^-1 V_rs V^-1 X, or None where V is linear
    in gamma. `expected` and `observed` (r, r) are twice the information of gamma in the restricted likelihood, so that
    2 expected^-1 is a covariance. `parameters` names gamma.
    """

    fixed: Matrix
    phi: Matrix
    P: Tensor
    Q: Tensor
    R: Tensor | None
    expected: Matrix
    observed: Matrix
    parameters: tuple[str, ...]
