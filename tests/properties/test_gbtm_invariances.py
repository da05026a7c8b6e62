"""What must not change when the data are told in another way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.design import build_design
from harness.gbtm.estimation import estimate
from harness.gbtm.fit import fit
from harness.gbtm.spec import GbtmSpec

_stream = np.random.default_rng(17)
N, T = 36, 5
SUBJECT = np.repeat(np.arange(N), T)
TIME = np.tile(np.arange(T, dtype=float), N) + _stream.uniform(0, 0.5, N * T)
SCORE = np.where(SUBJECT % 3 == 0, 20 - 3 * TIME, 24 + TIME) + 2 * _stream.standard_normal(N * T)
DOSE, STRESS = 3 + _stream.standard_normal(N * T), _stream.uniform(-1, 1, N * T)
AGE, VISITED = _stream.normal(50, 9, N)[SUBJECT], _stream.integers(1, 4, N)[SUBJECT].astype(float)
TRIES = settings(max_examples=12, deadline=None, derandomize=True)


def fitted(subject, time, score, sigma="shared", *, orders=(1, 1), labels=None, columns=None, **terms):
    levels = tuple(labels or [f"{i:03d}" for i in range(N)])
    cohort = Cohort(
        name="panel",
        subject="id",
        time="week",
        numeric={"week": np.array(time), "score": np.array(score), **(columns or {})},
        factors={"id": Factor(codes=np.array(subject), levels=levels)},
    )
    spec = GbtmSpec(outcome="score", time="week", subject="id", orders=orders, sigma=sigma, n_starts=8, **terms)
    design = build_design(spec, cohort)
    return estimate(fit(design), design)


@pytest.fixture(scope="module")
def plain():
    return {sigma: fitted(SUBJECT, TIME, SCORE, sigma) for sigma in ("shared", "class")}


@TRIES
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(plain, seed):
    rows = np.random.default_rng(seed).permutation(N * T)
    again = fitted(SUBJECT[rows], TIME[rows], SCORE[rows])
    assert again.log_likelihood == plain["shared"].log_likelihood
    np.testing.assert_array_equal(again.posterior, plain["shared"].posterior)


@TRIES
@given(seed=st.integers(0, 2**32 - 1))
def test_the_labels_and_the_numbering_of_subjects_change_only_their_order(plain, seed):
    code = np.random.default_rng(seed).permutation(N)
    again = fitted(code[SUBJECT], TIME, SCORE, labels=[f"x{i}" for i in range(N)])
    assert again.log_likelihood == pytest.approx(plain["shared"].log_likelihood, abs=1e-9)
    np.testing.assert_allclose(again.posterior[code], plain["shared"].posterior, atol=1e-9)


@TRIES
@given(shift=st.floats(-100, 100), scale=st.floats(0.01, 400), sigma=st.sampled_from(["shared", "class"]))
def test_shift_and_scale_of_time_keep_likelihood_and_curves(plain, shift, scale, sigma):
    again = fitted(SUBJECT, shift + scale * TIME, SCORE, sigma)
    # A slope of raw powers loses digits by the ratio of shift to range, here at most 100 / 0.05.
    assert again.log_likelihood == pytest.approx(plain[sigma].log_likelihood, abs=1e-8)
    for beta, expected in zip(again.beta, plain[sigma].beta, strict=True):
        np.testing.assert_allclose(scale * beta[1], expected[1], rtol=1e-7)
        np.testing.assert_allclose(beta[0] + beta[1] * shift, expected[0], rtol=1e-7)
    np.testing.assert_allclose(again.covariance[-1, -1], plain[sigma].covariance[-1, -1], rtol=1e-6)


@TRIES
@given(shift=st.floats(-1e3, 1e3), scale=st.floats(1e-3, 1e3), sigma=st.sampled_from(["shared", "class"]))
def test_shift_and_scale_of_the_outcome_move_the_likelihood_by_n_log_c(plain, shift, scale, sigma):
    again = fitted(SUBJECT, TIME, shift + scale * SCORE, sigma)
    expected = plain[sigma].log_likelihood - N * T * np.log(scale)
    # Shifts of up to 1e6 standard deviations leave ten digits.
    assert again.log_likelihood == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(again.class_shares, plain[sigma].class_shares, atol=1e-7)
    np.testing.assert_allclose(again.sigma, scale * plain[sigma].sigma, rtol=1e-6)


def test_the_mirror_image_of_the_outcome_turns_the_classes_round(plain):
    mirrored = fitted(SUBJECT, TIME, -SCORE, "class")
    np.testing.assert_allclose(mirrored.class_shares, plain["class"].class_shares[::-1], atol=1e-9)
    np.testing.assert_allclose(mirrored.sigma, plain["class"].sigma[::-1], rtol=1e-8)
    np.testing.assert_allclose(mirrored.posterior, plain["class"].posterior[:, ::-1], atol=1e-8)


def test_the_order_in_which_orders_are_written_changes_nothing():
    one, other = (fitted(SUBJECT, TIME, SCORE, orders=orders) for orders in ((1, 0), (0, 1)))
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-9)
    assert [len(beta) for beta in one.beta] == [len(beta) for beta in other.beta]


def test_doubling_every_subject_doubles_the_likelihood_and_halves_the_covariance(plain):
    labels = [f"{i:03d}" for i in range(2 * N)]
    twice = fitted(np.append(SUBJECT, SUBJECT + N), np.append(TIME, TIME), np.append(SCORE, SCORE), labels=labels)
    assert twice.log_likelihood == pytest.approx(2 * plain["shared"].log_likelihood, abs=1e-8)
    np.testing.assert_allclose(twice.covariance, plain["shared"].covariance / 2, rtol=1e-6, atol=1e-12)


TERMS = {"covariates": "dose", "common": "stress", "membership": "age"}


@pytest.fixture(scope="module")
def covaried():
    columns = {"dose": DOSE, "stress": STRESS, "age": AGE}
    return fitted(SUBJECT, TIME, SCORE, columns=columns, **TERMS)


@TRIES
@given(shift=st.floats(-1e3, 1e3), scale=st.floats(1e-3, 1e3))
def test_shift_and_scale_of_covariates_and_risk_factors_change_their_coefficients_only(covaried, shift, scale):
    columns = {name: shift + scale * values for name, values in (("dose", DOSE), ("stress", STRESS), ("age", AGE))}
    again = fitted(SUBJECT, TIME, SCORE, columns=columns, **TERMS)
    # A shift of up to 1e6 deviations leaves the columns ten digits.
    assert again.log_likelihood == pytest.approx(covaried.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(again.posterior, covaried.posterior, atol=1e-7)
    np.testing.assert_allclose(again.class_shares, covaried.class_shares, atol=1e-7)
    for role in ("beta", "common", "log_odds"):
        named = [p.name for p in covaried.parameters if p.role == role]
        slopes = [name in columns for name in named]
        np.testing.assert_allclose(scale * again.of_role(role)[slopes], covaried.of_role(role)[slopes], rtol=1e-5)
    np.testing.assert_allclose(again.sigma, covaried.sigma, rtol=1e-8)


def test_the_order_in_which_terms_are_written_changes_nothing_but_their_order():
    columns = {"dose": DOSE, "stress": STRESS, "age": AGE, "size": 3 * AGE - 40 * VISITED}
    one, other = (
        fitted(SUBJECT, TIME, SCORE, columns=columns, covariates=covariates, membership=membership)
        for covariates, membership in (("dose + stress", "age + size"), ("stress + dose", "size + age"))
    )
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-9)
    numbers = {quantity.path: quantity.value for quantity in other.quantities()}
    for quantity in one.quantities():
        assert quantity.value == pytest.approx(numbers[quantity.path], rel=1e-6, abs=1e-8), quantity.path


@TRIES
@given(factor=st.floats(1e-6, 1e6))
def test_weights_count_only_against_each_other(factor):
    one, other = (
        fitted(SUBJECT, TIME, SCORE, columns={"visited": c * VISITED}, weights="visited") for c in (1.0, factor)
    )
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(other.point, one.point, rtol=1e-8)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("sigma", ["shared", "class"])
def test_whole_weights_are_subjects_that_occur_several_times(sigma):
    weighted = fitted(
        SUBJECT, TIME, SCORE, sigma, columns={"visited": VISITED, "age": AGE}, weights="visited", membership="age"
    )
    subject, rows = [], []
    for i in range(N):
        own = np.flatnonzero(i == SUBJECT)
        for _ in range(int(VISITED[own[0]])):
            subject += [subject[-1] + 1 if subject else 0] * T
            rows += own.tolist()
    labels = [f"{i:03d}" for i in range(subject[-1] + 1)]
    repeated = fitted(
        subject, TIME[rows], SCORE[rows], sigma, labels=labels, columns={"age": AGE[rows]}, membership="age"
    )
    share = N / len(labels)  # weights have the mean 1, so their sum is that of the subjects
    assert weighted.log_likelihood == pytest.approx(share * repeated.log_likelihood, rel=1e-11)
    np.testing.assert_allclose(weighted.point, repeated.point, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(weighted.class_shares, repeated.class_shares, rtol=1e-8)
