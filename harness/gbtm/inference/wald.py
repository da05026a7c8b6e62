"""Wald's test of linear hypotheses on the parameters of a trajectory model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from harness.arrays import Matrix, Vector, read_only
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.inference.hypotheses import Hypothesis, linear_hypotheses
from harness.gbtm.inference.named_parameters import named_parameters
from harness.gbtm.uncertainty import CovarianceKind

_REDUNDANT = float(np.sqrt(np.finfo(float).eps))
"""Eigenvalues of the correlation of the sums below this share of the largest are those of redundant ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WaldTest:
    """Whether r weighted sums of parameters are all zero.

    `chi_square` is the Wald statistic, referred to the chi-square distribution with `df`, the rank of the sums. It is
    NaN, and so is p, where `remarks` say that the parameters have no standard errors.
    """

    hypotheses: tuple[str, ...]
    estimates: Vector
    standard_errors: Vector
    chi_square: float
    df: int
    p: float
    kind: CovarianceKind
    remarks: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return one row a sum: estimate and standard error."""
        return pd.DataFrame(
            {
                "hypothesis": self.hypotheses,
                "estimate": self.estimates,
                "standard_error": self.standard_errors,
            }
        )


def wald(
    fit: GbtmFit,
    design: GbtmDesign,
    hypothesis: Hypothesis | Sequence[Hypothesis],
    kind: CovarianceKind = "observed information",
) -> WaldTest:
    """Return the test that parameters are zero, or equal, or that weighted sums of them are zero.

    Parameters
    ----------
    fit, design
        Of one model.
    hypothesis
        Such as "membership[age]" (in no class a risk factor), "class[1].beta[week] = class[2].beta[week]", or
        {"class[1].share": 1, "class[2].share": -2}; several together are tested at once.
    kind
        Of the covariance: "observed information", or "sandwich".

    Raises
    ------
    SpecError
        For unknown paths and for sums of nothing. R: ``lcmm::WaldMult(m, contrasts)``.
    """
    parameters = named_parameters(fit, design, kind)
    asked = linear_hypotheses(hypothesis, parameters)
    weights = asked.weights
    estimates = weights @ parameters.estimates
    remarks = []
    if parameters.covariance is None:
        remarks.append(parameters.refusal)
    lost = np.any(weights[:, parameters.without_maximum], axis=1)
    if lost.any():
        sums = "; ".join(words for words, wrong in zip(asked.words, lost, strict=True) if wrong)
        remarks.append(
            f"No test: {sums} depends on parameters that have no maximum, or on a variance that vanished. "
            "Use a likelihood-ratio test or profile_interval()."
        )
    if remarks or parameters.covariance is None:
        return _refused(asked.words, estimates, kind, tuple(remarks))
    slopes = weights @ parameters.slopes
    V = slopes @ parameters.covariance @ slopes.T
    chi_square, df = _quadratic(estimates, V)
    return WaldTest(
        hypotheses=asked.words,
        estimates=read_only(estimates),
        standard_errors=read_only(np.sqrt(np.diag(V))),
        chi_square=chi_square,
        df=df,
        p=float(chi2.sf(chi_square, df)),
        kind=kind,
        remarks=(),
    )


def _quadratic(estimates: Vector, V: Matrix) -> tuple[float, int]:
    """Return estimates' V^- estimates and the rank of V, free of the units of the sums."""
    errors = np.sqrt(np.maximum(np.diag(V), 0.0))
    inverse = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0)
    eigenvalues, axes = np.linalg.eigh(inverse[:, None] * V * inverse)
    kept = eigenvalues > _REDUNDANT * eigenvalues[-1]
    along = axes[:, kept].T @ (inverse * estimates)
    return float(np.sum(along**2 / eigenvalues[kept])), int(kept.sum())


def _refused(
    hypotheses: tuple[str, ...], estimates: Vector, kind: CovarianceKind, remarks: tuple[str, ...]
) -> WaldTest:
    return WaldTest(
        hypotheses=hypotheses,
        estimates=read_only(estimates),
        standard_errors=read_only(np.full(len(estimates), np.nan)),
        chi_square=float("nan"),
        df=0,
        p=float("nan"),
        kind=kind,
        remarks=remarks,
    )
