"""A case: a cohort, a model, and the engines that are to agree on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.cohorts.cohort import Cohort
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.quantities import Point, Reading

Spec = LmmSpec | GbtmSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A cohort and a model; `references` names the engines to compare ours with."""

    name: str
    cohort: Cohort
    spec: Spec
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Parameters at which every engine is to evaluate its log-likelihood, without any optimiser."""

    label: str
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What an engine can do with a model; `reason` says what it can't and why."""

    fit: bool
    objective: bool
    reason: str = ""


class Engine(Protocol):
    """Anything that turns a case into named quantities: ours, R's live, R's pinned."""

    @property
    def name(self) -> str:
        """The engine's name in cases, pins and reports."""
        ...

    def support(self, spec: Spec) -> Support:
        """Return what this engine can do with the model."""
        ...

    def read(self, case: Case, probes: Sequence[Probe] = (), start: Point | None = None) -> Reading:
        """Return what this engine says about the case.

        It fits from its usual starts, or from `start` alone when that is given; evaluates its log-likelihood at the
        probes; and never raises for a failure of the engine, which is a `Reading` with a `failure`.
        """
        ...
