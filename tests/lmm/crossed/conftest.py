"""Crossed and nested panels: simulated, seeded and unbalanced; dense matrices written from the model's definition."""

import numpy as np
import pytest
from scipy.linalg import block_diag

from harness.cohorts.cohort import Cohort, Factor
from harness.lmm.covariance import relative_factor


def _factor(codes, prefix):
    return Factor(codes=codes, levels=tuple(f"{prefix}{k:02d}" for k in range(int(codes.max()) + 1)))


def _panel(seed, n=90, levels=(12, 5), sd=(1.0, 0.8, 2.0), sigma=1.0):
    """Each row meets a random level of both factors; y has an intercept and a slope by a, an intercept by b."""
    stream = np.random.default_rng(seed)
    a, b = (np.append(np.arange(m), stream.integers(0, m, n - m)) for m in levels)
    stream.shuffle(b)
    t = stream.normal(size=n) + 2
    effects = [stream.normal(size=m) for m in (levels[0], levels[0], levels[1])]
    y = 3 + t + sd[0] * effects[0][a] + sd[1] * effects[1][a] * t + sd[2] * effects[2][b]
    return Cohort(
        name="panel",
        subject="a",
        time=None,
        numeric={
            "y": y + sigma * stream.normal(size=n),
            "t": t,
            "u": stream.normal(size=n),
            "w": stream.uniform(0.5, 2, n),
        },
        factors={"a": _factor(a, "a"), "b": _factor(b, "b")},
    )


@pytest.fixture(scope="session")
def panel():
    return _panel


class _Dense:
    """The model of a design at theta (user's units), as dense matrices."""

    def __init__(self, theta, design):
        at = 0
        self.weights = np.ones(len(design.y)) if design.weights is None else design.weights
        self.factors, self.terms = [], []
        V = np.diag(1 / self.weights)
        for term in design.random:
            blocks = []
            for size in term.blocks:
                blocks.append(relative_factor(theta[at : at + size * (size + 1) // 2], (size,)))
                at += size * (size + 1) // 2
            self.factors.append(block_diag(*blocks))
            same = term.codes[:, None] == term.codes
            self.terms.append((term.Z, same))
            V += same * (term.Z @ self.factors[-1] @ self.factors[-1].T @ term.Z.T)
        self.V = V
        X, y = design.X, design.y
        inverse = np.linalg.inv(V)
        self.A = X.T @ inverse @ X
        self.beta = np.linalg.solve(self.A, X.T @ inverse @ y)
        left = y - X @ self.beta
        rest = float(left @ inverse @ left)
        df = len(y) - (X.shape[1] if design.criterion == "REML" else 0)
        self.sigma = np.sqrt(rest / df)
        log_det = np.linalg.slogdet(V)[1]
        if design.criterion == "REML":
            log_det += np.linalg.slogdet(self.A)[1]
        self.deviance = float(log_det + df * (1 + np.log(2 * np.pi * rest / df)))


@pytest.fixture(scope="session")
def dense():
    return _Dense


@pytest.fixture(scope="session")
def weighted_design():
    """Build a design by a formula; `weights` names a column."""
    from harness.formula import parse_formula
    from harness.lmm.design import build_design
    from harness.lmm.spec import LmmSpec

    def make(formula, cohort, criterion="REML", weights=None):
        return build_design(LmmSpec(formula=parse_formula(formula), criterion=criterion, weights=weights), cohort)

    return make
