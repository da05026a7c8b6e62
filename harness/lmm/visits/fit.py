"""The fit of a model with a residual covariance over visits: the optimum, and the certificate that it is one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.convergence import Convergence
from harness.errors import Problem, SpecError
from harness.lmm.checks import EXACT_FIT, no_maximum
from harness.lmm.design import LmmDesign
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts
from harness.lmm.search import ITERATION_LIMIT
from harness.lmm.visits.barrier import descend_inside
from harness.lmm.visits.certificate import certify, residual_variance
from harness.lmm.visits.coordinates import Coordinates
from harness.lmm.visits.likelihood import evaluate
from harness.lmm.visits.model import Prepared, prepare, recentred
from harness.lmm.visits.newton import Descent, descend
from harness.lmm.visits.parts import kenward_roger_parts, satterthwaite_parts
from harness.lmm.visits.start import independent_start, moment_starts

# The sum of squares came from terms this many times larger: fewer digits are left than the search wants.
_CANCELLED = 1e3
_RECENTRINGS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisitFit:
    """The optimum of a model with a residual structure, in the user's units.

    `gamma` (r,), called `names`: elements of G, lower triangle of each block by rows, then the structure's parameters,
    level by level of `by`, in the parametrisation of SAS (see `harness.lmm.visits.structures.structure`). `deviance` is
    -2 log-likelihood, restricted under REML, with all constants. `decrement` is g'H^-1 g, of which half is the excess
    of `deviance` over its minimum; `eigenvalues` belong to its exact Hessian, in the coordinates of the search, scaled
    to unit information.

    `covariances` has for each level of `by`, or for "all", the residual covariance Sigma over `visits`; for times, over
    all times observed if they are few, else it is empty. `random_cov` is G (q, q). With weights w, residuals have
    covariance Sigma_ab/sqrt(w_a w_b). `least_sd` is the standard deviation, relative to that of residuals, of the least
    varying combination of random effects, infinite without any: below 1e-4 the fit is singular.
    """

    gamma: Vector
    names: tuple[str, ...]
    beta: Vector
    deviance: float
    convergence: Convergence
    decrement: float
    eigenvalues: Vector
    least_sd: float
    visits: tuple[str, ...]
    covariances: Mapping[str, Matrix]
    random_cov: Matrix
    start: Vector
    prepared: Prepared
    coordinates: Coordinates
    x: Vector

    def satterthwaite_parts(self) -> SatterthwaiteParts:
        """Return the derivatives that Satterthwaite's degrees of freedom need."""
        return satterthwaite_parts(self.prepared, self.coordinates, self.x)

    def kenward_roger_parts(self) -> KenwardRogerParts:
        """Return the pieces of the Kenward-Roger adjustment."""
        free = self.x > self.coordinates.floor
        return kenward_roger_parts(self.prepared, self.coordinates.gamma(self.x), free)

    def marginal_covariances(self, design: LmmDesign) -> Iterator[tuple[Codes, Matrix]]:
        """Yield the rows (n_i,) of each subject and their covariance V_i (n_i, n_i) in the user's units."""
        return self.prepared.marginal_covariances(self.coordinates.gamma(self.x), design)


def fit_visits(design: LmmDesign, start: Vector | None = None, limit: int = ITERATION_LIMIT) -> VisitFit:
    """Return the ML or REML fit, exact to rounding, from `start` (gamma in the user's units) or from moments.

    R: ``mmrm::mmrm(f, d, reml = r)``, ``nlme::gls(f, d, correlation = ..., weights = varIdent(...))``.

    Raises
    ------
    SpecError
        If `start` is no covariance, or random effects reproduce the outcome exactly.
    """
    prepared = prepare(design)
    starts = moment_starts(prepared.model) if start is None else [_given(start, prepared)]
    prepared, descent, gamma = _descend(prepared, starts, limit)
    found = descent.coordinates.gamma(descent.x)
    _refuse_exact_fit(found, prepared, design)
    certificate = certify(descent, gamma, prepared, design)
    return VisitFit(
        gamma=read_only(prepared.user_gamma(found)),
        names=prepared.names,
        beta=read_only(prepared.origin + prepared.unit * (prepared.fixed @ descent.evaluation.beta)),
        deviance=descent.evaluation.value,
        convergence=certificate.convergence,
        decrement=certificate.decrement,
        eigenvalues=read_only(certificate.eigenvalues),
        least_sd=certificate.least_sd,
        visits=prepared.visits,
        covariances=prepared.covariances(found),
        random_cov=read_only(prepared.random_cov(found)),
        start=read_only(prepared.user_gamma(gamma)),
        prepared=prepared,
        coordinates=descent.coordinates,
        x=read_only(descent.x),
    )


def _refuse_exact_fit(gamma: Vector, prepared: Prepared, design: LmmDesign) -> None:
    """Raise if random effects leave residuals that are no more than the rounding of the outcome."""
    model = prepared.model
    variance = np.mean([residual_variance(gamma, model, level) for level in range(model.n_levels)])
    smallest = EXACT_FIT * float(np.sqrt(np.mean(design.scaled.y**2)))
    if model.n_random and prepared.unit * float(np.sqrt(variance)) <= smallest:
        raise no_maximum()


def visit_deviance(gamma: Vector, design: LmmDesign) -> float:
    """Return -2 log-likelihood at any gamma in the user's units, beta profiled out; NaN where a V_i isn't positive."""
    prepared = prepare(design)
    working = prepared.working_gamma(np.asarray(gamma, dtype=float))
    here = evaluate(working, prepared.model)
    for _ in range(_RECENTRINGS):
        if here is None or here.cancellation < _CANCELLED:
            break
        prepared = recentred(prepared, here)
        here = evaluate(working, prepared.model)
    return float("nan") if here is None else here.value


def _given(start: Vector, prepared: Prepared) -> Vector:
    gamma = np.asarray(start, dtype=float)
    expected = f"{len(prepared.names)}: {', '.join(prepared.names)}"
    if gamma.shape != (len(prepared.names),):
        problem = Problem(found=f"a start of shape {gamma.shape}", expected=expected)
    else:
        gamma, model = prepared.coordinates.raised(prepared.working_gamma(gamma)), prepared.model
        levels = (gamma[model.level_slice(level)] for level in range(model.n_levels))
        if all(model.structure.valid(own) for own in levels) and evaluate(gamma, model) is not None:
            return gamma
        problem = Problem(found="a start that is no covariance", expected="positive definite covariances")
    raise SpecError("fit of a model over visits", [problem])


def _descend(prepared: Prepared, starts: Sequence[Vector], limit: int) -> tuple[Prepared, Descent, Vector]:
    """Return the lowest end of the searches from all starts, and where it began."""
    found = [(*_search(prepared, prepared.coordinates.x(gamma), limit), gamma) for gamma in starts]
    adapted, descent, gamma = min(found, key=lambda one: _rank(one[1]))
    if not descent.finished and limit >= ITERATION_LIMIT:
        adapted, descent = _again(prepared, gamma, (adapted, descent))
    return adapted, descent, gamma


def _search(prepared: Prepared, x: Vector, limit: int) -> tuple[Prepared, Descent]:
    """Return where Newton ends, columns of X and the residual being adapted to the fit where digits are lost."""
    coordinates, iterations = prepared.coordinates, 0
    for _ in range(_RECENTRINGS):
        descent = descend(prepared.model, coordinates, x, limit - iterations)
        iterations += descent.iterations
        if descent.evaluation.cancellation < _CANCELLED or iterations >= limit:
            break
        prepared = recentred(prepared, descent.evaluation)
        coordinates, x = descent.coordinates, descent.x
    return prepared, replace(descent, iterations=iterations)


def _rank(descent: Descent) -> tuple[bool, float]:
    """Return what to sort by: searches that ended, then the lowest."""
    return not descent.finished, descent.evaluation.value


def _again(prepared: Prepared, gamma: Vector, first: tuple[Prepared, Descent]) -> tuple[Prepared, Descent]:
    """Return a better end than that of a search that got nowhere: from independent visits, or by way of a barrier."""
    model, coordinates = prepared.model, prepared.coordinates
    second = _search(prepared, coordinates.x(independent_start(model, gamma)), ITERATION_LIMIT)
    tried = [first, second]
    # Where there is no maximum, a barrier is no way.
    if not (second[1].finished or (first[1].vanishing and second[1].vanishing)):
        tried.append((prepared, descend_inside(model, coordinates, coordinates.x(gamma), ITERATION_LIMIT)))
    adapted, descent = min(tried, key=lambda one: _rank(one[1]))
    return adapted, replace(descent, iterations=sum(one.iterations for _, one in tried))
