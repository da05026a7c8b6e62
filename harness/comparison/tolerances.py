"""How far two engines may differ: one limit per measure, each with its basis, in one table.

Every engine has its own noise. Between two engines the larger of their two limits holds, so that a precise engine is
held to a strict limit against another precise one and not blamed for the noise of a loose one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType


class Measure(StrEnum):
    """A way to express how far two numbers are apart; the value is the metric's name in a verdict."""

    # exact
    EQUALITY = "equality"
    # algebraic
    INPUT_SUM = "difference relative to the column"
    ALGEBRAIC = "relative difference"
    # objective
    OBJECTIVE = "relative difference at the same parameters"
    # optimum
    DISTANCE = "standard errors"
    RELATIVE = "relative difference, for want of a standard error"
    # curvature
    STANDARD_ERROR = "relative difference of standard errors"
    CORRELATION = "absolute difference of correlations"
    CONDITIONAL_VARIANCE = "relative difference of conditional variances"
    COVARIANCE = "largest difference of covariances, in products of standard errors"
    DF = "relative difference of degrees of freedom"
    STATISTIC = "difference of test statistics, relative to them or to one"
    P_VALUE = "difference of log p, relative to it or to one"
    # posterior
    PREDICTION = "conditional standard errors"
    PROBABILITY = "absolute difference of probabilities"
    # stochastic
    MONTE_CARLO = "Monte-Carlo standard errors"


HIGHEST = 0.05
"""No conditioning excuses more: beyond it an interval of confidence visibly misleads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The largest difference, in units of the measure, that still is agreement, and where that number comes from.

    `per_conditioning` is added for each unit of the conditioning of the information (see `optimum.conditioning`): a
    Hessian by finite differences is noisy in each entry, and inverting it multiplies that noise.
    """

    limit: float
    basis: str
    per_conditioning: float = 0.0

    def at(self, conditioning: float) -> "Tolerance":
        """Return the tolerance that holds at this conditioning."""
        if not self.per_conditioning:
            return self
        limit = min(self.limit + self.per_conditioning * conditioning, HIGHEST)
        return Tolerance(limit=limit, basis=f"{self.basis} Conditioning here: {conditioning:.3g}.")


DEFAULT: Mapping[Measure, Tolerance] = MappingProxyType(
    {
        Measure.EQUALITY: Tolerance(limit=0.0, basis="Counts and labels have no rounding."),
        Measure.INPUT_SUM: Tolerance(
            limit=1e-12, basis="Sums of n rounded numbers differ by their order of summation only."
        ),
        Measure.ALGEBRAIC: Tolerance(
            limit=1e-12, basis="A formula of few operations keeps 12 digits, less what cancels in a subtraction."
        ),
        Measure.OBJECTIVE: Tolerance(
            limit=1e-10, basis="No optimiser lies between the two; lcmm meets 5e-11 in absolute terms after its offset."
        ),
        Measure.DISTANCE: Tolerance(
            limit=1e-2,
            basis="A hundredth of the sampling error is of no consequence; lme4's own optimisers lie 1e-4 apart.",
        ),
        Measure.STANDARD_ERROR: Tolerance(
            limit=1e-3, basis="Hessians by finite differences are known to 3e-4; a wrong formula moves 1 % or more."
        ),
        Measure.CORRELATION: Tolerance(limit=1e-3, basis="As for standard errors, of which correlations are made."),
        Measure.CONDITIONAL_VARIANCE: Tolerance(
            limit=1e-3, basis="Follows the random-effect covariance, of which lme4's default is 2e-4 off."
        ),
        Measure.COVARIANCE: Tolerance(
            limit=4e-3, basis="A covariance moves by twice the relative error of its standard errors; twice that again."
        ),
        Measure.DF: Tolerance(
            limit=5e-4, basis="Of SAS and mmrm, which stop early; a wrong formula moves 1 % or more."
        ),
        Measure.STATISTIC: Tolerance(limit=2e-3, basis="A statistic moves as the standard error in it does, F twice."),
        Measure.P_VALUE: Tolerance(
            limit=4e-3, basis="log p is about -t^2/2, so it moves twice as much as t, relatively."
        ),
        Measure.PREDICTION: Tolerance(
            limit=1e-2, basis="A prediction moves by about as many standard errors as the parameters do."
        ),
        Measure.PROBABILITY: Tolerance(
            limit=1e-4, basis="Seen in no report of three decimals; lcmm, 1e-5 from its optimum, stays below."
        ),
        Measure.RELATIVE: Tolerance(limit=5e-4, basis="lme4's default covariances are 2e-5 to 1.6e-4 off."),
        Measure.MONTE_CARLO: Tolerance(limit=4.0, basis="Four standard errors: once in 16 000 comparisons by chance."),
    }
)

_OURS = "Our searches stop below 1e-8 standard errors; the rest is room for another BLAS."

_LME4: Mapping[Measure, Tolerance] = {
    Measure.OBJECTIVE: Tolerance(limit=1e-12, basis="devfun(theta) of lme4 equals ours to 1.4e-14."),
    Measure.DISTANCE: Tolerance(
        limit=1e-3, basis="bobyqa with rhoend 1e-11 finds covariances to 6e-7, far below 1e-3 standard errors."
    ),
    Measure.STANDARD_ERROR: Tolerance(
        limit=1e-6,
        basis="bobyqa with rhoend 1e-11 is 1.1e-7 off the closed form of sleepstudy; ten times that.",
    ),
    Measure.CORRELATION: Tolerance(
        limit=2e-6, basis="bobyqa with rhoend 1e-11: 1e-7 to closed forms, up to 1e-6 with three random effects."
    ),
    Measure.CONDITIONAL_VARIANCE: Tolerance(
        limit=1e-5, basis="Tight lme4 has covariances to 2e-6; conditional variances follow them."
    ),
    Measure.PREDICTION: Tolerance(limit=1e-3, basis="As for the parameters: 1e-3 standard errors."),
}

_FORMULAS: Mapping[Measure, Tolerance] = {
    Measure.DISTANCE: Tolerance(limit=1e-9, basis="Formulas keep 12 digits of the numbers that cancel in them."),
    Measure.STATISTIC: Tolerance(limit=1e-9, basis="A formula of few operations; of nothing at all only its size."),
    Measure.P_VALUE: Tolerance(limit=1e-9, basis="Tails of distributions keep 12 digits; Fisher's are sums of some."),
}

BY_ENGINE: Mapping[str, Mapping[Measure, Tolerance]] = MappingProxyType(
    {
        "harness": {
            Measure.OBJECTIVE: Tolerance(limit=1e-12, basis="The deviance keeps 14 digits; two are room for rounding."),
            Measure.DISTANCE: Tolerance(limit=1e-6, basis=_OURS),
            Measure.STANDARD_ERROR: Tolerance(limit=1e-6, basis=_OURS),
            Measure.CORRELATION: Tolerance(limit=1e-6, basis=_OURS),
            Measure.CONDITIONAL_VARIANCE: Tolerance(limit=1e-6, basis=_OURS),
            Measure.COVARIANCE: Tolerance(limit=4e-6, basis=_OURS),
            Measure.PREDICTION: Tolerance(limit=1e-6, basis=_OURS),
            Measure.PROBABILITY: Tolerance(limit=1e-6, basis=_OURS),
            Measure.RELATIVE: Tolerance(limit=1e-6, basis=_OURS),
            Measure.DF: Tolerance(limit=1e-6, basis=_OURS),
            Measure.STATISTIC: Tolerance(limit=1e-6, basis=_OURS),
            Measure.P_VALUE: Tolerance(limit=1e-6, basis=_OURS),
        },
        "lme4": _LME4,
        "lme4_default": {
            Measure.RELATIVE: Tolerance(
                limit=5e-3,
                basis="lme4's default search ends up to 1.2e-3 from its tight one, in covariances of machines.",
            ),
        },
        "lmerTest": {
            **_LME4,
            Measure.DF: Tolerance(
                limit=1e-6, basis="numDeriv at a tight optimum: 3.1e-7 off the closed form of sleepstudy, 17."
            ),
            Measure.STATISTIC: Tolerance(limit=2e-6, basis="t moves as its standard error, F twice as much."),
            Measure.P_VALUE: Tolerance(limit=4e-6, basis="log p is about -t^2/2, and moves twice as much as t."),
        },
        "pbkrtest": {
            **_LME4,
            Measure.DF: Tolerance(
                limit=1e-6, basis="At a tight optimum 2.5e-8 between pbkrtest and exact derivatives."
            ),
            Measure.STATISTIC: Tolerance(limit=2e-6, basis="t moves as its standard error, F twice as much."),
            Measure.P_VALUE: Tolerance(limit=4e-6, basis="log p is about -t^2/2, and moves twice as much as t."),
        },
        "lme4_profile": {
            **_LME4,
            Measure.STANDARD_ERROR: Tolerance(
                limit=1e-4, basis="lme4's profiles are interpolated: widths of intervals are 2.1e-5 off."
            ),
        },
        "clubSandwich": {
            **_LME4,
            Measure.DF: Tolerance(limit=1e-6, basis="Up to 1.3e-7 between clubSandwich, at a tight optimum, and ours."),
            Measure.STATISTIC: Tolerance(limit=2e-6, basis="t moves as its standard error."),
            Measure.P_VALUE: Tolerance(limit=4e-6, basis="log p is about -t^2/2, and moves twice as much as t."),
        },
        "emmeans": {
            **_LME4,
            Measure.DF: Tolerance(limit=1e-6, basis="As lmerTest's and pbkrtest's, which it asks for them."),
            Measure.STATISTIC: Tolerance(limit=2e-6, basis="t moves as its standard error."),
            Measure.P_VALUE: Tolerance(limit=4e-6, basis="log p is about -t^2/2, and moves twice as much as t."),
            Measure.PROBABILITY: Tolerance(
                limit=1e-6, basis="R's ptukey is up to 7e-7 off, and moves by 7e-8 from one run to the next."
            ),
        },
        "mmrm": {
            Measure.OBJECTIVE: Tolerance(limit=1e-12, basis="Its log-likelihood keeps 14 digits, as ours does."),
            Measure.DISTANCE: Tolerance(limit=1e-4, basis="BFGS with exact gradients, reltol = 1e-15."),
            Measure.STANDARD_ERROR: Tolerance(limit=1e-6, basis="Up to 1.3e-7 between mmrm, so fitted, and ours."),
            Measure.CORRELATION: Tolerance(limit=1e-6, basis="As for mmrm's standard errors."),
            Measure.DF: Tolerance(limit=2e-6, basis="Up to 4.5e-7 between mmrm, so fitted, and ours."),
            Measure.STATISTIC: Tolerance(limit=2e-6, basis="t moves as its standard error, F twice as much."),
            Measure.P_VALUE: Tolerance(limit=4e-6, basis="log p is about -t^2/2, and moves twice as much as t."),
        },
        "nlme": {
            Measure.OBJECTIVE: Tolerance(
                limit=1e-10, basis="nlme's log-likelihood goes through a QR of another order."
            ),
            Measure.STANDARD_ERROR: Tolerance(
                limit=1e-4, basis="nlme's covariances are 8e-8 to 2e-4 off, its standard errors a tenth of that."
            ),
            Measure.CORRELATION: Tolerance(limit=1e-4, basis="As for nlme's standard errors."),
        },
        "lcmm": {
            Measure.OBJECTIVE: Tolerance(
                limit=1e-10, basis="5e-11 in absolute terms once its single-precision 2 pi is taken out."
            ),
            Measure.STANDARD_ERROR: Tolerance(
                limit=1e-5,
                per_conditioning=3e-7,
                basis="Extrapolated second differences of lcmm's log-likelihood carry its rounding: 6e-8 to 5e-6 of a"
                " standard error in twenty trajectory models, and up to 1.1e-7 of the conditioning. What lcmm prints is"
                " by forward differences, up to 3e-2 off.",
            ),
            Measure.COVARIANCE: Tolerance(
                limit=4e-5,
                per_conditioning=6e-7,
                basis="A covariance moves by twice the relative error of its standard errors.",
            ),
            Measure.CORRELATION: Tolerance(limit=1e-5, basis="As for lcmm's standard errors."),
        },
        "statsmodels": {
            Measure.OBJECTIVE: Tolerance(
                limit=1e-11,
                basis="Its criterion equals ours to 1e-15, and to 9.6e-13 where a covariate is far from its mean.",
            ),
            Measure.DISTANCE: Tolerance(
                limit=1e-3, basis="BFGS with gtol 1e-9 ends within 4e-7 standard errors, 7e-5 with such a covariate."
            ),
            Measure.STANDARD_ERROR: Tolerance(
                limit=1e-6, basis="Up to 3.6e-8 in balanced designs, where it makes no difference what is profiled out."
            ),
            Measure.CORRELATION: Tolerance(limit=2e-6, basis="As for MixedLM's standard errors."),
            Measure.CONDITIONAL_VARIANCE: Tolerance(
                limit=1e-4, basis="Conditional variances follow the covariance: up to 8.5e-6, mostly 1e-8."
            ),
            Measure.PREDICTION: Tolerance(limit=1e-3, basis="As for the parameters: 1e-3 standard errors."),
        },
        "statsmodels_one_class": {
            Measure.OBJECTIVE: Tolerance(limit=1e-12, basis="Its log-likelihoods equal ours to 6e-15."),
            Measure.DISTANCE: Tolerance(limit=1e-6, basis="Newton's steps to 1e-12: up to 5e-12 standard errors."),
            Measure.STANDARD_ERROR: Tolerance(
                limit=1e-6, basis="Exact Hessians: up to 6e-13, but for that of the zero-inflated Poisson."
            ),
            Measure.COVARIANCE: Tolerance(limit=4e-6, basis="Twice the standard errors' limit; twice that again."),
            Measure.CORRELATION: Tolerance(limit=2e-6, basis="As for its standard errors."),
        },
        "rates": {
            **_FORMULAS,
            Measure.RELATIVE: Tolerance(
                limit=1e-9, basis="Roots are searched to 1e-14 of a logarithm, regressions to 1e-15 of the deviance."
            ),
        },
        "means": _FORMULAS,
    }
)


@cache
def tolerance(measure: Measure, *engines: str) -> Tolerance:
    """Return the tolerance that holds between engines: the largest of theirs, each its own or the default."""
    return max(
        (BY_ENGINE.get(engine, {}).get(measure, DEFAULT[measure]) for engine in engines),
        key=lambda t: (t.limit, t.per_conditioning),
    )
