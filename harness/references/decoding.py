"""What a decoder is, and the parts of R's answers that all decoders read alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence
from harness.quantities import InputEvidence, OptimumCovariance, Point, Quantity
from harness.references.requests import Request

Answered = Mapping[str, Any]


class Estimates(Protocol):
    """Numbers by name, such as `LmmEstimates`, `GbtmEstimates`, or tests of fixed effects."""

    def quantities(self) -> tuple[Quantity, ...]:
        """Return every number by path."""
        ...

    def optimum_covariance(self) -> OptimumCovariance | None:
        """Return the joint covariance of the OPTIMUM quantities, if the engine gives one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """An R engine's fit in our words. `optimum` is None where its parameters can't be written as a `Point`.

    `reached` is R's log-likelihood there, for an engine that has no function to evaluate it at a point.
    """

    estimates: Estimates
    optimum: Point | None
    evidence: InputEvidence
    convergence: Convergence
    reached: float | None = None


class Decoder(Protocol):
    """Everything that differs between R's engines: what they can do, and how their answers read in our words."""

    name: str

    def support(self, spec: Spec) -> Support:
        """Return what the engine can do with the model."""
        ...

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        ...

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return R's fit in our words."""
        ...

    def log_likelihood(self, value: float, n_observations: int) -> float:
        """Return R's log-likelihood with the constants that ours has."""
        ...

    def can_evaluate(self, point: Point, spec: Spec) -> bool:
        """Return whether the engine's model family contains the point."""
        ...

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return what the decoder changed and what differs by definition."""
        ...

    def not_given(self, spec: Spec) -> Mapping[str, str]:
        """Return which quantities the engine does not give, and why (see `Reading`)."""
        ...


def input_evidence(answer: Answered, names: Sequence[str]) -> InputEvidence:
    """Return R's own counts and sums; `names` are ours of its design columns."""
    evidence = answer["evidence"]
    return InputEvidence(
        n_observations=int(evidence["n_observations"].item()),
        n_subjects=int(evidence["n_subjects"].item()),
        outcome_sum=float(evidence["outcome_sum"].item()),
        design_sums=dict(zip(names, map(float, evidence["design_sums"]), strict=True)),
    )
