from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gbtm.densities.moments import SMALLEST_SIGMA
from harness.gbtm.em import begin, m_step, run_em
from harness.gbtm.mixture import derivatives, e_step

MODELS = {
    "shared sigma": {"orders": (2, 1, 2), "sigma": "shared"},
    "sigma by class": {"orders": (2, 1, 2), "sigma": "class"},
    "risk factors and weights": {
        "orders": (1, 1),
        "sigma": "shared",
        "membership": "age + sex",
        "weights": "sampling",
    },
    "common, sigma by class": {"orders": (1, 0, 1), "sigma": "class", "covariates": "dose", "common": "stress + sex"},
    "common, sigma shared": {"orders": (1, 0), "sigma": "shared", "common": "stress + sex"},
    "counts": {"orders": (1, 1), "sigma": "shared", "outcome": "count", "family": "poisson", "exposure": "exposure"},
    "successes": {
        "orders": (1, 0),
        "sigma": "shared",
        "outcome": "successes",
        "family": "logit",
        "trials": "trials",
        "membership": "age",
    },
}


def random_posterior(design, count, seed=2, evenness=1.0):
    stream = np.random.default_rng(seed)
    drawn = stream.dirichlet(np.full(design.n_classes, evenness), (count, design.n_subjects))
    return np.ascontiguousarray(drawn.transpose(0, 2, 1))


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), evenness=st.sampled_from([0.05, 1.0, 20.0]))
def test_em_never_lowers_the_log_likelihood(design_of, trial, model, seed, evenness):
    design = design_of(cohort=trial, **MODELS[model])
    mixture = design.mixture
    vectors = begin(random_posterior(design, 3, seed, evenness), mixture)
    before = np.full(3, -np.inf)
    for _ in range(12):
        posterior, after = e_step(vectors, mixture)
        # The ridge of the M-step (1e-9 of a row) and rounding are both below this.
        assert (after >= before - 1e-7).all()
        before, vectors = after, m_step(posterior, vectors, mixture)


@pytest.mark.parametrize("model", MODELS)
def test_em_gains_from_a_random_partition(design_of, trial, model):
    design = design_of(cohort=trial, **MODELS[model])
    posterior = random_posterior(design, 6)
    first, later = (e_step(run_em(posterior, design.mixture, steps), design.mixture)[1] for steps in (1, 30))
    assert (later > first + 1).all()


def test_posterior_probabilities_sum_to_one_and_survive_an_empty_class(design_of):
    design = design_of(sigma="class")
    posterior = np.zeros((1, 3, design.n_subjects))
    posterior[:, 0] = 1.0
    found, log_likelihood = e_step(run_em(posterior, design.mixture, 5), design.mixture)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-14)
    assert np.isfinite(log_likelihood).all()


def working_rows(design):
    """Working columns and outcome of every row, and whose each row is."""
    response = design.outcomes[0].response
    return response.X, response.y, response.panel.subject


def test_the_m_step_is_weighted_least_squares_by_rows(design_of, trial):
    design = design_of(orders=(2, 2), sigma="class", cohort=trial, covariates="dose", weights="sampling")
    posterior, mixture = random_posterior(design, 1), design.mixture
    found = begin(posterior, mixture)[0]
    X, y, subject = working_rows(design)
    density, own = mixture.densities[0], found[mixture.parts[0]]
    for g in range(2):
        w = (posterior[0, g] * mixture.weights)[subject]
        beta, *_ = np.linalg.lstsq(X * np.sqrt(w)[:, None], y * np.sqrt(w), rcond=None)
        np.testing.assert_allclose(density.response.coefficients(own[None])[0, g], beta, atol=1e-8)
        sigma2 = w @ (y - X @ beta) ** 2 / w.sum()
        assert np.exp(2 * own[density.sigma_places[g]]) == pytest.approx(sigma2, rel=1e-8)
    share = posterior[0, 0] @ mixture.weights / design.n_subjects
    assert found[0] == pytest.approx(np.log(share / (1 - share)), rel=1e-12)


def test_with_common_coefficients_the_m_step_is_least_squares_on_stacked_rows(design_of, trial):
    design = design_of(orders=(1, 0), sigma="shared", cohort=trial, common="dose + stress")
    posterior, density = random_posterior(design, 1), design.mixture.densities[0]
    X, y, subject = working_rows(design)
    index = density.response.index
    stacked = np.zeros((2 * len(y), density.response.n_coefficients))
    for g in range(2):
        used = density.response.used(g)
        stacked[g * len(y) : (g + 1) * len(y), index[g, used]] = X[:, used]
    root = np.sqrt(np.concatenate([posterior[0, g][subject] for g in range(2)]))
    beta, *_ = np.linalg.lstsq(stacked * root[:, None], np.tile(y, 2) * root, rcond=None)
    own = density.begin(posterior)[0]
    np.testing.assert_allclose(own[:-1], beta, atol=1e-8)
    sigma2 = np.sum((root * (np.tile(y, 2) - stacked @ beta)) ** 2) / len(y)
    assert np.exp(2 * own[-1]) == pytest.approx(sigma2, rel=1e-8)


def test_sigma_does_not_fall_below_its_floor(design_of, cohort_of):
    week = np.tile([0.0, 1.0, 2.0], 4)
    score = np.concatenate([np.zeros(6), [1.0, 4.0, 2.0, 3.0, 1.0, 5.0]])
    design = design_of(orders=(0, 0), cohort=cohort_of(np.repeat(range(4), 3), week, score))
    posterior = np.array([[[1.0, 1, 0, 0], [0, 0, 1, 1]]])
    density, own = design.mixture.densities[0], begin(posterior, design.mixture)[:, design.mixture.parts[0]]
    assert np.exp(own[0, density.sigma_places[0]]) == pytest.approx(SMALLEST_SIGMA)


def test_subjects_taken_in_blocks_give_what_they_give_at_once(design_of, monkeypatch):
    """Sums over subjects in another order: equal to their rounding."""
    mixture = design_of(orders=(2, 1, 2), sigma="class").mixture
    vectors = np.random.default_rng(5).normal(0, 0.5, (3, mixture.n_free))
    whole, (posterior, total) = derivatives(vectors, mixture), e_step(vectors, mixture)
    monkeypatch.setattr("harness.gbtm.mixture._BLOCK", 7)
    parted = replace(mixture)
    assert len(parted.blocks) == -(-len(mixture.weights) // 7)
    in_blocks = derivatives(vectors, parted)
    for name in ("log_likelihood", "by_subject", "scores", "score", "information"):
        ours, theirs = getattr(in_blocks, name), getattr(whole, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12 * np.abs(theirs).max())
    np.testing.assert_allclose(e_step(vectors, parted)[0], posterior, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(e_step(vectors, parted)[1], total, rtol=1e-12)
