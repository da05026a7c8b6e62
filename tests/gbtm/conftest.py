"""Small simulated panels, seeded; no data of anyone."""

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.design import build_design
from harness.gbtm.spec import GbtmSpec


def make_cohort(subject, time, outcome):
    labels = [f"s{label}" for label in subject]
    levels = tuple(sorted(set(labels)))
    codes = np.array([levels.index(label) for label in labels])
    numeric = {"week": np.array(time, dtype=float), "score": np.array(outcome, dtype=float)}
    return Cohort(
        name="panel", subject="id", time="week", numeric=numeric, factors={"id": Factor(codes=codes, levels=levels)}
    )


def simulate(shares, beta, sigma, n_subjects=60, seed=3):
    """Irregular times, 3 to 6 visits, one sigma per class; returns subject, time, outcome, true class by subject."""
    stream = np.random.default_rng(seed)
    classes = stream.choice(len(shares), n_subjects, p=shares)
    subject, time, outcome = [], [], []
    for i, g in enumerate(classes):
        t = np.sort(stream.uniform(0, 8, stream.integers(3, 7)))
        mean = np.polynomial.polynomial.polyval(t, beta[g])
        subject += [100 + i] * len(t)
        time += t.tolist()
        outcome += (mean + sigma[g] * stream.standard_normal(len(t))).tolist()
    return np.array(subject), np.array(time), np.array(outcome), classes


THREE = {
    "shares": (0.5, 0.3, 0.2),
    "beta": ((20.0, -2.0, 0.1), (22.0, 0.5), (10.0, 1.0, -0.2)),
    "sigma": (2.0, 2.5, 1.5),
}


@pytest.fixture(scope="session")
def panel():
    return make_cohort(*simulate(**THREE)[:3])


@pytest.fixture(scope="session")
def design_of(panel):
    def build(orders=(2, 1, 2), sigma="class", cohort=panel, **settings):
        spec = GbtmSpec(outcome="score", time="week", subject="id", orders=orders, sigma=sigma, **settings)
        return build_design(spec, cohort)

    return build


@pytest.fixture(scope="session")
def cohort_of():
    return make_cohort


@pytest.fixture(scope="session")
def simulated():
    return simulate
