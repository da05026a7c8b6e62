"""What R's flexmix converges to: EM whose step for sigma is not the likelihood's.

Read in the sources of flexmix 2.3 (`FLXMRglm`, `FLXMRglmfix`; W_g = sum_j w_gj over rows, r residuals, n = n_obs):

- class-specific sigma, ``FLXMRglm(family = "gaussian")``::

      sigma_g^2 = (sum_j w_gj r_gj^2 / W_g) * n / (n - p_g)

- shared sigma, ``FLXMRglmfix(varFix = TRUE)``, one regression on K stacked copies of the rows (mean weight 1/K,
  K n rows, p_1 coefficients of the first class subtracted once)::

      sigma^2   = sum_gj w_gj r_gj^2 / (n - p_1 / K)

So flexmix ends a little beside the maximum, at the root of the likelihood's score with the sum of squares in its sigma
part multiplied by n / (n - p_g), or n / (n - p_1 / K). All other equations are those of the likelihood.
"""

import numpy as np

from harness.arrays import Vector
from harness.errors import Problem, SpecError
from harness.gbtm.derivatives import derivatives
from harness.gbtm.design import GbtmDesign
from harness.gbtm.em import e_step, residual_sums
from harness.gbtm.fit import GbtmFit
from harness.gbtm.parameters import Layout, layout_of, to_point, unpack
from harness.quantities import Point

_STEPS = 100
_TOLERANCE = 1e-13  # the largest step, in standard errors


def flexmix_fixed_point(fit: GbtmFit, design: GbtmDesign) -> Point:
    """Return where flexmix's EM ends when it starts from our optimum, in the user's units and the fit's class order.

    Each step solves flexmix's equations with the likelihood's information as the slope. The two slopes differ by about
    p / n_obs, relatively, so each step gains two or three digits, where flexmix's own EM needs thousands of steps.
    With `estimates_at` the point becomes estimates under flexmix's definition.

    Parameters
    ----------
    fit, design
        flexmix subtracts the coefficients of its first component from a shared sigma's degrees of freedom: here the
        first class of the fit, so give flexmix the orders as `fit.orders` has them.

    Returns
    -------
    Point
        In R: ``flexmix(y ~ t | id, k = K, model = FLXMRglm(), cluster = posterior, control = list(minprior = 0,
        tolerance = 1e-15, iter.max = 20000))``, or ``FLXMRglmfix(varFix = TRUE)`` for a shared sigma.

    Raises
    ------
    SpecError
        If the iteration does not settle (as when the optimum is no proper one).
    """
    layout = layout_of(design, fit.orders)
    vector = fit.vector
    for _ in range(_STEPS):
        found = derivatives(vector[None], design.moments, layout)
        equations = found.score[0] + _sigma_excess(vector, design, layout)
        step = np.linalg.solve(found.information[0], equations)
        vector = vector + step
        size = float(np.sqrt(abs(step @ found.information[0] @ step)))
        if not np.isfinite(size):
            break
        if size < _TOLERANCE * np.sqrt(design.n_observations):
            return to_point(vector, design, layout)
    problem = Problem(found="an iteration that does not settle", expected="a fixed point near a proper optimum")
    raise SpecError("flexmix's fixed point", [problem])


def variance_factors(layout: Layout, n_observations: int) -> Vector:
    """Return by what flexmix multiplies the likelihood's sigma^2 in its M-step: one factor if shared, else K."""
    coefficients = np.array(layout.orders) + 1
    if layout.sigma == "shared":
        coefficients = coefficients[:1] / layout.n_classes
    return np.asarray(n_observations / (n_observations - coefficients))


def _sigma_excess(vector: Vector, design: GbtmDesign, layout: Layout) -> Vector:
    """Return what flexmix's equations have beyond the score: (factor - 1) sum_i p_ig RSS_ig / sigma_g^2."""
    parameters = unpack(vector[None], layout)
    posterior, _ = e_step(parameters, design.moments)
    squares = residual_sums(parameters.beta, design.moments) * np.exp(-2 * parameters.log_sigma)[:, :, None]
    by_class = np.sum(posterior * squares, axis=2)[0]
    sums = by_class.sum(keepdims=True) if layout.sigma == "shared" else by_class
    excess = np.zeros(layout.n_free)
    excess[-layout.n_sigmas :] = (variance_factors(layout, design.n_observations) - 1) * sums
    return excess
