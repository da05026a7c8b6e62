"""What inference, prediction and reports need of a fit, whichever of the engines made it."""

from collections.abc import Iterator
from typing import Protocol

from harness.arrays import Codes, Matrix, Vector
from harness.convergence import Convergence
from harness.lmm.design import LmmDesign
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts


class Fitted(Protocol):
    """A fit: of one grouping factor (`LmmFit`), of visits with a residual structure, or of crossed factors."""

    @property
    def convergence(self) -> Convergence:
        """How the search ended."""
        ...

    @property
    def deviance(self) -> float:
        """-2 log-likelihood, restricted under REML, with all constants."""
        ...

    @property
    def beta(self) -> Vector:
        """Coefficients of the design's columns (p,)."""
        ...

    def satterthwaite_parts(self) -> SatterthwaiteParts:
        """Return the derivatives that Satterthwaite's degrees of freedom need."""
        ...

    def kenward_roger_parts(self) -> KenwardRogerParts:
        """Return the pieces of the Kenward-Roger adjustment."""
        ...

    def marginal_covariances(self, design: LmmDesign) -> Iterator[tuple[Codes, Matrix]]:
        """Yield independent blocks of rows (n_i,) and their covariance V_i (n_i, n_i) in the user's units."""
        ...
