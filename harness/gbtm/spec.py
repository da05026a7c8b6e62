"""Which group-based trajectory model: outcome, time, polynomial orders by class, and how it is searched."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["gaussian"]
Sigma = Literal["shared", "class"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GbtmSpec:
    """A mixture of polynomial regressions on time, one class a subject, rows independent within class.

    `orders` says which polynomial orders there are, not which class gets which: unequal orders are tried in every
    distinct assignment, and a fit tells what each class got. At a given point they are meant in the order written.

    Its `Point`, for K classes, is: the K-1 log-odds of classes 1..K-1 against class K; the coefficients of raw powers
    of time, class by class, lowest power first; sigma (one value if shared, else K values).
    """

    outcome: str
    time: str
    subject: str
    orders: tuple[int, ...]
    family: Family = "gaussian"
    sigma: Sigma = "shared"
    n_starts: int = 100
    seed: int = 1

    @property
    def n_classes(self) -> int:
        """How many latent classes."""
        return len(self.orders)
