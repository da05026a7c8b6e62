"""The log-likelihood at any parameters, against loops over subjects, classes and rows."""

import math

import mpmath
import numpy as np
import pytest

from harness.errors import SpecError
from harness.gbtm.density import log_likelihood
from harness.gbtm.estimation import estimates_at
from harness.gbtm.point import from_point

SHARED = (0.4, -0.3, 19.0, -1.5, 0.05, 21.0, 0.4, 11.0, 0.7, -0.1, 2.2)
BY_CLASS = (*SHARED[:-1], 2.0, 2.4, 1.6)

MODELS = {
    "shared sigma": {"orders": (2, 1, 2)},
    "sigma by class": {"orders": (2, 0, 1), "sigma": "class"},
    "one class": {"orders": (3,), "covariates": "dose"},
    "risk factors": {"orders": (1, 1, 0), "membership": "age + sex"},
    "covariates by class": {"orders": (1, 0), "covariates": "dose + sex", "sigma": "class"},
    "common covariates": {"orders": (0, 2), "common": "dose + stress", "sigma": "class"},
    "weights": {"orders": (1, 2), "weights": "sampling"},
    "counts": {"orders": (1, 0, 2), "outcome": "count", "family": "poisson", "exposure": "exposure", "common": "sex"},
    "successes": {"orders": (1, 1), "outcome": "successes", "family": "logit", "trials": "trials"},
    "all": {
        "orders": (2, 1),
        "sigma": "class",
        "covariates": "dose",
        "common": "stress",
        "membership": "sex + age",
        "weights": "sampling",
    },
}


def somewhere(design, count=3, seed=4, spread=0.5):
    """Points in the user's units, off any optimum."""
    vectors = np.random.default_rng(seed).normal(0, spread, (count, design.n_parameters))
    return [tuple(design.mixture.to_user(vector).tolist()) for vector in vectors]


@pytest.mark.parametrize("model", MODELS)
def test_log_likelihood_equals_loops_over_subjects_classes_and_rows(design_of, trial, by_loops, model):
    design = design_of(cohort=trial, **{"sigma": "shared", **MODELS[model]})
    book = by_loops(design.spec, trial)
    for point in somewhere(design):
        # Both add a few hundred logarithms of size 10 in double precision.
        assert log_likelihood(point, design) == pytest.approx(book(*point), rel=1e-12)


def test_log_likelihood_stays_exact_where_products_of_densities_underflow(design_of, panel, by_loops):
    design = design_of()
    point = (*BY_CLASS[:-3], 0.02, 0.03, 0.025)
    with mpmath.workdps(50):
        exact = by_loops(design.spec, panel, mpmath.mpf, mpmath)(*map(mpmath.mpf, point))
    assert exact < -1e5
    assert log_likelihood(point, design) == pytest.approx(float(exact), rel=1e-13)


def test_log_likelihood_of_relabelled_classes_is_the_same(design_of):
    design = design_of(sigma="class")
    theta1, theta2 = BY_CLASS[:2]
    swapped = (-theta2, theta1 - theta2, *BY_CLASS[7:10], *BY_CLASS[2:5], *BY_CLASS[5:7], 1.6, 2.0, 2.4)
    # Classes 3, 1, 2: log-odds against the old class 2.
    kinds = tuple(design.class_kinds[g] for g in (2, 0, 1))
    assert log_likelihood(swapped, design, kinds) == pytest.approx(log_likelihood(BY_CLASS, design), rel=1e-13)


@pytest.mark.parametrize("model", MODELS)
def test_every_permutation_of_the_classes_is_the_same_mixture(design_of, trial, model):
    design = design_of(cohort=trial, **{"sigma": "shared", **MODELS[model]})
    K, (point,) = design.n_classes, somewhere(design, count=1)
    before = estimates_at(point, design, design.class_kinds)
    vector = from_point(point, design.mixture)
    for shift in range(1, K):
        classes = np.roll(np.arange(K), shift)
        kinds = tuple(design.class_kinds[g] for g in classes)
        moved = design.mixture.permuted(classes).to_user(design.mixture.relabelled(vector[None], classes)[0])
        after = estimates_at(tuple(moved.tolist()), design.with_kinds(kinds), kinds)
        assert after.log_likelihood == pytest.approx(before.log_likelihood, rel=1e-12)
        np.testing.assert_allclose(after.posterior, before.posterior[:, classes], rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(after.class_shares, before.class_shares[classes], rtol=1e-12)


def test_log_likelihood_of_scaled_outcomes_falls_by_n_log_c(design_of, panel, cohort_of):
    c = 7.5
    factor = panel.factors["id"]
    labels = [factor.levels[code][1:] for code in factor.codes]
    scaled = design_of(cohort=cohort_of(labels, panel.numeric["week"], c * panel.numeric["score"]))
    point = (*BY_CLASS[:2], *(c * np.array(BY_CLASS[2:])))
    expected = log_likelihood(BY_CLASS, design_of()) - scaled.n_observations * math.log(c)
    assert log_likelihood(point, scaled) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("point", "complaint"),
    [
        (BY_CLASS[:-1], "a point of 12 numbers"),
        ((*BY_CLASS[:-1], math.nan), "not finite"),
        ((*BY_CLASS[:-1], 0.0), "sigma > 0"),
    ],
)
def test_a_point_that_is_none_is_refused(design_of, point, complaint):
    with pytest.raises(SpecError, match=complaint):
        log_likelihood(point, design_of())
