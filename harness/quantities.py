"""The words that all engines share: a named number, and what one engine says about one case."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from harness.arrays import Matrix
from harness.convergence import Convergence

Value = float | int | bool | str
Point = tuple[float, ...]
"""Parameters at which an objective can be evaluated, in the layout that the model's spec documents."""


class Kind(StrEnum):
    """What sort of number a quantity is; this alone decides how it is judged."""

    EXACT = "exact"
    ALGEBRAIC = "algebraic"
    OBJECTIVE = "objective"
    OPTIMUM = "optimum"
    CURVATURE = "curvature"
    POSTERIOR = "posterior"
    STOCHASTIC = "stochastic"
    DIAGNOSTIC = "diagnostic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A named number with its uncertainty.

    A quantity of latent class g has a path that begins with `class[g].` and `latent_class` g, so that classes can be
    relabelled; both are None and absent for all others.
    """

    path: str
    kind: Kind
    value: Value
    standard_error: float | None = None
    latent_class: int | None = None

    def relabelled(self, permutation: Mapping[int, int]) -> "Quantity":
        """Return the same quantity with its latent class renamed."""
        if self.latent_class is None:
            return self
        label = permutation[self.latent_class]
        rest = self.path.split(".", 1)[1]
        return replace(self, path=f"class[{label}].{rest}", latent_class=label)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimumCovariance:
    """The covariance of the OPTIMUM quantities, from the information at the optimum; `paths` names rows and columns."""

    paths: tuple[str, ...]
    matrix: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEvidence:
    """What an engine says it was given, counted on its own side after it dropped what it drops.

    `outcome_sum` and `design_sums` (one per column, by name) are sums over the rows used, so that a lost row, a
    recoded level or a shuffled column shows without sending the data back. `echo_is_exact` says whether the columns
    came back from the engine bit for bit as they were sent; None where nothing was sent, or nothing sent back.
    """

    n_observations: int
    n_subjects: int
    outcome_sum: float
    design_sums: Mapping[str, float]
    echo_is_exact: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveValue:
    """The log-likelihood (restricted, under REML) that an engine computes at given parameters."""

    label: str
    point: Point
    log_likelihood: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an engine has no answer; `evidence` is what it printed last."""

    reason: Literal["absent", "crashed", "timeout", "refused", "stale"]
    sentence: str
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one engine says about one case.

    `objective` holds its log-likelihood at the probes it was asked for and, labelled "optimum", at its own optimum.
    `conventions` are sentences on what the decoder changed or what differs by definition.
    `not_given` maps the beginning of a path, or its end when it starts with ".", to the reason why this engine does not
    give such quantities.
    """

    engine: str
    source: Literal["computed", "live", "pinned"]
    versions: Mapping[str, str]
    evidence: InputEvidence | None = None
    quantities: tuple[Quantity, ...] = ()
    covariance: OptimumCovariance | None = None
    objective: tuple[ObjectiveValue, ...] = ()
    convergence: Convergence | None = None
    conventions: tuple[str, ...] = ()
    not_given: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: float | None = None
    failure: Failure | None = None

    def reason_not_given(self, path: str) -> str | None:
        """Return why this engine does not give the quantity, or None if it owes it."""
        for pattern, reason in self.not_given.items():
            if (pattern.startswith(".") and path.endswith(pattern)) or path.startswith(pattern):
                return reason
        return None
