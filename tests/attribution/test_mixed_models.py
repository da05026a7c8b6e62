"""Seeded disagreements of a mixed model, one a cause, each by a twin of our engine that goes wrong in one way."""

from dataclasses import replace
from math import log, pi, sqrt

import numpy as np
import pytest

from harness.cases import Case
from harness.comparison.verdict import Attribution
from harness.convergence import Convergence, Stop
from harness.errors import EngineError
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.references.echo import is_the_same
from harness.references.live import LiveEngine
from harness.references.lme4 import Lme4
from harness.references.lmm_requests import lmm_request
from harness.runs import read_cases


@pytest.fixture(scope="module")
def sleepstudy():
    (case,) = read_cases(["sleepstudy__random_slope_reml"])
    return replace(case, references=("lme4",))


def case_of(cohort, formula, criterion="REML"):
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion)
    return Case(name="seeded", cohort=cohort, spec=spec, references=("lme4",))


def with_cohort(change):
    return lambda case: replace(case, cohort=change(case.cohort))


def without_row(cohort, row):
    kept = np.arange(cohort.n_rows) != row
    return replace(
        cohort,
        numeric={name: values[kept] for name, values in cohort.numeric.items()},
        factors={name: replace(factor, codes=factor.codes[kept]) for name, factor in cohort.factors.items()},
    )


def in_single_precision(cohort):
    return replace(cohort, numeric={n: v.astype(np.float32).astype(np.float64) for n, v in cohort.numeric.items()})


def echo_of(sent, got):
    """As `echo_is_exact` finds it, of an R that has the altered columns."""
    columns = [lmm_request(case.spec, case.cohort).payload["columns"] for case in (sent, got)]
    return is_the_same(*columns)


class KilledR:
    """A worker whose R dies at the first request, as `RWorker` tells it."""

    rpy2_version = ""

    def request(self, operation, payload, *, deadline=None):  # noqa: ARG002  # a worker's signature
        raise EngineError("lme4", "crashed", "R ended (signal SIGKILL); it hung up without an answer. 9 lines unread")


def test_a_killed_engine(sleepstudy, compare, assert_named):
    engine = LiveEngine(decoder=Lme4(), worker=KilledR())
    assert_named(compare(sleepstudy, engine), Attribution.ENGINE, "signal SIGKILL", "crashed")


def test_a_dropped_row(sleepstudy, compare, twin, assert_named):
    engine = twin(alter=with_cohort(lambda cohort: without_row(cohort, 17)))
    assert_named(compare(sleepstudy, engine), Attribution.INPUT, "input.n_observations is 180 and 179")


def test_a_recoded_level(two_arms, compare, twin, assert_named):
    def moved(cohort):
        arm = cohort.factors["arm"]
        codes = arm.codes.copy()
        codes[:5] = 1 - codes[:5]
        return replace(cohort, factors={**cohort.factors, "arm": replace(arm, codes=codes)})

    comparison = compare(case_of(two_arms, "y ~ t * arm + (1 | id)"), twin(alter=with_cohort(moved)))
    assert_named(comparison, Attribution.INPUT, "input.design[arm[b]] is 100.0 and 105.0")


def test_shuffled_columns_are_another_input(two_arms, compare, twin, assert_named, change):
    """The fit is the same and so are its fitted values: what tells is that two columns have each other's sums."""

    def exchanged(reading):
        names = {"t": "arm[b]", "arm[b]": "t"}
        sums = {names.get(name, name): total for name, total in reading.evidence.design_sums.items()}

        def renamed(q):
            name = q.path.removeprefix("fixed[").removesuffix("].estimate")
            return replace(q, path=f"fixed[{names[name]}].estimate") if name in names else q

        return replace(change(reading, renamed), evidence=replace(reading.evidence, design_sums=sums))

    comparison = compare(case_of(two_arms, "y ~ t + arm + (1 | id)"), twin(retell=exchanged))
    assert_named(comparison, Attribution.INPUT, "input.design[t] is 400.0 and 100.0")


def test_a_transport_in_single_precision(sleepstudy, compare, twin, assert_named):
    engine = twin(alter=with_cohort(in_single_precision), echo=echo_of)
    comparison = compare(sleepstudy, engine)
    assert_named(comparison, Attribution.CONVERSION, "not equal to them bit for bit", "input.outcome_sum is 53731.42")


def test_a_transport_that_changes_one_bit_is_seen_where_nothing_else_differs(sleepstudy, compare, twin, assert_named):
    def nudged(cohort):
        reaction = cohort.numeric["reaction"].copy()
        reaction[0] = np.nextafter(reaction[0], np.inf)
        return replace(cohort, numeric={**cohort.numeric, "reaction": reaction})

    comparison = compare(sleepstudy, twin(alter=with_cohort(nudged), echo=echo_of))
    assert_named(comparison, Attribution.CONVERSION, "though their sums agree", "0 results differ")


def test_sum_coding_for_treatment_coding(two_arms, compare, twin, assert_named, change):
    """Levels of two arms coded 0/1 and 1/-1: other coefficients of one fit; REML moves by a constant, log 2 twice."""
    ours = case_of(two_arms, "y ~ t * arm + (1 + t | id)")
    theirs = case_of(two_arms, "y ~ t * C(arm, sum) + (1 + t | id)")

    def renamed(reading):
        def shown(text):
            return text.replace("C(arm, sum)[a]", "arm[b]")

        sums = {shown(name): total for name, total in reading.evidence.design_sums.items()}
        retold = change(reading, lambda q: replace(q, path=shown(q.path)))
        return replace(retold, evidence=replace(reading.evidence, design_sums=sums), covariance=None)

    comparison = compare(ours, twin(alter=lambda _: theirs, retell=renamed))
    assert_named(
        comparison, Attribution.PARAMETERISATION, "4 coefficients of fixed differ", "sum of fitted values", "sum coding"
    )


@pytest.mark.parametrize(
    "other",
    [
        (log, lambda x: 1 / x, "the logarithm is what"),
        (lambda x: x * x, lambda x: 2 * x, "the square (a variance"),
        (lambda x: 2 * log(x), lambda x: 2 / x, "log variance"),
    ],
    ids=["log sigma", "variance", "log variance"],
)
def test_another_form_of_sigma(sleepstudy, compare, twin, assert_named, change, other):  # noqa: PLR0917  # fixtures
    form, slope, named = other

    def retold(q):
        if q.path != "sigma.estimate":
            return q
        return replace(q, value=form(q.value), standard_error=slope(q.value) * q.standard_error)

    engine = twin(retell=lambda reading: replace(change(reading, retold), covariance=None))
    comparison = compare(sleepstudy, engine)
    assert_named(comparison, Attribution.PARAMETERISATION, named, "sigma.estimate is 25.59")


def test_a_form_of_sigma_whose_standard_error_does_not_follow_is_no_parameterisation(
    sleepstudy, compare, twin, assert_named, change
):
    def retold(q):
        return replace(q, value=log(q.value), standard_error=3.0) if q.path == "sigma.estimate" else q

    engine = twin(retell=lambda reading: replace(change(reading, retold), covariance=None))
    assert_named(compare(sleepstudy, engine), Attribution.UNEXPLAINED)


def test_correlations_for_covariances(sleepstudy, compare, twin, assert_named, change):
    def retell(reading):
        values = {q.path: q.value for q in reading.quantities}
        sd = [sqrt(values[f"random.covariance[{name},{name}]"]) for name in ("intercept", "days")]

        def retold(q):
            if q.path != "random.covariance[days,intercept]":
                return q
            return replace(q, value=q.value / (sd[0] * sd[1]), standard_error=None)

        return replace(change(reading, retold), covariance=None)

    comparison = compare(sleepstudy, twin(retell=retell))
    assert_named(comparison, Attribution.PARAMETERISATION, "correlations where covariances are meant", "and 0.06555")


def test_a_search_that_was_stopped_and_says_so(sleepstudy, compare, twin, stop_after, assert_named):
    """By our own Newton, stopped after its first step."""
    engine = twin(fit=lambda case, start: stop_after(case, start, limit=1))
    assert_named(compare(sleepstudy, engine), Attribution.NOT_CONVERGED, "lme4 says that it did not converge")


def test_a_search_that_was_stopped_and_does_not_know(sleepstudy, compare, twin, stop_after, assert_named):
    def content(reading):
        return replace(reading, convergence=Convergence(stop=Stop.OPTIMUM))

    engine = twin(fit=lambda case, _: stop_after(case, (0.5, 0.1, 0.3), limit=0), retell=content)
    comparison = compare(sleepstudy, engine)
    assert_named(comparison, Attribution.NOT_CONVERGED, "standard errors from a stationary point", "limit 0.01")


def test_a_dropped_constant(sleepstudy, compare, twin, assert_named, change):
    """Half of log(2 pi) for each of 180 rows."""
    constant = 180 * log(2 * pi) / 2

    def less(q):
        return replace(q, value=q.value + constant) if q.path == "log_likelihood" else q

    engine = twin(
        retell=lambda reading: change(reading, less),
        objective=lambda side, point: side.log_likelihood(point) + constant,
    )
    comparison = compare(sleepstudy, engine)
    assert_named(comparison, Attribution.CONSTANT, "165.408", "all of 6 points", "half of log(2 pi)")


def test_ml_for_reml(sleepstudy, compare, twin, assert_named):
    engine = twin(alter=lambda case: replace(case, spec=replace(case.spec, criterion="ML")))
    assert_named(compare(sleepstudy, engine), Attribution.DEFINITION, "at the same parameters they differ by")


def test_a_variance_at_its_boundary(panel, compare, twin, assert_named, change):
    """Subjects that vary less than their residuals would make them: our variance is zero, the twin stays above it."""
    stream = np.random.default_rng(8)
    noise = stream.normal(size=(30, 4))
    y = (noise - 0.9 * noise.mean(axis=1, keepdims=True)).ravel()
    cohort = panel(id=np.repeat([f"s{i:02d}" for i in range(30)], 4), t=np.tile(np.arange(4.0), 30), y=y)

    def above(q):
        return replace(q, value=0.01) if q.path == "random.covariance[intercept,intercept]" else q

    comparison = compare(case_of(cohort, "y ~ t + (1 | id)"), twin(retell=lambda reading: change(reading, above)))
    assert_named(comparison, Attribution.BOUNDARY, "singular optimum", "theta[intercept,intercept]")


def test_a_covariance_that_no_subject_shows(two_arms, compare, twin, assert_named, change):
    """A subject is in one arm, so effects of both arms never meet: their covariance is free."""

    def another(q):
        return replace(q, value=q.value + 0.5) if q.path == "random.covariance[arm[b],arm[a]]" else q

    def retell(reading):
        return replace(change(reading, another), covariance=None)

    comparison = compare(case_of(two_arms, "y ~ t + (0 + arm | id)"), twin(retell=retell))
    assert_named(comparison, Attribution.FLAT, "flat direction", "theta[arm[b],arm[a]]", "information")


def test_a_search_that_stopped_a_little_early(sleepstudy, compare, twin, stop_after, assert_named):
    """Started 1e-3 (relative) beside the optimum and never moved: D is above lme4's limit of 1e-3, and below ten."""

    def beside(case, _):
        best = stop_after(case, limit=100).result.estimates.theta
        return stop_after(case, tuple(best * (1.001, 1.0, 1.0)), limit=0)

    def content(reading):
        return replace(reading, convergence=Convergence(stop=Stop.OPTIMUM))

    comparison = compare(sleepstudy, twin(fit=beside, retell=content))
    assert_named(comparison, Attribution.OPTIMISER_NOISE, "limit 0.001", "consistent with D^2/2")


def test_standard_errors_with_another_divisor(sleepstudy, compare, twin, assert_named, change):
    """As `summary` of nlme's ML fits has them, sqrt(n/(n-p)) larger: the method differs, not the point."""
    factor = sqrt(180 / 178)

    def larger(q):
        return replace(q, value=factor * q.value) if q.path.endswith("].standard_error") else q

    engine = twin(retell=lambda reading: replace(change(reading, larger), covariance=None))
    comparison = compare(sleepstudy, engine)
    assert_named(
        comparison, Attribution.HESSIAN, "2 standard errors", "the method differs, not the point", "says 1.5544488"
    )
    assert [error.at_left == pytest.approx(error.at_right, rel=1e-9) for error in comparison.evidence.errors]
    assert comparison.evidence.errors[0].said == pytest.approx(factor * comparison.evidence.errors[0].at_left)


def test_an_engine_that_rounds(two_arms, compare, twin, assert_named):
    """Its criterion is a sum of squares minus another: with outcomes around 1e4 half of the digits are left."""
    far = replace(two_arms, numeric={**two_arms.numeric, "y": two_arms.numeric["y"] + 1e4})

    def by_subtraction(side, point):
        design = side.result.design
        V = np.eye(design.n_observations)
        half = design.Z * point[0]
        for rows in design.subject_rows():
            V[rows, rows] += half[rows] @ half[rows].T
        inverse = np.linalg.inv(V)
        A, b = design.X.T @ inverse @ design.X, design.X.T @ inverse @ design.y
        residual = design.y @ inverse @ design.y - b @ np.linalg.solve(A, b)
        df = design.n_observations - design.n_fixed
        log_det = np.linalg.slogdet(V)[1] + np.linalg.slogdet(A)[1]
        return -(log_det + df * (1 + log(2 * pi * residual / df))) / 2

    comparison = compare(case_of(far, "y ~ t + arm + (1 | id)"), twin(objective=by_subtraction))
    assert_named(comparison, Attribution.FLOAT, "which one of them rounds", "By the referee")


@pytest.mark.parametrize(
    "mistake",
    [
        ("aic.penalty", lambda value: value + 2),
        ("fixed[days].estimate", lambda value: -value),
        ("fixed[days].estimate", lambda value: 1.1 * value),
    ],
    ids=["a parameter too many", "a sign", "a tenth too much"],
)
def test_what_no_cause_explains(sleepstudy, compare, twin, assert_named, change, mistake):  # noqa: PLR0917  # fixtures
    path, wrong = mistake

    def mistaken(q):
        return replace(q, value=wrong(q.value)) if q.path == path else q

    comparison = compare(sleepstudy, twin(retell=lambda reading: change(reading, mistaken)))
    assert_named(comparison, Attribution.UNEXPLAINED, path)
