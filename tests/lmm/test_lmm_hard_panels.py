"""Panels that are hard on purpose, through the public API, against 60-digit arithmetic on the very same doubles."""

import mpmath
import numpy as np
import pandas as pd
import pytest

from harness.api import fit_lmm
from harness.convergence import Stop
from harness.lmm.covariance import layout, relative_factor
from harness.lmm.deviance import profiled_deviance
from harness.lmm.fit import fit

TINY = 1e-5
SMALL = 1e-13
PANELS = {
    "plain": {},
    "irregular times": {"jitter": 0.2},
    "no slope variance": {"sd": (1, 0)},
    "no intercept variance": {"sd": (0, 1)},
    "no variance": {"sd": (0, 0)},
    "a slope variance of 1e-12": {"sd": (1, 1e-6)},
    "correlation 1": {"correlation": 1.0},
    "correlation -1": {"correlation": -1.0, "sd": (0.3, 1)},
    "correlation 1 - 1e-6": {"correlation": 1 - 1e-6},
    "outcome + 1e7": {"offset": 1e7},
    "outcome + 1e9": {"offset": 1e9},
    "outcome * 1e-8": {"unit": 1e-8},
    "time * 1e-4": {"time_unit": 1e-4},
    "time * 1e4": {"time_unit": 1e4},
    "years": {"time_unit": 1 / 12, "origin": 2000},
    "years, no intercept variance": {"time_unit": 1 / 12, "origin": 2000, "sd": (0, 1)},
    "days since 1900": {"origin": 45000},
    "days since 1900, no variance": {"origin": 45000, "sd": (0, 0)},
    "years, large variances": {"time_unit": 1 / 12, "origin": 2000, "sd": (1000, 1000)},
    "sigma 1e-5": {"sd": (6, 2), "sigma": TINY},
    "sigma 1e-5, no slope variance": {"sd": (6, 0), "sigma": TINY},
    "sigma 1e-5, no intercept variance": {"sd": (0, 6), "sigma": TINY},
    "sigma 1e-5, no variance": {"sd": (0, 0), "sigma": TINY},
    "days since 1900, sigma 1e-5, no variance": {"origin": 45000, "sd": (0, 0), "sigma": TINY},
    "sigma 1e-5, correlation 1": {"sd": (6, 2), "sigma": TINY, "correlation": 1.0},
    "G / sigma^2 of 1e6": {"sd": (1000, 1000)},
    "G / sigma^2 of 1e6, no slope variance": {"sd": (1000, 0)},
    "G / sigma^2 of 1e6, no intercept variance": {"sd": (0, 1000)},
    "G / sigma^2 of 1e6, correlation 1": {"sd": (1000, 300), "correlation": 1.0},
}
FORMULAS = {
    "independent": "y ~ t * g + (1 + t || id)",
    "slope only": "y ~ t * g + (0 + t | id)",
    "intercept only": "y ~ t * g + (1 | id)",
    "curved": "y ~ t * g + (1 + t + t^2 | id)",
    "no fixed slope": "y ~ g + (1 + t | id)",
}


@pytest.fixture(scope="module")
def frame(simulate):
    def build(*, offset=0.0, unit=1.0, origin=0.0, time_unit=1.0, m=15, seed=2, **shape):
        panel = simulate(m=m, seed=seed, **shape)
        return pd.DataFrame({**panel, "t": origin + time_unit * panel["t"], "y": offset + unit * panel["y"]})

    return build


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("name", PANELS)
def test_a_hard_panel_ends_at_the_true_optimum_and_says_so(frame, name, criterion):
    assert_at_the_optimum(fit_lmm("y ~ t * g + (1 + t | id)", frame(**PANELS[name]), criterion=criterion))


@pytest.mark.parametrize("name", ["no slope variance", "days since 1900", "sigma 1e-5, no intercept variance"])
@pytest.mark.parametrize("kind", FORMULAS)
def test_so_does_every_kind_of_model(frame, kind, name):
    shape = PANELS[name]
    if kind == "curved" and "origin" in shape:
        shape = {"origin": 2000, "time_unit": 3}  # of days since 1900 the square is refused as aliased
    assert_at_the_optimum(fit_lmm(FORMULAS[kind], frame(**shape)))


def test_so_does_one_subject_of_one_row_and_one_seen_at_a_single_time(frame):
    data = frame(origin=2000, m=10)
    data = data[(data["id"] != "s003") | ~data["id"].duplicated()]
    data.loc[data["id"] == "s004", "t"] = 2003.0
    assert_at_the_optimum(fit_lmm("y ~ t + (1 + t | id)", data))


@pytest.mark.parametrize("name", ["years, no intercept variance", "sigma 1e-5, no intercept variance", "sigma 1e-5"])
def test_a_start_far_away_changes_nothing(frame, name):
    best = fit_lmm("y ~ t * g + (1 + t | id)", frame(**PANELS[name]))
    for start in np.random.default_rng(6).normal(size=(4, 3)) * np.abs(best.theta).max():
        again = fit(best.design, start=start)
        assert again.convergence.converged
        assert again.deviance == pytest.approx(best.fit.deviance, abs=tolerance(best.fit.deviance))


def test_a_long_flat_valley_is_not_taken_for_its_end(frame):
    """From this start the way to the optimum is flat: 1e-5 of the criterion is left where steps gain 1e-7."""
    data = frame(m=60, seed=8, origin=4500, time_unit=70)
    best = fit_lmm("y ~ t * g + (1 + t + t^2 | id)", data, criterion="ML")
    rows = layout((3,)).rows
    units = np.sqrt(np.mean(best.design.Z**2, axis=0))
    stream = np.random.default_rng(0)
    largest = np.abs(relative_factor(best.theta, (3,)) * units[:, None]).max()
    far = fit(best.design, start=stream.normal(size=6) * largest ** stream.uniform(0, 1.2) / units[rows])
    assert far.convergence.converged
    assert far.deviance == pytest.approx(best.fit.deviance, abs=1e-9)


@pytest.mark.parametrize("kind", ["1 + t", "1 + t + t^2"])
@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_a_search_that_gives_up_says_so(frame, kind, criterion):
    """All intercepts are 20 and no fixed effect says so: a curved ridge a million times as long as it is wide."""
    data = frame(**PANELS["sigma 1e-5, no intercept variance"])
    result = fit_lmm(f"y ~ 0 + t + ({kind} | id)", data, criterion=criterion)
    if result.convergence.stop is Stop.ITERATION_LIMIT:
        assert "rounding hides the way" in str(result.summary())
    else:
        assert_at_the_optimum(result)


def assert_at_the_optimum(result):
    found, design = result.fit, result.design
    assert found.convergence.converged
    assert found.convergence.gradient < 1e-8
    assert found.convergence.distance < 1e-8
    with mpmath.workdps(60):
        exact = Exact(design)
        lowest = exact.minimum(found.theta)
        here = exact.criterion(found.theta)
        allowed = tolerance(found.deviance)
        assert abs(here - lowest) < allowed
        assert abs(found.deviance - lowest) < allowed
        assert abs(profiled_deviance(found.theta, design) - here) < allowed


def tolerance(criterion):
    return max(1e-9, 1e-12 * abs(criterion))


class Exact:
    """-2 log-likelihood in mpmath's working precision, by cross products of Z, X and y."""

    def __init__(self, design):
        self.design = design
        D, Z = (_exact(array) for array in (np.column_stack([design.X, design.y]), design.Z))
        self.cross = D.T @ D
        self.subjects = {}
        for rows in design.subject_rows():
            pattern = self.subjects.setdefault(design.Z[rows].tobytes(), (Z[rows].T @ Z[rows], []))
            pattern[1].append(Z[rows].T @ D[rows])

    def criterion(self, theta):
        design, q, p = self.design, self.design.n_random, self.design.n_fixed
        Lambda, entries = np.full((q, q), mpmath.mpf(0)), layout(design.blocks)
        Lambda[entries.rows, entries.columns] = [mpmath.mpf(value) for value in theta]
        M, log_det, df = self.cross, mpmath.mpf(0), design.n_observations
        for ZZ, products in self.subjects.values():
            inner = mpmath.matrix((Lambda.T @ ZZ @ Lambda + np.eye(q, dtype=int)).tolist())
            C = Lambda @ np.array((inner**-1).tolist()) @ Lambda.T
            M = M - sum(ZD.T @ C @ ZD for ZD in products)
            log_det += len(products) * mpmath.log(mpmath.det(inner))
        A, a = mpmath.matrix(M[:p, :p].tolist()), mpmath.matrix(M[:p, p].tolist())
        residual = M[p, p] - (a.T * mpmath.lu_solve(A, a))[0]
        if design.criterion == "REML":
            log_det, df = log_det + mpmath.log(mpmath.det(A)), df - p
        return log_det + df * (1 + mpmath.log(2 * mpmath.pi * residual / df))

    def minimum(self, theta, steps=3):
        """Return the lowest value that Newton's method with differences of 1e-20 finds from theta."""
        theta, size = [mpmath.mpf(float(value)) for value in theta], len(theta)
        units = [mpmath.mpf(10) ** -20 * max(abs(value) for value in theta)] * size
        best = self.criterion(theta)
        for _ in range(steps):

            def at(*moves, theta=tuple(theta)):
                moved = list(theta)
                for j, sign in moves:
                    moved[j] += sign * units[j]
                return self.criterion(moved)

            up, down = [at((j, 1)) for j in range(size)], [at((j, -1)) for j in range(size)]
            g = mpmath.matrix([(up[j] - down[j]) / 2 for j in range(size)])
            H = mpmath.zeros(size)
            for j in range(size):
                H[j, j] = up[j] - 2 * best + down[j]
                for k in range(j):
                    both = at((j, 1), (k, 1)) + at((j, -1), (k, -1))
                    H[j, k] = H[k, j] = (both - up[j] - up[k] - down[j] - down[k] + 2 * best) / 2
            values, axes = mpmath.eigsy(H)
            along = axes.T * g
            step = axes * mpmath.matrix([along[j] / max(abs(values[j]), mpmath.mpf(10) ** -70) for j in range(size)])
            moved = [value - s * u for value, s, u in zip(theta, step, units, strict=True)]
            reached = self.criterion(moved)
            gained, theta = best - reached, moved
            best = min(best, reached)
            # Newton's next gain is of the order of the square of this one, far below every tolerance here.
            if gained < SMALL:
                return best
        return best


def _exact(array):
    return np.vectorize(mpmath.mpf, otypes=[object])(array)
