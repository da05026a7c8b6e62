import math

import mpmath
import numpy as np
import pytest

from harness.errors import SpecError
from harness.gbtm.density import log_likelihood

SHARED = (0.4, -0.3, 19.0, -1.5, 0.05, 21.0, 0.4, 11.0, 0.7, -0.1, 2.2)
BY_CLASS = (*SHARED[:-1], 2.0, 2.4, 1.6)


def by_loops(point, design, number=float, m=math):
    """The mixture of normals as it stands in the book: loops over subjects, classes, rows, powers."""
    orders = design.spec.orders
    K = len(orders)
    point = [number(value) for value in point]
    odds = [m.exp(value) for value in point[: K - 1]] + [number(1)]
    at, beta = K - 1, []
    for order in orders:
        beta.append(point[at : at + order + 1])
        at += order + 1
    sigma = point[at:] * (K if len(point) - at == 1 else 1)
    ends = [*design.subject_starts[1:].tolist(), len(design.y)]
    total = number(0)
    for first, end in zip(design.subject_starts.tolist(), ends, strict=True):
        density = number(0)
        for g in range(K):
            product = odds[g] / sum(odds)
            for j in range(first, end):
                mean = sum(b * number(float(design.time[j])) ** k for k, b in enumerate(beta[g]))
                z = (number(float(design.y[j])) - mean) / sigma[g]
                product *= m.exp(-z * z / 2) / (sigma[g] * (2 * m.pi) ** number(0.5))
            density += product
        total += m.log(density)
    return total


@pytest.mark.parametrize(("sigma", "point"), [("shared", SHARED), ("class", BY_CLASS)])
def test_log_likelihood_equals_loops_over_subjects_classes_and_rows(design_of, sigma, point):
    design = design_of(sigma=sigma)
    assert log_likelihood(point, design) == pytest.approx(by_loops(point, design), rel=1e-12)


def test_log_likelihood_stays_exact_where_products_of_densities_underflow(design_of):
    design = design_of()
    point = (*BY_CLASS[:-3], 0.02, 0.03, 0.025)
    with mpmath.workdps(50):
        exact = by_loops(point, design, mpmath.mpf, mpmath)
    assert exact < -1e5
    assert log_likelihood(point, design) == pytest.approx(float(exact), rel=1e-13)


def test_log_likelihood_of_relabelled_classes_is_the_same(design_of):
    design = design_of(sigma="class")
    theta1, theta2 = BY_CLASS[:2]
    swapped = (-theta2, theta1 - theta2, *BY_CLASS[7:10], *BY_CLASS[2:5], *BY_CLASS[5:7], 1.6, 2.0, 2.4)
    # Classes 3, 1, 2: log-odds against the old class 2.
    assert log_likelihood(swapped, design, (2, 2, 1)) == pytest.approx(log_likelihood(BY_CLASS, design), rel=1e-13)


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
