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

from harness.arrays import Matrix, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.densities.moments import GaussianMoments
from harness.gbtm.design import ClassKind, GbtmDesign
from harness.gbtm.estimation import distance_of
from harness.gbtm.mixture import Mixture, derivatives, e_step
from harness.gbtm.point import from_point
from harness.quantities import Point

_STEPS = 100
_TOLERANCE = 1e-13  # the largest step, in standard errors
_FURTHEST = 10.0  # from the optimum, in its standard errors; the factor of sigma^2 alone moves it by less than sqrt(p)


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
    mixture = design.mixture_of(fit.class_kinds)
    vector = fit.vector
    at_optimum: Matrix | None = None
    for _ in range(_STEPS):
        with np.errstate(all="ignore"):  # where it does not settle it may run far away
            found = derivatives(vector[None], mixture)
            equations = found.score[0] + _sigma_excess(vector, mixture, design.n_observations)
        if not (np.isfinite(equations).all() and np.isfinite(found.information[0]).all()):
            break
        at_optimum = found.information[0] if at_optimum is None else at_optimum
        step = _newton_step(found.information[0], equations)
        vector = vector + step
        # Far away, where nothing has information, every step looks short.
        away = vector - fit.vector
        if not away @ at_optimum @ away <= _FURTHEST**2:
            break
        size = float(np.sqrt(abs(step @ found.information[0] @ step)))
        if not np.isfinite(size):
            break
        if size < _TOLERANCE * np.sqrt(design.n_observations):
            return tuple(mixture.to_user(vector).tolist())
    problem = Problem(found="an iteration that does not settle", expected="a fixed point near a proper optimum")
    raise SpecError("flexmix's fixed point", [problem])


def distance_by_its_rule(point: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...]) -> float:
    """Return how far a point is, in standard errors, from a root of flexmix's equations; see `score_distance`."""
    mixture = design.mixture_of(kinds)
    vector = from_point(point, mixture)
    found = derivatives(vector[None], mixture)
    return distance_of(found, found.score[0] + _sigma_excess(vector, mixture, design.n_observations), mixture)


def _newton_step(information: Matrix, equations: Vector) -> Vector:
    """Return the step; along directions without information, such as log-odds that are infinite, none."""
    try:
        return np.asarray(np.linalg.solve(information, equations))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(information, equations, rcond=None)[0])


def variance_factors(density: GaussianMoments, n_observations: int) -> Vector:
    """Return by what flexmix multiplies the likelihood's sigma^2 in its M-step: one factor if shared, else K."""
    coefficients = np.array([len(places) - 1 for places in density.places])
    if not density.by_class:
        coefficients = coefficients[:1] / len(density.places)
    return np.asarray(n_observations / (n_observations - coefficients))


def _sigma_excess(vector: Vector, mixture: Mixture, n_observations: int) -> Vector:
    """Return what flexmix's equations have beyond the score: (factor - 1) sum_i p_ig RSS_ig / sigma_g^2."""
    (density,), (part,) = mixture.densities, mixture.parts
    if not isinstance(density, GaussianMoments):
        raise TypeError("flexmix's rule for sigma is one of gaussian rows")
    posterior, _ = e_step(vector[None], mixture)
    squares = density.squares(vector[None, part])
    by_class = np.sum(posterior * mixture.weights * squares, axis=2)[0]
    sums = by_class if density.by_class else by_class.sum(keepdims=True)
    excess = np.zeros(mixture.n_free)
    excess[-len(sums) :] = (variance_factors(density, n_observations) - 1) * sums
    return excess
