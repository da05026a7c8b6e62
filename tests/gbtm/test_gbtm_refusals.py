"""Every refusal of a trajectory model, and what is no refusal although it looks like one."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.cohorts.cohort import Factor
from harness.convergence import Stop
from harness.errors import SpecError
from harness.gbtm.design import build_design
from harness.gbtm.fit import fit
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec

NAN, INF = np.nan, np.inf


def spec_of(**changes):
    return GbtmSpec(**{"outcome": "score", "time": "week", "subject": "id", "orders": (1, 1), **changes})


def told(spec, cohort):
    with pytest.raises(SpecError) as caught:
        build_design(spec, cohort)
    return str(caught.value)


def changed(cohort, **columns):
    """A cohort in which columns are computed anew from the old ones, or are new."""
    numeric = {name: np.array(make(cohort), dtype=float) for name, make in columns.items()}
    return replace(cohort, numeric={**cohort.numeric, **numeric})


def first(name, value, count=3):
    """A column with another value in its first rows."""
    return lambda cohort: np.concatenate([np.full(count, value), cohort.numeric[name][count:]])


SETTINGS = [
    ({"outcome": None}, "outcome None; expected the name of a column"),
    ({"time": 3}, "time 3; expected the name of a column, or None"),
    ({"subject": None}, "subject None; expected the name of a column"),
    ({"trials": 1}, "trials 1; expected"),
    ({"exposure": 1}, "exposure 1; expected"),
    ({"weights": ["a"]}, "weights ['a']; expected"),
    ({"knots": None}, "knots None; expected interior knots"),
    ({"covariates": 3}, "covariates 3; expected the right side of a formula"),
    ({"common": None}, "common None; expected the right side"),
    ({"membership": ("age",)}, "membership ('age',); expected the right side"),
    ({"orders": None}, "orders None; expected one order per class"),
    ({"orders": ()}, "no polynomial orders"),
    ({"orders": (1, -1)}, "order -1; expected a whole number >= 0"),
    ({"orders": (1, 1.0)}, "order 1.0"),
    ({"orders": (True, 1)}, "order True"),
    ({"orders": (6, 1)}, "order 6; expected orders of at most 5, or knots"),
    ({"family": "gamma"}, "family 'gamma'; expected one of 'gaussian'"),
    ({"sigma": "both"}, "sigma 'both'; expected one of 'shared', 'class', 'visit'"),
    ({"random_covariance": "free"}, "random_covariance 'free'; expected one of 'full'"),
    ({"random_scale": "free"}, "random_scale 'free'; expected one of 'common'"),
    ({"errors": "ma1"}, "errors 'ma1'; expected one of 'independent'"),
    ({"n_starts": 0}, "n_starts 0; expected a whole number >= 1"),
    ({"n_starts": True}, "n_starts True"),
    ({"seed": -1}, "seed -1; expected a whole number >= 0"),
    ({"time": None}, "no time; expected a column of time, or order 0"),
    ({"time": None, "orders": (0, 0), "random": 1}, "no time"),
    ({"time": None, "orders": (0, 0), "knots": (2.0,)}, "no time"),
    ({"knots": (3.0, 1.0)}, "knots (3.0, 1.0); expected finite numbers, each larger than the one before"),
    ({"knots": (3.0, 3.0)}, "each larger than the one before"),
    ({"knots": (NAN, 3.0)}, "knots (nan, 3.0)"),
    ({"knots": ("a", 3.0)}, "knots ('a', 3.0)"),
    ({"knots": (3.0,), "orders": (3, 1)}, "order 3 with 1 knot(s); expected at most 2 column(s)"),
    ({"family": "censored_normal"}, "limits None; expected (lower, upper)"),
    ({"family": "censored_normal", "limits": (5.0, 1.0)}, "limits (5.0, 1.0); expected (lower, upper) with lower < up"),
    ({"family": "censored_normal", "limits": (NAN, 1.0)}, "limits (nan, 1.0)"),
    ({"family": "censored_normal", "limits": ("a", "b")}, "limits ('a', 'b')"),
    ({"family": "censored_normal", "limits": (None, 1.0)}, "limits (None, 1.0)"),
    ({"family": "censored_normal", "limits": (0.0, 1.0, 2.0)}, "limits (0.0, 1.0, 2.0)"),
    ({"limits": (0.0, 60.0)}, "limits = (0.0, 60.0) for family 'gaussian'; expected family 'censored_normal'"),
    ({"trials": "trials"}, "trials = 'trials' for family 'gaussian'; expected family 'logit'"),
    ({"exposure": "exposure"}, "exposure = 'exposure' for family 'gaussian'; expected family 'poisson' or 'zip'"),
    ({"zero_orders": (0, 0)}, "zero_orders = (0, 0) for family 'gaussian'; expected family 'zip'"),
    ({"family": "beta", "sigma": "class"}, "sigma = 'class' for family 'beta'"),
    ({"family": "logit", "random": 0}, "random = 0 for family 'logit'; expected family 'gaussian'"),
    ({"family": "logit", "errors": "ar1"}, "errors = 'ar1' for family 'logit'"),
    ({"family": "zip"}, "zero_orders None; expected 2 whole number(s) from -1 to 5, one a class"),
    ({"family": "zip", "zero_orders": (0,)}, "zero_orders (0,); expected 2 whole number(s)"),
    ({"family": "zip", "zero_orders": (0, -2)}, "zero_orders (0, -2)"),
    ({"random": 3}, "random 3; expected 0 (intercept)"),
    ({"random": True}, "random True"),
    ({"random_scale": "class"}, "random_scale 'class' without random effects"),
    ({"errors": "ar1", "time": None, "orders": (0, 0)}, "errors 'ar1' without time"),
    ({"random": 0, "sigma": "visit"}, "sigma 'visit' with random effects or a process"),
    ({"errors": "ar1", "sigma": "visit"}, "sigma 'visit' with random effects or a process"),
    ({"dropout": (1,)}, "dropout (1,); expected 2 whole number(s) from 0 to 2"),
    ({"dropout": (3, 0)}, "dropout (3, 0)"),
    ({"dropout": (1, 0), "time": None, "orders": (0, 0)}, "a dropout model without time"),
]

COLUMNS = [
    ({"outcome": "scor"}, "outcome 'scor' is not in the cohort; expected one of 'age'"),
    ({"outcome": "scor"}, "Did you mean 'score'"),
    ({"outcome": "sex"}, "outcome 'sex' is categorical; expected a numeric column"),
    ({"time": "id"}, "time 'id' is categorical"),
    ({"time": "score"}, "outcome and time are both 'score'"),
    ({"weights": "sex"}, "weights 'sex' is categorical"),
    ({"family": "poisson", "exposure": "nothing"}, "exposure 'nothing' is not in the cohort"),
    ({"family": "logit", "trials": "nothing"}, "trials 'nothing' is not in the cohort"),
    ({"subject": "week"}, "subject 'week' is numeric; expected a categorical column, such as 'id'"),
    ({"subject": "person"}, "subject 'person' is not in the cohort"),
    ({"covariates": "doze"}, "covariates 'doze' is not in the cohort"),
    ({"common": "doze"}, "Did you mean 'dose'"),
    ({"membership": "agee"}, "membership 'agee' is not in the cohort"),
    ({"covariates": "dose + score"}, "the outcome 'score' in covariates"),
    ({"membership": "id"}, "the subject 'id' in membership"),
    ({"covariates": "dose +"}, "covariates, character"),
    ({"common": "dose ~ age"}, "common, character"),
    ({"covariates": "dose + (1 | id)"}, "covariates 'dose + (1 | id)' has random effects"),
    ({"membership": "0 + age"}, "membership '0 + age' has random effects, a residual structure or no intercept"),
    ({"covariates": "log(sex)"}, "log(sex) of a factor; expected a numeric column"),
    ({"covariates": "sex^2"}, "sex^2 of a factor"),
    ({"covariates": "C(dose)"}, "C(dose, treatment) of numbers; expected a factor to code"),
]

VALUES = [
    ({}, {"score": lambda c: c.numeric["score"] * NAN}, "the outcome is missing in every row"),
    ({}, {"score": first("score", INF)}, "an infinite outcome in 3 row(s): 1, 2, 3"),
    ({}, {"score": lambda c: 0 * c.numeric["score"] + 4}, "the outcome is 4.0 in every row"),
    ({}, {"score": lambda c: 1e200 * c.numeric["score"]}, "expected 1e-60 to 1e+60 in size"),
    ({}, {"score": lambda c: 1e-200 * c.numeric["score"]}, "column 'score': values of up to"),
    ({}, {"week": lambda c: 1e200 * c.numeric["week"]}, "column 'week': values of up to"),
    ({}, {"week": first("week", NAN)}, "no time in 3 row(s): 1, 2, 3; expected a time in every row with an outcome"),
    ({}, {"week": first("week", INF, 7)}, "an infinite time in 7 row(s): 1, 2, 3, 4, 5, ..."),
    ({}, {"week": lambda c: 0 * c.numeric["week"] + 2}, "order 1 with 1 distinct time(s): time is constant"),
    ({"orders": (2, 0)}, {"week": lambda c: c.numeric["week"] > 2}, "order 2 with 2 distinct time(s)"),
    ({"knots": (1.0, 9.0)}, {}, "knots (1.0, 9.0); expected knots between 0.12"),
    ({"knots": (2.0,)}, {"week": lambda c: 3 + c.numeric["week"]}, "knots (2.0,); expected knots between"),
    ({"sigma": "visit"}, {}, "sigma 'visit' with 187 time(s) of 2 rows or fewer"),
    ({"orders": (0,) * 61}, {}, "61 classes for 60 subject(s) with an outcome; expected at most 60 classes"),
    ({"errors": "brownian"}, {"week": lambda c: c.numeric["week"] - 1}, "a time < 0 in"),
    (
        {"weights": "sampling"},
        {"sampling": first("sampling", 0)},
        "weight <= 0 in 3 row(s): 1, 2, 3; expected a weight",
    ),
    ({"weights": "sampling"}, {"sampling": first("sampling", -1)}, "weight <= 0 in 3 row(s)"),
    ({"weights": "sampling"}, {"sampling": first("sampling", NAN)}, "no weight in 3 row(s)"),
    ({"weights": "sampling"}, {"sampling": first("sampling", INF)}, "an infinite weight in 3 row(s)"),
    ({"weights": "sampling"}, {"sampling": first("sampling", 1e-40)}, "an extreme weight in 3 row(s)"),
    (
        {"weights": "sampling"},
        {"sampling": first("sampling", 7, 1)},
        "weights 'sampling' changes within a subject in row",
    ),
    ({"membership": "dose"}, {}, "membership 'dose' changes within a subject in row(s) 2, 3"),
    ({"membership": "age"}, {"age": first("age", NAN)}, "no value of membership 'age' in 3 row(s): 1, 2, 3"),
    ({"covariates": "dose"}, {"dose": first("dose", NAN)}, "no value of covariates 'dose' in 3 row(s)"),
    ({"common": "dose"}, {"dose": first("dose", INF)}, "no value of common 'dose' in 3 row(s)"),
    ({"covariates": "dose"}, {"dose": lambda c: 1e200 * c.numeric["dose"]}, "column 'dose': values of up to"),
    ({"covariates": "dose^4"}, {"dose": lambda c: 1e50 * c.numeric["dose"]}, "column 'dose^4': values of up to"),
    ({"covariates": "dose^9"}, {"dose": lambda c: 1e50 * c.numeric["dose"]}, "'dose^9' that is not finite in"),
    ({"covariates": "exp(dose)"}, {"dose": lambda c: 1e3 * c.numeric["dose"]}, "'exp(dose)' that is not finite in"),
    ({"common": "log(stress)"}, {}, "common 'log(stress)' that is not finite in"),
    (
        {"covariates": "poly(dose, 3)"},
        {"dose": lambda c: c.numeric["dose"] > 3},
        "poly(dose, 3) of 2 distinct value(s)",
    ),
    ({"covariates": "dose"}, {"dose": lambda c: 0 * c.numeric["dose"] + 0.1}, "'dose' is constant over the rows used"),
    ({"covariates": "week"}, {}, "'week' is determined by 'week'"),
    ({"covariates": "dose", "common": "dose"}, {}, "'dose' is determined by 'week', 'dose'"),
    (
        {"common": "dose + twin"},
        {"twin": lambda c: 3 - 2 * c.numeric["dose"]},
        "'twin' is determined by 'week', 'dose'",
    ),
    ({"membership": "age + twin"}, {"twin": lambda c: 3 - 2 * c.numeric["age"]}, "'twin' is determined by 'age'"),
    (
        {},
        {"score": lambda c: 3 + 0.1 * c.numeric["week"]},
        "time and covariates determine the outcome but for rounding",
    ),
    ({"common": "dose"}, {"score": lambda c: 3 + 0.1 * c.numeric["dose"]}, "time and covariates determine the outcome"),
    ({}, {"score": lambda c: 1e15 + c.numeric["score"]}, "subtract a constant"),
]

COUNTS = {"family": "poisson", "outcome": "count", "exposure": "exposure"}
SUCCESSES = {"family": "logit", "outcome": "successes", "trials": "trials"}
CENSORED = {"family": "censored_normal", "limits": (0.0, 100.0)}
FAMILIES = [
    ({"family": "poisson"}, {}, "a count that is not whole in 187 row(s): 1 ("),
    ({"family": "zip", "zero_orders": (0, 0)}, {}, "a count that is not whole"),
    ({"family": "logit"}, {}, "expected 0 or 1"),
    ({"family": "beta"}, {}, "expected outcomes strictly between 0 and 1"),
    ({**CENSORED, "limits": (10.0, 15.0)}, {}, "an outcome below the lower limit in"),
    ({**CENSORED, "limits": (10.0, 15.0)}, {}, "an outcome above the upper limit in"),
    (CENSORED, {"score": lambda c: 100 * (c.numeric["score"] > 12)}, "every outcome is at a limit"),
    (COUNTS, {"exposure": first("exposure", 0)}, "exposure <= 0 in 3 row(s): 1, 2, 3; expected an exposure > 0"),
    (COUNTS, {"exposure": first("exposure", NAN)}, "no exposure in 3 row(s)"),
    (COUNTS, {"count": lambda c: 0 * c.numeric["count"]}, "the outcome is 0.0 in every row"),
    (SUCCESSES, {"trials": first("trials", 0)}, "trials in 3 row(s): 1 (0), 2 (0), 3 (0); expected whole numbers >= 1"),
    (SUCCESSES, {"trials": first("trials", 2.5)}, "expected whole numbers >= 1"),
    (SUCCESSES, {"trials": first("trials", NAN)}, "no trials in 3 row(s)"),
    (SUCCESSES, {"successes": lambda c: c.numeric["trials"]}, "every trial of every row is a success"),
    (SUCCESSES, {"successes": lambda c: 0 * c.numeric["trials"]}, "the outcome is 0.0 in every row"),
    (SUCCESSES, {"successes": lambda c: 1 + c.numeric["trials"]}, "more successes than trials"),
]


def named(value):
    """Return the name of a parameter of a test, the same in every process: a function's own text has its address."""
    changed = (
        {name: "changed" if callable(made) else made for name, made in value.items()}
        if value and isinstance(value, dict)
        else value
    )
    return str(changed)[:60]


@pytest.mark.parametrize(("changes", "part"), [*SETTINGS, *COLUMNS], ids=str)
def test_a_setting_or_a_column_that_cannot_be_is_refused(trial, changes, part):
    assert part in told(spec_of(**changes), trial)


@pytest.mark.parametrize(("changes", "columns", "part"), [*VALUES, *FAMILIES], ids=named)
def test_a_model_that_the_data_cannot_carry_is_refused(trial, changes, columns, part):
    assert part in told(spec_of(**changes), changed(trial, **columns))


def with_factor(cohort, name, codes, levels):
    return replace(cohort, factors={**cohort.factors, name: Factor(codes=np.array(codes), levels=levels)})


def test_factors_need_two_levels_and_a_value_in_every_row(trial):
    sex = trial.factors["sex"]
    single = with_factor(trial, "sex", 0 * sex.codes, sex.levels)
    for role in ("covariates", "membership"):
        assert f"{role} 'sex' has only the level 'female'" in told(spec_of(**{role: "sex"}), single)
    gap = with_factor(trial, "sex", np.where(np.arange(trial.n_rows) < 3, -1, sex.codes), sex.levels)
    assert "no value of common 'sex' in 3 row(s): 1, 2, 3" in told(spec_of(common="sex"), gap)


def test_every_row_with_an_outcome_needs_a_subject(trial):
    one = trial.subjects
    gap = with_factor(trial, "id", np.where(np.arange(trial.n_rows) < 2, -1, one.codes), one.levels)
    assert "no subject in 2 row(s): 1, 2" in told(spec_of(), gap)


def test_every_problem_of_the_settings_and_columns_is_told_at_once(trial):
    everything = told(
        spec_of(
            outcome="scor",
            time="id",
            subject="week",
            orders=(1, -1, 1.5),
            family="gamma",
            sigma="both",
            n_starts=0,
            covariates="doze + log(sex)",
            membership="0 + age",
        ),
        trial,
    )
    for part in (
        "Did you mean 'score'?",
        "time 'id' is categorical",
        "subject 'week' is numeric",
        "order -1",
        "order 1.5",
        "family 'gamma'",
        "sigma 'both'",
        "n_starts 0",
        "Did you mean 'dose'?",
        "log(sex) of a factor",
        "no intercept",
    ):
        assert part in everything


def test_every_problem_of_the_values_is_told_at_once(trial):
    spec = spec_of(orders=(1,) * 61, weights="sampling", membership="dose", covariates="week", family="poisson")
    everything = told(spec, changed(trial, sampling=first("sampling", 7, 1)))
    for part in (
        "a count that is not whole",
        "weights 'sampling' changes within a subject",
        "membership 'dose' changes within a subject",
        "61 classes for 60 subject(s)",
        "'week' is determined by 'week'",
    ):
        assert part in everything


# ---- what is no refusal ----


def test_a_column_may_be_called_outcome(trial):
    cohort = changed(trial, outcome=lambda c: c.numeric["dose"])
    named, plain = (build_design(spec_of(covariates=text), cohort) for text in ("outcome + stress", "dose + stress"))
    np.testing.assert_array_equal(named.outcomes[0].response.X, plain.outcomes[0].response.X)


def test_a_covariate_far_from_zero_is_as_good_as_any(trial):
    far = changed(trial, dose=lambda c: 1e9 + c.numeric["dose"])
    fits = [fit(build_design(spec_of(covariates="dose", n_starts=6), cohort)) for cohort in (trial, far)]
    # The doses themselves are rounded to 1e-7.
    assert fits[1].log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-4)


def test_limits_at_infinity_are_no_limits(trial):
    plain, limited = (
        build_design(spec_of(**changes), trial)
        for changes in ({}, {"family": "censored_normal", "limits": (-INF, INF)})
    )
    points = [np.concatenate([[0.3], plain.mixture.to_user(np.zeros(plain.n_parameters))[1:]])]
    found = [
        design.mixture.densities[0].log_density(design.mixture.from_user(points[0])[None, design.mixture.parts[0]])
        for design in (plain, limited)
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-11)


def test_one_visit_a_subject_is_a_mixture_of_normal_distributions(cohort_of):
    y = np.random.default_rng(0).normal(0, 1, 60) + 4 * (np.arange(60) % 2)
    result = fit_gbtm_cohort(spec_of(orders=(0, 0), n_starts=10), cohort_of(range(60), np.arange(60) % 5, y))
    (low, high), sigma = (beta[0] for beta in result.beta), result.sigma[0]
    densities = np.column_stack([stats.norm.pdf(y, mean, sigma) for mean in (low, high)])
    assert result.fit.convergence.stop == Stop.OPTIMUM
    assert result.log_likelihood == pytest.approx(np.log(densities @ result.class_shares).sum(), abs=1e-9)
    assert (low, high) == pytest.approx((0, 4), abs=1)
    assert np.isfinite(result.estimates.covariance).all()


def test_one_visit_a_subject_without_classes_says_how_little_it_found(cohort_of):
    y = np.random.default_rng(1).uniform(0, 1, 40)
    result = fit_gbtm_cohort(spec_of(orders=(1, 1, 1), n_starts=5), cohort_of(range(40), np.arange(40) % 4, y))
    assert len(result.optima()) > 1
    assert result.warnings


def test_as_many_classes_as_subjects_can_be_asked_for(cohort_of):
    cohort = cohort_of([1, 1, 1, 2, 2, 2], [0, 1, 2] * 2, [1.0, 2, 4, 9, 12, 11])
    found = fit(build_design(spec_of(n_starts=5), cohort))
    assert found.best.is_proper
    assert found.best.class_shares == pytest.approx((0.5, 0.5), abs=1e-6)


def test_a_risk_factor_that_separates_the_classes_is_told_and_has_no_standard_error(trial):
    apart = changed(
        trial,
        older=lambda c: c.numeric["age"] > 50,
        score=lambda c: c.numeric["score"] + 100 * (c.numeric["age"] > 50),
    )
    result = fit_gbtm_cohort(spec_of(membership="older", n_starts=6), apart)
    assert result.fit.convergence.stop == Stop.BOUNDARY
    assert any("have no maximum" in warning for warning in result.warnings)
    table = result.coefficients()
    odds = table["role"] == "log_odds"
    assert table.loc[odds, "standard_error"].isna().all()
    assert table.loc[table["role"] == "beta", "standard_error"].notna().all()
