"""The dense definitions, on n x n matrices, that the fast forms are held against."""

import numpy as np
import pytest

from harness.formula import parse_formula
from harness.lmm.covariance import layout
from harness.lmm.design import build_design
from harness.lmm.fit import fit
from harness.lmm.spec import LmmSpec


class Dense:
    """V, its derivatives in gamma = (lower triangles of G's blocks by columns, sigma^2), and what follows from them."""

    def __init__(self, X, y, V, slopes, *, reml):
        inverse = np.linalg.inv(V)
        sides = [inverse @ S for S in slopes]
        self.y, self.slopes, self.reml, self.inverse = y, slopes, reml, inverse
        self.phi = np.linalg.inv(X.T @ inverse @ X)
        self.P = np.array([-X.T @ side @ inverse @ X for side in sides])
        self.Q = np.array([[X.T @ a @ b @ inverse @ X for b in sides] for a in sides])
        self.projection = inverse - inverse @ X @ self.phi @ X.T @ inverse

    def information(self, *, observed):
        """Twice the information, by V^-1 - V^-1 X phi X' V^-1 (Searle, Casella & McCulloch 1992, section 6.6)."""
        y, inner = self.y, self.projection
        outer = inner if self.reml else self.inverse
        traces = np.array([[np.trace(outer @ a @ outer @ b) for b in self.slopes] for a in self.slopes])
        if not observed:
            return traces
        return -traces + 2 * np.array(
            [[y @ inner @ a @ inner @ b @ inner @ y for b in self.slopes] for a in self.slopes]
        )


@pytest.fixture(scope="session")
def dense():
    """Return the dense form of a fit, G and sigma^2 being its own."""

    def build(design, found):
        blocks = layout(design.blocks)
        factor = blocks.factor(found.theta)
        G, n, q = found.sigma**2 * factor @ factor.T, design.n_observations, design.n_random
        weights = np.ones(n) if design.weights is None else design.weights

        def spread(inner):
            V = np.zeros((n, n))
            for rows in design.subject_rows():
                V[rows, rows] = design.Z[rows] @ inner @ design.Z[rows].T
            return V

        slopes = []
        for a, b in zip(blocks.rows, blocks.columns, strict=True):
            unit = np.zeros((q, q))
            unit[a, b] = unit[b, a] = 1.0
            slopes.append(spread(unit))
        noise = np.diag(1 / weights)
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
