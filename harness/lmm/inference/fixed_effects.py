"""The fixed effects of a fit under one method for degrees of freedom: all that tests and intervals need."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector
from harness.convergence import Stop
from harness.lmm.design import LmmDesign
from harness.lmm.fitted import Fitted
from harness.lmm.inference.degrees import Degrees, FixedDegrees
from harness.lmm.inference.kenward_roger import KenwardRoger, kenward_roger
from harness.lmm.inference.methods import Method, MethodName, checked_method
from harness.lmm.inference.satterthwaite import Satterthwaite, satterthwaite

# Of the sum of the absolute products: what rounding leaves of an estimable contrast along the null space.
_ESTIMABLE = 1e-8

_MOVES_FREELY = "the adjustment lets its covariance move freely around the boundary"
_AT_A_SINGULAR_FIT = {
    "satterthwaite": "covariance parameters that vanished count as known",
    "kenward-roger": _MOVES_FREELY,
    "kenward-roger-observed": _MOVES_FREELY,
    "kenward-roger-observed-linear": _MOVES_FREELY,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedEffects:
    """Estimates `beta` (p,) of the columns that were kept, and how contrasts of them are tested.

    `names` are all columns of the formula, `kept` (p,) the places of those that are not aliased, `null_space` (all, k)
    the directions that the data do not see. `working` (p, p) carries contrasts to the engine's columns: l becomes
    l `working`. `remarks` are sentences on what to know before any result is believed.
    """

    names: tuple[str, ...]
    kept: Codes
    null_space: Matrix
    beta: Vector
    working: Matrix
    degrees: Degrees
    method: Method
    remarks: tuple[str, ...] = ()

    @property
    def vcov(self) -> Matrix:
        """The covariance (p, p) of `beta` under the method, adjusted by Kenward and Roger's."""
        return np.asarray(self.working @ self.degrees.covariance @ self.working.T)

    def estimable(self, contrasts: Matrix) -> Mask:
        """Return which contrasts (k, all) the data determine: those orthogonal to the null space of the design."""
        if not self.null_space.shape[1]:
            return np.ones(len(contrasts), dtype=bool)
        size = np.abs(contrasts) @ np.abs(self.null_space)
        return np.asarray(np.all(np.abs(contrasts @ self.null_space) <= _ESTIMABLE * size, axis=1))


def fixed_effects(fit: Fitted, design: LmmDesign, method: str = "satterthwaite") -> FixedEffects:
    """Return the fixed effects of a fit, ready for contrasts, tables and F tests by one method.

    Methods: "satterthwaite"; "kenward-roger" with the expected information (pbkrtest's); "kenward-roger-observed" with
    the observed one and second derivatives of V (SAS); "kenward-roger-observed-linear" without them (mmrm's linear
    one); "residual", n - p; "wald", infinite.

    Raises
    ------
    SpecError
        If there is no such method, or if Kenward-Roger is asked of an ML fit.
    """
    name = checked_method(method, design.criterion)
    degrees: Degrees
    if name.startswith("kenward-roger"):
        adjusted = fit.kenward_roger_parts()
        working = adjusted.fixed
        observed, second = name != "kenward-roger", name == "kenward-roger-observed"
        degrees = kenward_roger(adjusted, observed=observed, second_order=second)
        words, remarks = _kenward_roger_method(name, adjusted.parameters, linear=adjusted.R is None), _doubts(degrees)
    else:
        parts = fit.satterthwaite_parts()
        working = parts.fixed
        if name == "satterthwaite":
            degrees = satterthwaite(parts)
            words, remarks = _satterthwaite_method(), _flat_directions(degrees)
        else:
            df = float(design.n_observations - design.n_fixed) if name == "residual" else float("inf")
            degrees, words, remarks = FixedDegrees(covariance=parts.phi, df=df), _plain_method(name), ()
    return effects_of(fit, design, working=working, degrees=degrees, method=words, remarks=remarks)


def effects_of(
    fit: Fitted,
    design: LmmDesign,
    *,
    working: Matrix,
    degrees: Degrees,
    method: Method,
    remarks: tuple[str, ...] = (),
) -> FixedEffects:
    """Return the fixed effects of a fit under any method."""
    return FixedEffects(
        names=design.all_names,
        kept=design.kept,
        null_space=design.null_space,
        beta=fit.beta,
        working=working,
        degrees=degrees,
        method=method,
        remarks=(*_on_the_fit(fit, method.name), *remarks),
    )


def _plain_method(name: MethodName) -> Method:
    return Method(name=name, information="none", order="none", parametrisation="none")


def _satterthwaite_method() -> Method:
    return Method(
        name="satterthwaite",
        information="observed",
        order="first order",
        parametrisation="any parameters, with the same result",
    )


def _kenward_roger_method(name: MethodName, parameters: tuple[str, ...], *, linear: bool) -> Method:
    listed = ", ".join(parameters)
    second = name == "kenward-roger-observed" and not linear
    return Method(
        name=name,
        information="expected" if name == "kenward-roger" else "observed",
        order="second order" if second else "linear",
        parametrisation=listed if second else f"{listed}, or any other parameters with the same result",
    )


def _on_the_fit(fit: Fitted, name: str) -> tuple[str, ...]:
    convergence = fit.convergence
    if convergence.stop is Stop.SINGULAR:
        return (f"The fit is singular: {_AT_A_SINGULAR_FIT.get(name, 'its covariance lies on a boundary')}.",)
    return () if convergence.converged else (f"The fit is no optimum: {convergence.message}",)


def _flat_directions(degrees: Satterthwaite) -> tuple[str, ...]:
    if degrees.ignored == 0:
        return ()
    directions = _counted(degrees.ignored)
    return (f"The likelihood is flat or falls in {directions} of the covariance parameters, taken as known.",)


def _doubts(degrees: KenwardRoger) -> tuple[str, ...]:
    found = []
    if degrees.ignored:
        found.append(f"The information is singular in {_counted(degrees.ignored)}, taken as known.")
    if not degrees.definite:
        found.append("The information is not positive definite, so that the adjustment may go either way.")
    return tuple(found)


def _counted(directions: int) -> str:
    return "1 direction" if directions == 1 else f"{directions} directions"
