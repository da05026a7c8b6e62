"""Membership: a multinomial logit on risk factors."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gbtm.membership import membership_of
from harness.gbtm.terms import Covariates

N, K = 80, 3
_stream = np.random.default_rng(6)
RISK = np.column_stack([_stream.normal(60, 9, N), (_stream.random(N) < 0.4).astype(float)])
WITHOUT = membership_of(Covariates(names=(), values=np.empty((N, 0))), K)
WITH = membership_of(Covariates(names=("age", "male"), values=RISK), K)
BOTH = pytest.mark.parametrize("membership", [WITHOUT, WITH], ids=["without risk factors", "with"])


def fits(membership, weighted, theta):
    return np.sum(weighted * membership.log_shares(theta), axis=(1, 2))


@BOTH
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([0.1, 1.0, 5.0]), evenness=st.sampled_from([0.02, 0.3, 5.0])
)
def test_an_m_step_never_lowers_its_objective(membership, seed, spread, evenness):
    stream = np.random.default_rng(seed)
    weighted = stream.dirichlet(np.full(K, evenness), (4, N)).transpose(0, 2, 1) * stream.uniform(0.2, 5, N)
    weighted[0, :2] += weighted[0, 2] / 2  # the reference class is empty
    weighted[0, 2] = 0
    theta = stream.normal(0, spread, (4, membership.n_free))
    for _ in range(4):
        moved = membership.m_step(weighted, theta)
        assert np.isfinite(moved).all()
        before, after = fits(membership, weighted, theta), fits(membership, weighted, moved)
        assert (after >= before - 1e-12 * np.abs(before)).all()
        theta = moved


def test_m_steps_reach_the_multinomial_logit_of_known_classes():
    eta = np.column_stack([0.06 * (RISK[:, 0] - 60), 0.8 * RISK[:, 1], np.zeros(N)])
    classes = np.array([_stream.choice(K, p=np.exp(e) / np.exp(e).sum()) for e in eta])
    weighted = (classes == np.arange(K)[:, None]).astype(float)[None]
    theta = WITH.begin(weighted)
    for _ in range(30):
        theta = WITH.m_step(weighted, theta)
    # statsmodels takes the first value for the reference, here our last class.
    reference = sm.MNLogit((classes + 1) % K, sm.add_constant(RISK)).fit(method="newton", maxiter=100, disp=0)
    np.testing.assert_allclose(WITH.to_user(theta[0]), reference.params.ravel(), rtol=1e-7)
    assert fits(WITH, weighted, theta)[0] == pytest.approx(reference.llf, rel=1e-12)


def test_without_risk_factors_shares_are_exactly_the_weights():
    weighted = _stream.dirichlet(np.ones(K), (2, N)).transpose(0, 2, 1) * _stream.uniform(0.5, 2, N)
    shares = WITHOUT.shares(WITHOUT.begin(weighted), np.ones(N))
    np.testing.assert_allclose(shares, weighted.sum(axis=2) / weighted.sum(axis=(1, 2))[:, None], rtol=1e-14)


@BOTH
def test_shares_are_means_over_subjects_and_their_jacobian_is_the_slope(membership):
    weights = _stream.uniform(0.3, 2, N)
    theta, h = _stream.normal(0, 1, membership.n_free), 1e-5
    by_subject = np.broadcast_to(np.exp(membership.log_shares(theta[None])[0]), (K, N))
    np.testing.assert_allclose(by_subject.sum(axis=0), 1.0, rtol=1e-14)
    shares = membership.shares(theta[None], weights)[0]
    np.testing.assert_allclose(shares, np.average(by_subject, axis=1, weights=weights), rtol=1e-13)
    moves = h * np.eye(membership.n_free)
    plus, minus = membership.shares(theta + moves, weights), membership.shares(theta - moves, weights)
    # Central differences with a step of 1e-5 are good to 1e-10.
    np.testing.assert_allclose(membership.share_jacobian(theta, weights), (plus - minus).T / (2 * h), atol=1e-9)


@BOTH
def test_users_coefficients_are_those_of_raw_risk_factors(membership):
    theta = _stream.normal(0, 1, membership.n_free)
    r = len(membership.names)
    raw = np.column_stack([np.ones(N), RISK])[:, :r]
    coefficients = membership.to_user(theta).reshape(r, K - 1)
    eta = np.column_stack([raw @ coefficients, np.zeros(N)])
    expected = eta - np.log(np.exp(eta).sum(axis=1))[:, None]
    found = np.broadcast_to(membership.log_shares(theta[None])[0], (K, N))
    np.testing.assert_allclose(found.T, expected, rtol=1e-11, atol=1e-12)


@BOTH
def test_relabelled_classes_have_the_same_shares(membership):
    theta, classes = _stream.normal(0, 1, (2, membership.n_free)), np.array([1, 2, 0])
    moved = membership.log_shares(membership.relabelled(theta, classes))
    np.testing.assert_allclose(moved, membership.log_shares(theta)[:, classes], rtol=1e-11, atol=1e-12)


def test_one_class_has_nothing_to_estimate():
    single = membership_of(Covariates(names=(), values=np.empty((N, 0))), 1)
    assert single.n_free == 0
    np.testing.assert_array_equal(single.shares(np.empty((2, 0)), np.ones(N)), np.ones((2, 1)))
    assert single.share_jacobian(np.empty(0), np.ones(N)).shape == (1, 0)
