"""Panels of visits with gaps, and the likelihood from its definition."""

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.spec import LmmSpec


def _panel(*, m=40, visits=4, miss=0.25, seed=1, covariance=None, times=None):
    """Return a cohort of two arms: visits v0, v1, ... as a factor and as `t`, weights `w`, and a trend in y by arm."""
    stream = np.random.default_rng(seed)
    if covariance is None:
        root = stream.standard_normal((visits, visits + 2)) / 2
        covariance = root @ root.T + 0.3 * np.eye(visits)
    errors = stream.standard_normal((m, visits)) @ np.linalg.cholesky(covariance).T
    kept = stream.random((m, visits)) >= miss
    kept[:, 0] |= ~kept.any(axis=1)
    kept[0] = kept[1] = True
    subject, visit = np.nonzero(kept)
    arm = subject % 2
    t = visit.astype(float) if times is None else np.asarray(times, dtype=float)[visit]
    return Cohort(
        name="panel",
        subject="id",
        time=None,
        numeric={
            "y": 5 + visit + 0.5 * arm * visit + errors[kept],
            "t": t,
            "w": 0.5 + stream.integers(0, 4, len(t)) / 2,
        },
        factors={
            "visit": Factor(codes=visit, levels=tuple(f"v{k}" for k in range(visits))),
            "arm": Factor(codes=arm, levels=("a", "b")),
            "id": Factor(codes=subject, levels=tuple(f"s{i}" for i in range(m))),
        },
    )


def _design(formula, cohort, criterion="REML", weights=None):
    return build_design(LmmSpec(formula=parse_formula(formula), criterion=criterion, weights=weights), cohort)


def _dense(V, design):
    """-2 log-likelihood at an n x n covariance, by generalised least squares."""
    X, y, n, p = design.X, design.y, design.n_observations, design.n_fixed
    inverse = np.linalg.inv(V)
    A = X.T @ inverse @ X
    e = y - X @ np.linalg.solve(A, X.T @ inverse @ y)
    value = np.linalg.slogdet(V)[1] + e @ inverse @ e + n * np.log(2 * np.pi)
    return value + (np.linalg.slogdet(A)[1] - p * np.log(2 * np.pi) if design.criterion == "REML" else 0.0)


@pytest.fixture(scope="session")
def make_panel():
    return _panel


@pytest.fixture(scope="session")
def designed():
    return _design


@pytest.fixture(scope="session")
def dense_deviance():
    return _dense


@pytest.fixture(scope="session")
def panel():
    return _panel(m=22)
