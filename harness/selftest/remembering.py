"""Our side with a memory: all references of a case, and all that is tried on them, ask for the same log-likelihoods."""

from dataclasses import dataclass, field

from harness.engines import OurGbtm, OurLmm, OurSide
from harness.quantities import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberingLmm(OurLmm):
    """A linear mixed model fitted by us, which computes no log-likelihood twice."""

    said: dict[Point, float] = field(default_factory=dict)

    def log_likelihood(self, point: Point) -> float:
        """Return the log-likelihood at theta."""
        if point not in self.said:
            self.said[point] = OurLmm.log_likelihood(self, point)
        return self.said[point]


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberingGbtm(OurGbtm):
    """A trajectory model fitted by us, which computes no log-likelihood twice."""

    said: dict[Point, float] = field(default_factory=dict)

    def log_likelihood(self, point: Point) -> float:
        """Return the log-likelihood at the point."""
        if point not in self.said:
            self.said[point] = OurGbtm.log_likelihood(self, point)
        return self.said[point]


def remembering(ours: OurSide) -> OurSide:
    """Return our side as it is, but that it computes no log-likelihood twice; tables of two samples have none."""
    if isinstance(ours, OurLmm):
        return RememberingLmm(case=ours.case, result=ours.result, seconds=ours.seconds)
    if isinstance(ours, OurGbtm):
        return RememberingGbtm(case=ours.case, result=ours.result, seconds=ours.seconds)
    return ours
