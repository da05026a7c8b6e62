"""Regressions that R fits, read as mixtures of one class."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.gbtm.spec import GbtmSpec
from harness.references import wire
from harness.references.one_class import Glm, GlmmTmbBeta, Survreg, Zeroinfl

COHORT = Cohort(
    name="small",
    subject="id",
    time="week",
    numeric={"y": np.tile([0.0, 3.0, 1.0, 7.0], 3), "week": np.tile([0.0, 3.0], 6), "share": np.linspace(0.1, 0.9, 12)},
    factors={"id": Factor(codes=np.repeat(np.arange(6), 2), levels=("x", "y", "z", "p", "q", "r"))},
)
POISSON = GbtmSpec(outcome="y", time="week", subject="id", orders=(1,), family="poisson")
CENSORED = replace(POISSON, family="censored_normal", limits=(0.0, 7.0))
ZIP = replace(POISSON, family="zip", zero_orders=(0,))
BETA = replace(POISSON, outcome="share", family="beta")


def one(value):
    return np.array([value])


def answer(estimates, **changes):
    p = len(estimates)
    V = 0.01 * np.eye(p)
    V[0, -1] = V[-1, 0] = 0.002
    return {
        "evidence": {
            "n_observations": one(12),
            "n_subjects": one(6),
            "outcome_sum": one(33.0),
            "design_names": wire.Text(["t^0", "t^1"]),
            "design_sums": np.array([12.0, 18.0]),
        },
        "estimates": np.array(estimates),
        "V": V,
        "log_likelihood": one(-20.0),
        "aic": one(40.0 + 2 * p),
        "bic": one(40.0 + p * np.log(12)),
        "n_parameters": one(p),
        "subjects": np.arange(1.0, 7.0),
        "converged": np.array([True]),
        "iterations": one(5),
        "distance": one(1e-6),
        **changes,
    }


def decoded(decoder, spec, found):
    case = Case(name="small", cohort=COHORT, spec=spec, references=())
    return decoder.decode(found, case, decoder.request(case))


def values(found):
    return {quantity.path: quantity.value for quantity in found.estimates.quantities()}


def test_a_regression_is_a_mixture_of_one_class():
    found = values(decoded(Glm(), POISSON, answer([1.0, -0.2])))
    assert found["class[1].share.estimate"] == 1
    assert found["class[1].share.standard_error"] == 0
    assert found["class[1].beta[week].estimate"] == -0.2
    assert found["class[1].beta[week].standard_error"] == pytest.approx(0.1)
    assert found["class[1].posterior[q]"] == 1


@pytest.mark.parametrize(
    ("decoder", "spec", "path"),
    [(Survreg(), CENSORED, "sigma"), (GlmmTmbBeta(), BETA, "class[1].precision")],
)
def test_the_covariance_of_a_logarithm_is_carried_to_its_parameter(decoder, spec, path):
    found = decoded(decoder, spec, answer([1.0, -0.2, 4.0]))
    assert values(found)[f"{path}.standard_error"] == pytest.approx(4 * 0.1)
    assert found.estimates.covariance[1, -1] == pytest.approx(4 * 0.002)
    assert found.optimum == (1.0, -0.2, 4.0)


def test_zeroinfls_log_likelihood_is_known_at_its_optimum_only():
    found = decoded(Zeroinfl(), ZIP, answer([1.0, -0.2, -0.5]))
    assert found.reached == -20.0
    assert not Zeroinfl().can_evaluate(found.optimum, ZIP)
    assert values(found)["class[1].zero[intercept].estimate"] == -0.5


def test_glmmtmb_has_converged_where_its_gradient_says_so():
    refused = np.array([False])
    near = decoded(GlmmTmbBeta(), BETA, answer([1.0, -0.2, 4.0], converged=refused))
    far = decoded(GlmmTmbBeta(), BETA, answer([1.0, -0.2, 4.0], converged=refused, distance=one(0.5)))
    assert near.convergence.stop is Stop.OPTIMUM
    assert far.convergence.stop is Stop.REPORTED_FAILURE


@pytest.mark.parametrize(
    "spec",
    [
        replace(POISSON, orders=(1, 1)),
        replace(POISSON, family="gaussian"),
        replace(POISSON, weights="w"),
        replace(POISSON, dropout=(0,)),
    ],
)
def test_a_regression_is_asked_for_no_other_model(spec):
    support = Glm().support(spec)
    assert not support.objective
    assert support.reason
