"""Predictions of fits: for their own rows, for new visits and for new subjects, by all engines."""

import numpy as np
import pandas as pd
import pytest

from harness.cohorts import fixture_cohort
from harness.cohorts.frames import cohort_from_frame, to_frame
from harness.errors import SpecError
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.diagnostics.columns import signal_at_modes
from harness.lmm.engine import fitted
from harness.lmm.inference.contrasts import contrast
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.prediction.distribution import Loadings, outcome_root
from harness.lmm.prediction.modes import modes
from harness.lmm.prediction.predict import forecasts, predict, row_degrees
from harness.lmm.prediction.predictor import predictor
from harness.lmm.spec import LmmSpec


def fit_of(formula, cohort, criterion="REML", weights=None):
    """Return predictor, design, fit and estimates."""
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion, weights=weights)
    design = build_design(spec, cohort)
    found, estimates = fitted(design)
    return predictor(spec, design, estimates), design, found, estimates


@pytest.fixture(scope="module")
def sleepstudy():
    return fit_of("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"))[0]


def thinned():
    """Return sleepstudy without every 7th row, and weights 1 + days."""
    frame = to_frame(fixture_cohort("sleepstudy"))
    return frame[np.arange(1, 181) % 7 != 0].assign(w=lambda kept: 1 + kept["days"])


def panel(seed=5):
    """Return 24 subjects in 2 arms and 6 sites, 4 visits each by one of 4 raters, a fifth of the rows missing."""
    stream = np.random.default_rng(seed)
    subject, visit = np.repeat(np.arange(24), 4), np.tile(np.arange(4), 24)
    rater, site = stream.integers(0, 4, 96), subject // 4
    t = visit + 0.3 * stream.random(96)
    effects = [stream.standard_normal(k)[codes] for k, codes in ((24, subject), (6, site), (4, rater))]
    y = 20 - t + (subject % 2) * t + 1.5 * effects[0] + effects[1] + effects[2] + stream.standard_normal(96)
    frame = pd.DataFrame(
        {
            "id": [f"s{i:02d}" for i in subject],
            "site": [f"c{i}" for i in site],
            "rater": [f"r{i}" for i in rater],
            "g": ["b" if i % 2 else "a" for i in subject],
            "visit": [f"v{i}" for i in visit],
            "week": 2.0 * visit,
            "t": t,
            "w": stream.random(96) + 0.5,
            "y": y,
        }
    )
    return frame[stream.random(96) < 0.8].reset_index(drop=True)


MODELS = {
    "one factor, weights": ("y ~ t * g + (1 + t | id)", "w"),
    "uncorrelated": ("y ~ t * g + (1 + t || id)", None),
    "nested": ("y ~ t * g + (1 | site / id)", None),
    "crossed, weights": ("y ~ t * g + (1 | id) + (1 | rater)", "w"),
    "unstructured": ("y ~ visit * g + us(visit | id)", None),
    "by arm": ("y ~ t * g + ar1h(visit | g / id)", None),
    "visits by number": ("y ~ t * g + toeph(week | id)", None),
    "structure and random effects, weights": ("y ~ t * g + (1 | id) + ar1(visit | id)", "w"),
    "continuous time": ("y ~ t * g + car1(t | id)", None),
    "continuous time by arm, weights": ("y ~ t * g + car1(t | g / id)", "w"),
}


@pytest.fixture(scope="module", params=MODELS, ids=str)
def model(request):
    formula, weights = MODELS[request.param]
    return fit_of(formula, cohort_from_frame(panel(), subject="id"), weights=weights)


def test_the_distribution_has_the_covariances_of_the_engine(model):
    ready, design, found, _ = model
    block = ready.fitted.blocks()
    loadings = Loadings(ready.distribution, ready.fitted, block)
    rows_seen = 0
    for rows, V in found.marginal_covariances(design):
        root = outcome_root(ready.distribution, ready.fitted, loadings, rows[None])[0]
        assert (np.triu(root, 1) == 0).all()
        assert (np.diag(root) > 0).all()
        np.testing.assert_allclose(root @ root.T, V, rtol=1e-10, atol=1e-12 * np.abs(V).max())
        rows_seen += len(rows)
    assert rows_seen == design.n_observations


def test_means_of_the_fitted_rows_are_those_at_the_modes_of_the_engine(model):
    ready, design, _, estimates = model
    expected = design.X @ estimates.beta + signal_at_modes(design, estimates)
    np.testing.assert_allclose(predict(ready).mean.value, expected, rtol=1e-10)


def test_conditional_variances_of_modes_are_those_of_the_engine(model):
    ready, _, _, estimates = model
    for part, one in enumerate(estimates.random):
        found = modes(ready.distribution, ready.fitted, part, len(one.labels))
        scale = np.abs(one.cov).max()
        np.testing.assert_allclose(found.conditional_cov, one.modes_cov, rtol=1e-9, atol=1e-9 * scale)


def test_subjects_are_predicted_alike_from_the_fit_and_from_their_own_rows(model):
    """All outcomes of a fit handed in again as those of new rows are as good as the fit's own."""
    ready = model[0]
    found = predict(ready, panel(), given="rows").table()
    columns = list(found)
    # The fit sorts its rows; panel() is sorted by subject and visit already, but for equal slope columns.
    expected = predict(ready, panel(), given="fit").table()
    np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-9, atol=1e-9)


def test_a_new_subject_is_known_by_its_own_outcomes(model):
    ready = model[0]
    strange = panel().head(4).assign(id="new", site="elsewhere", rater="another")
    found = predict(ready, strange)
    alone = predict(ready, strange, given="rows")
    np.testing.assert_allclose(found.mean.value, alone.mean.value, rtol=1e-12)
    unknown = predict(ready, strange.assign(y=np.nan))
    population = predict(ready, strange, of="population")
    np.testing.assert_allclose(unknown.mean.value, population.mean.value, rtol=1e-12)
    np.testing.assert_allclose(unknown.outcome.variance, population.outcome.variance, rtol=1e-10)


def test_outcomes_that_can_be_of_the_fit_count_once_and_others_as_well():
    """A known subject rated by a known rater may be a row of the fit; rated by a new one it can't be."""
    ready = fit_of("y ~ t * g + (1 | id) + (1 | rater)", cohort_from_frame(panel(), subject="id"))[0]
    asked = panel().head(1).assign(y=np.nan)
    fit_only = predict(ready, asked).mean
    for rater, counts in (("r0", False), ("a new one", True)):
        more = pd.concat([asked, panel().head(1).assign(t=2.5, y=60.0, rater=rater)])
        found = predict(ready, more).mean
        assert (found.value[0] - fit_only.value[0] > 1) == counts
        assert (found.conditional_variance[0] < 0.999 * fit_only.conditional_variance[0]) == counts


def test_more_rows_of_one_block_than_memory_holds_are_refused(sleepstudy):
    many = pd.DataFrame({"id": "x", "g": "a", "subject": "x", "t": np.arange(5001.0), "days": 1.0, "reaction": 300.0})
    continuous = fit_of("y ~ g + car1(t | id)", cohort_from_frame(panel(), subject="id"))[0]
    with pytest.raises(SpecError, match="5001 rows that all depend on each other"):
        predict(continuous, many)
    assert predict(sleepstudy, many).mean.variance.max() < 250  # independent residuals need no such matrix


def test_new_rows_of_the_fit_code_as_the_design_did(model):
    ready, design, _, estimates = model
    new = predict(ready, panel(), of="population").mean.value
    np.testing.assert_allclose(np.sort(new), np.sort(design.X @ estimates.beta), rtol=1e-12)


# Closed form in 40-digit arithmetic: lower triangles of subject 308's variances given beta, and of b_hat - b.
EXACT_308 = {
    "REML": ((145.705103668990337, -21.4444265921189003, 5.31227366676204151),
             (171.615372279742288, -19.7194954860709564, 6.96557293518178341)),
    "ML": ((140.967030072648937, -20.6044483903538127, 5.15777922856993428),
           (164.553048779897263, -18.845566311856456, 6.68691355956101157)),
}  # fmt: skip


@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_both_variances_of_modes_equal_their_closed_form(criterion):
    ready, _, _, estimates = fit_of("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"), criterion)
    found = modes(ready.distribution, ready.fitted, 0, 18)
    lower = np.tril_indices(2)
    np.testing.assert_allclose(found.conditional_cov[0][lower], EXACT_308[criterion][0], rtol=1e-12)
    np.testing.assert_allclose(found.prediction_cov[0][lower], EXACT_308[criterion][1], rtol=1e-12)
    np.testing.assert_allclose(found.modes, estimates.conditional_modes, rtol=1e-10, atol=1e-10)


def test_weighted_predictions_equal_lme4():
    """lme4 1.1-31, bobyqa with rhoend 1e-11: ``predict``; the standard error from Henderson's equations at its fit."""
    text = "reaction ~ days + days^2 + (1 + days | subject)"
    ready = fit_of(text, cohort_from_frame(thinned(), subject="subject"), weights="w")[0]
    new = pd.DataFrame({"subject": ["308", "372", "new"], "days": [10, 4, 3], "w": 1.0})
    close = {"rtol": 1e-7}
    found = predict(ready, new)
    np.testing.assert_allclose(found.mean.value, [453.506493962, 308.836577385, 281.328976406], **close)
    assert np.sqrt(found.mean.variance[0]) == pytest.approx(15.9065557388, rel=1e-6)
    alike = predict(ready, new, of="population").mean.value
    np.testing.assert_allclose(alike, [364.063793486, 291.445701216, 281.328976406], **close)
    first = modes(ready.distribution, ready.fitted, 0, 18)
    # Covariances of a search without derivatives are good to about 1e-6.
    np.testing.assert_allclose(
        first.conditional_cov[0].ravel()[[0, 1, 3]], [217.286824755, -28.061722292, 5.61781487181], rtol=5e-6
    )
    np.testing.assert_allclose(
        first.prediction_cov[0].ravel()[[0, 1, 3]], [234.858257987, -25.3987900189, 7.24295154519], rtol=5e-6
    )


def test_weights_divide_the_variance_of_an_outcome():
    ready = fit_of("reaction ~ days + (1 | subject)", cohort_from_frame(thinned(), subject="subject"), weights="w")[0]
    light, heavy = (
        predict(ready, pd.DataFrame({"subject": ["x"], "days": [2], "w": [w]})).outcome.conditional_variance[0]
        for w in (1.0, 4.0)
    )
    assert light - heavy == pytest.approx(0.75 * ready.distribution.residual.variance, rel=1e-12)


def test_splines_and_polynomials_are_evaluated_where_they_were_trained():
    cohort = fixture_cohort("sleepstudy")
    spline = fit_of("reaction ~ ns(days, 3) + (1 | subject)", cohort)[0]
    grid = pd.DataFrame({"days": [9.0, 10.0, 11.0]})
    beyond = predict(spline, grid, of="population").mean.value
    assert np.diff(beyond, 2)[0] == pytest.approx(0.0, abs=1e-9)  # a natural spline goes on as a line
    orthogonal = fit_of("reaction ~ poly(days, 2) + (1 + poly(days, 1) | subject)", cohort)[0]
    powers = fit_of("reaction ~ days + days^2 + (1 + days | subject)", cohort)[0]
    new = pd.DataFrame({"subject": ["308", "y"], "days": [2.5, 12.0], "reaction": [np.nan, 300.0]})
    np.testing.assert_allclose(predict(orthogonal, new).table(), predict(powers, new).table(), rtol=1e-7)


def test_units_and_origin_of_time_change_no_prediction():
    frame = to_frame(fixture_cohort("sleepstudy"))
    new = pd.DataFrame({"subject": ["308", "y", "y"], "days": [12.0, 1.0, 4.0], "reaction": [np.nan, 300.0, np.nan]})
    tables = []
    for shift, unit in ((0.0, 1.0), (-1000.0, 1 / 24)):
        moved = frame.assign(days=(frame["days"] - shift) / unit)
        ready = fit_of("reaction ~ days + (1 + days | subject)", cohort_from_frame(moved, subject="subject"))[0]
        tables.append(predict(ready, new.assign(days=(new["days"] - shift) / unit)).table())
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-6)


def test_degrees_of_freedom_of_a_row_are_those_of_its_contrast():
    ready, design, found, _ = fit_of("y ~ t * g + (1 + t | id)", cohort_from_frame(panel(), subject="id"))
    new = pd.DataFrame({"g": ["a", "b"], "t": [0.5, 2.0]})
    for method in ("satterthwaite", "kenward-roger"):
        effects = fixed_effects(found, design, method)
        df = row_degrees(ready, effects, new)
        assert df[0] == pytest.approx(contrast(effects, {"intercept": 1.0, "t": 0.5}).df, rel=1e-12)
        assert df[1] == pytest.approx(contrast(effects, [1.0, 2.0, 1.0, 2.0]).df, rel=1e-12)
    table = predict(ready, new, of="population").table(df=df)
    assert (table["upper"] - table["mean"] > 1.97 * table["standard_error"]).all()
    assert row_degrees(ready, effects).shape == (design.n_observations,)


def test_forecasts_know_one_outcome_more_at_each_step(sleepstudy):
    data = pd.DataFrame(
        {"subject": ["p"] * 4 + ["q"], "days": [3, 0, 1, 2, 0], "reaction": [np.nan, 260.0, 270.0, 320.0, 250.0]}
    )
    found = forecasts(sleepstudy, data, along="days").set_index(["row", "after"])
    assert sorted(found.index) == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 0),
        (2, 0),
        (2, 1),
        (3, 0),
        (3, 1),
        (3, 2),
        (4, 0),
    ]
    for (row, after), one in found.iterrows():
        place = {1: 1, 2: 2, 3: 3, 4: 1}
        known = [place.get(i, 9) <= after for i in range(5)]
        masked = data.assign(reaction=np.where(known, data["reaction"], np.nan))
        expected = predict(sleepstudy, masked, given="rows").table().iloc[row]
        assert one["outcome"] == pytest.approx(expected["outcome"], rel=1e-12)
        assert one["outcome_error"] == pytest.approx(expected["outcome_error"], rel=1e-12)
    assert (np.diff([found.loc[(0, k), "standard_error"] for k in range(4)]) < 0).all()


def test_every_fault_of_new_rows_is_listed_with_its_place(model):
    ready = model[0]
    bad = panel().head(5)
    bad = bad.assign(t=bad["t"].astype(object), g=["a", "z", None, "a", "b"])
    bad.loc[3, "t"] = "soon"
    bad.loc[4, "t"] = np.inf
    with pytest.raises(SpecError) as caught:
        predict(ready, bad)
    text = str(caught.value)
    if "t" in ready.columns.numeric:
        assert "line 4, column 't': 'soon'; expected a number" in text
        assert "line 5, column 't': inf; expected a finite number" in text
    assert "line 2, column 'g': 'z'; expected one of 'a', 'b'" in text
    assert "line 3, column 'g': no value; expected one in every row" in text


def test_missing_columns_are_listed_with_the_nearest_name(sleepstudy):
    with pytest.raises(SpecError) as caught:
        predict(sleepstudy, pd.DataFrame({"day": [1.0]}))
    text = str(caught.value)
    assert "column 'days': no such column; expected it, the model needs it. Did you mean 'day'?" in text
    assert "column 'subject': no such column" in text
    assert predict(sleepstudy, pd.DataFrame({"days": [1.0]}), of="population").mean.value.shape == (1,)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1, 2], "of type list; expected a pandas DataFrame or a Cohort"),
        (pd.DataFrame({"days": [], "subject": []}), "no rows; expected at least one row"),
        (pd.DataFrame([[1, 2, "a"]], columns=["days", "days", "subject"]), "2 columns of this name; expected one"),
        (pd.DataFrame({"days": [True], "subject": ["a"]}), "True; expected a number"),
        (pd.DataFrame({"days": pd.to_datetime(["2024-01-01"]), "subject": ["a"]}), "a date or time"),
        (pd.DataFrame({"days": [1.0], "subject": [None]}), "line 1, column 'subject': no value"),
        (pd.DataFrame({"days": [1.0], "subject": ["a"], "reaction": ["high"]}), "column 'reaction': 'high'"),
        (pd.DataFrame({"days": ["1"] * 50, "subject": ["a"] * 50}), "30 more problems"),
    ],
)
def test_what_is_no_table_of_new_rows_is_refused(sleepstudy, data, words):
    with pytest.raises(SpecError) as caught:
        predict(sleepstudy, data)
    assert words in str(caught.value)


def test_a_cohort_is_a_table_too(sleepstudy):
    cohort = fixture_cohort("sleepstudy")
    found, expected = predict(sleepstudy, cohort).table(), predict(sleepstudy, to_frame(cohort)).table()
    np.testing.assert_array_equal(found, expected)


def test_types_of_columns_may_differ_where_labels_and_numbers_are_the_same(sleepstudy):
    plain = pd.DataFrame({"subject": ["308", "310", "308"], "days": [10.0, 1.0, 2.0]})
    expected = predict(sleepstudy, plain).table()
    for subject in (
        [308, 310, 308],
        [308.0, 310.0, 308.0],
        pd.Categorical(["308", "310", "308"], categories=["310", "308", "x"]),
    ):
        for days in ([10, 1, 2], pd.array([10, 1, 2], dtype="Int64"), np.array([10, 1, 2], dtype=np.int8)):
            found = predict(sleepstudy, pd.DataFrame({"subject": subject, "days": days})).table()
            np.testing.assert_array_equal(found, expected)


def test_choices_that_are_none_are_refused_together(sleepstudy):
    with pytest.raises(SpecError) as caught:
        predict(sleepstudy, of="patient", given="faith")
    assert len(caught.value.problems) == 2


def test_a_function_without_a_value_and_a_weight_that_is_none_name_their_rows():
    ready = fit_of(
        "reaction ~ log1p(days) + (1 | subject)", cohort_from_frame(thinned(), subject="subject"), weights="w"
    )[0]
    new = pd.DataFrame({"subject": "x", "days": [1.0, -1.0, -2.0], "w": [0.0, 1.0, -3.0]})
    with pytest.raises(SpecError) as caught:
        predict(ready, new)
    lines = [(problem.line, problem.column) for problem in caught.value.problems]
    assert lines == [(1, "w"), (3, "w"), (2, "days"), (3, "days")]


def test_two_outcomes_of_a_subject_at_one_visit_are_refused_where_residuals_covary():
    ready = fit_of("y ~ visit * g + us(visit | id)", cohort_from_frame(panel(), subject="id"))[0]
    twice = pd.DataFrame({"id": "n", "g": "a", "visit": ["v1", "v1", "v7"], "y": [1.0, 2.0, 3.0]})
    with pytest.raises(SpecError, match="'v7'; expected one of 'v0', 'v1', 'v2', 'v3'"):
        predict(ready, twice)
    numbered = fit_of("y ~ g + ar1(week | id)", cohort_from_frame(panel(), subject="id"))[0]
    with pytest.raises(SpecError, match="line 2, column 'week': 3; expected one of the visits 0, 2, 4, 6"):
        predict(numbered, pd.DataFrame({"id": "n", "g": "a", "week": [2, 3]}))
    with pytest.raises(
        SpecError, match="line 2, column 'visit': a second outcome of its subject at the visit of line 1"
    ):
        predict(ready, twice.head(2))


def test_a_value_too_large_to_be_squared_is_refused(sleepstudy):
    rows = pd.DataFrame({"days": [1.0, 1e200], "subject": ["308", "308"]})
    with pytest.raises(SpecError, match=r"line 2, column 'days': days at 1e\+200 is no finite number, or too large"):
        predict(sleepstudy, rows)
