"""Estimates from imputed scores: changes, their difference between protocols, and response, pooled by Rubin's rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from harness.arrays import Mask, Matrix, Tensor, Vector
from harness.scoring import ImprovementRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """An estimate from several imputations by Rubin's rules, with its t test against zero."""

    estimate: float
    standard_error: float
    lower: float
    upper: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ends:
    """First and last scores of patients with the missing ones drawn, and who has no last score of their own.

    Attributes
    ----------
    first, last : (draws, n)
        Scores.
    missing : (n,)
        Whose last score was drawn.
    """

    first: Matrix
    last: Matrix
    missing: Mask

    @property
    def n_missing(self) -> int:
        """How many last scores were drawn."""
        return int(self.missing.sum())

    def change(self, delta: float) -> Matrix:
        """Return changes (draws, n), with `delta` points more on every last score that was drawn."""
        return np.asarray(self.last + delta * self.missing - self.first)


def ends_at(filled: Tensor, scores: Matrix, visit: int) -> Ends:
    """Return first scores and those at a visit, of imputations (draws, n, q) of scores (n, q)."""
    return Ends(first=filled[:, :, 0], last=filled[:, :, visit], missing=np.isnan(scores[:, visit]))


def joined(groups: Sequence[Ends]) -> Ends:
    """Return patients of several groups as one."""
    return Ends(
        first=np.concatenate([one.first for one in groups], axis=1),
        last=np.concatenate([one.last for one in groups], axis=1),
        missing=np.concatenate([one.missing for one in groups]),
    )


def pooled(estimates: Vector, variances: Vector, df: float = np.inf) -> Pooled:
    """Return estimates (m,) with variances (m,) as one (Rubin 1987; df of Barnard & Rubin 1999).

    Parameters
    ----------
    estimates, variances
        Of each imputation.
    df
        Degrees of freedom if no score were missing. In R ``mice::pool.scalar(estimates, variances, n)``.
    """
    m = len(estimates)
    within, between = float(variances.mean()), float(estimates.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    old = (m - 1) / share**2 if share > 0 else np.inf
    observed = df if np.isinf(df) else (df + 1) / (df + 3) * df * (1 - share)
    nu = 1 / (1 / old + 1 / observed) if np.isfinite(old) or np.isfinite(observed) else np.inf
    estimate, error = float(estimates.mean()), float(np.sqrt(total))
    half = float(student.ppf(0.975, nu)) * error
    p = 2 * float(student.sf(abs(estimate) / error, nu))
    return Pooled(estimate=estimate, standard_error=error, lower=estimate - half, upper=estimate + half, p=p)


def mean_change(ends: Ends, delta: float) -> Pooled:
    """Return the mean change, with `delta` points more on every last score that was drawn."""
    change = ends.change(delta)
    n = change.shape[1]
    return pooled(change.mean(axis=1), change.var(axis=1, ddof=1) / n, n - 1.0)


def difference_of_changes(reference: Ends, other: Ends, deltas: tuple[float, float]) -> Pooled:
    """Return the mean change of one group less that of the reference, each with points of its own."""
    changes = [ends.change(delta) for ends, delta in zip((reference, other), deltas, strict=True)]
    variances = [change.var(axis=1, ddof=1) / change.shape[1] for change in changes]
    df = float(sum(change.shape[1] for change in changes) - 2)
    return pooled(changes[1].mean(axis=1) - changes[0].mean(axis=1), variances[0] + variances[1], df)


def response_rate(ends: Ends, delta: float, rule: ImprovementRule) -> float:
    """Return the mean share of responders, with `delta` points more on every last score that was drawn.

    Undefined baselines are left out. Shares are compared without division, as in the scoring of ratings.
    """
    defined = (ends.first > 0) & (ends.first >= float(rule.min_baseline))
    responded = -rule.response.denominator * ends.change(delta) >= rule.response.numerator * ends.first
    return float((responded & defined).sum() / defined.sum())
