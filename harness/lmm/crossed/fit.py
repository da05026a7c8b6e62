"""The fit of a linear mixed model with several grouping factors."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.convergence import Convergence
from harness.errors import Problem, SpecError
from harness.lmm.checks import EXACT_FIT, no_maximum
from harness.lmm.covariance import diagonal_blocks, relative_factor, theta_of
from harness.lmm.crossed.certificate import certify
from harness.lmm.crossed.inference import kenward_roger_parts, satterthwaite_parts
from harness.lmm.crossed.layout import Layout, arrange, entries
from harness.lmm.crossed.newton import Place, descend, place
from harness.lmm.crossed.start import starts
from harness.lmm.crossed.statistics import cross_products
from harness.lmm.design import LmmDesign
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts
from harness.lmm.search import ITERATION_LIMIT, lowest

# A dense covariance of more rows would fill the memory: 5,000 rows are 200 MB.
LARGEST_BLOCK = 5_000
# Coordinates that follow one evaluation make the next one more exact.
_ROUNDS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossedFit:
    """The optimum of a linear mixed model with several grouping factors, in the user's units.

    `theta` holds the lower triangles of the blocks of Lambda by columns, in the order of the formula's terms (lme4
    sorts its own by number of levels), with diagonals >= 0. `deviance` is -2 log-likelihood, restricted under REML,
    with all constants of lme4. `decrement`, `eigenvalues`, `least_sd` and `start` are as in `LmmFit`, over all blocks.
    `place` is the optimum in working units.
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
    place: Place

    def satterthwaite_parts(self) -> SatterthwaiteParts:
        """Return the derivatives that Satterthwaite's degrees of freedom need."""
        return satterthwaite_parts(self.place)

    def kenward_roger_parts(self) -> KenwardRogerParts:
        """Return the pieces of the Kenward-Roger adjustment, gamma the lower triangles of each G, then sigma^2."""
        return kenward_roger_parts(self.place)

    def marginal_covariances(self, design: LmmDesign) -> Iterator[tuple[Codes, Matrix]]:
        """Yield the rows (n_i,) that share levels, directly or by other rows, and their covariance V_i (n_i, n_i).

        Raises
        ------
        SpecError
            If so many rows depend on each other that their covariance can't be held.
        """
        components = self.place.cross.layout.components
        largest = int(np.bincount(components).max())
        if largest > LARGEST_BLOCK:
            raise SpecError("covariance of the outcomes", [_too_large(largest)])
        for rows in np.split(np.argsort(components, kind="stable"), np.cumsum(np.bincount(components))[:-1]):
            yield rows, self._covariance(rows, design)

    def _covariance(self, rows: Codes, design: LmmDesign) -> Matrix:
        weights = np.ones(len(rows)) if design.weights is None else design.weights[rows]
        V, at = np.diag(1 / weights), 0
        for term, factor in zip(design.random, term_factors(self.theta, design), strict=True):
            ZL = design.Z[rows, at : at + len(factor)] @ factor
            at += len(factor)
            V += (ZL @ ZL.T) * (term.codes[rows, None] == term.codes[rows])
        return np.asarray(self.sigma**2 * V)


def fit(design: LmmDesign, start: Vector | None = None, limit: int = ITERATION_LIMIT) -> CrossedFit:
    """Return the ML or REML fit, from `start` (theta in the user's units) or from moments.

    R: ``lmer(f, d, REML = r)`` with a tight optimiser.

    Raises
    ------
    SpecError
        If the random effects reproduce the outcome exactly, so that the likelihood has no maximum.
    """
    layout = arrange(design)
    cross = cross_products(design, layout)
    thetas = starts(cross) if start is None else (working_theta(start, layout),)
    places = [place(theta, entries(layout), cross) for theta in thetas]
    descents = [(descend(begun, limit), begun) for begun in places]
    descent, begun = lowest(descents, value=lambda end: end[0].place.here.value, finished=lambda end: end[0].finished)
    here, cross = descent.place.here, descent.place.cross
    if cross.fits_exactly or not here.sigma > EXACT_FIT * float(np.sqrt(np.mean(design.scaled.y**2))):
        raise no_maximum()
    certificate = certify(descent)
    return CrossedFit(
        theta=read_only(user_theta(descent.place.user_order_blocks, layout)),
        beta=read_only(cross.origin + cross.fixed @ here.beta),
        sigma=here.sigma,
        deviance=here.value,
        convergence=certificate.convergence,
        decrement=certificate.decrement,
        eigenvalues=read_only(certificate.eigenvalues),
        least_sd=certificate.least_sd,
        start=read_only(user_theta(begun.blocks, layout)),
        place=descent.place,
    )


def profiled_deviance(theta: Vector, design: LmmDesign) -> float:
    """Return -2 log-likelihood (restricted, under REML) at theta in the user's units; ``devfun(theta)`` of lme4."""
    return _place_at(theta, design).here.value


def distance_to_optimum(theta: Vector, design: LmmDesign) -> float:
    """Return how far, in standard errors, a Newton step from theta would go; infinite on a saddle."""
    local = _place_at(theta, design).pivoted().curvature()
    return float("inf") if local.descending else local.distance


def term_factors(theta: Vector, design: LmmDesign) -> tuple[Matrix, ...]:
    """Return each random term's Lambda (q, q) in the user's units."""
    return diagonal_blocks(relative_factor(theta, design.blocks), [len(term.names) for term in design.random])


def working_theta(theta: Vector, layout: Layout) -> Vector:
    """Return theta in working units."""
    factors = diagonal_blocks(relative_factor(theta, layout.sizes), layout.sizes)
    return np.concatenate(
        [theta_of(block.working_factor(factor)) for block, factor in zip(layout.blocks, factors, strict=True)]
    )


def user_theta(blocks: tuple[Matrix, ...], layout: Layout) -> Vector:
    """Return theta in the user's units, from working blocks whose rows are in the order of the random effects."""
    return np.concatenate(
        [theta_of(block.user_factor(Lambda)) for block, Lambda in zip(layout.blocks, blocks, strict=True)]
    )


def _place_at(theta: Vector, design: LmmDesign) -> Place:
    layout = arrange(design)
    found = place(working_theta(np.asarray(theta), layout), entries(layout), cross_products(design, layout))
    for _ in range(_ROUNDS):
        found = found.with_digits()
    return found


def _too_large(rows: int) -> Problem:
    return Problem(
        found=f"{rows} rows that all depend on each other through crossed grouping factors",
        expected=f"at most {LARGEST_BLOCK}, for their covariance is held at once",
    )
