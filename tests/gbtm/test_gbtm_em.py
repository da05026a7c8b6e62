import numpy as np
import pytest

from harness.gbtm.em import SMALLEST_SIGMA, e_step, m_step, run_em
from harness.gbtm.parameters import layout_of


def random_posterior(design, count, seed=2):
    stream = np.random.default_rng(seed)
    drawn = stream.dirichlet(np.ones(design.n_classes), (count, design.n_subjects))
    return np.ascontiguousarray(drawn.transpose(0, 2, 1))


@pytest.mark.parametrize("sigma", ["shared", "class"])
def test_em_never_lowers_the_log_likelihood(design_of, sigma):
    design = design_of(sigma=sigma)
    layout = layout_of(design)
    parameters = m_step(random_posterior(design, 6), design.moments, layout)
    before = None
    for _ in range(60):
        posterior, after = e_step(parameters, design.moments)
        if before is not None:
            # The ridge of the M-step and rounding are both below this.
            assert (after >= before - 1e-7).all()
        before, parameters = after, m_step(posterior, design.moments, layout)
    assert (after - e_step(m_step(random_posterior(design, 6), design.moments, layout), design.moments)[1] > 1).all()


def test_posterior_probabilities_sum_to_one_and_survive_an_empty_class(design_of):
    design = design_of(sigma="class")
    posterior = np.zeros((1, 3, design.n_subjects))
    posterior[:, 0] = 1.0
    found, log_likelihood = e_step(run_em(posterior, design.moments, layout_of(design), 5), design.moments)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-14)
    assert np.isfinite(log_likelihood).all()


def test_the_m_step_is_weighted_least_squares_by_rows(design_of):
    design = design_of(orders=(2, 2), sigma="class")
    posterior = random_posterior(design, 1)
    found = m_step(posterior, design.moments, layout_of(design))
    rows = np.diff(np.append(design.subject_starts, design.n_observations))
    y = (design.y - design.basis @ design.pooled) / design.scale
    for g in range(2):
        w = np.repeat(posterior[0, g], rows)
        beta, *_ = np.linalg.lstsq(design.basis * np.sqrt(w)[:, None], y * np.sqrt(w), rcond=None)
        np.testing.assert_allclose(found.beta[0, g], beta, atol=1e-8)
        sigma2 = w @ (y - design.basis @ beta) ** 2 / w.sum()
        assert np.exp(2 * found.log_sigma[0, g]) == pytest.approx(sigma2, rel=1e-8)


def test_sigma_does_not_fall_below_its_floor(design_of, cohort_of):
    week = np.tile([0.0, 1.0, 2.0], 4)
    score = np.concatenate([np.zeros(6), [1.0, 4.0, 2.0, 3.0, 1.0, 5.0]])
    design = design_of(orders=(0, 0), cohort=cohort_of(np.repeat(range(4), 3), week, score))
    posterior = np.array([[[1.0, 1, 0, 0], [0, 0, 1, 1]]])
    assert np.exp(m_step(posterior, design.moments, layout_of(design)).log_sigma[0, 0]) == pytest.approx(SMALLEST_SIGMA)
