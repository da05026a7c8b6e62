import numpy as np
import pytest

from harness.gbtm.density import log_likelihood
from harness.gbtm.derivatives import derivatives
from harness.gbtm.em import e_step
from harness.gbtm.parameters import from_point, layout_of, pack, point_jacobian, to_point, unpack

CASES = [((2, 1, 2), "shared"), ((2, 1, 2), "class"), ((0, 3), "class"), ((1,), "shared")]


def somewhere(design, count=3, seed=5):
    """Points far from any optimum, where no term of a derivative vanishes."""
    layout = layout_of(design)
    return np.random.default_rng(seed).normal(0, 0.5, (count, layout.n_free)), layout


def total(vectors, design, layout):
    return e_step(unpack(vectors, layout), design.moments)[1]


@pytest.mark.parametrize(("orders", "sigma"), CASES)
def test_sums_by_subject_give_the_log_likelihood_of_the_rows(design_of, orders, sigma):
    design = design_of(orders, sigma)
    vectors, layout = somewhere(design)
    by_rows = [log_likelihood(to_point(vector, design, layout), design) for vector in vectors]
    by_sums = total(vectors, design, layout) - design.n_observations * np.log(design.scale)
    np.testing.assert_allclose(by_sums, by_rows, rtol=1e-12)


@pytest.mark.parametrize(("orders", "sigma"), CASES)
def test_the_score_is_the_slope_of_the_log_likelihood(design_of, orders, sigma):
    design = design_of(orders, sigma)
    vectors, layout = somewhere(design)
    h = 1e-3
    score = derivatives(vectors, design.moments, layout).score
    for p in range(layout.n_free):
        e = h * np.eye(layout.n_free)[p]
        # Five points: the error of the formula is of the fourth power of h.
        numeric = (
            8 * (total(vectors + e, design, layout) - total(vectors - e, design, layout))
            - (total(vectors + 2 * e, design, layout) - total(vectors - 2 * e, design, layout))
        ) / (12 * h)
        np.testing.assert_allclose(score[:, p], numeric, rtol=1e-6, atol=1e-6 * np.abs(score).max())


@pytest.mark.parametrize(("orders", "sigma"), CASES)
def test_the_information_is_minus_the_slope_of_the_score(design_of, orders, sigma):
    design = design_of(orders, sigma)
    vectors, layout = somewhere(design)
    h = 1e-3
    information = derivatives(vectors, design.moments, layout).information
    for p in range(layout.n_free):
        e = h * np.eye(layout.n_free)[p]

        def score(at):
            return derivatives(at, design.moments, layout).score

        numeric = (
            8 * (score(vectors + e) - score(vectors - e)) - (score(vectors + 2 * e) - score(vectors - 2 * e))
        ) / (12 * h)
        np.testing.assert_allclose(-information[:, p], numeric, atol=1e-6 * np.abs(information).max())


def test_scores_of_subjects_add_up_and_do_not_depend_on_the_batch(design_of):
    design = design_of()
    vectors, layout = somewhere(design)
    together = derivatives(vectors, design.moments, layout)
    np.testing.assert_allclose(together.scores.sum(axis=2), together.score, rtol=1e-12)
    for s, vector in enumerate(vectors):
        alone = derivatives(vector[None], design.moments, layout)
        np.testing.assert_allclose(alone.score[0], together.score[s], rtol=1e-10)
        np.testing.assert_allclose(alone.information[0], together.information[s], rtol=1e-9, atol=1e-9)


def test_packing_and_points_are_inverse_to_unpacking(design_of):
    design = design_of()
    vectors, layout = somewhere(design)
    np.testing.assert_allclose(pack(unpack(vectors, layout), layout), vectors, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(from_point(to_point(vectors[0], design, layout), design, layout), vectors[0], rtol=1e-11)


def test_the_jacobian_is_the_slope_of_shares_and_users_parameters(design_of):
    design = design_of()
    vectors, layout = somewhere(design, count=1)
    K, h = layout.n_classes, 1e-5

    def users(vector):
        point = np.array(to_point(vector, design, layout))
        odds = np.exp(np.append(point[: K - 1], 0))
        return np.concatenate([odds / odds.sum(), point[K - 1 :]])

    numeric = np.column_stack(
        [(users(vectors[0] + e) - users(vectors[0] - e)) / (2 * h) for e in h * np.eye(layout.n_free)]
    )
    np.testing.assert_allclose(point_jacobian(vectors[0], design, layout), numeric, atol=1e-6 * np.abs(numeric).max())
