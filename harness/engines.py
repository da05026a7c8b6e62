"""Our own engine on one case, in the words that R's engines use, so that one loop serves all."""

import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from typing import Protocol

import numpy as np

from harness.arrays import Vector
from harness.cases import Case, Probe
from harness.cohorts.cohort import Cohort
from harness.comparison.directions import flat_direction
from harness.comparison.verdict import FlatDirection
from harness.convergence import Stop
from harness.errors import SpecError
from harness.gbtm import design as gbtm_design
from harness.gbtm import elsewhere as gbtm_elsewhere
from harness.gbtm.density import log_likelihood
from harness.gbtm.design import with_kinds
from harness.gbtm.estimates import GbtmEstimates
from harness.gbtm.estimation import estimates_at, score_distance
from harness.gbtm.fit import fit as fit_gbtm
from harness.gbtm.flexmix_rule import flexmix_fixed_point
from harness.gbtm.result import GbtmResult, fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec
from harness.lmm import design as lmm_design
from harness.lmm import elsewhere as lmm_elsewhere
from harness.lmm.covariance import theta_of
from harness.lmm.definitions import quantities_for
from harness.lmm.design import LmmDesign
from harness.lmm.engine import engine_of, fitted
from harness.lmm.referee import beyond_the_referee, referee
from harness.lmm.result import LmmResult, fit_lmm_cohort
from harness.quantities import ObjectiveValue, Point, Quantity, Reading
from harness.two_samples.means import MeansResult, means_of_two
from harness.two_samples.rates import RatesResult, rates_of_two
from harness.two_samples.spec import MeansSpec, RatesSpec

NAME = "harness"

RANDOM_POINT = "random point"
"""The label of parameters that nobody chose: a definition that differs can't have been made to agree there."""

_FLEXMIX_CONVENTION = (
    "Our estimates are given at the fixed point of flexmix's EM, whose sigma is not the maximiser: "
    "its log-likelihood is {:.6f} below the maximum."
)

_NO_FIXED_POINT = "Our estimates are those of the maximum: near it flexmix's EM has no fixed point that was found."

# Away from any optimum, with an off-diagonal that is not zero: (diagonal, entries below) of the relative factor in
# units of the columns of Z.
_FACTORS = ((1.0, 0.3), (0.6, -0.25), (1.7, 0.45))

# By what variances, and correlations between visits, are multiplied away from our optimum.
_MOVES = ((1.3, 1.0), (1.0, 0.8), (0.7, 0.9))

# By what share each parameter of a trajectory model is moved from our optimum, in turn.
_SHIFTS = (0.02, -0.05)


@cache
def own_versions() -> Mapping[str, str]:
    """Return the versions that our numbers depend on."""
    return {package: version(package) for package in ("gbtm-harness", "numpy", "scipy")}


class OurSide(Protocol):
    """Our engine after it has fitted one case."""

    @property
    def case(self) -> Case:
        """The case that was fitted."""
        ...

    def reading(self, against: str) -> Reading:
        """Return what we say; `against` names the engine whose definition is to be used where definitions differ."""
        ...

    def probes(self) -> tuple[Probe, ...]:
        """Return parameters, away from the optimum and at it, at which log-likelihoods are to be compared."""
        ...

    def log_likelihood(self, point: Point) -> float:
        """Return our log-likelihood (restricted, under REML) at the point."""
        ...

    def distance(self, point: Point) -> float:
        """Return sqrt(g' I^-1 g) of our log-likelihood at the point, in standard errors."""
        ...

    def restarted(self, point: Point) -> float:
        """Return the log-likelihood that our engine reaches from the point alone."""
        ...

    def refereed(self, points: Sequence[Point]) -> tuple[Fraction, ...] | None:
        """Return the log-likelihood at the points in arithmetic of many digits, None where it can't be had."""
        ...

    def quantities_at(self, point: Point) -> tuple[Quantity, ...]:
        """Return our estimates and their standard errors given the point, without a step from it."""
        ...

    def flattest(self) -> FlatDirection | None:
        """Return the direction in which our log-likelihood bends least at our optimum."""
        ...


def solve(case: Case) -> OurSide:
    """Fit the case with our engine.

    Raises
    ------
    SpecError
        If the model can't be fitted to the cohort; with all reasons.
    """
    started = time.perf_counter()
    if isinstance(case.spec, RatesSpec | MeansSpec):
        result = two_samples(case.spec, case.cohort)
        return OurTwoSamples(case=case, result=result, seconds=time.perf_counter() - started)
    if isinstance(case.spec, GbtmSpec):
        trajectories = fit_gbtm_cohort(case.spec, case.cohort)
        seconds = time.perf_counter() - started
        return OurGbtm(case=with_found_orders(case, trajectories), result=trajectories, seconds=seconds)
    mixed_model = fit_lmm_cohort(case.spec, case.cohort)
    return OurLmm(case=case, result=mixed_model, seconds=time.perf_counter() - started)


def with_found_orders(case: Case, result: GbtmResult) -> Case:
    """Return the case with each class's order where our search put it, so that points mean the same to all engines."""
    return replace(case, spec=with_kinds(result.spec, result.fit.class_kinds))


@dataclass(frozen=True, slots=True, kw_only=True)
class OurLmm:
    """A linear mixed model fitted by us."""

    case: Case
    result: LmmResult
    seconds: float | None

    def reading(self, against: str) -> Reading:
        """Return what we say, under the definitions of the engine."""
        result, estimates = self.result, self.result.estimates
        optimum = ObjectiveValue(
            label="optimum", point=_point(estimates.theta), log_likelihood=estimates.log_likelihood
        )
        return Reading(
            engine=NAME,
            source="computed",
            versions=own_versions(),
            evidence=lmm_design.input_evidence(result.design),
            quantities=quantities_for(against, result.design, result.fit, estimates),
            covariance=estimates.optimum_covariance(),
            objective=(optimum,),
            convergence=result.fit.convergence,
            seconds=self.seconds,
        )

    def probes(self) -> tuple[Probe, ...]:
        """Return three points away from any optimum, one that the case's name draws, and our optimum.

        Beside a residual structure they are multiples of our optimum: none where that is singular, because nlme can't
        hold a singular covariance, and by rounding may say that it did.
        """
        best, chance = self.result.estimates.theta, _chance(self.case)
        if self.result.design.residual is not None and self.result.fit.convergence.stop == Stop.SINGULAR:
            return ()
        if self.result.design.residual is None:
            any_factor = (math.exp(chance.uniform(-0.7, 0.7)), chance.uniform(-0.5, 0.5))
            away = _relative_factors(self.result.design, (*_FACTORS, any_factor))
        else:
            away = self._moved(best, (*_MOVES, (chance.uniform(0.7, 1.4), chance.uniform(0.7, 1.0))))
        return _probes(away, _point(best))

    def _moved(self, best: Vector, moves: Sequence[tuple[float, float]]) -> Iterator[Vector]:
        """Yield the covariance parameters of a residual structure with variances and correlations moved.

        Less covariance between visits leaves a covariance positive definite, and so does more of everything.
        """
        own = self.result.estimates.residual_parameters
        names = [""] * (len(best) - len(own)) + list(own)  # of random effects first, which need none
        pure = np.array(["correlation" in name for name in names])
        together = pure | np.array(["covariance" in name for name in names])
        for variance, share in moves:
            yield best * np.where(pure, 1.0, variance) * np.where(together, share, 1.0)

    def log_likelihood(self, point: Point) -> float:
        """Return minus half of the profiled criterion at theta."""
        return -engine_of(self.result.design).deviance(np.array(point), self.result.design) / 2

    def distance(self, point: Point) -> float:
        """Return how far theta is from a stationary point, in standard errors."""
        return engine_of(self.result.design).distance(np.array(point), self.result.design)

    def restarted(self, point: Point) -> float:
        """Return the log-likelihood that we reach from theta."""
        _, estimates = fitted(self.result.design, np.array(point))
        return self.log_likelihood(_point(estimates.theta))

    def refereed(self, points: Sequence[Point]) -> tuple[Fraction, ...] | None:
        """Return minus half of the criterion at each theta; None for a residual structure or a large design."""
        if beyond_the_referee(self.result.design) is not None:
            return None
        return tuple(-deviance / 2 for deviance in referee(self.result.design, [np.array(point) for point in points]))

    def quantities_at(self, point: Point) -> tuple[Quantity, ...]:
        """Return the estimates given theta; the fixed effects have standard errors, variances have none."""
        return lmm_elsewhere.estimates_at(np.array(point), self.result.design).quantities()

    def flattest(self) -> FlatDirection | None:
        """Return the direction of theta in which the profiled log-likelihood bends least."""
        design, estimates = self.result.design, self.result.estimates
        direction, information = lmm_elsewhere.flattest_direction(estimates.theta, design)
        return flat_direction(direction, lmm_elsewhere.parameter_names(estimates, design), information)


@dataclass(frozen=True, slots=True, kw_only=True)
class OurGbtm:
    """A trajectory model fitted by us."""

    case: Case
    result: GbtmResult
    seconds: float | None

    def reading(self, against: str) -> Reading:
        """Return what we say; against flexmix, at the fixed point of its own EM, whose sigma is not the maximiser."""
        design, fitted, estimates = self.result.design, self.result.fit, self.result.estimates
        point = fitted.point
        conventions: tuple[str, ...] = ()
        if against == "flexmix" and estimates.covariance is not None and design.spec.family == "gaussian":
            try:
                point = flexmix_fixed_point(fitted, design)
            except SpecError:
                conventions = (_NO_FIXED_POINT,)
            else:
                estimates = estimates_at(point, design, fitted.class_kinds, estimates.covariance)
                below = fitted.log_likelihood - estimates.log_likelihood
                conventions = (_FLEXMIX_CONVENTION.format(below),)
        return Reading(
            engine=NAME,
            source="computed",
            versions=own_versions(),
            evidence=gbtm_design.input_evidence(design),
            quantities=estimates.quantities(),
            covariance=estimates.optimum_covariance(),
            objective=(ObjectiveValue(label="optimum", point=point, log_likelihood=estimates.log_likelihood),),
            convergence=fitted.convergence,
            conventions=conventions,
            warnings=self.result.warnings,
            not_given=_without_errors(estimates),
            seconds=self.seconds,
        )

    def probes(self) -> tuple[Probe, ...]:
        """Return our optimum, points beside it that no optimiser would stop at, and one that the case's name draws.

        With a sigma for each class one of them has all sigmas equal: there lcmm, which knows no other, can follow.
        """
        best = np.array(self.result.fit.point)
        signs = np.where(np.arange(len(best)) % 2 == 0, 1.0, -1.0)
        shifts = [shift * signs for shift in _SHIFTS]
        moved = [best * (1 + shift) for shift in (*shifts, _chance(self.case).uniform(-0.05, 0.05, len(best)))]
        n_sigmas = len(self.result.sigma)
        if n_sigmas > 1 and self.result.spec.sigma == "class":
            pooled = np.sqrt(self.result.class_shares @ self.result.sigma**2)
            pooled_sigmas = [np.append(point[:-n_sigmas], np.full(n_sigmas, pooled)) for point in moved[:-1]]
            moved = [*moved[:-1], *pooled_sigmas, moved[-1]]
        return _probes(moved, self.result.fit.point)

    def log_likelihood(self, point: Point) -> float:
        """Return the log-likelihood at the point, whose classes have the orders of our classes."""
        return log_likelihood(point, self.result.design, self.result.fit.class_kinds)

    def distance(self, point: Point) -> float:
        """Return how far the point is from a stationary point, in standard errors."""
        return score_distance(point, self.result.design, self.result.fit.class_kinds)

    def restarted(self, point: Point) -> float:
        """Return the log-likelihood that we climb to from the point."""
        return fit_gbtm(self.result.design, start=point, kinds=self.result.fit.class_kinds).log_likelihood

    def refereed(self, points: Sequence[Point]) -> None:
        """Return that trajectory models have no referee."""

    def quantities_at(self, point: Point) -> tuple[Quantity, ...]:
        """Return the estimates at the point, with standard errors from the observed information there."""
        kinds = self.result.fit.class_kinds
        return gbtm_elsewhere.estimates_with_errors_at(point, self.result.design, kinds).quantities()

    def flattest(self) -> FlatDirection | None:
        """Return the direction in which the log-likelihood bends least."""
        fit = self.result.fit
        return flat_direction(*gbtm_elsewhere.flattest_direction(fit.point, self.result.design, fit.class_kinds))


def _without_errors(estimates: GbtmEstimates) -> dict[str, str]:
    """Return the standard errors that our side does not give, by path, with the reason."""
    reason = "we give no standard error of a parameter at a boundary, or where the information is singular"
    return {
        quantity.path.removesuffix(".estimate") + ".standard_error": reason
        for quantity in estimates.quantities()
        if quantity.path.endswith(".estimate") and quantity.standard_error is None
    }


def two_samples(spec: RatesSpec | MeansSpec, cohort: Cohort) -> RatesResult | MeansResult:
    """Return the rates or the means of two groups.

    Raises
    ------
    SpecError
        If the rows don't allow it; with all reasons.
    """
    return rates_of_two(spec, cohort) if isinstance(spec, RatesSpec) else means_of_two(spec, cohort)


@dataclass(frozen=True, slots=True, kw_only=True)
class OurTwoSamples:
    """Rates or means of two groups, which are formulas: there is no likelihood to be compared."""

    case: Case
    result: RatesResult | MeansResult
    seconds: float | None

    def reading(self, against: str) -> Reading:  # noqa: ARG002  # nobody defines them in another way
        """Return what we say."""
        return Reading(
            engine=NAME,
            source="computed",
            versions=own_versions(),
            evidence=self.result.evidence,
            quantities=self.result.quantities,
            seconds=self.seconds,
        )

    def probes(self) -> tuple[Probe, ...]:
        """Return no parameters."""
        return ()

    def log_likelihood(self, point: Point) -> float:  # noqa: ARG002  # nowhere
        """Return that there is none."""
        return math.nan

    def distance(self, point: Point) -> float:  # noqa: ARG002  # nowhere
        """Return that there is none."""
        return math.nan

    def restarted(self, point: Point) -> float:  # noqa: ARG002  # nowhere
        """Return that there is none."""
        return math.nan

    def refereed(self, points: Sequence[Point]) -> None:
        """Return that there is no referee."""

    def quantities_at(self, point: Point) -> tuple[Quantity, ...]:  # noqa: ARG002  # nowhere
        """Return none."""
        return ()

    def flattest(self) -> None:
        """Return that there is no direction."""


def _chance(case: Case) -> np.random.Generator:
    """Return random numbers that are the same whenever this case is compared, and others for other cases."""
    return np.random.default_rng(list(hashlib.sha256(case.name.encode()).digest()))


def _probes(away: Iterable[Vector], best: Point) -> tuple[Probe, ...]:
    """Return the points as probes, the last of them the one that was drawn, and our optimum."""
    *fixed, drawn = (_point(point) for point in away)
    probes = (Probe(label=f"probe {k}", point=point) for k, point in enumerate(fixed, start=1))
    return (*probes, Probe(label=RANDOM_POINT, point=drawn), Probe(label="our optimum", point=best))


def _relative_factors(design: LmmDesign, factors: Iterable[tuple[float, float]]) -> Iterator[Vector]:
    """Yield relative factors in units of the columns of Z."""
    units = np.sqrt(np.mean(design.Z**2, axis=0))
    for diagonal, below in factors:
        factor = diagonal * np.eye(len(units)) + below * np.tri(len(units), k=-1)
        yield theta_of(factor / units[:, None], design.blocks)


def _point(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Point:
    return tuple(float(value) for value in values)
