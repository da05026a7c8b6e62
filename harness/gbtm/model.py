"""What every part of a mixture must be able to say, so that one engine serves all of them.

S starts at a time, K classes, N subjects; all in working units. A *density* is the law of what was seen of a subject
given its class: an outcome over the visits, or whether the subject dropped out. It has parameters of its own, a vector
of `n_free` numbers, some of one class, some shared by classes.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassDerivatives:
    """First and second derivatives of log f_ig of one class g by the parameters at `ClassDensity.places[g]`.

    Attributes
    ----------
    scores : (S, P_g, N)
        d log f_ig, by subject.
    curvature : (S, P_g, P_g)
        sum_i weight_ig d2 log f_ig, with the weights that were given.
    """

    scores: Tensor
    curvature: Tensor


class ClassDensity(Protocol):
    """The law of what was seen of each subject, given its class."""

    @property
    def response(self) -> Response:
        """The rows and columns of its predictor; the coefficients come first in its own vector."""
        ...

    @property
    def n_free(self) -> int:
        """How many parameters of its own it has."""
        ...

    @property
    def places(self) -> tuple[Codes, ...]:
        """Which of its own parameters the density of each class depends on, (P_g,); coefficients first."""
        ...

    @property
    def lower(self) -> Vector:
        """Lower bounds of its own parameters, (n_free,); -inf where there is none."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What its parameters are in the user's units, (n_free,), in the order of `to_user`."""
        ...

    def log_density(self, own: Matrix) -> Tensor:
        """Return log f_ig, (S, K, N), with all constants and in the user's units, at its own parameters (S, n_free)."""
        ...

    def derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        """Return the derivatives class by class; `weights` (S, K, N) are those of the curvature."""
        ...

    def begin(self, weights: Tensor) -> Matrix:
        """Return parameters (S, n_free) to begin with, from weights of the classes (S, K, N) alone."""
        ...

    def m_step(self, weights: Tensor, own: Matrix) -> Matrix:
        """Return parameters that do not lower sum_ig weight_ig log f_ig."""
        ...

    def simulate(self, own: Vector, classes: Codes, generator: np.random.Generator) -> Vector:
        """Return an outcome for each row of `response`, (n,), in the user's units, given each subject's class (N,)."""
        ...

    def permuted(self, classes: Codes) -> Self:
        """Return the density whose class g is class classes[g] of this one."""
        ...

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:
        """Return the parameters (S, n_free) of `permuted(classes)` that give the same density."""
        ...

    def to_user(self, own: Vector) -> Vector:
        """Return its parameters in the user's units, (n_free,)."""
        ...

    def from_user(self, values: Vector) -> Vector:
        """Return the working parameters of values in the user's units."""
        ...

    def user_jacobian(self, own: Vector) -> Matrix:
        """Return d to_user / d own, (n_free, n_free)."""
        ...
