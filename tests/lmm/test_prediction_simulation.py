"""Outcomes drawn from a fit: their moments, and that they are the same wherever they are drawn."""

import numpy as np
import pytest

from harness.cohorts.random_stream import RandomStream
from harness.errors import SpecError
from harness.lmm.prediction.distribution import Distribution, IndependentResidual, VisitResidual
from harness.lmm.prediction.occasions import Occasions, RandomRows
from harness.lmm.prediction.simulation import simulate, stream_of

DRAWS = 4000


def rows(*, structured):
    subject = np.array([0, 0, 0, 1, 1, 2])
    zero = np.zeros(6, dtype=np.int64)
    t = np.array([0.0, 1.0, 2.0, 0.0, 2.0, 1.0])
    return Occasions(
        X=np.column_stack([np.ones(6), t]),
        random=(
            RandomRows(Z=np.column_stack([np.ones(6), t]), codes=subject),
            RandomRows(Z=np.ones((6, 1)), codes=np.array([0, 1, 0, 1, 0, 0])),
        ),
        outcome=np.full(6, np.nan),
        weights=np.array([1.0, 2.0, 1.0, 0.5, 1.0, 4.0]),
        residual_subject=subject if structured else zero,
        residual_level=zero,
        visit=t if structured else np.zeros(6),
        has_residual_structure=structured,
    )


def distribution(*, structured):
    Sigma = np.array([[2.0, 0.9, 0.4], [0.9, 1.5, 0.6], [0.4, 0.6, 1.0]])
    return Distribution(
        beta=np.array([10.0, -2.0]),
        vcov=np.eye(2),
        random_cov=(np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([[1.5]])),
        residual=VisitResidual(matrices=Sigma[None]) if structured else IndependentResidual(variance=0.7),
    )


@pytest.mark.parametrize("structured", [False, True])
def test_draws_have_the_mean_and_the_covariance_of_the_distribution(structured):
    at, own = rows(structured=structured), distribution(structured=structured)
    draws = simulate(own, at, seed=11, replicates=DRAWS)
    index = np.arange(6)[None]
    V = own.residual.covariance(at, index, index)[0]
    for part, G in zip(at.random, own.random_cov, strict=True):
        V = V + (part.codes[:, None] == part.codes) * (part.Z @ G @ part.Z.T)
    # Monte-Carlo standard errors; 21 + 6 numbers, so that 4 of them are passed once in 600 seeds.
    z_mean = (draws.mean(axis=0) - at.X @ own.beta) / np.sqrt(np.diag(V) / DRAWS)
    assert np.abs(z_mean).max() < 4
    errors = np.sqrt((V**2 + np.outer(np.diag(V), np.diag(V))) / DRAWS)
    assert np.abs((np.cov(draws.T) - V) / errors).max() < 4


def test_draws_at_given_means_vary_by_the_residual_only():
    at, own = rows(structured=False), distribution(structured=False)
    mean = np.arange(6.0)
    draws = simulate(own, at, seed=4, replicates=DRAWS, mean=mean)
    noise = 0.7 / at.weights
    assert np.abs((draws.mean(axis=0) - mean) / np.sqrt(noise / DRAWS)).max() < 4
    assert np.abs((draws.var(axis=0, ddof=1) / noise - 1) / np.sqrt(2 / DRAWS)).max() < 4
    assert np.abs(np.corrcoef(draws.T)[np.triu_indices(6, 1)]).max() < 4 / np.sqrt(DRAWS)


def test_a_replicate_depends_on_seed_and_number_only():
    at, own = rows(structured=True), distribution(structured=True)
    many, few = (simulate(own, at, seed=5, replicates=n) for n in (20, 3))
    np.testing.assert_array_equal(many[:3], few)
    assert len(np.unique(many, axis=0)) == 20
    assert not np.intersect1d(many, simulate(own, at, seed=6, replicates=20)).size
    np.testing.assert_array_equal(stream_of(3, 5).uniform(4), RandomStream(3 * 2**32 + 5).uniform(4))


def test_without_variance_every_draw_is_the_mean():
    at = rows(structured=False)
    own = Distribution(
        beta=np.array([10.0, -2.0]), vcov=np.eye(2), random_cov=(np.zeros((2, 2)), np.zeros((1, 1))),
        residual=IndependentResidual(variance=1e-30),
    )  # fmt: skip
    np.testing.assert_allclose(simulate(own, at, seed=1, replicates=2), [at.X @ own.beta] * 2, rtol=1e-13)


def test_seeds_that_are_none_are_refused():
    at, own = rows(structured=False), distribution(structured=False)
    for seed in (-1, 2**32, 1.5, True, "one"):
        with pytest.raises(SpecError, match=r"expected an integer from 0 to 4294967295"):
            simulate(own, at, seed=seed)
