"""Outcomes and their expectations given what was measured: Henderson's prediction, with its variances.

The mean of a row is X beta + Zb; its outcome is the mean plus a residual. Of beta only the estimate is known, so that
an error of prediction has two parts, one given beta and one from beta, with K = Cov(target, y) V^-1

    target - prediction = (target - X beta - K (y - X_o beta)) - (X - K X_o) (beta_hat - beta)

and the variance Var(target | y) + (X - K X_o) vcov (X - K X_o)'. This holds for subjects of the fit, whose outcomes
also made beta_hat, and for new ones, whose did not.

With Zb = F u and Var(e_o) = N, the random effects given y_o follow from the QR decomposition of [N^-1/2 F_o; I]:
nothing is subtracted, so that small variances keep their digits beside large ones.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector, read_only
from harness.lmm.inference.distributions import checked_level, t_quantile
from harness.lmm.prediction.distribution import Distribution, Loadings, noise_root
from harness.lmm.prediction.occasions import LARGEST_BLOCK, Occasions, batches


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """A prediction of k targets: `value` (k,), its variance given beta, and its variance with that of beta_hat."""

    value: Vector
    conditional_variance: Vector
    variance: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Of k rows the `mean`, X beta + Zb, and the `outcome` of a measurement there, each with its variances.

    Where residuals are independent both have the same expected value. Where they covary, an outcome is also predicted
    by the residuals of its subject at other visits; and the outcome of a row that was measured is what was measured.
    """

    mean: Expected
    outcome: Expected

    def table(self, level: float = 0.95, df: Vector | float = np.inf) -> pd.DataFrame:
        """Return mean and outcome of each row, with standard errors and intervals that include the error of beta_hat.

        `conditional_error` is the standard error of the mean given beta, the root of what ``postVar`` gives. Intervals
        cover with probability `level` and take t quantiles with `df` degrees of freedom, one for all or (k,); infinite
        ones are Wald's. None of them includes the uncertainty of the covariance parameters.

        Raises
        ------
        SpecError
            If the level is no number between 0 and 1.
        """
        quantile = t_quantile(checked_level(level, "prediction"), np.asarray(df, dtype=float))
        mean, outcome = (np.sqrt(one.variance) for one in (self.mean, self.outcome))
        return pd.DataFrame(
            {
                "mean": self.mean.value,
                "standard_error": mean,
                "conditional_error": np.sqrt(self.mean.conditional_variance),
                "lower": self.mean.value - quantile * mean,
                "upper": self.mean.value + quantile * mean,
                "outcome": self.outcome.value,
                "outcome_error": outcome,
                "outcome_lower": self.outcome.value - quantile * outcome,
                "outcome_upper": self.outcome.value + quantile * outcome,
            }
        )


def population(distribution: Distribution, at: Occasions) -> Prediction:
    """Return X beta of rows, and the outcome there of somebody of whom nothing is known."""
    value = at.X @ distribution.beta
    from_beta = _quadratic(at.X, distribution.vcov)
    spread = distribution.signal_variance(at) + distribution.residual_variance(at)
    return Prediction(
        mean=_expected(value, np.zeros(at.n_rows), from_beta), outcome=_expected(value, spread, from_beta)
    )


def posterior(distribution: Distribution, at: Occasions, *, asked: Mask) -> Prediction:
    """Return mean and outcome of the rows `asked`, in their order, given the outcomes of all others that have one.

    R: for subjects of the fit the values are ``predict(m, newdata)`` of lme4.
    """
    given, block = at.measured & ~asked, at.blocks()
    loadings = Loadings(distribution, at, block)
    mean, outcome = np.empty((3, at.n_rows)), np.empty((3, at.n_rows))
    own = distribution.residual_variance(at)
    for o, a in batches(block, (given, asked), np.inf if distribution.independent else LARGEST_BLOCK):
        F_o, F_a = loadings.of(o, a)
        known = Known(distribution, at, o, F_o)
        mean[:, a] = known.expected(at.X[a], F_a)
        if distribution.independent:
            outcome[:, a] = mean[:, a]
            outcome[1:, a] += own[a]
            continue
        shared = distribution.residual.covariance(at, a, o).transpose(0, 2, 1)
        through = known.inverse_noise(shared).transpose(0, 2, 1)
        left = own[a] - np.einsum("gao,goa->ga", through, shared)
        outcome[:, a] = known.expected(at.X[a], F_a - through @ F_o, through, np.maximum(left, 0.0))
    return Prediction(mean=_stacked(mean[:, asked]), outcome=_stacked(outcome[:, asked]))


class Known:
    """What the measured rows of g blocks say about their random effects u."""

    def __init__(self, distribution: Distribution, at: Occasions, rows: Codes, F: Tensor) -> None:
        self._distribution = distribution
        self._root = noise_root(distribution, at, rows)
        n, f = F.shape[1:]
        # X and y - X beta side by side: what is said of one is said of the other.
        self._Xr = np.concatenate([at.X[rows], (at.outcome[rows] - at.X[rows] @ distribution.beta)[:, :, None]], axis=2)
        identity = np.broadcast_to(np.eye(f), (len(F), f, f))
        Q, R = np.linalg.qr(np.concatenate([self._root.solve(F), identity], axis=1))
        self._spread = np.linalg.inv(R)  # Var(u | y) = R^-1 R^-T
        self._u = self._spread @ (Q[:, :n].transpose(0, 2, 1) @ self._root.solve(self._Xr))

    def inverse_noise(self, right: Tensor) -> Tensor:
        """Return N^-1 times what is on its right."""
        return self._root.solve_transposed(self._root.solve(right))

    def expected(self, X: Tensor, F: Tensor, through: Tensor | None = None, left: Matrix | float = 0.0) -> Tensor:
        """Return value, variance given beta and variance (3, g, a) of X beta + F u + through (y - X beta) + rest.

        `left` (g, a) is the variance of the rest, which is independent of all that was measured.
        """
        K = F @ self._u if through is None else F @ self._u + through @ self._Xr
        conditional = np.square(F @ self._spread).sum(axis=2) + left
        value = X @ self._distribution.beta + K[:, :, -1]
        return np.stack([value, conditional, conditional + _quadratic(X - K[:, :, :-1], self._distribution.vcov)])

    def random_effects(self, F: Tensor) -> tuple[Matrix, Tensor, Tensor]:
        """Return F u (g, a), its covariance given beta, and that of its error with beta_hat (g, a, a)."""
        K, spread = F @ self._u, F @ self._spread
        conditional = spread @ spread.transpose(0, 2, 1)
        from_beta = K[:, :, :-1] @ self._distribution.vcov @ K[:, :, :-1].transpose(0, 2, 1)
        return K[:, :, -1], conditional, conditional + from_beta


def _quadratic(X: Tensor, vcov: Matrix) -> Vector:
    """Return x' vcov x of every row x."""
    return np.asarray(np.einsum("...j,...j->...", X @ vcov, X))


def _expected(value: Vector, conditional: Vector, from_beta: Vector) -> Expected:
    return _stacked(np.stack([value, conditional, conditional + from_beta]))


def _stacked(rows: Matrix) -> Expected:
    return Expected(
        value=read_only(rows[0].copy()),
        conditional_variance=read_only(rows[1].copy()),
        variance=read_only(rows[2].copy()),
    )
