"""What the differences between two readings are measured with: standard errors, scales and limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt

from harness.comparison.optimum import conditioning, marginal_errors
from harness.comparison.tolerances import Measure, Tolerance, tolerance
from harness.convergence import Stop
from harness.quantities import Kind, OptimumCovariance, Quantity, Reading, Value

LOG_LIKELIHOOD = "log_likelihood"

IRREGULAR = frozenset({Stop.SINGULAR, Stop.BOUNDARY, Stop.FLAT, Stop.EMPTY_CLASS})
"""Ways to stop at which the information matrix says nothing about some parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """The scales on which two readings are compared; the right one already carries the left one's class labels.

    `covariance` is None where D has no meaning, and `irregular` says why. `errors` are the standard errors of OPTIMUM
    quantities by path, `fixed_errors` those of fixed effects by name, and of a random effect without one the least that
    its mean could have. `conditioning` is what the inversion of the information multiplies its noise with.
    """

    engines: tuple[str, str]
    covariance: OptimumCovariance | None
    irregular: str
    errors: Mapping[str, float]
    fixed_errors: Mapping[str, float]
    conditioning: float
    n_observations: float
    n_subjects: float
    log_likelihood: float

    def tolerance(self, measure: Measure) -> Tolerance:
        """Return the tolerance that holds between the two engines."""
        return tolerance(measure, *self.engines).at(self.conditioning)

    @property
    def rounding(self) -> float:
        """To what the log-likelihoods agree when there is no optimiser between the engines."""
        return self.tolerance(Measure.OBJECTIVE).limit * max(1.0, abs(self.log_likelihood))

    @property
    def gap_limit(self) -> Tolerance:
        """How far two log-likelihoods at optima may differ: D^2/2 at the limit of D, plus rounding."""
        far = self.tolerance(Measure.DISTANCE).limit
        return Tolerance(
            limit=far**2 / 2 + self.rounding,
            basis=f"D^2/2 at D = {far:g}, plus {self.rounding:.1e}, to which the objectives agree anywhere.",
        )

    def substitute_error(self, quantity: Quantity) -> float | None:
        """Return a standard error that needs no information matrix, or None if there is none for this quantity.

        Covariances of random effects: the coefficients of single subjects have covariance S = m vcov(beta) if all
        subjects share one design, S minus the covariance of the random effects is known, and by Wishart's law
        se(S_ab) <= sqrt(2/m) m se_a se_b. It stays positive where a variance is zero. sigma: sigma / sqrt(2n).
        Class shares: those of a multinomial.
        """
        path, value = quantity.path, abs(number(quantity.value))
        if path.startswith("random.covariance["):
            pairs = ((a, b) for a in self.fixed_errors for b in self.fixed_errors)
            errors = (
                sqrt(2 * self.n_subjects) * self.fixed_errors[a] * self.fixed_errors[b]
                for a, b in pairs
                if path == f"random.covariance[{a},{b}]"
            )
            return next(errors, None)
        if path.endswith("sigma.estimate"):
            return value / sqrt(2 * self.n_observations) or None
        if path.endswith(".share.estimate") and 0 < value < 1:
            return sqrt(value * (1 - value) / self.n_subjects)
        return None

    def effect_error(self, path: str) -> float:
        """Return the standard error of the fixed effect that a conditional mode belongs to, or could; 0 if unknown."""
        stem = path.rsplit(".", 1)[0]
        return next((error for name, error in self.fixed_errors.items() if stem.endswith(f",{name}]")), 0.0)


def yardstick(left: Reading, right: Reading, effect_errors: Mapping[str, float] | None = None) -> Yardstick:
    """Return the scales for two readings, taken from the left one wherever it has them.

    `effect_errors` stand in, by name, for random effects that the fixed part does not have.
    """
    covariance = left.covariance if left.covariance is not None else right.covariance
    irregular = ""
    if left.convergence is not None and left.convergence.stop in IRREGULAR:
        covariance, irregular = None, f"{left.engine} stopped at: {left.convergence.stop}"
    elif covariance is None:
        irregular = "neither engine gives the covariance of its estimates"
    values = _scaling_values((*right.quantities, *left.quantities))
    return Yardstick(
        engines=(left.engine, right.engine),
        covariance=covariance,
        irregular=irregular,
        errors=_standard_errors(right) | _standard_errors(left),
        fixed_errors={**(effect_errors or {}), **_fixed_errors(values)},
        conditioning=conditioning(covariance),
        n_observations=max(values.get("n_observations", 1.0), 1.0),
        n_subjects=max(values.get("n_subjects", 1.0), 1.0),
        log_likelihood=values.get(LOG_LIKELIHOOD, 1.0),
    )


def _scaling_values(quantities: Iterable[Quantity]) -> dict[str, float]:
    """Return the usable values that scales are made of, the last usable one of each path."""
    return {
        q.path: value
        for q in quantities
        if (q.path in _SCALING or q.path.startswith("fixed[")) and isfinite(value := number(q.value))
    }


_SCALING = frozenset({"n_observations", "n_subjects", LOG_LIKELIHOOD})


def number(value: Value) -> float:
    """Return a number as a float, and NaN for what is no number."""
    if type(value) is float:
        return value
    return nan if isinstance(value, (bool, str)) else float(value)


def positive(values: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    """Return those values that can serve as a scale."""
    return {name: value for name, value in values if value is not None and 0 < value < inf}


def _standard_errors(reading: Reading) -> dict[str, float]:
    """Return the standard errors of the OPTIMUM quantities; the joint covariance goes before single ones."""
    single = positive((q.path, q.standard_error) for q in reading.quantities if q.kind is Kind.OPTIMUM)
    return single | marginal_errors(reading.covariance)


def _fixed_errors(values: Mapping[str, float]) -> dict[str, float]:
    """Return the standard errors of the fixed effects by name."""
    beginning, end = "fixed[", "].standard_error"
    return positive(
        (path[len(beginning) : -len(end)], value)
        for path, value in values.items()
        if path.startswith(beginning) and path.endswith(end)
    )
