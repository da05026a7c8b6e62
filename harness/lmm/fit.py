"""The fit of a linear mixed model: the optimum, and the certificate that it is one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.convergence import Convergence
from harness.lmm.adaptation import MAGNIFIED, adapted, magnification
from harness.lmm.certificate import certify
from harness.lmm.checks import EXACT_FIT, no_maximum
from harness.lmm.covariance import layout
from harness.lmm.design import LmmDesign
from harness.lmm.evaluation import Evaluation
from harness.lmm.inference import one_factor
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts
from harness.lmm.newton import Descent, descend
from harness.lmm.patterns import SufficientStatistics, sufficient_statistics
from harness.lmm.search import ITERATION_LIMIT, lowest
from harness.lmm.start import starts

_ADAPTATIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LmmFit:
    """The optimum of a linear mixed model, in the user's units.

    `theta` is the lower triangle of Lambda by columns with a diagonal >= 0 (lme4's order); `deviance` is -2
    log-likelihood, restricted under REML, with all constants of lme4. `decrement` is g'H^-1 g, of which half is the
    excess of `deviance` over its minimum; `eigenvalues` belong to its exact Hessian in units of the random effects and
    sigma (see `Curvature`). `least_sd` is the standard deviation, relative to sigma and averaged over rows, of the
    least varying combination of the random effects: below 1e-4 the fit is singular. `start` is the theta that the
    search began with. `Lambda` is the relative factor in the coordinates of `statistics`, with digits that theta has no
    room for, and `evaluation` the likelihood there.
    """

    theta: Vector
    beta: Vector
    sigma: float
    deviance: float
    convergence: Convergence
    decrement: float
    eigenvalues: Vector
    least_sd: float
    start: Vector
    statistics: SufficientStatistics
    Lambda: Matrix
    evaluation: Evaluation

    def satterthwaite_parts(self) -> SatterthwaiteParts:
        """Return the derivatives that Satterthwaite's degrees of freedom need."""
        return one_factor.satterthwaite_parts(self)

    def kenward_roger_parts(self) -> KenwardRogerParts:
        """Return the pieces of the Kenward-Roger adjustment."""
        return one_factor.kenward_roger_parts(self)

    def marginal_covariances(self, design: LmmDesign) -> Iterator[tuple[Codes, Matrix]]:
        """Yield each subject's rows (n_i,) and their covariance sigma^2 (diag(1/w) + Z_i Gamma Z_i')."""
        half = design.Z @ layout(design.blocks).factor(self.theta)
        noise = np.ones(design.n_observations) if design.weights is None else 1 / design.weights
        for rows in design.subject_rows():
            own = half[rows]
            yield np.arange(rows.start, rows.stop), self.sigma**2 * (np.diag(noise[rows]) + own @ own.T)


def fit(design: LmmDesign, start: Vector | None = None, limit: int = ITERATION_LIMIT) -> LmmFit:
    """Return the ML or REML fit, exact to rounding, from `start` (theta in the user's units) or from `starts`.

    R: ``lmer(f, d, REML = r)`` with a tight optimiser; no optimiser in R comes nearer than about 1e-6 in theta.

    Raises
    ------
    SpecError
        If the random effects reproduce the outcome exactly, so that the likelihood has no maximum.
    """
    statistics = sufficient_statistics(design)
    _refuse_exact_fit(statistics, design)
    begun = starts(statistics, design) if start is None else (_given(start, design, statistics),)
    descents = [(_descend(statistics, Lambda, design, limit), Lambda) for Lambda in begun]
    descent, Lambda = lowest(descents, value=lambda end: end[0].evaluation.value, finished=lambda end: end[0].finished)
    coordinates = descent.statistics.coordinates
    if descent.evaluation.sigma <= EXACT_FIT * float(np.sqrt(np.mean(design.scaled.y**2))):
        raise no_maximum()
    certificate = certify(descent, design)
    return LmmFit(
        theta=read_only(_user_theta(descent.Lambda, design, descent.statistics)),
        beta=read_only(coordinates.origin + coordinates.fixed @ descent.evaluation.beta),
        sigma=descent.evaluation.sigma,
        deviance=descent.evaluation.value,
        convergence=certificate.convergence,
        decrement=certificate.decrement,
        eigenvalues=read_only(certificate.eigenvalues),
        least_sd=certificate.least_sd,
        start=read_only(_user_theta(Lambda, design, statistics)),
        statistics=descent.statistics,
        Lambda=read_only(descent.Lambda),
        evaluation=descent.evaluation,
    )


def _given(start: Vector, design: LmmDesign, statistics: SufficientStatistics) -> Matrix:
    factor = layout(design.blocks).factor(np.asarray(start, dtype=float))
    return statistics.coordinates.working_factor(factor)


def _user_theta(Lambda: Matrix, design: LmmDesign, statistics: SufficientStatistics) -> Vector:
    return layout(design.blocks).theta(statistics.coordinates.user_factor(Lambda))


def _descend(statistics: SufficientStatistics, Lambda: Matrix, design: LmmDesign, limit: int) -> Descent:
    """Return where Newton ends, in coordinates that keep the digits there.

    Where rounding is magnified (sigma tiny beside the random effects, time around a large origin) the coordinates are
    adapted to the fit so far, and the search goes on in them.
    """
    iterations = 0
    for _ in range(_ADAPTATIONS):
        descent = descend(statistics, Lambda, limit - iterations)
        iterations += descent.iterations
        if magnification(descent.evaluation, descent.Lambda, descent.statistics) < MAGNIFIED:
            return replace(descent, iterations=iterations)
        statistics, Lambda = adapted(descent.evaluation, descent.Lambda, descent.statistics, design)
    return replace(descent, iterations=iterations, finished=False)


def _refuse_exact_fit(statistics: SufficientStatistics, design: LmmDesign) -> None:
    """Raise if the rows that never see the random effects leave no residual: sigma would run to zero."""
    rows = statistics.n_observations - int(statistics.counts @ statistics.ranks)
    if rows == 0:
        return
    S = statistics.S
    b = np.linalg.lstsq(S[:-1, :-1], S[:-1, -1], rcond=None)[0]
    left = float(S[-1, -1] - 2 * b @ S[:-1, -1] + b @ S[:-1, :-1] @ b)
    if left <= (EXACT_FIT * float(np.linalg.norm(design.scaled.y))) ** 2:
        raise no_maximum()
