"""Panels with correlated rows, simulated and seeded, and the density of any such model on them."""

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.densities.random_effects import build_random_effects
from harness.gbtm.response_building import build_response
from harness.gbtm.rows import read_rows
from harness.gbtm.spec import GbtmSpec


def simulate(n_subjects, seed, *, same_visits):
    """One to six visits, at 0 .. 5 or at any times; a level and a slope of each subject, one covariate."""
    stream = np.random.default_rng(seed)
    sizes = stream.integers(1, 7, n_subjects)
    subject = np.repeat(np.arange(n_subjects), sizes)
    week = np.concatenate(
        [np.sort(stream.choice(6, n, replace=False) if same_visits else stream.uniform(0, 6, n)) for n in sizes]
    ).astype(float)
    dose = stream.normal(2, 1, len(week))
    level, slope = stream.normal(0, 2, n_subjects)[subject], stream.normal(0, 0.4, n_subjects)[subject]
    score = 20 + level + (slope - 1) * week + dose + stream.normal(0, 1, len(week))
    levels = tuple(f"s{i:03d}" for i in range(n_subjects))
    return Cohort(
        name="panel",
        subject="id",
        time="week",
        numeric={"week": week, "dose": dose, "score": score},
        factors={"id": Factor(codes=subject, levels=levels)},
    )


@pytest.fixture(scope="session")
def panel():
    return simulate(16, 1, same_visits=False)


@pytest.fixture(scope="session")
def visits_panel():
    return simulate(16, 2, same_visits=True)


@pytest.fixture(scope="session")
def large_panel():
    return simulate(60, 3, same_visits=False)


@pytest.fixture(scope="session")
def density_on():
    def build(cohort, orders=(1, 2), **settings):
        spec = GbtmSpec(outcome="score", time="week", subject="id", orders=orders, **settings)
        _, (rows,) = read_rows((spec,), cohort)
        response, _ = build_response(spec, rows)
        return build_random_effects(response, spec)

    return build


MODELS = {
    "intercept": {"random": 0},
    "slope": {"random": 1, "common": "dose"},
    "curve": {"random": 2, "sigma": "class", "covariates": "dose"},
    "diagonal": {"random": 2, "random_covariance": "diagonal", "random_scale": "class"},
    "scaled": {"random": 1, "random_scale": "class", "sigma": "class", "common": "dose"},
    "sigma by visit": {"random": 1, "sigma": "visit", "random_scale": "class"},
    "ar1": {"errors": "ar1", "sigma": "class"},
    "ar1 by visit": {"random": 0, "errors": "ar1", "sigma": "visit"},
    "ar1 and slope": {"random": 1, "errors": "ar1", "random_scale": "class"},
    "brownian": {"errors": "brownian", "common": "dose"},
    "brownian and slope": {"random": 1, "errors": "brownian", "random_covariance": "diagonal"},
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture
def cohort(model, panel, visits_panel):
    """Same visits for some models, so that subjects share patterns, and any times for the others."""
    return visits_panel if model.get("sigma") == "visit" or "common" in model else panel


@pytest.fixture
def density(model, cohort, density_on):
    return density_on(cohort, **model)


@pytest.fixture
def own(density):
    """Own vectors off any optimum, where no term of a derivative vanishes."""
    return np.random.default_rng(5).normal(0, 0.4, (2, density.n_free))


@pytest.fixture
def weights(density):
    N = density.response.panel.n_subjects
    return np.random.default_rng(6).dirichlet(np.ones(2), (2, N)).transpose(0, 2, 1)
