"""Each decoder on a literal answer, as R would give it."""

import math

import numpy as np
import pytest

from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.references import wire
from harness.references.lme4 import Lme4
from harness.references.nlme import Nlme

COMPLAINT = wire.Text(["Model failed to converge"])


def one(value):
    return np.array([value])


COHORT = Cohort(
    name="small",
    subject="id",
    time="week",
    numeric={"y": np.arange(12.0), "week": np.tile([0.0, 3.0], 6)},
    factors={"id": Factor(codes=np.repeat(np.arange(6), 2), levels=("x", "y", "z", "p", "q", "r"))},
)


def lmm_case(formula="y ~ week + (1 + week | id)", criterion="REML"):
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion)
    return Case(name="small", cohort=COHORT, spec=spec, references=())


def block(grouping, names, cov):
    return {"grouping": wire.Text([grouping]), "names": wire.Text(names), "cov": np.array(cov)}


def lmm_answer(**changes):
    answer = {
        "evidence": {
            "n_observations": one(12),
            "n_subjects": one(3),
            "outcome_sum": one(66.0),
            "design_names": wire.Text(["(Intercept)", "v3"]),
            "design_sums": np.array([12.0, 18.0]),
        },
        "beta_names": wire.Text(["(Intercept)", "v3"]),
        "beta": np.array([1.0, 2.0]),
        "vcov": np.array([[0.25, 0.01], [0.01, 0.04]]),
        "theta": np.array([2.0, 0.5, 1.5]),
        "blocks": [block("v2", ["(Intercept)", "v3"], [[36.0, 9.0], [9.0, 22.5]])],
        "modes": [
            {
                "grouping": wire.Text(["v2"]),
                "levels": wire.Text(["L1", "L3", "L2"]),
                "names": wire.Text(["(Intercept)", "v3"]),
                "modes": np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
                "variances": [np.moveaxis(np.array([[[1.0, 0.1], [0.1, 0.5]]] * 3), 0, 2)],
            }
        ],
        "sigma": one(3.0),
        "log_likelihood": one(-30.0),
        "aic": one(72.0),
        "bic": one(60.0 + 6 * math.log(12)),
        "n_parameters": one(6.0),
        "singular": np.array([False]),
        "code": one(0),
        "messages": wire.Text(),
        "evaluations": one(44),
        "reached": np.array([-30.0]),
        "gradient": np.array([2e-4, 0.0]),
        "hessian": np.diag([50.0, 8.0]),
    }
    return {**answer, **changes}


def nlme_answer(**changes):
    Gamma = np.array([[4.0, 1.0], [1.0, 2.5]])
    extra = {
        "blocks": [block("v2", ["(Intercept)", "v3"], 9.0 * Gamma)],
        "residual": None,
        "bic": one(60.0 + 6 * math.log(10)),
        "searches": wire.Text(["EM", "nlminb"]),
        "reached": np.array([-30.0, -30.1]),
        "complaint": wire.Text([""]),
    }
    return lmm_answer(**{**extra, **changes})


def decoded(decoder, answer, case):
    return decoder.decode(answer, case, decoder.request(case))


def test_lme4s_numbers_get_our_names():
    found = decoded(Lme4(), lmm_answer(), lmm_case())
    values = {quantity.path: quantity.value for quantity in found.estimates.quantities()}
    assert values["fixed[week].estimate"] == 2.0
    assert values["fixed[week].standard_error"] == 0.2
    assert values["fixed.correlation[week,intercept]"] == pytest.approx(0.1, rel=1e-15)
    assert values["random.covariance[week,intercept]"] == 9.0
    assert values["mode[z,week].estimate"] == 0.4
    assert values["mode[y,week].variance"] == 0.5
    assert found.optimum == (2.0, 0.5, 1.5)
    assert found.evidence.design_sums == {"intercept": 12.0, "week": 18.0}


def test_lme4s_gradient_is_put_in_standard_errors():
    # -2 log L = 25 (a - a0)^2 + ...: score 1e-4, information 25, so 1e-4 / sqrt(25) standard errors.
    convergence = decoded(Lme4(), lmm_answer(), lmm_case()).convergence
    assert convergence.distance == pytest.approx(2e-5, rel=1e-12)
    assert convergence.gradient == pytest.approx(2e-5, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "stop"),
    [
        ({}, Stop.OPTIMUM),
        ({"singular": np.array([True])}, Stop.SINGULAR),
        ({"code": one(1)}, Stop.ITERATION_LIMIT),
        ({"messages": wire.Text(["failed to converge"]), "gradient": np.array([1.0, 0.0])}, Stop.REPORTED_FAILURE),
        ({"messages": wire.Text(["failed to converge"])}, Stop.OPTIMUM),
        (
            {"messages": wire.Text(["failed to converge"]), "gradient": np.empty(0), "hessian": None},
            Stop.REPORTED_FAILURE,
        ),
    ],
)
def test_lme4s_stop_is_put_in_words(changes, stop):
    assert decoded(Lme4(), lmm_answer(**changes), lmm_case()).convergence.stop is stop


def test_the_double_bar_gives_a_diagonal_covariance():
    blocks = [block("v2", ["(Intercept)"], [[36.0]]), block("v2", ["v3"], [[22.5]])]
    modes = lmm_answer()["modes"][0] | {"variances": [np.full((1, 1, 3), 1.0), np.full((1, 1, 3), 0.5)]}
    answer = lmm_answer(theta=np.array([2.0, 1.5]), blocks=blocks, modes=[modes])
    estimates = decoded(Lme4(), answer, lmm_case("y ~ week + (1 + week || id)")).estimates
    assert estimates.random_cov.tolist() == [[36.0, 0.0], [0.0, 22.5]]
    assert np.diagonal(estimates.random[0].modes_cov, axis1=1, axis2=2).tolist() == [[1.0, 0.5]] * 3


def test_nlmes_covariance_is_in_the_units_of_the_data():
    found = decoded(Nlme(), nlme_answer(), lmm_case())
    assert found.optimum == (2.0, 0.5, 1.5)
    assert found.estimates.random_cov == pytest.approx(9.0 * np.array([[4.0, 1.0], [1.0, 2.5]]))


def test_nlmes_bic_is_brought_to_all_rows_under_reml_only():
    restricted = decoded(Nlme(), nlme_answer(), lmm_case()).estimates
    assert restricted.bic == pytest.approx(60 + 6 * math.log(12), rel=1e-15)
    full = decoded(Nlme(), nlme_answer(), lmm_case(criterion="ML")).estimates
    assert full.bic == 60 + 6 * math.log(10)


def test_a_singular_covariance_of_nlme_has_no_point():
    found = decoded(Nlme(), nlme_answer(theta=None), lmm_case())
    assert found.optimum is None


def test_nlmes_complaint_counts_only_where_no_other_search_agrees():
    alone = nlme_answer(complaint=wire.Text(["iteration limit reached"]))
    assert decoded(Nlme(), alone, lmm_case()).convergence.stop is Stop.ITERATION_LIMIT
    agreed = {**alone, "reached": np.array([-30.0, -30.0])}
    assert decoded(Nlme(), agreed, lmm_case()).convergence.stop is Stop.OPTIMUM
