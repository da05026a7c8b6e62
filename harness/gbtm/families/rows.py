"""What every law of one row given its class must be able to say, so that one density serves all of them.

`eta` is the predictor of the mean (gaussian families: the mean itself, latent where it is censored; logit and beta: its
log-odds; counts: its logarithm), `zeta` that of a second parameter (log sigma; log-odds of an extra zero; logarithm of
the precision). Both are arrays whose last axis is the rows, such as (S, n) or (S, K, n); zeta may be anything that
broadcasts against eta, such as (S, 1), and is computed only once where it does not differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness.arrays import Mask, Tensor, Vector
from harness.errors import Problem

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowDerivatives:
    """First and second derivatives of the log density of each row, all of the shape of eta.

    The three by zeta are None if the family has no second parameter. Entries may be views that can't be written to.
    """

    d_eta: Tensor
    d2_eta: Tensor
    d_zeta: Tensor | None
    d_eta_zeta: Tensor | None
    d2_zeta: Tensor | None


class RowFamily(Protocol):
    """A family on given rows: it holds their outcomes (n,), and what depends on nothing but these."""

    @property
    def has_second(self) -> bool:
        """Whether there is a second parameter; if not, zeta is not looked at."""
        ...

    def log_density(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return the log density of each row with all constants, of the shape of eta."""
        ...

    def derivatives(self, eta: Tensor, zeta: Tensor | None) -> RowDerivatives:
        """Return the derivatives of the log density."""
        ...

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return the expected outcome, as it is observed."""
        ...

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:
        """Return a draw of each outcome, of the shape of eta."""
        ...

    def working_outcome(self) -> Vector:
        """Return the outcomes (n,) roughly on the scale of eta, finite at every value: good for starts alone."""
        ...

    def rough_second(self, eta: Tensor, weights: Tensor) -> Tensor:
        """Return one zeta a class (S, K) from predictors and weights of rows (S, K, n): good for starts alone."""
        ...

    def problems(self) -> Iterator[Problem]:
        """Yield what this family can't have among its rows, which are counted from 1; a missing outcome is none."""
        ...


def second(zeta: Tensor | None) -> Tensor:
    """Return zeta, which a family with a second parameter can't do without."""
    if zeta is None:
        raise TypeError("this family has a second parameter, and zeta is None")
    return zeta


def complaint(wrong: Mask, what: str, values: Vector, expected: str) -> Iterator[Problem]:
    """Yield one problem that names the first few of the rows that are wrong, with their values, if there are any."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        named = ", ".join(f"{row + 1} ({values[row]:g})" for row in rows[:_NAMED])
        more = ", ..." if len(rows) > _NAMED else ""
        yield Problem(found=f"{what} in {len(rows)} row(s): {named}{more}", expected=expected)
