"""A density whose classes are those of a finer class variable, several of which share one."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.gbtm.model import ClassDensity, ClassDerivatives
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response


@dataclass(frozen=True, kw_only=True, eq=False)
class Tied:
    """Cells c = 0..C-1 of a finer class variable; cell c has the density of class classes[c] of `inner`.

    Its own vector is that of `inner`. S starts, N subjects.
    """

    inner: ClassDensity
    classes: Codes

    @property
    def response(self) -> Response:
        """Of the inner density, whose classes it has."""
        return self.inner.response

    @property
    def n_free(self) -> int:
        """Those of the inner density."""
        return self.inner.n_free

    @cached_property
    def places(self) -> tuple[Codes, ...]:
        """Of the class of each cell."""
        return tuple(self.inner.places[g] for g in self.classes)

    @property
    def lower(self) -> Vector:
        """Those of the inner density."""
        return self.inner.lower

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the inner density, with its classes."""
        return self.inner.parameters

    @cached_property
    def layers(self) -> tuple[Codes, ...]:
        """Sets of cells that cover all of them, each with no class twice."""
        number = np.array([np.sum(self.classes[:c] == g) for c, g in enumerate(self.classes)])
        return tuple(np.flatnonzero(number == layer) for layer in range(number.max() + 1))

    def log_density(self, own: Matrix) -> Tensor:
        """Return log f of each cell, (S, C, N)."""
        return self.inner.log_density(own)[:, self.classes]

    def derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        """Return the derivatives cell by cell."""
        found: dict[int, ClassDerivatives] = {}
        for cells in self.layers:
            by_class = np.zeros((len(own), len(self.inner.places), weights.shape[2]))
            by_class[:, self.classes[cells]] = weights[:, cells]
            inner = self.inner.derivatives(own, by_class)
            found |= {int(c): inner[self.classes[c]] for c in cells}
        return tuple(found[c] for c in range(len(self.classes)))

    def begin(self, weights: Tensor) -> Matrix:
        """Return what the inner density begins with."""
        return self.inner.begin(self.by_class(weights))

    def m_step(self, weights: Tensor, own: Matrix) -> Matrix:
        """Return the M-step of the inner density."""
        return self.inner.m_step(self.by_class(weights), own)

    def by_class(self, weights: Tensor) -> Tensor:
        """Return the sums over the cells of each class, from (S, C, N) to (S, classes, N)."""
        is_of = (self.classes == np.arange(len(self.inner.places))[:, None]).astype(np.float64)
        return np.asarray(np.einsum("gc,scn->sgn", is_of, weights))

    def simulate(self, own: Vector, classes: Codes, generator: np.random.Generator) -> Vector:
        """Return an outcome for each row, given each subject's cell."""
        return self.inner.simulate(own, self.classes[classes], generator)

    def permuted(self, classes: Codes) -> "Tied":
        """Return the density with its cells in another order; the inner classes stay."""
        return replace(self, classes=read_only(self.classes[classes]))

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:  # noqa: ARG002 - the inner classes stay
        """Return its own vectors as they are."""
        return own

    def to_user(self, own: Vector) -> Vector:
        """Return the inner density's parameters in the user's units."""
        return self.inner.to_user(own)

    def from_user(self, values: Vector) -> Vector:
        """Return the inner density's own vector."""
        return self.inner.from_user(values)

    def user_jacobian(self, own: Vector) -> Matrix:
        """Return d to_user / d own."""
        return self.inner.user_jacobian(own)


def untied(density: ClassDensity) -> ClassDensity:
    """Return the density within a tied one; any other as it is."""
    return density.inner if isinstance(density, Tied) else density
