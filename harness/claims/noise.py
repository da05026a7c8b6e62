"""How far the program that made a print may have been from the optimum, each limit with its basis.

A print that the exact optimum just misses may come from a program that stopped a little early. So what a model gives is
a narrow span about the exact estimate.
"""

import math

ESTIMATE = 1e-4
"""In standard errors: lme4's own optimisers lie 1e-4 apart, lcmm stops 1e-5 away."""

STANDARD_ERROR = 5e-4
"""Relative: lcmm differentiates numerically (2.4e-4 off), nlme's covariances are up to 2e-4 off."""

DF = 1e-3
"""Relative: SAS and mmrm, which stop early, are 5e-4 off; twice that."""

LOG_LIKELIHOOD = 1e-4
"""Absolute: an optimum missed by D standard errors costs D^2 / 2; lcmm's 2 pi is 3e-8 a row off."""

MULTIPLICITY = 5e-4
"""Absolute, of adjusted p values: emmeans integrates at random, to about 1e-4."""


def statistic_noise(statistic: float) -> float:
    """Return the tolerance of a statistic: those of its estimate, in standard errors, and of its standard error."""
    return ESTIMATE + STANDARD_ERROR * abs(statistic)


def limit_noise(standard_error: float, reach: float) -> float:
    """Return the tolerance of a limit that lies `reach` standard errors away."""
    return standard_error * (ESTIMATE + STANDARD_ERROR * abs(reach))


def p_noise(p: float, statistic: float) -> float:
    """Return the tolerance of a p value: d log p / d log t is at most about 1 + t^2 in size."""
    if math.isnan(statistic) or math.isinf(statistic):
        return 0.0
    return p * (1 + statistic * statistic) * (STANDARD_ERROR + ESTIMATE)
