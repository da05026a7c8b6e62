"""Which family a spec names, on given rows."""

import numpy as np

from harness.arrays import Vector
from harness.gbtm.families.beta import beta
from harness.gbtm.families.censored_normal import censored_normal
from harness.gbtm.families.gaussian import Gaussian
from harness.gbtm.families.logit import logit
from harness.gbtm.families.poisson import poisson
from harness.gbtm.families.rows import RowFamily
from harness.gbtm.families.zero_inflated import zero_inflated_poisson
from harness.gbtm.spec import Family


def row_family(
    family: Family,
    y: Vector,
    limits: tuple[Vector | float, Vector | float] | None = None,
    trials: Vector | None = None,
) -> RowFamily:
    """Return the family on rows with outcomes y (n,); what it can't have is told by its `problems`.

    Parameters
    ----------
    family, y
        As in the spec; y may be NaN (n,) where only means or draws are wanted.
    limits
        Of "censored_normal", in the unit of y, for all rows or (n,); None for no limits.
    trials
        Of "logit", (n,); None for 0/1.
    """
    lower, upper = (-np.inf, np.inf) if limits is None else limits
    match family:
        case "gaussian":
            return Gaussian(y=y)
        case "censored_normal":
            return censored_normal(y, lower, upper)
        case "logit":
            return logit(y, trials)
        case "poisson":
            return poisson(y)
        case "zip":
            return zero_inflated_poisson(y)
        case "beta":
            return beta(y)
