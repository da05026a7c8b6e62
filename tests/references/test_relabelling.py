"""Mixtures keep their likelihood and their covariance when classes change places, and hlme's vector becomes a point."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.density import log_likelihood
from harness.gbtm.design import build_design
from harness.gbtm.spec import GbtmSpec
from harness.references.gbtm_answers import Fitted
from harness.references.hlme_vector import HlmeVector
from harness.references.relabelling import log_odds

CYCLE = np.array([2, 0, 1])


def cohort():
    stream = np.random.default_rng(8)
    subject = np.repeat(np.arange(30), 4)
    return Cohort(
        name="small",
        subject="id",
        time="week",
        numeric={
            "y": stream.normal(20, 5, 120),
            "week": np.tile([0.0, 1.0, 2.5, 4.0], 30),
            "dose": stream.uniform(0, 2, 120),
            "age": stream.normal(0, 1, 30)[subject],
        },
        factors={"id": Factor(codes=subject, levels=tuple(f"s{k}" for k in range(30)))},
    )


SPEC = GbtmSpec(outcome="y", time="week", subject="id", orders=(1, 0, 2))
SPECS = {
    "sigma by class, covariates": replace(SPEC, sigma="class", covariates="dose", membership="age"),
    "random effects by class": replace(SPEC, random=1, random_scale="class", errors="ar1", common="dose"),
    "diagonal": replace(SPEC, random=1, random_covariance="diagonal", random_scale="class", membership="age"),
}


def fitted(spec):
    """Parameters that have no symmetry: each differs from all others."""
    design = build_design(spec, cohort())
    stream = np.random.default_rng(4)
    membership = stream.normal(size=(1 + bool(spec.membership), 3))
    values = []
    for k, parameter in enumerate(p for p in design.mixture.parameters if p.role != "log_odds"):
        is_first = parameter.role == "beta" and parameter.name == "intercept"
        is_covariance = parameter.role == "covariance" and parameter.name.startswith("cov")
        value = 20 + k if is_first else 0.3 if is_covariance else 1 + 0.2 * k
        values.append(value)
    P = len(design.mixture.parameters)
    root = stream.normal(size=(P, P))
    return Fitted(
        design=design,
        membership=membership,
        values=np.array(values),
        posterior=stream.dirichlet(np.ones(3), 30),
        covariance=root @ root.T,
    )


@pytest.mark.parametrize("name", SPECS)
def test_relabelling_keeps_the_likelihood(name):
    before = fitted(SPECS[name])
    after = before.relabelled(CYCLE)
    assert after.design.spec.orders == (2, 1, 0)
    expected = log_likelihood(before.point, before.design)
    assert log_likelihood(after.point, after.design) == pytest.approx(expected, rel=1e-12)
    assert after.point != pytest.approx(before.point)


@pytest.mark.parametrize("name", SPECS)
def test_relabelling_is_undone_by_its_inverse(name):
    before = fitted(SPECS[name])
    back = before.relabelled(CYCLE).relabelled(np.argsort(CYCLE))
    assert back.point == pytest.approx(before.point, rel=1e-12)
    assert back.covariance == pytest.approx(before.covariance, rel=1e-10)
    assert np.array_equal(back.posterior, before.posterior)
    assert back.shares == pytest.approx(before.shares, rel=1e-14)


@pytest.mark.parametrize("name", SPECS)
def test_the_covariance_moves_by_the_derivative_of_the_point(name):
    """The derivative is by central differences, whose error is of the order of 1e-9 here."""
    before = fitted(SPECS[name])
    P = len(before.point)
    n_odds = P - len(before.values)
    jacobian = np.empty((P, P))
    for k, step in enumerate(1e-5 * np.eye(P)):
        ends = []
        for sign in (1, -1):
            odds = (np.array(before.point) + sign * step)[:n_odds].reshape(-1, 2)
            membership = np.column_stack([odds, np.zeros(len(odds))])
            moved = replace(before, membership=membership, values=before.values + sign * step[n_odds:])
            ends.append(np.array(moved.relabelled(CYCLE).point))
        jacobian[:, k] = (ends[0] - ends[1]) / 2e-5
    expected = jacobian @ before.covariance @ jacobian.T
    assert before.relabelled(CYCLE).covariance == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_shares_move_by_their_jacobian():
    """By central differences of the mean of all subjects' shares."""
    before = fitted(SPECS["sigma by class, covariates"])
    odds = log_odds(before.membership)
    jacobian = np.empty((3, len(odds)))
    for k, step in enumerate(1e-5 * np.eye(len(odds))):
        ends = []
        for sign in (1, -1):
            moved = (odds + sign * step).reshape(2, 2)
            ends.append(replace(before, membership=np.column_stack([moved, np.zeros(2)])).shares)
        jacobian[:, k] = (ends[0] - ends[1]) / 2e-5
    assert before.share_jacobian() == pytest.approx(jacobian, rel=1e-8, abs=1e-10)


def test_the_canonical_order_does_not_depend_on_labels():
    before = fitted(SPECS["sigma by class, covariates"])
    canonical = before.canonical()
    again = before.relabelled(CYCLE).canonical()
    assert again.point == pytest.approx(canonical.point, rel=1e-12)
    assert again.design.spec.orders == canonical.design.spec.orders


def test_classes_of_equal_order_stay_canonical_in_a_point():
    spec = replace(SPEC, orders=(1, 0, 0))
    low_to_high = fitted(spec).canonical()
    back = low_to_high.as_in(spec)
    assert back.design.spec.orders == (1, 0, 0)
    constants = [value for k, value in enumerate(back.values[:4]) if k in {2, 3}]
    assert constants == sorted(constants)


def hlme_vector(spec, best, cholesky):
    return HlmeVector(
        best=np.array(best), cholesky=np.array(cholesky), spec=spec, n_membership=1, n_covariates=1, n_common=1
    )


SPEC_2 = replace(SPEC, orders=(1, 0), random=1, random_scale="class", errors="ar1")
EFFECTS = [0.5, -0.2, 20.0, 30.0, -1.0, 0.0, 2.0, 3.0, 4.0]
"""Log-odds; intercepts, slopes (that of class 2 fixed at zero), covariates; the common one."""


def test_hlmes_vector_is_put_in_our_order_with_positive_signs():
    vector = hlme_vector(SPEC_2, [*EFFECTS, 4.0, 1.0, 2.5, -1.5, 0.1, -3.0, -2.0], [-2.0, -0.5, 1.5])
    assert vector.membership.tolist() == [[0.5, 0.0], [-0.2, 0.0]]
    assert vector.values().tolist() == [20.0, -1.0, 2.0, 30.0, 3.0, 4.0, 2.0, 4.0, 1.0, 2.5, 1.5, 0.1, 9.0]


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_hlmes_covariance_is_carried_from_the_root_by_its_derivative(covariance):
    """By central differences of V = U'U, w^2, s^2 and |sigma|."""
    spec = replace(SPEC_2, random_covariance=covariance)
    kept = [0, 1, 2] if covariance == "full" else [0, 2]
    U = np.array([-2.0, -0.5 if covariance == "full" else 0.0, 1.5])
    tail = np.array([-1.5, 0.1, -3.0, -2.0])

    def built(free):
        root = np.zeros(3)
        root[kept] = free[9 : 9 + len(kept)]
        full = np.array([[root[0], root[1]], [0.0, root[2]]])
        V = full.T @ full
        entries = np.array([V[0, 0], V[0, 1], V[1, 1]])[kept]
        return hlme_vector(spec, [*free[:9], *entries, *free[9 + len(kept) :]], root)

    free = np.array([*EFFECTS, *U[kept], *tail])
    found = built(free).jacobian()
    for k, step in enumerate(1e-6 * np.eye(len(free))):
        up, down = built(free + step), built(free - step)
        odds = (up.best[:2] - down.best[:2]) / 2e-6
        slope = np.concatenate([odds, (up.values() - down.values()) / 2e-6])
        assert found[:, k] == pytest.approx(slope, rel=1e-7, abs=1e-8)
