"""Small panels: simulated and seeded, or written out; no data of anyone."""

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.formula import parse_formula
from harness.lmm.covariance import relative_factor
from harness.lmm.design import build_design
from harness.lmm.spec import LmmSpec


def _factor(values):
    levels = tuple(dict.fromkeys(value for value in values if value is not None))
    return Factor(codes=np.array([-1 if v is None else levels.index(v) for v in values]), levels=levels)


def _cohort(subject="id", **columns):
    """Lists of text become factors with levels in order of appearance, all else numbers."""
    factors = {k: _factor(v) for k, v in columns.items() if isinstance(v, list) and isinstance(v[0], str | None)}
    numeric = {k: np.array(v, dtype=float) for k, v in columns.items() if k not in factors}
    return Cohort(name="panel", subject=subject, time=None, numeric=numeric, factors=factors)


def _dense(theta, design):
    """-2 log-likelihood from its definition: one n x n covariance diag(1/w) + ZGZ', generalised least squares."""
    X, y, n, p = design.X, design.y, design.n_observations, design.n_fixed
    V = np.diag(np.ones(n) if design.weights is None else 1 / design.weights)
    half = design.Z @ relative_factor(np.array(theta), design.blocks)
    for rows in design.subject_rows():
        V[rows, rows] += half[rows] @ half[rows].T
    solved = np.linalg.solve(V, np.column_stack([X, y]))
    A = X.T @ solved[:, :p]
    r = y - X @ np.linalg.solve(A, X.T @ solved[:, p])
    df = n - p if design.criterion == "REML" else n
    log_det = np.linalg.slogdet(V)[1] + (np.linalg.slogdet(A)[1] if design.criterion == "REML" else 0)
    return log_det + df * (1 + np.log(2 * np.pi * (r @ np.linalg.solve(V, r)) / df))


@pytest.fixture(scope="session")
def dense_criterion():
    return _dense


@pytest.fixture(scope="session")
def make_cohort():
    return _cohort


@pytest.fixture(scope="session")
def make_design():
    def make(formula, cohort, criterion="REML"):
        return build_design(LmmSpec(formula=parse_formula(formula), criterion=criterion), cohort)

    return make


@pytest.fixture(scope="session")
def uneven():
    """Six subjects with 1 to 5 visits at unequal times: all that makes a panel awkward, in 19 rows."""
    visits = (1, 2, 4, 5, 4, 3)
    return _cohort(
        id=[label for label, n in zip("abcdef", visits, strict=True) for _ in range(n)],
        g=[g for g, n in zip(["no", "yes", "no", "yes", "yes", "no"], visits, strict=True) for _ in range(n)],
        t=[0, 0, 1.5, 0, 1, 2.5, 4, 0, 1, 2, 3, 4, 0.5, 1, 2.5, 4, 0, 2, 3.5],
        y=[21.5, 30.25, 27.125, 18.5, 19.75, 14, 11.5, 26, 27.5, 22.25, 24.5, 19.75,
           24, 21.5, 22.5, 17.25, 15.5, 13, 9.25],
    )  # fmt: skip


@pytest.fixture(scope="session")
def simulate():
    """Return a panel with dropout: 20 - t + 0.5 t [g = b] + random intercept and slope + noise."""

    def panel(*, m=60, visits=6, sd=(1.0, 0.3), correlation=0.2, sigma=1.0, jitter=0.0, dropout=0.15, seed=1):
        stream = np.random.default_rng(seed)
        first, second = stream.standard_normal((2, m))
        b0 = sd[0] * first
        b1 = sd[1] * (correlation * first + np.sqrt(1 - correlation**2) * second)
        subject = np.repeat(np.arange(m), visits)
        kept = stream.random(m * visits) >= dropout
        kept[::visits] = True
        subject = subject[kept]
        t = (np.tile(np.arange(visits, dtype=float), m) + jitter * stream.standard_normal(m * visits))[kept]
        treated = subject % 2 == 1
        noise = sigma * stream.standard_normal(len(t))
        return {
            "id": [f"s{i:03d}" for i in subject],
            "t": t,
            "g": ["b" if flag else "a" for flag in treated],
            "y": 20 - t + 0.5 * t * treated + b0[subject] + b1[subject] * t + noise,
        }

    return panel
