"""Score and information of the mixture, against derivatives of the loops with forty digits, in the user's units."""

from itertools import combinations_with_replacement

import mpmath
import numpy as np
import pytest

from harness.gbtm.mixture import derivatives, e_step

MODELS = {
    "shared sigma": {"orders": (1, 0), "sigma": "shared"},
    "risk factors": {"orders": (0, 1, 0), "sigma": "shared", "membership": "age"},
    "covariates by class and common": {"orders": (1, 0), "sigma": "class", "covariates": "dose", "common": "stress"},
    "weights": {"orders": (1, 0), "sigma": "class", "weights": "sampling", "membership": "sex"},
    "counts": {"orders": (0, 1), "outcome": "count", "family": "poisson", "sigma": "shared", "membership": "sex"},
    "one class": {"orders": (1,), "sigma": "shared", "common": "dose"},
}


def somewhere(design, count=1, seed=5, spread=0.5):
    """Free vectors off any optimum, where no term of a derivative vanishes."""
    return np.random.default_rng(seed).normal(0, spread, (count, design.n_parameters))


def by_mpmath(function, point):
    """Gradient and Hessian of a function of P numbers, with forty digits."""
    P = len(point)

    def order(*places):
        return tuple(places.count(p) for p in range(P))

    with mpmath.workdps(40):
        at = tuple(map(mpmath.mpf, point))
        gradient = [float(mpmath.diff(function, at, order(p))) for p in range(P)]
        hessian = np.empty((P, P))
        for p, q in combinations_with_replacement(range(P), 2):
            hessian[p, q] = hessian[q, p] = float(mpmath.diff(function, at, order(p, q)))
    return np.array(gradient), hessian


@pytest.mark.parametrize("model", MODELS)
def test_score_and_information_are_the_derivatives_of_the_loops(design_of, small_trial, by_loops, model):
    design = design_of(cohort=small_trial, **MODELS[model])
    mixture, vectors = design.mixture, somewhere(design)
    user = mixture.to_user(vectors[0])
    with mpmath.workdps(40):
        book = by_loops(design.spec, small_trial, mpmath.mpf, mpmath)
    gradient, hessian = by_mpmath(book, user)
    found = derivatives(vectors, mixture)
    jacobian = mixture.user_jacobian(vectors[0])
    # d sigma / d log sigma = sigma is the only part of the map to the user's units that bends.
    bend = [
        value if parameter.role == "sigma" else 0 for parameter, value in zip(mixture.parameters, user, strict=True)
    ]
    expected = jacobian.T @ hessian @ jacobian + np.diag(gradient * bend)
    np.testing.assert_allclose(found.score[0], jacobian.T @ gradient, rtol=1e-9, atol=1e-11 * np.abs(gradient).max())
    np.testing.assert_allclose(-found.information[0], expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())


def slope(function, vectors, place, h=1e-3):
    """Five points: the error of the formula is of the fourth power of h."""
    e = h * np.eye(vectors.shape[1])[place]
    plus, minus = function(vectors + e), function(vectors - e)
    return (8 * (plus - minus) - (function(vectors + 2 * e) - function(vectors - 2 * e))) / (12 * h)


LARGE = {
    "all": {
        "orders": (2, 1, 2),
        "sigma": "class",
        "covariates": "dose",
        "common": "stress",
        "membership": "sex + age",
        "weights": "sampling",
    },
    "successes": {
        "orders": (1, 0, 3),
        "sigma": "shared",
        "outcome": "successes",
        "family": "logit",
        "trials": "trials",
        "membership": "age",
        "weights": "sampling",
    },
}


@pytest.mark.parametrize("model", LARGE)
def test_score_and_information_are_slopes_in_a_model_with_everything(design_of, trial, model):
    design = design_of(cohort=trial, **LARGE[model])
    vectors = somewhere(design, count=3)
    found = derivatives(vectors, design.mixture)
    for p in range(design.n_parameters):
        numeric = slope(lambda at: e_step(at, design.mixture)[1], vectors, p)
        np.testing.assert_allclose(found.score[:, p], numeric, atol=1e-7 * np.abs(found.score).max())
        numeric = slope(lambda at: derivatives(at, design.mixture).score, vectors, p)
        np.testing.assert_allclose(-found.information[:, p], numeric, atol=1e-6 * np.abs(found.information).max())


@pytest.mark.parametrize("model", LARGE)
def test_scores_of_subjects_add_up_and_do_not_depend_on_the_batch(design_of, trial, model):
    design = design_of(cohort=trial, **LARGE[model])
    vectors = somewhere(design, count=3)
    together = derivatives(vectors, design.mixture)
    np.testing.assert_allclose(together.scores @ design.mixture.weights, together.score, rtol=1e-12)
    for s, vector in enumerate(vectors):
        alone = derivatives(vector[None], design.mixture)
        np.testing.assert_allclose(alone.score[0], together.score[s], rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(alone.information[0], together.information[s], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("model", LARGE)
def test_the_users_units_lead_there_and_back_with_their_jacobian(design_of, trial, model):
    mixture = design_of(cohort=trial, **LARGE[model]).mixture
    vector = np.random.default_rng(5).normal(0, 0.5, mixture.n_free)
    user = mixture.to_user(vector)
    assert len(mixture.parameters) == len(user) == mixture.n_free
    np.testing.assert_allclose(mixture.from_user(user), vector, rtol=1e-10, atol=1e-11)
    jacobian = mixture.user_jacobian(vector)
    for p in range(mixture.n_free):
        numeric = slope(lambda at: mixture.to_user(at[0]), vector[None], p)
        np.testing.assert_allclose(jacobian[:, p], numeric, atol=1e-9 * np.abs(jacobian).max())
