"""What is known about a disagreement, as the causes need it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from harness.comparison.joint import DISTANCE
from harness.comparison.tolerances import Measure
from harness.comparison.verdict import CrossEvidence, Outcome, Verdict
from harness.comparison.yardstick import LOG_LIKELIHOOD, Yardstick, number, yardstick
from harness.quantities import Kind, Reading

NOISE = 10.0
"""Up to so many times the limit of D, a search that stopped a little early is called noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the causes are told from. `left_best`, `right_best` are the log-likelihoods that the engines ended at."""

    left: Reading
    right: Reading
    evidence: CrossEvidence
    verdicts: Mapping[str, Verdict]
    disagreements: tuple[Verdict, ...]
    scales: Yardstick
    left_best: float
    right_best: float

    @property
    def gap(self) -> float:
        """The left log-likelihood minus the right one; NaN if one is not given."""
        return self.left_best - self.right_best

    @property
    def distance(self) -> float:
        """D between the optima; NaN where it has no meaning."""
        verdict = self.verdicts.get(DISTANCE)
        if verdict is None or verdict.observed is None or verdict.metric != Measure.DISTANCE:
            return float("nan")
        return verdict.observed

    @property
    def distance_limit(self) -> float:
        """The limit of D between the two engines."""
        return self.scales.tolerance(Measure.DISTANCE).limit

    @property
    def in_one_place(self) -> bool:
        """Whether the optima are so near each other that the log-likelihood is a parabola between them."""
        return self.distance <= NOISE * self.distance_limit  # false for NaN

    @property
    def in_one_basin(self) -> bool:
        """Whether both optima lie where the log-likelihood is a parabola and the gap is no more than twice D^2/2."""
        return self.in_one_place and abs(self.gap) <= self.distance**2 + self.scales.rounding

    @property
    def objectives_agree(self) -> bool:
        """Whether both log-likelihoods were evaluated at the same parameters, and none counts as a difference."""
        return any(v.kind is Kind.OBJECTIVE for v in self.verdicts.values()) and not self.differing_objectives

    @property
    def all_follow_distance(self) -> bool:
        """Whether whatever differs beside the estimates differs by no more than D."""
        far = self.distance
        return all(v.kind is Kind.OPTIMUM or (v.observed is not None and v.observed <= far) for v in self.disagreements)

    def gradient_of(self, reading: Reading) -> float | None:
        """Return how far, in standard errors, a gradient says that an engine's estimates are from an optimum.

        The right one's is ours at its estimates where it was measured, else what the engine says of itself.
        """
        if reading is self.right and self.evidence.gradient_at_right is not None:
            return self.evidence.gradient_at_right
        return None if reading.convergence is None else reading.convergence.distance

    def below(self, reading: Reading) -> float:
        """Return how far an engine's log-likelihood is below the other's; negative if it is the higher one."""
        return self.gap if reading is self.right else -self.gap

    @property
    def loser(self) -> Reading:
        """The reading with the lower log-likelihood."""
        return self.right if self.gap > 0 else self.left

    def all_measured(self, *kinds: Kind) -> bool:
        """Return whether every disagreement is of these kinds and a difference of two usable numbers."""
        return all(v.kind in kinds and v.observed is not None and isfinite(v.observed) for v in self.disagreements)

    @property
    def offsets(self) -> list[float]:
        """The left minus the right log-likelihood at each point at which both were evaluated."""
        offsets = (number(pair.left) - number(pair.right) for pair in self.evidence.objectives)
        return [offset for offset in offsets if isfinite(offset)]

    @property
    def offsets_vary(self) -> bool:
        """Whether the offsets differ by more than twice what the objectives are rounded to."""
        largest = max((abs(pair.left) for pair in self.evidence.objectives), default=0.0)
        rounding = self.scales.tolerance(Measure.OBJECTIVE).limit * max(largest, 1.0)
        return max(self.offsets) - min(self.offsets) > 2 * rounding

    @property
    def differing_objectives(self) -> tuple[Verdict, ...]:
        """The points at which the log-likelihoods disagree."""
        return tuple(verdict for verdict in self.disagreements if verdict.kind is Kind.OBJECTIVE)


def gather(left: Reading, right: Reading, evidence: CrossEvidence, verdicts: tuple[Verdict, ...]) -> Findings:
    """Return what the causes are told from."""
    by_path = {verdict.quantity: verdict for verdict in verdicts}
    return Findings(
        left=left,
        right=right,
        evidence=evidence,
        verdicts=by_path,
        disagreements=tuple(verdict for verdict in verdicts if verdict.outcome is Outcome.DISAGREE),
        scales=yardstick(left, right, evidence.effect_errors),
        left_best=_log_likelihood(by_path, "left_value"),
        right_best=_log_likelihood(by_path, "right_value"),
    )


def _log_likelihood(verdicts: Mapping[str, Verdict], side: str) -> float:
    value = getattr(verdicts[LOG_LIKELIHOOD], side) if LOG_LIKELIHOOD in verdicts else None
    return float(value) if isinstance(value, int | float) else float("nan")
