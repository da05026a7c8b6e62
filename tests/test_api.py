"""The Python API: a plain DataFrame goes in, a fit with tables and figures comes out, and R is one call away."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import harness
from harness.cohorts import fixture_cohort
from harness.cohorts.frames import to_frame
from harness.comparison.verdict import Outcome
from harness.errors import CohortError, EngineError, FormulaError, InputError, SpecError
from harness.references import session

MIXED = "madrs ~ visit * protocol + (1 + week | id)"
MIXTURE = {"outcome": "madrs", "time": "week", "subject": "id", "orders": (2, 2, 2, 2)}


@pytest.fixture(scope="module")
def data():
    """The sharp cohort as a spreadsheet has it: whole numbers as ids, categories, and columns that no model can use."""
    frame = to_frame(fixture_cohort("ketamine_sharp")).rename(columns={"subject": "id"})
    frame = frame[frame["visit"].isin(["inf1", "inf2", "inf3", "inf4"])]
    return frame.assign(
        id=frame["id"].cat.codes.astype("int64") + 2**53,  # doubles would merge them two by two
        booked=pd.Timestamp("2024-03-01") + pd.to_timedelta(frame["day"], unit="D"),
        note=[["a", 1]] * len(frame),
    )


@pytest.fixture(scope="module")
def mixed(data):
    return harness.fit_lmm(MIXED, data, criterion="REML")


@pytest.fixture(scope="module")
def mixture(data):
    return harness.fit_gbtm(
        data,
        outcome="madrs",
        time="week",
        subject="id",
        orders=(2, 2, 2, 2),
        family="gaussian",
        sigma="shared",
        n_starts=100,
        seed=1,
    )


# ---- what comes out ----


def test_a_mixed_model_has_the_numbers_of_a_table(mixed):
    p, q = 8, 2
    assert mixed.estimates.fixed_names == (
        "intercept",
        "visit[inf2]",
        "visit[inf3]",
        "visit[inf4]",
        "protocol[six]",
        "visit[inf2]:protocol[six]",
        "visit[inf3]:protocol[six]",
        "visit[inf4]:protocol[six]",
    )
    n_parameters = p + q * (q + 1) // 2 + 1
    n = mixed.design.n_observations
    assert mixed.aic == pytest.approx(-2 * mixed.log_likelihood + 2 * n_parameters, rel=1e-14)
    assert mixed.bic == pytest.approx(-2 * mixed.log_likelihood + n_parameters * np.log(n), rel=1e-14)
    assert isinstance(mixed.log_likelihood, float)


def test_a_mixed_model_has_tidy_frames(mixed):
    fixed = mixed.fixed_effects()
    assert list(fixed.columns) == ["estimate", "standard_error", "df", "t", "p", "lower", "upper"]
    assert list(fixed.index) == list(mixed.estimates.fixed_names)
    assert (fixed["lower"] < fixed["estimate"]).all()
    assert (fixed["estimate"] < fixed["upper"]).all()
    assert len(mixed.random_effects()) == 2 * 209
    assert list(mixed.variances()["quantity"]) == ["variance", "covariance", "variance", "sd"]


def test_a_trajectory_model_has_the_numbers_of_a_table(mixture):
    p, N = 3 + 4 * 3 + 1, 209
    assert mixture.aic == pytest.approx(-2 * mixture.log_likelihood + 2 * p, rel=1e-14)
    assert mixture.bic == pytest.approx(-2 * mixture.log_likelihood + p * np.log(N), rel=1e-14)
    assert mixture.class_shares.sum() == pytest.approx(1, abs=1e-12)
    assert mixture.posterior.shape == (N, 4)


def test_a_trajectory_model_has_tidy_frames(mixture):
    assert len(mixture.coefficients()) == 4 + 12 + 1
    assert list(mixture.adequacy()["latent_class"]) == [1, 2, 3, 4]
    assert len(mixture.posteriors()) == 209
    assert set(mixture.class_curves().columns) >= {"latent_class", "week", "fitted", "lower", "upper"}
    assert mixture.optima()["count"].sum() == len(mixture.starts)
    assert mixture.optima()["log_likelihood"].iloc[0] == pytest.approx(mixture.log_likelihood, abs=1e-8)


def test_summaries_print_what_the_frames_hold(mixed, mixture):
    shown = str(mixed.summary())
    assert "Linear mixed model fitted by REML" in shown
    assert f"{mixed.log_likelihood:.3f}" in shown
    assert "visit[inf4]:protocol[six]" in shown
    shown = str(mixture.summary())
    assert "4 class(es)" in shown
    assert f"{mixture.log_likelihood:.4f}" in shown


def test_fits_have_figures(mixed, mixture):
    assert isinstance(mixed.plot(), Figure)
    assert isinstance(mixture.plot(), Figure)


def test_public_names_are_listed_and_there():
    assert {"fit_lmm", "fit_gbtm", "compare", "Cohort", "read_cohort"} <= set(harness.__all__)
    for name in harness.__all__:
        assert getattr(harness, name) is not None
    with pytest.raises(AttributeError, match="fit_glmm"):
        harness.fit_glmm  # noqa: B018  # asking for it is the test


# ---- what goes in ----


def test_the_frame_is_not_changed(data):
    before = data.copy(deep=True)
    harness.fit_lmm("madrs ~ week + (1 | id)", data)
    pd.testing.assert_frame_equal(data, before)


def test_arguments_go_by_position_and_by_name(data, mixed):
    assert harness.fit_lmm(formula=MIXED, data=data).log_likelihood == mixed.log_likelihood
    assert harness.fit_lmm(MIXED, data, "REML").log_likelihood == mixed.log_likelihood
    small = {**MIXTURE, "orders": [1, 1], "n_starts": 5}
    by_name = harness.fit_gbtm(data=data, **small)
    assert harness.fit_gbtm(data, **{**small, "orders": np.array([1, 1])}).log_likelihood == by_name.log_likelihood


def test_a_cohort_and_its_frame_give_the_same_fit():
    cohort = fixture_cohort("sleepstudy")
    formula = "reaction ~ days + (1 + days | subject)"
    ours = [harness.fit_lmm(formula, data, "ML") for data in (cohort, to_frame(cohort))]
    assert ours[0].log_likelihood == ours[1].log_likelihood
    assert ours[0].log_likelihood == pytest.approx(-875.9696722, abs=1e-6)  # logLik(lmer(..., REML = FALSE))
    settings = {"outcome": "reaction", "time": "days", "subject": "subject", "orders": (1, 1), "n_starts": 10}
    fits = [harness.fit_gbtm(data, **settings) for data in (cohort, to_frame(cohort))]
    assert fits[0].log_likelihood == fits[1].log_likelihood


def test_columns_that_the_model_does_not_name_do_not_matter(data, mixed):
    alone = harness.fit_lmm(MIXED, data[["madrs", "visit", "protocol", "week", "id"]])
    np.testing.assert_array_equal(alone.beta, mixed.beta)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(protocol=frame["protocol"].cat.add_categories(["never"])),
        lambda frame: frame.assign(protocol=frame["protocol"].astype(str)),
        lambda frame: frame.assign(madrs=frame["madrs"].astype("Float64")),
        lambda frame: frame.assign(id=frame["id"].astype(str)),
        lambda frame: frame.assign(id=pd.Categorical(frame["id"])),
        lambda frame: frame.set_index("week", drop=False),
        lambda frame: frame.iloc[:, ::-1],
    ],
    ids=["unused level", "text", "nullable", "text ids", "category ids", "index", "columns reversed"],
)
def test_how_a_frame_holds_its_values_does_not_matter(data, mixed, change):
    again = harness.fit_lmm(MIXED, change(data))
    assert again.estimates.fixed_names == mixed.estimates.fixed_names
    np.testing.assert_allclose(again.beta, mixed.beta, rtol=1e-12)


def test_rows_without_an_outcome_are_left_out_and_counted(data, mixed):
    gone = data["madrs"].where(data["week"] != 1.0)
    incomplete, shorter = data.assign(madrs=gone), data[gone.notna()]
    formula = "madrs ~ protocol + (1 | id)"
    fits = [harness.fit_lmm(formula, frame) for frame in (incomplete, shorter)]
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, rel=1e-14)
    assert fits[0].design.dropped_rows == gone.isna().sum()
    settings = {**MIXTURE, "orders": (1, 1), "n_starts": 10}
    mixtures = [harness.fit_gbtm(frame, **settings) for frame in (incomplete, shorter)]
    assert mixtures[0].log_likelihood == pytest.approx(mixtures[1].log_likelihood, rel=1e-12)
    assert f"{gone.isna().sum()} row(s) without an outcome" in str(mixtures[0].summary())
    assert mixed.design.n_observations == data["madrs"].notna().sum()


def test_columns_that_formulas_and_options_of_a_trajectory_model_name_are_read(data):
    settings = {**MIXTURE, "orders": (1, 1), "n_starts": 5, "membership": "age + protocol", "common": "log1p(age):week"}
    fit = harness.fit_gbtm(data, **settings)
    named = {path for quantity in fit.estimates.quantities() if "membership" in (path := quantity.path)}
    assert "class[1].membership[age].estimate" in named
    assert fit.estimates.of_role("common").shape == (1,)
    with pytest.raises(InputError, match="Did you mean 'age'"):
        harness.fit_gbtm(data, **{**settings, "membership": "agee"})


# ---- what is refused ----


def test_all_unknown_columns_are_named_at_once(data):
    with pytest.raises(SpecError) as caught:
        harness.fit_lmm("madrz ~ weak + (1 | patient)", data)
    assert {problem.column for problem in caught.value.problems} == {"madrz", "weak", "patient"}
    with pytest.raises(SpecError) as caught:
        harness.fit_gbtm(data, **{**MIXTURE, "time": "weak", "subject": "patient"})
    assert {problem.column for problem in caught.value.problems} == {"weak", "patient"}
    assert "Did you mean 'week'" in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("madrs ~ week", SpecError, "independent rows; expected random effects or a residual structure"),
        ("madrs ~ __import__('os')", FormulaError, "character"),
        ("madrs ~ I(system(week)) + (1 | id)", FormulaError, "character"),
        ("", FormulaError, "expected"),
        ("protocol ~ week + (1 | id)", SpecError, "an outcome with categories"),
        ("booked ~ week + (1 | id)", CohortError, "dates or durations"),
        ("note ~ week + (1 | id)", CohortError, "objects"),
        ("madrs ~ week + (0 + week + day | id)", SpecError, "determined by"),
    ],
)
def test_a_model_that_cannot_be_fitted_is_refused(data, formula, error, message):
    with pytest.raises(error, match=message):
        harness.fit_lmm(formula, data)


@pytest.mark.parametrize("criterion", ["reml", "MLE", None, 1])
def test_an_unknown_criterion_is_refused_and_not_taken_for_ml(data, criterion):
    with pytest.raises(SpecError, match="'REML' or 'ML'"):
        harness.fit_lmm(MIXED, data, criterion=criterion)


def test_arguments_of_other_types_are_refused_all_at_once(data):
    with pytest.raises(SpecError) as caught:
        harness.fit_lmm(None, data, criterion=["REML"], weights=data["week"])
    assert [problem.found for problem in caught.value.problems] == [
        "a formula of type NoneType",
        "criterion ['REML']",
        "weights of type Series",
    ]
    with pytest.raises(SpecError, match="a model of type str; expected a fit"):
        harness.likelihood_ratio("madrs ~ 1 + (1 | id)", "madrs ~ week + (1 | id)")
    with pytest.raises(SpecError, match="bootstrap_ratio: 2 problems"):
        harness.bootstrap_ratio("smaller", "larger", seed=1)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda fit: fit.means(5), "column 5: no predictor"),
        (lambda fit: fit.means("visit", at={"protocol": "five"}), r"a value alone; .* at=\{'protocol': \['five'\]\}"),
        (lambda fit: fit.residual_spread(), "no column; expected at least one of"),
        (lambda fit: fit.fixed_effects(None), "no such method"),
        (lambda fit: harness.bootstrap_ratio(fit, fit, seed=-1), "seed -1; expected an integer from 0"),
        (lambda fit: harness.bootstrap_ratio(fit, fit, seed=1), "parameters each; expected a smaller and a larger"),
        (lambda fit: fit.contrast("intercept"), "the weights 'intercept'; expected numbers"),
        (lambda fit: fit.contrast({"intercept": "one"}), "the weights .*one.*; expected numbers"),
        (lambda fit: fit.contrast({3: 1}), "column '3': unknown fixed effect"),
        (lambda fit: fit.bootstrap(2.5, seed=1), "2.5 replicates; expected an integer from 1 on"),
        (lambda fit: fit.bootstrap(0, seed=-1), "2 problems"),
        (lambda fit: fit.bootstrap(2, seed=1, statistic=lambda own: own.beta), "a statistic of type ndarray"),
        (lambda fit: fit.bootstrap(2, seed=1, statistic=lambda own: {"b": str(own)}), "a statistic of type dict"),
        (lambda fit: fit.simulate(-1, seed=1), "-1 replicates"),
        (lambda fit: fit.contrast({"intercept": 1}, null="0"), "null '0'; expected a finite number"),
        (lambda fit: fit.fixed_effects(level="0.9"), "level '0.9'; expected a number between 0 and 1"),
        (lambda fit: fit.intervals("wald", parameters=[3]), "column '3': no parameter"),
        (lambda fit: fit.intervals(parameters=[3]), "parameter 3; expected one of"),
        (lambda fit: fit.profile("sigma", [-1.0]), "of sigma; expected values that it can have"),
        (lambda fit: fit.means("visit").contrasts(3), "contrasts 3; expected one of"),
        (lambda fit: fit.means("visit").contrasts({"late": "xyz"}), "weights 'xyz'; expected .* finite weights"),
        (lambda fit: fit.means("visit").contrasts(by="arm"), "by 'arm'; expected one of visit"),
    ],
)
def test_requests_that_make_no_sense_are_refused_in_words(mixed, ask, message):
    with pytest.raises(SpecError, match=message):
        ask(mixed)


@pytest.mark.parametrize(
    "changes",
    [
        {"orders": 2},
        {"orders": ()},
        {"orders": (2, -1)},
        {"orders": (2.5, 1)},
        {"orders": (99, 1)},
        {"orders": (1,) * 210},
        {"n_starts": 0},
        {"seed": -1},
        {"seed": "one"},
        {"family": "gamma"},
        {"family": "beta"},
        {"sigma": "free"},
        {"covariates": "weak"},
        {"membership": "week"},
        {"knots": "3"},
        {"weights": "protocol"},
        {"outcome": "week"},
        {"outcome": "protocol"},
        {"time": "protocol"},
    ],
    ids=str,
)
def test_a_trajectory_model_that_cannot_be_fitted_is_refused(data, changes):
    with pytest.raises(InputError, match="expected"):
        harness.fit_gbtm(data, **{**MIXTURE, **changes})


def test_repeated_visits_are_refused_where_the_time_is_known(data):
    with pytest.raises(CohortError, match="the same subject and time"):
        harness.fit_gbtm(pd.concat([data, data.iloc[:2]]), **MIXTURE)


@pytest.mark.parametrize("table", [None, 3, [1, 2], {"madrs": [1]}, "mine.csv"])
def test_what_is_no_table_is_refused(table):
    for fit in (lambda: harness.fit_lmm(MIXED, table), lambda: harness.fit_gbtm(table, **MIXTURE)):
        with pytest.raises(SpecError, match="expected a pandas DataFrame or a Cohort"):
            fit()


# ---- the same again ----


def numbers(fit):
    """Return every number of a fit, as bits."""
    return {q.path: float(q.value).hex() for q in fit.estimates.quantities()}


def test_the_same_call_gives_the_same_bits(data, mixed, mixture):
    assert numbers(harness.fit_lmm(MIXED, data, criterion="REML")) == numbers(mixed)
    assert numbers(harness.fit_gbtm(data, **MIXTURE, n_starts=100, seed=1)) == numbers(mixture)


def test_the_order_of_rows_changes_nothing_but_rounding(data, mixed, mixture):
    shuffled = data.sample(frac=1, random_state=7)
    again = harness.fit_lmm(MIXED, shuffled)
    assert again.estimates.random[0].labels == mixed.estimates.random[0].labels
    np.testing.assert_allclose(again.beta, mixed.beta, rtol=1e-9)
    np.testing.assert_allclose(again.random_cov, mixed.random_cov, rtol=1e-9)
    np.testing.assert_allclose(again.conditional_modes, mixed.conditional_modes, rtol=1e-9, atol=1e-9)
    classes = harness.fit_gbtm(shuffled, **MIXTURE, n_starts=100, seed=1)
    assert classes.estimates.subject_labels == mixture.estimates.subject_labels
    np.testing.assert_allclose(classes.class_shares, mixture.class_shares, rtol=1e-9)
    np.testing.assert_allclose(np.array(classes.beta), np.array(mixture.beta), rtol=1e-9)
    np.testing.assert_allclose(classes.posterior, mixture.posterior, atol=1e-9)
    np.testing.assert_array_equal(classes.assignment, mixture.assignment)


# ---- R ----


def test_a_reference_that_has_no_such_model_is_refused(mixed, mixture):
    with pytest.raises(SpecError, match=r"expected one of lme4, .*lmerTest"):
        harness.compare(mixed, reference="lcmm")
    with pytest.raises(SpecError, match="expected one of lcmm, flexmix"):
        harness.compare(mixture, reference="lme4")


def test_without_r_a_comparison_says_what_is_missing(mixed, monkeypatch):
    monkeypatch.setattr(session, "RWorker", WithoutR)
    with pytest.raises(EngineError, match="harness doctor") as caught:
        harness.compare(mixed, reference="lme4")
    assert (caught.value.engine, caught.value.reason) == ("lme4", "absent")


class WithoutR:
    """A worker on a machine that has no R."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def request(self, operation, payload, deadline=None):  # noqa: ARG002  # a worker's signature
        raise EngineError("session", "absent", "no R on the PATH")


@pytest.mark.needs_r("lme4")
@pytest.mark.parametrize("reference", ["lme4", None])
def test_a_mixed_model_agrees_with_live_lme4(mixed, reference):
    comparison = harness.compare(mixed, reference=reference)
    assert comparison.right.engine == "lme4"
    assert comparison.right.source == "live"
    assert comparison.outcome is Outcome.AGREE, comparison.sentence
    assert comparison.distance < 1e-3
    assert len(comparison.verdicts) > 800


@pytest.mark.needs_r("flexmix")
def test_a_trajectory_model_agrees_with_live_flexmix(data):
    fit = harness.fit_gbtm(data, **{**MIXTURE, "orders": (1, 1)}, n_starts=20)
    comparison = harness.compare(fit, reference="flexmix")
    assert comparison.right.source == "live"
    assert comparison.outcome is Outcome.AGREE, comparison.sentence
