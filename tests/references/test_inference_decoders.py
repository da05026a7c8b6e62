"""Decoders of tests and residual structures on literal answers, as R would give them."""

import numpy as np
import pytest

from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.errors import EngineError
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.references import wire
from harness.references.clubsandwich import ClubSandwich
from harness.references.emmeans import Emmeans
from harness.references.glmmtmb import GlmmTmb
from harness.references.lmertest import LmerTest
from harness.references.mmrm import Mmrm
from harness.references.nlme import Nlme
from harness.references.pbkrtest import Pbkrtest
from harness.references.residuals import structure_parameters

COHORT = Cohort(
    name="small",
    subject="id",
    time="week",
    numeric={"y": np.arange(12.0), "week": np.tile([0.0, 3.0], 6)},
    factors={
        "id": Factor(codes=np.repeat(np.arange(6), 2), levels=("x", "y", "z", "p", "q", "r")),
        "arm": Factor(codes=np.repeat([0, 1], 6), levels=("three", "six")),
        "visit": Factor(codes=np.tile([0, 1], 6), levels=("first", "last")),
    },
)


def case_of(formula, criterion="REML"):
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion)
    return Case(name="small", cohort=COHORT, spec=spec, references=())


MIXED = case_of("y ~ arm + (1 | id)")
VISITS = case_of("y ~ arm + us(visit | id)")


def one(value):
    return np.array([value])


def answer(**more):
    return {
        "evidence": {
            "n_observations": one(12),
            "n_subjects": one(6),
            "outcome_sum": one(66.0),
            "design_names": wire.Text(["(Intercept)", "v3L2"]),
            "design_sums": np.array([12.0, 6.0]),
        },
        "beta_names": wire.Text(["(Intercept)", "v3L2"]),
        "beta": np.array([1.0, 2.0]),
        "vcov": np.array([[0.25, 0.01], [0.01, 0.04]]),
        "theta": np.array([2.0]),
        "log_likelihood": one(-30.0),
        "singular": np.array([False]),
        "code": one(0),
        "messages": wire.Text(),
        "evaluations": one(44),
        "reached": np.array([-30.0]),
        "gradient": np.array([2e-4]),
        "hessian": np.array([[50.0]]),
        **more,
    }


def t_tests(**more):
    tests = {"statistic": np.array([2.0, 10.0]), "df": np.array([4.5, 3.5]), "p_value": np.array([0.1, 0.002])}
    return {**tests, **more}


def table(term="v3", **more):
    given = {"statistic": one(100.0), "df1": one(1.0), "df2": one(3.5), "p_value": one(0.002)}
    return {"terms": wire.Text([term]), **given, **more}


def decoded(decoder, given, case):
    found = decoder.decode(given, case, decoder.request(case))
    return found, {quantity.path: quantity.value for quantity in found.estimates.quantities()}


def test_lmertests_tables_get_our_names():
    tables = {name: table() for name in ("type1", "type2", "type3")}
    found, values = decoded(LmerTest(), answer(coefficients=t_tests(), tables=tables, joint=table("1")), MIXED)
    assert values["fixed[arm[six]].standard_error"] == 0.2
    assert values["satterthwaite.fixed[arm[six]].df"] == 3.5
    assert values["satterthwaite.fixed[intercept].p_value"] == 0.1
    assert values["satterthwaite.type3[arm].statistic"] == 100.0
    assert values["satterthwaite.type2[arm].df1"] == 1.0
    assert values["satterthwaite.joint[all].df2"] == 3.5
    assert (found.optimum, found.reached) == ((2.0,), -30.0)


def test_lmertest_may_have_nothing_to_test_jointly():
    empty = {name: np.empty(0) for name in ("statistic", "df1", "df2", "p_value")} | {"terms": wire.Text()}
    tables = dict.fromkeys(("type1", "type2", "type3"), empty)
    _, values = decoded(LmerTest(), answer(coefficients=t_tests(), tables=tables, joint=None), MIXED)
    assert not any("type" in path or "joint" in path for path in values)


def test_pbkrtests_errors_are_those_of_the_adjusted_covariance():
    given = answer(adjusted=np.diag([0.36, 0.09]), coefficients=t_tests(), terms=table(scaling=one(0.75)))
    _, values = decoded(Pbkrtest(), given, MIXED)
    assert values["fixed[arm[six]].standard_error"] == 0.2
    assert values["kenward-roger.fixed[arm[six]].standard_error"] == pytest.approx(0.3, rel=1e-15)
    assert values["kenward-roger.term[arm].scaling"] == 0.75


def test_pbkrtest_is_for_restricted_likelihoods():
    assert Pbkrtest().support(MIXED.spec).fit
    assert not Pbkrtest().support(case_of("y ~ arm + (1 | id)", "ML").spec).fit


@pytest.mark.parametrize("decoder", [LmerTest, Pbkrtest, Emmeans, ClubSandwich])
def test_what_starts_from_lme4s_fit_has_no_residual_structures(decoder):
    support = decoder().support(VISITS.spec)
    assert not support.fit
    assert "no residual structures" in support.reason


def means_of(labels, **more):
    size = len(next(iter(labels.values())))
    numbers = {name: np.arange(size) + 0.5 for name in ("estimate", "standard_error", "df", "lower", "upper")}
    tests = {"statistic": np.ones(size), "p_value": np.full(size, 0.3), "estimable": np.ones(size, dtype=bool)}
    return {"labels": {name: wire.Text(own) for name, own in labels.items()}, **numbers, **tests, **more}


def test_emmeans_labels_are_levels_and_contrasts_of_the_first_factor():
    case = case_of("y ~ visit * arm + (1 | id)")
    request = Emmeans().request(case)
    first, second = request.payload["spec"]["means"]
    assert (request.names[first], request.names[second]) == ("visit", "arm")
    given = {
        "means": means_of({first: ["L1", "L2"], second: ["L1", "L1"]}, estimable=np.array([True, False])),
        "contrasts": means_of({"contrast": ["L1 - L2"], second: ["L2"]}),
        "tukey": one(0.4),
    }
    _, values = decoded(Emmeans(), answer(methods={"satterthwaite": given}), case)
    assert values["satterthwaite.means[first,three].estimate"] == 0.5
    assert values["satterthwaite.means[last,three].estimable"] is False
    assert "satterthwaite.means[last,three].estimate" not in values
    assert values["satterthwaite.contrasts[first - last,six].tukey_p_value"] == 0.4


def test_means_need_a_factor():
    with pytest.raises(EngineError, match="no factor"):
        Emmeans().request(case_of("y ~ week + (1 | id)"))


def test_clubsandwich_gives_both_kinds():
    adjusted = t_tests(standard_error=np.array([0.7, 0.8]))
    _, values = decoded(ClubSandwich(), answer(plain=np.array([0.5, 0.6]), adjusted=adjusted), MIXED)
    assert values["CR0.fixed[arm[six]].standard_error"] == 0.6
    assert values["CR2.fixed[arm[six]].standard_error"] == 0.8
    assert values["CR2.fixed[arm[six]].df"] == 3.5


def test_clubsandwich_needs_independent_subjects():
    assert not ClubSandwich().support(case_of("y ~ arm + (1 | id) + (1 | visit)").spec).fit


SIGMA = np.array([[4.0, 1.5], [1.5, 9.0]])


def test_mmrms_criteria_count_fixed_effects_and_rows():
    # 3 covariance parameters, 2 fixed effects, 12 rows, 6 subjects: -2 log L = 60.
    given = answer(
        aic=one(66.0),
        bic=one(60 + 3 * np.log(6)),
        n_parameters=one(3.0),
        residual=[{"visits": wire.Text(["L1", "L2"]), "cov": SIGMA}],
        satterthwaite=t_tests(standard_error=np.ones(2), terms=table()),
        kenward_roger=t_tests(standard_error=np.array([0.6, 0.3]), terms=table()),
        message=wire.Text(["BFGS"]),
    )
    found, values = decoded(Mmrm(), given, VISITS)
    assert values["n_parameters"] == 5
    assert values["aic.penalty"] == pytest.approx(10, rel=1e-15)
    assert values["bic.penalty"] == pytest.approx(5 * np.log(12), rel=1e-14)
    assert values["residual[covariance[last, first]].estimate"] == pytest.approx(1.5, rel=1e-14)
    assert values["kenward-roger-observed-linear.fixed[arm[six]].standard_error"] == 0.3
    assert "satterthwaite.fixed[arm[six]].standard_error" not in values
    assert found.optimum == pytest.approx((4.0, 1.5, 9.0), rel=1e-14)


def nlme_answer(**more):
    extra = {"aic": one(70.0), "bic": one(72.0), "n_parameters": one(5.0), "sigma": one(2.0), "theta": None}
    search = {"searches": wire.Text(["nlminb"]), "reached": np.array([-30.0]), "complaint": wire.Text([""])}
    residual = {"visits": wire.Text(["L1", "L2"]), "cov": SIGMA}
    return answer(**extra, **search, **{"blocks": [], "modes": [], "residual": residual, **more})


def test_nlmes_gls_has_a_point_and_no_random_effects():
    found, values = decoded(Nlme(), nlme_answer(), VISITS)
    assert found.optimum == pytest.approx((4.0, 1.5, 9.0), rel=1e-14)
    assert values["residual[variance[last]].estimate"] == pytest.approx(9.0, rel=1e-14)
    assert not any(path.startswith(("random", "sigma", "mode")) for path in values)


def test_the_small_sample_factor_of_gls_under_ml_is_taken_out():
    _, restricted = decoded(Nlme(), nlme_answer(), VISITS)
    _, full = decoded(Nlme(), nlme_answer(), case_of("y ~ arm + us(visit | id)", "ML"))
    ratio = full["fixed[arm[six]].standard_error"] / restricted["fixed[arm[six]].standard_error"]
    assert ratio == pytest.approx(np.sqrt(10 / 12), rel=1e-15)


def test_random_effects_stand_before_the_residuals_in_a_point():
    case = case_of("y ~ arm + (1 | id) + ar1(visit | id)")
    block = {"grouping": wire.Text(["v2"]), "names": wire.Text(["(Intercept)"]), "cov": np.array([[5.0]])}
    cov = 4.0 * np.array([[1.0, 0.5], [0.5, 1.0]])
    residual = {"visits": wire.Text(["L1", "L2"]), "cov": cov}
    given = nlme_answer(blocks=[block], residual=residual)
    found, values = decoded(Nlme(), given, case)
    assert found.optimum == pytest.approx((5.0, 4.0, 0.5), rel=1e-15)
    assert values["random.covariance[intercept,intercept]"] == 5.0


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y ~ arm + adh(visit | id)", "no ante-dependence"),
        ("y ~ arm + us(visit | arm / id)", "the same for all subjects"),
        ("y ~ arm + (1 | id) + (1 | visit)", "nested, not crossed"),
    ],
)
def test_nlme_says_which_models_it_does_not_have(formula, reason):
    support = Nlme().support(case_of(formula).spec)
    assert not support.fit
    assert reason in support.reason


def test_glmmtmbs_false_convergence_near_the_optimum_is_an_optimum():
    residual = {"visits": wire.Text(["L1", "L2"]), "cov": SIGMA}
    extra = {"aic": one(70.0), "bic": one(72.0), "n_parameters": one(5.0), "sigma": one(1e-4), "blocks": []}
    near = answer(**extra, residual=residual, code=one(1), message=wire.Text(["false"]), distance=one(1e-3))
    assert decoded(GlmmTmb(), near, VISITS)[0].convergence.stop is Stop.OPTIMUM
    far = {**near, "distance": one(0.1)}
    assert decoded(GlmmTmb(), far, VISITS)[0].convergence.stop is Stop.REPORTED_FAILURE


@pytest.mark.parametrize(
    ("structure", "gamma", "cov"),
    [
        ("cs", [1.5, 2.5], [[4.0, 1.5, 1.5], [1.5, 4.0, 1.5], [1.5, 1.5, 4.0]]),
        ("toep", [4.0, 1.5, 0.5], [[4.0, 1.5, 0.5], [1.5, 4.0, 1.5], [0.5, 1.5, 4.0]]),
        ("ar1", [4.0, -0.5], [[4.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 4.0]]),
        ("ar1h", [1.0, 4.0, 9.0, 0.5], [[1.0, 1.0, 0.75], [1.0, 4.0, 3.0], [0.75, 3.0, 9.0]]),
        ("csh", [1.0, 4.0, 9.0, 0.5], [[1.0, 1.0, 1.5], [1.0, 4.0, 3.0], [1.5, 3.0, 9.0]]),
        ("adh", [1.0, 4.0, 9.0, 0.5, -0.5], [[1.0, 1.0, -0.75], [1.0, 4.0, -3.0], [-0.75, -3.0, 9.0]]),
        ("us", [1.0, 0.2, 4.0, 0.3, 0.4, 9.0], [[1.0, 0.2, 0.3], [0.2, 4.0, 0.4], [0.3, 0.4, 9.0]]),
    ],
)
def test_a_covariance_gives_the_parameters_of_its_structure(structure, gamma, cov):
    _, values = structure_parameters(structure, ("a", "b", "c"), np.array(cov))
    assert values == pytest.approx(gamma, rel=1e-12)
