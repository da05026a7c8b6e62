"""What comes out of a comparison: one verdict per quantity, and the evidence behind all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.comparison.curves import CurvePair
from harness.quantities import Kind, Point, Reading, Value


class Outcome(StrEnum):
    """How a quantity fared. Only AGREE is agreement; KNOWN is a disagreement with an entry in known_differences."""

    AGREE = "agree"
    KNOWN = "known difference"
    DISAGREE = "disagree"
    NOT_COMPARED = "not compared"


class Attribution(StrEnum):
    """Why two engines disagree, in the order in which causes are tried."""

    ENGINE = "engine"
    INPUT = "input"
    CONVERSION = "conversion"
    LABELS = "labels"
    PARAMETERISATION = "parameterisation"
    NOT_CONVERGED = "not_converged"
    CONSTANT = "constant"
    DEFINITION = "definition"
    LOCAL_OPTIMUM = "local_optimum"
    BOUNDARY = "boundary"
    FLAT = "flat"
    OPTIMISER_NOISE = "optimiser_noise"
    HESSIAN = "hessian"
    FLOAT = "float"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One quantity of one case, judged.

    `observed` and `limit` are in units of `metric`; `basis` says where the limit comes from. `digits` is the log
    relative error, -log10(|left - right| / |right|), where that has a meaning.
    """

    quantity: str
    kind: Kind
    left_value: Value | None
    right_value: Value | None
    metric: str
    observed: float | None
    limit: float | None
    basis: str
    digits: float | None
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivePair:
    """Both engines' log-likelihood at the same parameters."""

    label: str
    point: Point
    left: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Where the engine with the lower log-likelihood went when it was started at the other's estimates."""

    engine: str
    log_likelihood: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The log-likelihood at one point in arithmetic of many digits, and how far above it each engine's own value is.

    An error is NaN where the engine gives no number there, None where it gives no value at all. `room` is what an
    engine may lose there that takes cross products of the data in doubles.
    """

    label: str
    exact: float
    left_error: float | None
    right_error: float | None
    room: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjudication:
    """What the referee found where two engines disagree on the log-likelihood.

    `gap` is the exact log-likelihood at the left engine's optimum minus that at the right one's; None where one of
    them gives no optimum.
    """

    rulings: tuple[Ruling, ...]
    gap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputedError:
    """A standard error by one method at two points: the left engine's, at its own optimum and at the right one's.

    `said` is what the right engine gives. Where `at_right` is what was said, the points differ; where it is what the
    left engine says at its own optimum, the methods do.
    """

    quantity: str
    at_left: float
    at_right: float
    said: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retelling:
    """What the left engine says at the parameters where the right one's search ended: the paths that agree, or not."""

    agreeing: tuple[str, ...]
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatDirection:
    """The direction in which the left engine's log-likelihood bends least at its optimum.

    `weights` has how far each parameter moves in units of its own (residual standard deviations, log-odds, random
    effects over sigma), the largest 1, those below 0.1 left out; `information` is the curvature along it in these
    units, where one observation has about 1.
    """

    weights: Mapping[str, float]
    information: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEvidence:
    """What was measured between two engines, beyond what each says of itself.

    `gradient_at_right` is sqrt(g' I^-1 g) of our log-likelihood at the right engine's estimates, in standard errors.
    `effect_errors` has, by the name of each random effect, the least standard error that its mean could have.
    `told_twice` are two grouping factors that put the same rows together. `ascent` is the exact log-likelihood at the
    right engine's end, and with random effects 10 and 100 times as large beside sigma.
    """

    objectives: tuple[ObjectivePair, ...] = ()
    gradient_at_right: float | None = None
    restart: Restart | None = None
    adjudication: Adjudication | None = None
    errors: tuple[RecomputedError, ...] = ()
    flat: FlatDirection | None = None
    retelling: Retelling | None = None
    ascent: tuple[float, ...] = ()
    effect_errors: Mapping[str, float] = field(default_factory=dict)
    told_twice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two engines on one case. `permutation` maps the right engine's classes to the left's, where there are classes."""

    case: str
    left: Reading
    right: Reading
    evidence: CrossEvidence
    verdicts: tuple[Verdict, ...]
    outcome: Outcome
    attribution: Attribution | None = None
    sentence: str = ""
    next_step: str = ""
    distance: float | None = None
    permutation: Mapping[int, int] = field(default_factory=dict)
    curves: tuple[CurvePair, ...] = ()

    def __str__(self) -> str:
        """Return the outcome, the counts and the cause in a few lines; all verdicts are in `verdicts`."""
        counts = ", ".join(f"{number} {outcome.value}" for outcome in Outcome if (number := self.count(outcome)))
        lines = [f"{self.case}: {self.left.engine} and {self.right.engine}: {self.outcome.value}", f"  {counts}"]
        return "\n".join([*lines, *(f"  {text}" for text in (self.sentence, self.next_step) if text)])

    def __repr__(self) -> str:
        """Return the same, because notebooks and failing tests print it, and all verdicts are a hundred kilobytes."""
        return str(self)

    def count(self, outcome: Outcome) -> int:
        """Return how many verdicts have the outcome."""
        return sum(verdict.outcome is outcome for verdict in self.verdicts)
