"""How much a model explains: variance by component, R2 and intraclass correlation.

Nakagawa & Schielzeth (2013), and Johnson (2014) for random slopes: the variance of a random part is the mean over rows
of Var(z'b), so that it does not depend on the origin of time, where the intercept's variance alone does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Matrix, Vector
from harness.lmm.prediction.distribution import Distribution
from harness.lmm.prediction.occasions import Occasions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explained:
    """The variance of an outcome by component, averaged over the rows of the fit.

    `fixed` is the variance of X beta over rows (divisor n - 1, as in R); `random` the mean of Var(z'b) over rows for
    each of `groupings`; `residual` the mean of Var(e). `undefined` names what has no value here, and why.
    """

    groupings: tuple[str, ...]
    fixed: float
    random: Vector
    residual: float
    intraclass: Vector
    at: tuple[str, ...]
    undefined: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum of all components."""
        return self.fixed + float(self.random.sum()) + self.residual

    @property
    def marginal_r2(self) -> float:
        """The share of the fixed effects. R: ``MuMIn::r.squaredGLMM(m)[, "R2m"]``."""
        return self.fixed / self.total

    @property
    def conditional_r2(self) -> float | None:
        """The share of fixed and random effects, None where residuals covary. R: the same function's "R2c"."""
        return None if self.undefined else (self.fixed + float(self.random.sum())) / self.total

    def table(self) -> pd.DataFrame:
        """Return one row a component: variance, share of the total, and intraclass correlation with where it holds."""
        n = len(self.groupings)
        variances = [self.fixed, *self.random.tolist(), self.residual]
        return pd.DataFrame(
            {
                "component": ["fixed effects", *self.groupings, "residual"],
                "variance": variances,
                "share": [variance / self.total for variance in variances],
                "intraclass_correlation": [np.nan, *self.intraclass.tolist(), np.nan],
                "at": ["", *(self.at if n else ()), ""],
            }
        )


def explained(
    distribution: Distribution, at: Occasions, *, groupings: Sequence[str], names: Sequence[Sequence[str]]
) -> Explained:
    """Return variances by component; `groupings` and `names` are those of the random parts and of their columns.

    The intraclass correlation of a grouping factor is the correlation of two outcomes of one level, at rows whose
    random slopes all stand at their means: z'Gz / (sum over parts of z'Gz + Var(e)), `at` says where that is. With
    intercepts only it holds everywhere.
    """
    centres = [part.Z.mean(axis=0) for part in at.random]
    signals = np.array([float(z @ G @ z) for z, G in zip(centres, distribution.random_cov, strict=True)])
    residual = float(distribution.residual_variance(at).mean())
    undefined = () if distribution.independent else (_CONDITIONAL, _INTRACLASS)
    return Explained(
        groupings=tuple(groupings),
        fixed=float(np.var(at.X @ distribution.beta, ddof=1)),
        random=np.array(
            [_mean_variance(part.Z, G) for part, G in zip(at.random, distribution.random_cov, strict=True)]
        ),
        residual=residual,
        intraclass=signals / (signals.sum() + residual) if distribution.independent else np.full(len(signals), np.nan),
        at=tuple(_place(own, z, part.Z) for own, z, part in zip(names, centres, at.random, strict=True)),
        undefined=undefined,
    )


_CONDITIONAL = "Conditional R2: residuals of a subject covary, so that part of them is the subject's own."
_INTRACLASS = "Intraclass correlation: it differs between pairs of visits; read the covariance of residuals."


def _mean_variance(Z: Matrix, G: Matrix) -> float:
    return float(np.einsum("ij,jk,ik->", Z, G, Z)) / len(Z)


def _place(names: Sequence[str], centre: Vector, Z: Matrix) -> str:
    """Return in words where the random slopes of a part stand."""
    varying = [
        f"{name} = {value:.6g}" for name, value, column in zip(names, centre, Z.T, strict=True) if np.ptp(column) > 0
    ]
    return ", ".join(varying) or "everywhere"
