"""The parameters of a trajectory model: as arrays by class, as one free vector, as a `Point` in the user's units.

Three forms of the same thing. The search works on `Parameters` and on free vectors in working units (orthogonal basis,
standardised outcome: see `GbtmDesign`), for many starts at once: the leading axis of every array counts starts.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.design import GbtmDesign
from harness.gbtm.spec import Sigma
from harness.quantities import Point


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameters:
    """S starts, K classes, q coefficients, in working units; coefficients above a class's order are 0."""

    log_shares: Matrix  # (S, K)
    beta: Tensor  # (S, K, q)
    log_sigma: Matrix  # (S, K); equal entries in a row if sigma is shared

    def take(self, starts: Codes) -> "Parameters":
        """Return the parameters of some starts."""
        return Parameters(log_shares=self.log_shares[starts], beta=self.beta[starts], log_sigma=self.log_sigma[starts])

    def relabelled(self, classes: Codes) -> "Parameters":
        """Return the same mixtures with their classes in another order, the same for every start."""
        return Parameters(
            log_shares=self.log_shares[:, classes], beta=self.beta[:, classes], log_sigma=self.log_sigma[:, classes]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each parameter stands in the free vector: log-odds against class K; beta class by class; log sigma."""

    orders: tuple[int, ...]
    sigma: Sigma

    @property
    def n_classes(self) -> int:
        """How many latent classes, K."""
        return len(self.orders)

    @property
    def n_sigmas(self) -> int:
        """1 if sigma is shared, else K."""
        return 1 if self.sigma == "shared" else self.n_classes

    @property
    def is_free(self) -> Mask:
        """Which of the (K, q) coefficients are free."""
        return np.arange(max(self.orders) + 1) <= np.array(self.orders)[:, None]

    @property
    def n_free(self) -> int:
        """Length of the free vector."""
        return self.n_classes - 1 + sum(self.orders) + self.n_classes + self.n_sigmas

    def blocks(self) -> tuple[slice, ...]:
        """Return the place of each class's coefficients in the free vector."""
        ends = self.n_classes - 1 + np.cumsum([order + 1 for order in self.orders])
        return tuple(slice(int(end) - order - 1, int(end)) for end, order in zip(ends, self.orders, strict=True))


def layout_of(design: GbtmDesign, orders: tuple[int, ...] | None = None) -> Layout:
    """Return the layout of a design's model; `orders` if its classes come in another order than in the spec."""
    return Layout(orders=design.spec.orders if orders is None else orders, sigma=design.spec.sigma)


def pack(parameters: Parameters, layout: Layout) -> Matrix:
    """Return the free vectors (S, P)."""
    log_odds = parameters.log_shares[:, :-1] - parameters.log_shares[:, -1:]
    return np.concatenate(
        [log_odds, parameters.beta[:, layout.is_free], parameters.log_sigma[:, : layout.n_sigmas]], axis=1
    )


def unpack(vectors: Matrix, layout: Layout) -> Parameters:
    """Return the parameters of free vectors (S, P)."""
    S, K = len(vectors), layout.n_classes
    log_odds = np.concatenate([vectors[:, : K - 1], np.zeros((S, 1))], axis=1)
    beta = np.zeros((S, *layout.is_free.shape))
    beta[:, layout.is_free] = vectors[:, K - 1 : -layout.n_sigmas]
    return Parameters(
        log_shares=log_softmax(log_odds, axis=1),
        beta=beta,
        log_sigma=np.broadcast_to(vectors[:, -layout.n_sigmas :], (S, K)),
    )


def to_point(vector: Vector, design: GbtmDesign, layout: Layout) -> Point:
    """Return one free vector as a `Point` in the user's units."""
    parts = [vector[: layout.n_classes - 1]]
    for block, order in zip(layout.blocks(), layout.orders, strict=True):
        parts.append(_raw(design, order) @ (design.scale * vector[block] + design.pooled[: order + 1]))
    parts.append(design.scale * np.exp(vector[-layout.n_sigmas :]))
    return tuple(np.concatenate(parts).tolist())


def from_point(point: Point, design: GbtmDesign, layout: Layout) -> Vector:
    """Return a `Point` as a free vector in working units.

    Raises
    ------
    SpecError
        If the point has another length than the model has parameters, is not finite, or has a sigma that is not > 0.
    """
    given = checked(point, layout)
    vector = given.copy()
    for block, order in zip(layout.blocks(), layout.orders, strict=True):
        in_basis = np.linalg.solve(_raw(design, order), given[block])
        vector[block] = (in_basis - design.pooled[: order + 1]) / design.scale
    vector[-layout.n_sigmas :] = np.log(given[-layout.n_sigmas :] / design.scale)
    return vector


def checked(point: Point, layout: Layout) -> Vector:
    """Return a `Point` as an array, or raise a SpecError that says what is wrong with it."""
    given = np.array(point, dtype=np.float64)
    problems = []
    if given.shape != (layout.n_free,):
        problems.append(Problem(found=f"a point of {len(point)} numbers", expected=f"{layout.n_free} numbers"))
    else:
        if not np.isfinite(given).all():
            problems.append(Problem(found=f"a point that is not finite: {point!r}", expected="finite numbers"))
        if not (given[-layout.n_sigmas :] > 0).all():
            problems.append(Problem(found=f"sigma {point[-layout.n_sigmas :]!r}", expected="sigma > 0"))
    if problems:
        raise SpecError("parameters of a trajectory model", problems)
    return given


def point_jacobian(vector: Vector, design: GbtmDesign, layout: Layout) -> Matrix:
    """Return d(class shares 1..K; beta class by class; sigma) / d(free vector), user's units by working units."""
    K, P = layout.n_classes, layout.n_free
    shares = np.exp(unpack(vector[None], layout).log_shares[0])
    jacobian = np.zeros((P + 1, P))
    jacobian[:K, : K - 1] = (np.diag(shares) - np.outer(shares, shares))[:, : K - 1]
    for block, order in zip(layout.blocks(), layout.orders, strict=True):
        rows = slice(block.start + 1, block.stop + 1)
        jacobian[rows, block] = design.scale * _raw(design, order)
    last = np.arange(P - layout.n_sigmas, P)
    jacobian[last + 1, last] = design.scale * np.exp(vector[last])
    return jacobian


def _raw(design: GbtmDesign, order: int) -> Matrix:
    return design.raw_from_basis[: order + 1, : order + 1]
