"""Why an optimiser stopped, in words."""

from dataclasses import dataclass
from enum import StrEnum


class Stop(StrEnum):
    """The ways in which a search can end; `NEXT_STEP` says what a user does about each."""

    OPTIMUM = "optimum"
    SINGULAR = "singular optimum"
    BOUNDARY = "boundary"
    FLAT = "flat direction"
    SADDLE = "saddle"
    EMPTY_CLASS = "empty class"
    ITERATION_LIMIT = "iteration limit"
    REPORTED_FAILURE = "failure reported by the engine"


NEXT_STEP = {
    Stop.OPTIMUM: "Nothing to do.",
    Stop.SINGULAR: "Simplify the random effects, or report the fit as singular.",
    Stop.BOUNDARY: "Do not use Wald tests for the parameter at its boundary.",
    Stop.FLAT: "The data do not determine this direction; simplify the model.",
    Stop.SADDLE: "Report this as a bug of the optimiser, with the data.",
    Stop.EMPTY_CLASS: "Fit fewer classes.",
    Stop.ITERATION_LIMIT: "Raise the iteration limit, or rescale the data.",
    Stop.REPORTED_FAILURE: "Read the engine's own message.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """Where a search ended and how near that is to an optimum.

    `gradient` is the largest gradient of the log-likelihood in standard-error units (gradient times standard error of
    the parameter), `distance` the Newton estimate of the distance to the optimum in standard-error units,
    sqrt(g' I^-1 g); `smallest_eigenvalue` belongs to the information matrix scaled to a unit diagonal.
    Each is None where an engine does not tell.
    """

    stop: Stop
    message: str = ""
    iterations: int | None = None
    gradient: float | None = None
    distance: float | None = None
    smallest_eigenvalue: float | None = None

    @property
    def converged(self) -> bool:
        """Whether the search ended at a maximum: an inner one, a singular one, or one at a bound."""
        return self.stop in {Stop.OPTIMUM, Stop.SINGULAR, Stop.BOUNDARY}

    @property
    def next_step(self) -> str:
        """What a user does about it."""
        return NEXT_STEP[self.stop]
