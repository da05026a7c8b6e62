"""The dense definitions, on n x n matrices, that the fast forms are held against."""

import numpy as np
import pytest

from harness.formula import parse_formula
from harness.lmm.covariance import layout
from harness.lmm.design import build_design
from harness.lmm.fit import fit
from harness.lmm.spec import LmmSpec


def inverse(matrix):
    """Return that of a positive definite matrix in 80 bits, which LAPACK does not have: Gauss-Jordan without pivots."""
    left = np.hstack([matrix, np.eye(len(matrix), dtype=matrix.dtype)])
    for j in range(len(matrix)):
        left[j] /= left[j, j]
        column = left[:, j].copy()
        column[j] = 0
        left -= column[:, None] * left[j]
    return left[:, len(matrix) :]


class Dense:
    """V, its derivatives in gamma = (lower triangles of G's blocks by columns, sigma^2), and what follows from them."""

    def __init__(self, X, y, V, slopes, *, reml):
        X = X.astype(np.longdouble)
        weight = inverse(V)
        own = inverse(X.T @ weight @ X)
        projection = weight - weight @ X @ own @ X.T @ weight
        left = [projection @ S for S in slopes]
        # By V^-1 - V^-1 X phi X' V^-1 (Searle, Casella & McCulloch 1992, section 6.6); twice the information.
        outer = left if reml else [weight @ S for S in slopes]
        self.expected = np.array([[np.sum(a * b.T) for b in outer] for a in outer], dtype=float)
        ends = [y @ side for side in left]
        quadratic = np.array([[a @ projection @ b for b in ends] for a in ends])
        sides = [X.T @ weight @ S @ weight for S in slopes]
        self.phi = own.astype(float)
        self.P = np.array([-side @ X for side in sides], dtype=float)
        self.Q = np.array([[a @ S @ weight @ X for S in slopes] for a in sides], dtype=float)
        self.observed = (2 * quadratic).astype(float) - self.expected


@pytest.fixture(scope="session")
def dense():
    """Return the dense form of a fit, G and sigma^2 being its own."""

    def build(design, found):
        blocks = layout(design.blocks)
        factor = blocks.factor(found.theta)
        factor = factor.astype(np.longdouble)
        G, n, q = found.sigma**2 * factor @ factor.T, design.n_observations, design.n_random
        weights = np.ones(n) if design.weights is None else design.weights

        def spread(inner):
            V = np.zeros((n, n), dtype=np.longdouble)
            for rows in design.subject_rows():
                V[rows, rows] = design.Z[rows] @ inner @ design.Z[rows].T
            return V

        slopes = []
        for a, b in zip(blocks.rows, blocks.columns, strict=True):
            unit = np.zeros((q, q))
            unit[a, b] = unit[b, a] = 1.0
            slopes.append(spread(unit))
        noise = np.diag(1 / weights.astype(np.longdouble))
        V = spread(G) + found.sigma**2 * noise
        return Dense(design.X, design.y, V, [*slopes, noise], reml=design.criterion == "REML")

    return build


@pytest.fixture(scope="session")
def fitted(make_design):
    def run(formula, cohort, criterion="REML"):
        design = make_design(formula, cohort, criterion)
        return design, fit(design)

    return run


@pytest.fixture(scope="session")
def trial(make_cohort):
    """Three arms, two sexes, a covariate, dropout: 40 subjects in unequal cells; levels in alphabetical order."""
    stream = np.random.default_rng(5)
    rows = []
    for i in range(40):
        b = stream.normal(size=2) * [1, 0.4]
        arm = "abc"[i % 3 if i < 36 else 0]
        sex, x = "fm"[i % 7 > 3], stream.normal()
        for t in range(5):
            if i and t and stream.random() < 0.25:
                continue
            mean = 10 + b[0] + b[1] * t + 0.3 * t * (arm == "b") + 0.4 * (sex == "m") + 0.2 * x
            rows.append((f"s{i:02d}", arm, sex, x, float(t), f"v{t}", mean + stream.normal()))
    names = ("id", "arm", "sex", "x", "t", "visit", "y")
    return make_cohort(**{name: [row[j] for row in rows] for j, name in enumerate(names)})


@pytest.fixture(scope="session")
def make_weighted():
    def run(formula, cohort, weights, criterion="REML"):
        design = build_design(LmmSpec(formula=parse_formula(formula), criterion=criterion, weights=weights), cohort)
        return design, fit(design)

    return run
