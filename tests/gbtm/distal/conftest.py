"""A panel of two overlapping classes with values of subjects beside it, seeded; and its fitted trajectories."""

import numpy as np
import pandas as pd
import pytest

import harness

VISITS = 4


def simulate_distal(n_subjects, seed, apart=3.0, effect=1.0):
    """Trajectories (long), and one row a subject: age and sex move the class, which moves a mean, a rate, an answer."""
    stream = np.random.default_rng(seed)
    age, sex = stream.normal(50, 10, n_subjects), stream.choice(["f", "m"], n_subjects)
    upper = stream.random(n_subjects) < 1 / (1 + np.exp(-(age - 50) / 10))
    subject, week = np.repeat(np.arange(n_subjects), VISITS), np.tile(np.arange(float(VISITS)), n_subjects)
    score = 10 + apart * upper[subject] - 0.3 * week + stream.normal(0, 2, len(week))
    labels = np.array([f"p{number:04d}" for number in range(n_subjects)])
    long = pd.DataFrame({"id": labels[subject], "week": week, "score": score})
    wide = pd.DataFrame(
        {
            "id": labels,
            "age": age,
            "sex": sex,
            "later": effect * upper + stream.normal(0, 1, n_subjects),
            "relapse": (stream.random(n_subjects) < np.where(upper, 0.6, 0.2)).astype(float),
            "stays": stream.poisson(np.where(upper, 2.0, 0.7)).astype(float),
        }
    )
    return long, wide, upper


@pytest.fixture(scope="session")
def simulated():
    return simulate_distal


@pytest.fixture(scope="session")
def panel():
    long, wide, _ = simulate_distal(80, 3)
    wide.loc[wide.index % 9 == 0, "later"] = np.nan
    return long, wide


def fit_panel(long, orders=(1, 1), **settings):
    named = {"outcome": "score", "time": "week", "subject": "id", "n_starts": 8}
    return harness.fit_gbtm(long, orders=orders, **{**named, **settings})


@pytest.fixture(scope="session")
def fit_of():
    return fit_panel


@pytest.fixture(scope="session")
def fitted(panel):
    return fit_panel(panel[0])
