"""A density without parameters: what is known of each subject's class from before."""

from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.gbtm.model import ClassDerivatives
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response

_SMALLEST = 1e-300  # a class that is never assigned as another one: no logarithm of 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownDensity:
    """log f_ig = log_table (K, N), fixed."""

    log_table: Matrix

    @property
    def response(self) -> Response:
        """Refuse: it has no rows."""
        raise TypeError("a known density has no rows")

    @property
    def n_free(self) -> int:
        """None."""
        return 0

    @property
    def places(self) -> tuple[Codes, ...]:
        """None, for each class."""
        return (np.empty(0, dtype=np.int64),) * len(self.log_table)

    @property
    def lower(self) -> Vector:
        """None."""
        return np.empty(0)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """None."""
        return ()

    def log_density(self, own: Matrix) -> Tensor:
        """Return the table for every start, (S, K, N)."""
        return np.broadcast_to(self.log_table, (len(own), *self.log_table.shape))

    def derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        """Return derivatives by no parameter, class by class."""
        S, K, N = weights.shape
        del own
        nothing = ClassDerivatives(scores=np.empty((S, 0, N)), curvature=np.empty((S, 0, 0)))
        return tuple(nothing for _ in range(K))

    def begin(self, weights: Tensor) -> Matrix:
        """Return empty vectors."""
        return np.empty((len(weights), 0))

    def m_step(self, weights: Tensor, own: Matrix) -> Matrix:  # noqa: ARG002 - one law for all densities
        """Return the empty vectors."""
        return own

    def simulate(self, own: Vector, classes: Codes, generator: np.random.Generator) -> Vector:
        """Refuse: it is what was seen, not a law."""
        del own, classes, generator
        raise TypeError("a known density draws nothing")

    def permuted(self, classes: Codes) -> "KnownDensity":
        """Return the density with its classes in another order."""
        return replace(self, log_table=read_only(self.log_table[classes]))

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:  # noqa: ARG002 - one law for all densities
        """Return the empty vectors."""
        return own

    def to_user(self, own: Vector) -> Vector:
        """Return the empty vector."""
        return own

    def from_user(self, values: Vector) -> Vector:
        """Return the empty vector."""
        return values

    def user_jacobian(self, own: Vector) -> Matrix:  # noqa: ARG002 - one law for all densities
        """Return the empty matrix."""
        return np.empty((0, 0))


def assigned_density(classification: Matrix, assigned: Codes) -> KnownDensity:
    """Return log D_(g, c_i), (K, N): how likely each subject's modal class is in each class.

    Parameters
    ----------
    classification : (K, K)
        D, rows of sum 1.
    assigned : (N,)
        Modal classes, from 0.
    """
    return KnownDensity(log_table=read_only(np.log(np.maximum(classification, _SMALLEST))[:, assigned]))
