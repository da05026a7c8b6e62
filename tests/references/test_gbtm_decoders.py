"""Each decoder of trajectory models on a literal answer, as R would give it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.gbtm.spec import GbtmSpec
from harness.quantities import Reading
from harness.references import wire
from harness.references.crimcv import CrimCV
from harness.references.flexmix import Flexmix
from harness.references.lcmm import CONSTANT_PER_ROW, Lcmm
from harness.references.trajer import TrajeR

COHORT = Cohort(
    name="small",
    subject="id",
    time="week",
    numeric={"y": np.arange(12.0), "week": np.tile([0.0, 3.0], 6)},
    factors={"id": Factor(codes=np.repeat(np.arange(6), 2), levels=("x", "y", "z", "p", "q", "r"))},
)


def one(value):
    return np.array([value])


def decoded(decoder, answer, case):
    return decoder.decode(answer, case, decoder.request(case))


def gbtm_case(orders=(1, 0), sigma="shared"):
    spec = GbtmSpec(outcome="y", time="week", subject="id", orders=orders, sigma=sigma)
    return Case(name="small", cohort=COHORT, spec=spec, references=())


def gbtm_answer(**changes):
    answer = {
        "evidence": {
            "n_observations": one(12),
            "n_subjects": one(6),
            "outcome_sum": one(66.0),
            "design_names": wire.Text(["t^0", "t^1"]),
            "design_sums": np.array([12.0, 18.0]),
        },
        "log_likelihood": one(-20.0),
        "subjects": np.arange(1.0, 7.0),
        "posterior": np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]),
        "n_starts": one(30),
        "reached": np.array([-20.0, -20.001, -25.0]),
        "finals": np.array([-20.0]),
        "iterations": one(7),
    }
    return {**answer, **changes}


def lcmm_answer(**changes):
    # log-odds of class 1; intercepts of classes 1, 2; slopes of classes 1, 2 (the latter fixed at zero); sigma.
    V = np.diag([0.04, 0.01, 0.02, 0.03, 0.0, 0.05])
    V[1, 3] = V[3, 1] = 0.005
    extra = {
        "best": np.array([math.log(3), 10.0, 5.0, 1.0, 0.0, -2.0]),
        "V": V,
        "own_errors": np.array([0.2, 0.1, math.sqrt(0.02), math.sqrt(0.03), 0.0, 1.1 * math.sqrt(0.05)]),
        "cholesky": np.empty(0),
        "is_fixed": np.array([False, False, False, False, True, False]),
        "aic": one(50.0),
        "bic": one(40 + 5 * math.log(6)),
        "conv": one(1),
        "criteria": np.array([1e-12, 1e-12, 2e-17]),
        "tolerance": one(1e-10),
    }
    return gbtm_answer(**{**extra, **changes})


def test_lcmms_classes_are_put_in_canonical_order():
    estimates = decoded(Lcmm(), lcmm_answer(), gbtm_case()).estimates
    assert estimates.class_shares == pytest.approx([0.25, 0.75], rel=1e-15)
    assert [own.tolist() for own in estimates.beta] == [[5.0], [10.0, 1.0]]
    assert estimates.sigma.tolist() == [2.0]
    assert estimates.posterior[0].tolist() == [0.1, 0.9]
    assert estimates.n_parameters == 5


def test_lcmms_optimum_keeps_the_orders_of_the_spec():
    assert decoded(Lcmm(), lcmm_answer(), gbtm_case()).optimum == pytest.approx((math.log(3), 10, 1, 5, 2), rel=1e-14)


def test_lcmms_covariance_follows_its_classes():
    estimates = decoded(Lcmm(), lcmm_answer(), gbtm_case()).estimates
    # Shares .25 and .75: d share / d log-odds = .1875, so their variance is .1875^2 * .04.
    assert np.diag(estimates.covariance) == pytest.approx([0.1875**2 * 0.04] * 2 + [0.02, 0.01, 0.03, 0.05], rel=1e-12)
    assert estimates.covariance[3, 4] == pytest.approx(0.005)
    assert estimates.covariance[0, 1] == pytest.approx(-(0.1875**2) * 0.04)


def test_lcmm_without_convergence_gives_no_standard_errors():
    found = decoded(Lcmm(), lcmm_answer(conv=one(2)), gbtm_case())
    assert found.estimates.covariance is None
    assert found.convergence.stop is Stop.ITERATION_LIMIT


def test_the_noise_of_lcmms_own_standard_errors_is_told():
    assert "up to 1.0e-01 off" in decoded(Lcmm(), lcmm_answer(), gbtm_case()).convergence.message


def test_lcmms_single_precision_constant_is_added_back():
    # The float32 nearest to 2 pi.
    assert pytest.approx(0.5 * math.log(float(np.float32(2 * math.pi)) / (2 * math.pi)), rel=1e-7) == CONSTANT_PER_ROW
    estimates = decoded(Lcmm(), lcmm_answer(), gbtm_case()).estimates
    assert estimates.log_likelihood == pytest.approx(-20.0 + 12 * 1.39138e-8, abs=1e-12)


def test_information_criteria_are_the_engines_own():
    lcmm = decoded(Lcmm(), lcmm_answer(aic=one(51.0)), gbtm_case()).estimates
    assert lcmm.aic + 2 * lcmm.log_likelihood == pytest.approx(11, rel=1e-12)
    assert lcmm.bic_subjects + 2 * lcmm.log_likelihood == pytest.approx(5 * math.log(6), rel=1e-12)
    flexmix = decoded(Flexmix(), flexmix_answer(bic=one(41.0)), gbtm_case()).estimates
    assert flexmix.bic_observations + 2 * flexmix.log_likelihood == pytest.approx(1, rel=1e-12)
    assert math.isnan(flexmix.bic_subjects)


def test_lcmms_distance_comes_from_its_third_criterion():
    assert decoded(Lcmm(), lcmm_answer(), gbtm_case()).convergence.distance == pytest.approx(1e-8, rel=1e-12)


def test_lcmm_evaluates_only_one_sigma():
    spec = gbtm_case(orders=(0, 0), sigma="class").spec
    assert not Lcmm().support(spec).fit
    assert Lcmm().can_evaluate((0.0, 1.0, 2.0, 3.0, 3.0), spec)
    assert not Lcmm().can_evaluate((0.0, 1.0, 2.0, 3.0, 3.5), spec)


def flexmix_answer(**changes):
    extra = {
        "membership": np.array([[0.0, -math.log(3)]]),
        "effects": [np.array([10.0, 1.0]), np.array([5.0])],
        "common": np.empty(0),
        "sigma": np.array([2.0, 2.0]),
        "n_parameters": one(5.0),
        "aic": one(50.0),
        "bic": one(40 + 5 * math.log(12)),
        "converged": np.array([True]),
    }
    return gbtm_answer(**{**extra, **changes})


def test_flexmix_and_lcmm_read_alike():
    theirs = decoded(Flexmix(), flexmix_answer(), gbtm_case())
    ours = decoded(Lcmm(), lcmm_answer(), gbtm_case())
    assert theirs.optimum == pytest.approx(ours.optimum, rel=1e-14)
    assert theirs.estimates.average_posterior == pytest.approx(ours.estimates.average_posterior)
    assert theirs.estimates.covariance is None


def test_sigmas_per_class_move_with_their_classes():
    answer = flexmix_answer(effects=[np.array([10.0, 0.0]), np.array([5.0, 0.0])], sigma=np.array([2.0, 3.0]))
    assert decoded(Flexmix(), answer, gbtm_case((1, 1), "class")).estimates.sigma.tolist() == [3.0, 2.0]


def test_an_empty_class_is_told():
    answer = flexmix_answer(membership=np.array([[0.0, -np.inf]]))
    found = decoded(Flexmix(), answer, gbtm_case())
    assert found.convergence.stop is Stop.EMPTY_CLASS
    assert found.optimum is None


def test_what_an_engine_does_not_give_has_a_reason():
    case = gbtm_case()
    bare = Reading(engine="flexmix", source="live", versions={}, not_given=Flexmix().not_given(case.spec))
    owed = [q.path for q in decoded(Flexmix(), flexmix_answer(), case).estimates.quantities()]
    assert bare.reason_not_given("class[1].share.standard_error")
    assert bare.reason_not_given("bic_subjects.penalty")
    assert [path for path in owed if bare.reason_not_given(path)] == ["bic_subjects.penalty"]
    nothing = replace(bare, not_given=Lcmm().not_given(gbtm_case((0, 0), "class").spec))
    assert all(nothing.reason_not_given(path) for path in owed)


BETA = GbtmSpec(outcome="share", time="week", subject="id", orders=(1, 0), family="beta")


def beta_case():
    cohort = replace(COHORT, numeric={**COHORT.numeric, "share": np.linspace(0.1, 0.9, 12)})
    return Case(name="small", cohort=cohort, spec=BETA, references=())


def trajer_answer(**changes):
    # Log-odds of class 1; intercept and slope of class 1, intercept of class 2; precisions.
    extra = {
        "estimates": np.array([math.log(3), 2.0, 0.5, -1.0, 4.0, 9.0]),
        "V": np.diag([0.04, 0.01, 0.02, 0.03, 0.5, 0.6]),
        "distance": one(1e-7),
    }
    return gbtm_answer(**{**extra, **changes})


def test_trajers_classes_keep_their_precisions_in_canonical_order():
    found = decoded(TrajeR(), trajer_answer(), beta_case())
    values = {quantity.path: quantity.value for quantity in found.estimates.quantities()}
    assert values["class[1].beta[intercept].estimate"] == -1.0
    assert values["class[1].precision.estimate"] == 9.0
    assert values["class[2].precision.standard_error"] == pytest.approx(math.sqrt(0.5))
    assert values["class[1].share.estimate"] == pytest.approx(0.25)
    assert found.optimum == pytest.approx((math.log(3), 2.0, 0.5, -1.0, 4.0, 9.0))


def test_trajers_maximum_is_one_where_its_gradient_vanishes():
    assert decoded(TrajeR(), trajer_answer(), beta_case()).convergence.stop is Stop.OPTIMUM
    far = decoded(TrajeR(), trajer_answer(distance=one(0.3)), beta_case())
    assert far.convergence.stop is Stop.REPORTED_FAILURE


@pytest.mark.parametrize(
    "changes",
    [{"common": "week"}, {"orders": (1,)}, {"family": "gaussian"}, {"weights": "w"}, {"knots": (1.0,)}, {"random": 0}],
)
def test_trajer_is_not_asked_for_what_it_does_not_have(changes):
    support = TrajeR().support(replace(BETA, **changes))
    assert not support.objective
    assert support.reason


@pytest.mark.parametrize(
    ("decoder", "changes"),
    [
        (Lcmm(), {"family": "poisson"}),
        (Lcmm(), {"weights": "w"}),
        (Lcmm(), {"sigma": "visit"}),
        (Flexmix(), {"family": "zip"}),
        (Flexmix(), {"sigma": "visit"}),
        (Flexmix(), {"random": 1}),
        (Flexmix(), {"weights": "w"}),
    ],
)
def test_what_an_engine_does_not_have_is_refused_with_a_reason(decoder, changes):
    support = decoder.support(replace(gbtm_case().spec, **changes))
    assert not support.objective
    assert support.reason


def test_hlme_evaluates_only_where_the_random_effects_have_a_root():
    spec = replace(gbtm_case((1, 1)).spec, random=1)
    inside = (0.0, 1.0, 2.0, 3.0, 3.0, 1.5, 4.0, 1.0, 0.5)
    assert Lcmm().can_evaluate(inside, spec)
    assert not Lcmm().can_evaluate((*inside[:-1], 0.2), spec)


ZIP = GbtmSpec(outcome="count", time="week", subject="id", orders=(1, 1), family="zip", zero_orders=(0, 0))


def crimcv_answer():
    return gbtm_answer(
        shares=np.array([0.25, 0.75]),
        beta=[np.array([2.0, 0.1]), np.array([-1.0, 0.2])],
        zero=[np.array([-0.5]), np.array([-3.0])],
        aic=one(54.0),
        n_starts=one(40),
        ends=np.array([-20.0, -25.0]),
    )


def test_crimcvs_classes_keep_their_zeros_in_canonical_order():
    cohort = replace(COHORT, numeric={**COHORT.numeric, "count": np.tile([0.0, 3.0, 1.0], 4)})
    case = Case(name="small", cohort=cohort, spec=ZIP, references=())
    found = decoded(CrimCV(), crimcv_answer(), case)
    values = {quantity.path: quantity.value for quantity in found.estimates.quantities()}
    assert values["class[1].beta[intercept].estimate"] == -1.0
    assert values["class[1].zero[intercept].estimate"] == -3.0
    assert values["class[2].share.estimate"] == pytest.approx(0.25)
    assert found.reached == -20.0
    assert "class[1].zero[intercept].standard_error" not in values


@pytest.mark.parametrize(
    "changes", [{"orders": (1, 0)}, {"zero_orders": (0, 1)}, {"membership": "week"}, {"family": "poisson"}]
)
def test_crimcv_is_asked_for_classes_of_one_kind(changes):
    support = CrimCV().support(replace(ZIP, **changes))
    assert not support.fit
    assert support.reason
