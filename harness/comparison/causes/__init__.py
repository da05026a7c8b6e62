"""The causes of a disagreement, one function each: `Findings` go in, a `Cause` comes out, or None where it is not it.

A cause explains only what it can bring about: a search that stopped early moves estimates and standard errors, but not
the number of parameters.
"""

from collections.abc import Callable

from harness.comparison.causes.cause import Cause
from harness.comparison.causes.coordinates import parameterisation
from harness.comparison.causes.curvature import hessian
from harness.comparison.causes.function import constant, definition, rounding
from harness.comparison.causes.search import local_optimum, not_converged, optimiser_noise
from harness.comparison.causes.shape import boundary, flat, without_maximum
from harness.comparison.causes.transport import conversion, different_input
from harness.comparison.findings import Findings

CAUSES: tuple[Callable[[Findings], Cause | None], ...] = (
    different_input,
    conversion,
    parameterisation,
    without_maximum,
    not_converged,
    constant,
    definition,
    local_optimum,
    boundary,
    flat,
    optimiser_noise,
    hessian,
    rounding,
)
"""In the order in which they are tried; the first that explains every disagreement is named."""
