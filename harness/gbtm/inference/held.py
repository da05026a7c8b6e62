"""The largest log-likelihood with one parameter held: Newton's method along the surface where it has its value.

The parameter is h(v), a function of the free vector v. Steps are taken in the plane that touches h = t, with the
curvature of the Lagrangian L - lambda (h - t), and are brought back onto the surface; where h is linear the two are one
(Nocedal & Wright 2006, sections 15.3 and 18.1). At the end lambda = dL / dt.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from harness.arrays import Matrix, Vector
from harness.gbtm.densities.random_effects import RandomEffectsDensity
from harness.gbtm.estimates import path_of
from harness.gbtm.inference.named_parameters import parameter_at
from harness.gbtm.mixture import Mixture, derivatives, e_step
from harness.gbtm.newton import NO_INFORMATION
from harness.gbtm.optima import undetermined

Coordinate = Literal["identity", "logarithm", "log-odds"]

_COORDINATES: dict[str, tuple[Coordinate, bool]] = {
    "log_odds": ("identity", True),
    "beta": ("identity", True),
    "common": ("identity", True),
    "zero": ("identity", True),
    "dropout": ("identity", True),
    "sigma": ("logarithm", True),
    "precision": ("logarithm", True),
    "scale": ("logarithm", True),
    "process": ("logarithm", True),
}
"""By role, on which scale a parameter is held, and whether that is linear in the free vector."""

_FLAT = 1e-7
_LONGEST = 1.0  # of a step, in working units
_UNRESOLVED = 1e-5  # standard errors; the log-likelihood changes by half the square of it
_FINISHED = 1e-8
_LEVEL = 1e-4  # standard errors; what is left to climb where the others, too, have no maximum
_STEPS = 100
_HALVINGS = 25
_RETURNS = 60
_ROUNDING = 1e-13
_DIFFERENCE = 1e-5
_NO_VARIANCE = 1e-10
_STIRRED = 1e-2
_FELT = 1e-2  # of the log-likelihood


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldParameter:
    """One parameter of a mixture as a function h of the free vector: shares by log-odds, positive ones by logarithm."""

    path: str
    place: int  # among class shares and parameters
    coordinate: Coordinate
    is_linear: bool
    mixture: Mixture

    @property
    def longest(self) -> float:
        """How far h may go at once: on the way of a logarithm others change by factors, too."""
        return np.inf if self.coordinate == "identity" else 2.0

    def user(self, h: float) -> float:
        """Return the parameter in the user's units; h may be infinite."""
        if self.coordinate == "identity":
            return h
        with np.errstate(over="ignore"):
            return float(expit(h) if self.coordinate == "log-odds" else np.exp(h))

    def of_user(self, value: float) -> float:
        """Return h of a value in the user's units."""
        if self.coordinate == "identity":
            return value
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(logit(value) if self.coordinate == "log-odds" else np.log(value))

    def at(self, vector: Vector) -> tuple[float, Vector]:
        """Return h and its gradient (P,)."""
        value, slope = parameter_at(self.place, vector, self.mixture)
        if self.coordinate == "identity":
            return value, slope
        return self.of_user(value), slope / (value * (1 - value) if self.coordinate == "log-odds" else value)

    def curvature(self, vector: Vector) -> Matrix:
        """Return the second derivatives (P, P) of h, by central differences of its gradient."""
        P = len(vector)
        if self.is_linear:
            return np.zeros((P, P))
        steps = _DIFFERENCE * np.eye(P)
        rows = np.array([self.at(vector + step)[1] - self.at(vector - step)[1] for step in steps]) / (2 * _DIFFERENCE)
        return (rows + rows.T) / 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """The best vector with h = `h`: its log-likelihood, dL / dh, and whether the search finished."""

    h: float
    vector: Vector
    log_likelihood: float
    slope: float
    finished: bool


def held_parameter(place: int, mixture: Mixture) -> HeldParameter:
    """Return a parameter by its number among class shares and parameters."""
    coordinate: Coordinate = "log-odds"
    is_linear, path = False, f"class[{place + 1}].share"
    if place >= mixture.n_classes:
        parameter = mixture.parameters[place - mixture.n_classes]
        path = path_of(parameter)
        is_variance = parameter.role == "covariance" and "var(" in parameter.name
        other: tuple[Coordinate, bool] = ("logarithm" if is_variance else "identity", False)
        coordinate, is_linear = _COORDINATES.get(parameter.role, other)
    return HeldParameter(path=path, place=place, coordinate=coordinate, is_linear=is_linear, mixture=mixture)


def beginning(vector: Vector, parameter: HeldParameter) -> Held:
    """Return the maximum, or its supremum, with a point nearby from which the parameter can be moved.

    Where a variance has vanished its logarithm can't move; there the factor of the covariance is stirred a little. Far
    out towards a maximum at infinity nothing has a slope; from there the vector comes back until it is felt.
    """
    mixture = parameter.mixture
    log_likelihood = float(e_step(vector[None], mixture)[1][0])
    vector = _nearer(vector, log_likelihood, mixture)
    value, _ = parameter_at(parameter.place, vector, mixture)
    if parameter.coordinate == "logarithm" and value < _NO_VARIANCE:
        vector = _stirred(vector, mixture)
    return Held(h=parameter.at(vector)[0], vector=vector, log_likelihood=log_likelihood, slope=0.0, finished=True)


def hold(h: float, parameter: HeldParameter, near: Vector) -> Held:
    """Return the largest log-likelihood with a parameter held.

    Parameters
    ----------
    h
        Its value, on the scale of the parameter's `coordinate`.
    parameter
        Which.
    near
        Where to begin: the best vector with a value near it.
    """
    mixture = parameter.mixture
    vector = _onto(h, parameter, near)
    here = Held(h=h, vector=vector, log_likelihood=-np.inf, slope=0.0, finished=False)
    for _ in range(_STEPS):
        found = derivatives(vector[None], mixture)
        log_likelihood, score = float(found.log_likelihood[0]), found.score[0]
        _, g = parameter.at(vector)
        slope = float(g @ score / (g @ g))
        N = np.linalg.qr(g[:, None], mode="complete")[0][:, 1:]
        B = N.T @ (found.information[0] + slope * parameter.curvature(vector)) @ N
        step, distance = _step(B, N.T @ score)
        here = replace(here, vector=vector, log_likelihood=log_likelihood, slope=slope)
        if distance < _FINISHED or (distance < _LEVEL and np.abs(np.linalg.eigvalsh(B)[0]) <= NO_INFORMATION):
            return replace(here, finished=True)
        moved = _moved(here, N @ step, distance, parameter)
        if moved is None:
            return replace(here, finished=distance < _UNRESOLVED)
        vector = moved
    return here


def _step(B: Matrix, score: Vector) -> tuple[Vector, float]:
    """Return the Newton step, uphill whatever the signs of the eigenvalues, and the distance in standard errors."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(B)), 1e-12))
    eigenvalues, Q = np.linalg.eigh(B / np.outer(scale, scale))
    size = np.maximum(np.abs(eigenvalues), _FLAT)
    along = Q.T @ (score / scale)
    return Q @ (along / size) / scale, float(np.sqrt(np.sum(along**2 / size)))


def _moved(here: Held, step: Vector, distance: float, parameter: HeldParameter) -> Vector | None:
    mixture = parameter.mixture
    step = step * min(1.0, _LONGEST / max(float(np.abs(step).max(initial=0.0)), 1e-300))
    for _ in range(_HALVINGS):
        trial = _onto(here.h, parameter, np.maximum(here.vector + step, mixture.lower))
        if np.isfinite(trial).all():
            reached = float(e_step(trial[None], mixture)[1][0])
            if reached > here.log_likelihood or (distance < _UNRESOLVED and np.isfinite(reached)):
                return trial
        step = step / 2
    return None


def _onto(h: float, parameter: HeldParameter, vector: Vector) -> Vector:
    """Return the vector brought to h along the gradient."""
    for _ in range(_RETURNS):
        value, g = parameter.at(vector)
        if parameter.is_linear:
            return np.asarray(vector + g * ((h - value) / (g @ g)))
        # A logarithm that is to fall by more than 2 sends what it is the logarithm of beyond zero.
        vector = vector + g * (np.clip(h - value, -1.0, 1.0) / (g @ g))
        if abs(h - value) <= _ROUNDING * (1 + abs(h)):
            break
    return vector


def _nearer(vector: Vector, log_likelihood: float, mixture: Mixture) -> Vector:
    """Return the vector with its part along undetermined directions cut until the log-likelihood has felt it."""
    directions = undetermined(vector, mixture)
    along = directions @ (directions.T @ vector)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS if directions.size else 0):
        share = (low + high) / 2
        reached = float(e_step((vector - share * along)[None], mixture)[1][0])
        low, high = (share, high) if log_likelihood - reached < _FELT else (low, share)
    return vector - low * along


def _stirred(vector: Vector, mixture: Mixture) -> Vector:
    moved = vector.copy()
    for density, part in zip(mixture.densities, mixture.parts, strict=True):
        if isinstance(density, RandomEffectsDensity):
            diagonal = [k for k, (c, d) in enumerate(density.covariance.factor.pairs) if c == d]
            moved[part.start + density.layout.factors.start + np.array(diagonal)] += _STIRRED
    return moved
