"""Panels of every family, simulated and seeded, and the density of rows of any model on them."""

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.densities.rows import build_rows_density
from harness.gbtm.response_building import build_response
from harness.gbtm.rows import read_rows
from harness.gbtm.spec import GbtmSpec

LIMITS = (2.0, 7.0)


def simulate(n_subjects=40, visits=5, seed=2):
    """Two classes, fixed visits of which some are missed; a column for the outcome of each family."""
    stream = np.random.default_rng(seed)
    subject, week = np.repeat(np.arange(n_subjects), visits), np.tile(np.arange(float(visits)), n_subjects)
    upper = (np.arange(n_subjects) % 2)[subject]
    dose = stream.normal(2, 1, len(week))
    eta = -0.6 + 1.3 * upper + 0.25 * week * (1 - 2 * upper) + 0.2 * dose
    score = 4 + 2 * eta + stream.normal(0, 1 + 0.3 * week)
    trials, exposure = stream.integers(1, 6, len(week)).astype(float), stream.uniform(0.5, 2.0, len(week))
    mean = 1 / (1 + np.exp(-eta))
    counts = stream.poisson(np.exp(eta) * exposure).astype(float)
    columns = {
        "week": week,
        "dose": dose,
        "score": score,
        "scale": np.clip(np.round(score, 1), *LIMITS),
        "answer": (stream.random(len(week)) < mean).astype(float),
        "successes": stream.binomial(trials.astype(int), mean).astype(float),
        "trials": trials,
        "exposure": exposure,
        "count": counts,
        "visits": np.where(stream.random(len(week)) < 0.3, 0.0, counts),
        "share": np.clip(stream.beta(6 * mean, 6 * (1 - mean)), 1e-3, 1 - 1e-3),
    }
    seen = stream.random(len(week)) > 0.15
    return subject[seen], {name: values[seen] for name, values in columns.items()}


@pytest.fixture(scope="session")
def panel():
    subject, numeric = simulate()
    levels = tuple(f"s{i:03d}" for i in range(subject.max() + 1))
    return Cohort(
        name="panel", subject="id", time="week", numeric=numeric, factors={"id": Factor(codes=subject, levels=levels)}
    )


MODELS = {
    "gaussian by visit": {"outcome": "score", "family": "gaussian", "sigma": "visit"},
    "gaussian": {"outcome": "score", "family": "gaussian", "covariates": "dose"},
    "censored": {"outcome": "scale", "family": "censored_normal", "limits": LIMITS, "common": "dose"},
    "censored by class": {"outcome": "scale", "family": "censored_normal", "limits": LIMITS, "sigma": "class"},
    "censored by visit": {"outcome": "scale", "family": "censored_normal", "limits": LIMITS, "sigma": "visit"},
    "logit": {"outcome": "answer", "family": "logit", "common": "dose"},
    "binomial": {"outcome": "successes", "family": "logit", "trials": "trials"},
    "poisson": {"outcome": "count", "family": "poisson", "exposure": "exposure", "covariates": "dose"},
    "zip": {"outcome": "visits", "family": "zip", "exposure": "exposure", "zero_orders": (1, -1, 0)},
    "zip without zeros": {"outcome": "visits", "family": "zip", "zero_orders": (-1, -1, -1)},
    "beta": {"outcome": "share", "family": "beta"},
}


@pytest.fixture(scope="session")
def density_of(panel):
    def build(model, orders=(1, 2, 0), **settings):
        spec = GbtmSpec(time="week", subject="id", orders=orders, **{**MODELS[model], **settings})
        _, (rows,) = read_rows((spec,), panel)
        response, _ = build_response(spec, rows)
        return build_rows_density(response, spec, rows)

    return build
