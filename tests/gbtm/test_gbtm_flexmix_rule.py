import numpy as np
import pytest
from scipy.special import softmax

from harness.gbtm.density import class_log_densities
from harness.gbtm.estimation import estimates_at, score_distance
from harness.gbtm.fit import fit
from harness.gbtm.flexmix_rule import flexmix_fixed_point


def one_step(point, design):
    """One step of flexmix's EM by rows, as its sources have it; the shared sigma by stacking K copies of the rows."""
    K, n = design.n_classes, design.n_observations
    p = [order + 1 for order in design.spec.orders]
    rows = design.outcomes[0].rows
    posterior = softmax(class_log_densities(point, design), axis=1)
    shares = posterior.mean(axis=0)
    weights = posterior[rows.panel.subject]
    beta, squares = [], []
    for g in range(K):
        X, root = np.vander(rows.time, p[g], increasing=True), np.sqrt(weights[:, g])
        beta.append(np.linalg.lstsq(X * root[:, None], rows.y * root, rcond=None)[0])
        squares.append(weights[:, g] * (rows.y - X @ beta[g]) ** 2)
    if design.spec.sigma == "class":
        sigma = [np.sqrt(np.sum(s / weights[:, g].mean()) / (n - p[g])) for g, s in enumerate(squares)]
    else:
        sigma = [np.sqrt(np.sum(np.concatenate(squares) / weights.mean()) / (K * n - p[0]))]
    return np.concatenate([np.log(shares[:-1] / shares[-1]), *beta, sigma])


@pytest.mark.parametrize("sigma", ["shared", "class"])
@pytest.mark.parametrize("orders", [(1,), (1, 1), (2, 2, 2)])
def test_a_step_of_flexmix_stays_at_its_fixed_point_but_not_at_the_optimum(design_of, orders, sigma):
    design = design_of(orders=orders, sigma=sigma, n_starts=20)
    best = fit(design)
    point = flexmix_fixed_point(best, design)
    np.testing.assert_allclose(one_step(point, design), point, rtol=1e-10, atol=1e-11)
    assert np.max(np.abs(one_step(best.point, design) - best.point)) > 1e-4


def test_the_fixed_point_is_a_little_below_the_maximum(design_of):
    design = design_of(orders=(2, 2), sigma="class", n_starts=20)
    best = fit(design)
    there = estimates_at(flexmix_fixed_point(best, design), design, best.class_kinds)
    gap = best.log_likelihood - there.log_likelihood
    distance = score_distance(flexmix_fixed_point(best, design), design, best.class_kinds)
    assert 0 < gap < 0.1
    assert gap == pytest.approx(distance**2 / 2, rel=0.2)
    assert (there.sigma > np.array(best.point[-2:])).all()


@pytest.mark.parametrize("sigma", ["shared", "class"])
def test_unequal_orders_have_a_fixed_point_too(design_of, sigma):
    best = fit(design_of(orders=(2, 0), sigma=sigma, n_starts=20))
    design = design_of(orders=best.orders, sigma=sigma, n_starts=20)
    point = flexmix_fixed_point(best, design)
    np.testing.assert_allclose(one_step(point, design), point, rtol=1e-10, atol=1e-11)
