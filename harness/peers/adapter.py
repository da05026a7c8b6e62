"""What an engine of Python has to say of itself: the part that differs from package to package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence
from harness.quantities import InputEvidence, ObjectiveValue, Point
from harness.references.decoding import Estimates


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A package's fit in our words. `optimum` is None where its parameters can't be written as a `Point`.

    `evidence` counts and sums what the package itself holds, not what it was sent.
    """

    estimates: Estimates
    optimum: Point | None
    evidence: InputEvidence
    convergence: Convergence


class Adapter(Protocol):
    """A package of Python as a reference engine; the class is named `ADAPTER` in its file, and takes no arguments.

    It imports its package inside of its functions, so that engines can be listed without importing any. What it raises
    becomes a failure of the engine, and what the package warns of is kept.
    """

    package: str
    """The distribution whose numbers these are; the engine is installed where this is."""

    def support(self, spec: Spec) -> Support:
        """Return what the package can do with the model."""
        ...

    def fit(self, case: Case, start: Point | None) -> Fitted:
        """Return its fit from its usual starts, or from `start` alone."""
        ...

    def log_likelihoods(self, case: Case, points: Sequence[tuple[str, Point]]) -> Sequence[ObjectiveValue]:
        """Return its log-likelihood at labelled points, with the constants that ours has; not where it has none."""
        ...

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return what was changed of its numbers and what differs by definition."""
        ...

    def not_given(self, spec: Spec) -> Mapping[str, str]:
        """Return which quantities it does not give, and why (see `Reading`)."""
        ...
