"""What must not change when the data are told in another way, and how the criterion moves where it must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cohorts.cohort import Cohort, Factor
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.estimation import estimate
from harness.lmm.fit import fit
from harness.lmm.spec import LmmSpec

M, VISITS = 30, 5
_stream = np.random.default_rng(29)
_KEPT = _stream.random(M * VISITS) > 0.2
SUBJECT = np.repeat(np.arange(M), VISITS)[_KEPT]
TIME = np.tile(np.arange(VISITS, dtype=float), M)[_KEPT]
TREATED = SUBJECT % 2
_EFFECTS = _stream.standard_normal((M, 2)) * [1.5, 0.5]
SCORE = (
    20 - TIME + 0.5 * TIME * TREATED + _EFFECTS[SUBJECT, 0] + _EFFECTS[SUBJECT, 1] * TIME
    + _stream.standard_normal(len(TIME))
)  # fmt: skip
N = len(SCORE)
TRIES = settings(max_examples=25, deadline=None, derandomize=True)


def fitted(
    formula="y ~ t * g + (1 + t | id)", criterion="REML", *, subject=SUBJECT, t=TIME, g=TREATED, y=SCORE, labels=None
):
    labels = labels or [f"{i:03d}" for i in range(int(np.max(subject)) + 1)]
    cohort = Cohort(
        name="panel",
        subject="id",
        time=None,
        numeric={"t": np.asarray(t, dtype=float), "y": np.asarray(y, dtype=float)},
        factors={
            "id": Factor(codes=np.asarray(subject), levels=tuple(labels)),
            "g": Factor(codes=np.asarray(g), levels=("a", "b")),
        },
    )
    design = build_design(LmmSpec(formula=parse_formula(formula), criterion=criterion), cohort)
    return estimate(fit(design), design)


@pytest.fixture(scope="module")
def plain():
    return {criterion: fitted(criterion=criterion) for criterion in ("ML", "REML")}


criteria = st.sampled_from(["ML", "REML"])


@TRIES
@given(order=st.permutations(range(N)), criterion=criteria)
def test_the_order_of_rows_does_not_matter(plain, order, criterion):
    found = fitted(criterion=criterion, subject=SUBJECT[order], t=TIME[order], g=TREATED[order], y=SCORE[order])
    assert found.log_likelihood == pytest.approx(plain[criterion].log_likelihood, rel=1e-13)
    np.testing.assert_allclose(found.theta, plain[criterion].theta, rtol=1e-10)
    np.testing.assert_allclose(found.conditional_modes, plain[criterion].conditional_modes, atol=1e-10)


@TRIES
@given(numbering=st.permutations(range(M)), criterion=criteria)
def test_labels_of_subjects_do_not_matter(plain, numbering, criterion):
    numbering = np.array(numbering)
    found = fitted(criterion=criterion, subject=numbering[SUBJECT])
    np.testing.assert_allclose(found.theta, plain[criterion].theta, rtol=1e-10)
    np.testing.assert_allclose(found.conditional_modes[numbering], plain[criterion].conditional_modes, atol=1e-10)


@TRIES
@given(shift=st.floats(-1e6, 1e6), scale=st.floats(1e-6, 1e6), criterion=criteria)
def test_a_unit_of_the_outcome_moves_the_criterion_by_its_logarithm(plain, shift, scale, criterion):
    found = fitted(criterion=criterion, y=shift + scale * SCORE)
    rows = N - (4 if criterion == "REML" else 0)
    digits = 1e-15 * (1 + abs(shift) / scale)  # the rounding of shift + scale y, relative to the scores
    expected = plain[criterion].log_likelihood - rows * np.log(scale)
    assert found.log_likelihood == pytest.approx(expected, rel=1e-12, abs=1e-10 + 1e3 * digits)
    np.testing.assert_allclose(found.theta, plain[criterion].theta, rtol=1e-9 + 1e3 * digits, atol=1e-9 + 1e3 * digits)
    np.testing.assert_allclose(found.beta[1:], scale * plain[criterion].beta[1:], rtol=1e-9 + 1e3 * digits)


@TRIES
@given(shift=st.floats(-1e3, 1e3), scale=st.floats(1e-5, 1e5), criterion=criteria)
def test_a_unit_and_an_origin_of_time_change_no_covariance_of_outcomes(plain, shift, scale, criterion):
    """(1 + t | id) with correlation is the same model in any unit and from any origin of time."""
    found = fitted(criterion=criterion, t=(TIME - shift) * scale)
    moved = 2 * np.log(scale) if criterion == "REML" else 0.0  # t and t:g are two columns
    assert found.log_likelihood == pytest.approx(plain[criterion].log_likelihood - moved, rel=1e-10)
    np.testing.assert_allclose(found.sigma, plain[criterion].sigma, rtol=1e-8)
    spread = np.sqrt(np.diag(plain[criterion].random_cov))
    # An origin far away makes intercept and slope nearly collinear: digits go with its square.
    limit = 1e-8 + 1e-13 * shift**2
    assert (
        np.abs((restored(found, shift, scale) - plain[criterion].random_cov) / np.outer(spread, spread)).max() < limit
    )


def restored(found, shift, scale):
    """The random covariance in the first unit and origin: intercept at t = 0, slope per unit."""
    back = np.array([[1.0, -shift * scale], [0.0, scale]])
    return back @ found.random_cov @ back.T


@TRIES
@given(copies=st.integers(2, 4))
def test_copies_of_the_panel_multiply_the_ml_criterion(plain, copies):
    shifted = np.concatenate([SUBJECT + M * k for k in range(copies)])
    found = fitted(
        criterion="ML", subject=shifted, t=np.tile(TIME, copies), g=np.tile(TREATED, copies), y=np.tile(SCORE, copies)
    )
    assert found.log_likelihood == pytest.approx(copies * plain["ML"].log_likelihood, rel=1e-12)
    np.testing.assert_allclose(found.theta, plain["ML"].theta, rtol=1e-9)
    np.testing.assert_allclose(found.vcov, plain["ML"].vcov / copies, rtol=1e-9)


@pytest.mark.parametrize("criterion", ["ML", "REML"])
def test_the_coding_of_the_fixed_part_moves_reml_by_its_determinant_only(plain, criterion):
    """Cell means of protocol by time instead of contrasts: |det T| = 1, so nothing moves."""
    found = fitted("y ~ 0 + g + g:t + (1 + t | id)", criterion)
    assert found.log_likelihood == pytest.approx(plain[criterion].log_likelihood, rel=1e-12)
    np.testing.assert_allclose(found.random_cov, plain[criterion].random_cov, rtol=1e-9)


def test_reversed_random_effects_have_the_reversed_covariance(plain):
    found = fitted("y ~ t * g + (0 + t + t^2 | id)")
    other = fitted("y ~ t * g + (0 + t^2 + t | id)")
    np.testing.assert_allclose(found.random_cov, other.random_cov[::-1, ::-1], rtol=1e-8, atol=1e-10)
    assert plain["REML"].log_likelihood != found.log_likelihood
