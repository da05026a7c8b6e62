import numpy as np
import pytest
from matplotlib.figure import Figure

from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec


@pytest.fixture(scope="module")
def result(panel):
    spec = GbtmSpec(outcome="score", time="week", subject="id", orders=(2, 2, 1), sigma="shared", n_starts=20)
    return fit_gbtm_cohort(spec, panel)


def test_coefficients_hold_every_parameter_with_its_error(result):
    table = result.coefficients()
    assert len(table) == 3 + 8 + 1
    np.testing.assert_allclose(table["standard_error"], np.sqrt(np.diag(result.estimates.covariance)))
    assert table["parameter"].tolist()[-1] == "sigma"
    assert table["latent_class"].tolist()[-1] == 0
    tested = table[table["parameter"].isin(["intercept", "week", "week^2"])]
    np.testing.assert_allclose(tested["z"], tested["estimate"] / tested["standard_error"])
    assert ((table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"])).all()
    shares = table[table["parameter"] == "share"]
    assert shares["lower"].gt(0).all()
    assert shares["upper"].lt(1).all()
    assert shares["z"].isna().all()


def test_bands_are_the_delta_method_with_the_full_covariance(result):
    times = np.array([0.5, 3.0, 7.5])
    curves = result.class_curves(times)
    K, at = 3, 3
    for g in range(K):
        beta = result.beta[g]
        block = slice(at, at + len(beta))
        at += len(beta)
        X = np.vander(times, len(beta), increasing=True)
        own = curves[curves["latent_class"] == g + 1]
        np.testing.assert_allclose(own["fitted"], X @ beta, rtol=1e-9)
        error = np.sqrt(np.diag(X @ result.estimates.covariance[block, block] @ X.T))
        np.testing.assert_allclose(own["standard_error"], error, rtol=1e-6)
        np.testing.assert_allclose(own["upper"] - own["fitted"], 1.959963984540054 * error, rtol=1e-6)


def test_observed_means_of_all_classes_add_up_to_all_rows(result):
    means = result.observed_means()
    assert means["weight"].sum() == pytest.approx(result.estimates.n_observations)
    assert np.average(means["mean"], weights=means["weight"]) == pytest.approx(result.design.outcomes[0].rows.y.mean())


def test_tables_of_the_search_add_up(result):
    optima, starts = result.optima(), result.starts
    assert optima["count"].sum() == (starts["optimum"] > 0).sum()
    assert optima["chosen"].sum() == 1
    assert len(starts) == result.fit.n_starts


def test_posteriors_name_subjects_and_their_modal_class(result):
    table = result.posteriors()
    assert table["subject"].tolist() == list(result.estimates.subject_labels)
    assert table["latent_class"].tolist() == result.assignment.tolist()
    np.testing.assert_allclose(table[[f"probability_{g}" for g in (1, 2, 3)]].sum(axis=1), 1.0)


def test_the_summary_tells_fit_coefficients_adequacy_and_search(result):
    text = result.summary()
    for part in ("60 subjects", "Log-likelihood", "BIC (subjects", "week^2", "AvePP", "OCC", "starts", "distinct end"):
        assert part in text
    assert f"{result.log_likelihood:.4f}" in text
    assert all(warning in text for warning in result.warnings)


def test_the_plot_names_axes_and_class_shares(result):
    figure = result.plot()
    assert isinstance(figure, Figure)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("week", "score")
    (key,) = figure.legends
    legend = [text.get_text() for text in key.get_texts()]
    assert legend == [f"class {g} ({100 * share:.1f} %)" for g, share in enumerate(result.class_shares, start=1)]


def test_accessors_agree_with_the_estimates(result):
    assert result.bic == result.estimates.bic_subjects
    assert result.bic_observations > result.bic
    assert sorted(result.orders) == [1, 2, 2]
    assert [len(beta) - 1 for beta in result.beta] == list(result.orders)


def test_a_fit_without_standard_errors_says_why(cohort_of):
    stream = np.random.default_rng(0)
    noise = cohort_of(np.repeat(range(60), 5), np.tile(np.arange(5.0), 60), stream.standard_normal(300))
    spec = GbtmSpec(outcome="score", time="week", subject="id", orders=(0,) * 5, n_starts=20)
    result = fit_gbtm_cohort(spec, noise)
    assert any("No standard errors" in warning for warning in result.warnings)
    assert result.coefficients()["standard_error"].isna().all()
    assert result.class_curves()["lower"].isna().all()
    assert "Fit fewer classes" in result.summary()
    assert isinstance(result.plot(), Figure)


def test_the_summary_says_which_parameters_are_log_odds_of_classes_and_which_all_classes_share(trial):
    spec = GbtmSpec(
        outcome="score",
        time="week",
        subject="id",
        orders=(1, 0),
        membership="age + sex",
        common="stress",
        weights="sampling",
        n_starts=6,
    )
    result = fit_gbtm_cohort(spec, trial)
    table, text = result.coefficients(), str(result.summary())
    odds = table[table["role"] == "log_odds"]
    assert odds["parameter"].tolist() == ["intercept", "age", "sex[male]"]
    np.testing.assert_allclose(odds["z"], odds["estimate"] / odds["standard_error"])
    assert table.loc[table["role"] == "common", "latent_class"].tolist() == [0]
    for part in ("log-odds: age", "log-odds: sex[male]", "sandwich", "weights: sampling"):
        assert part in text


def test_a_model_without_time_prints_and_draws_its_constant_classes(trial):
    spec = GbtmSpec(outcome="score", time=None, subject="id", orders=(0, 0), n_starts=6)
    result = fit_gbtm_cohort(spec, trial)
    assert "model of score: 2 class(es)" in str(result.summary())
    assert isinstance(result.plot(), Figure)
    curves = result.class_curves()
    for g in (1, 2):
        own = curves.loc[curves["latent_class"] == g, "fitted"]
        np.testing.assert_allclose(own, result.beta[g - 1][0], rtol=1e-12)


def test_classes_of_one_subject_each_have_no_sandwich(cohort_of):
    spec = GbtmSpec(outcome="score", time="week", subject="id", orders=(0, 0), n_starts=5)
    fit = fit_gbtm_cohort(
        spec, cohort_of(np.repeat([0, 1], 3), np.tile(np.arange(3.0), 2), [0.0, 1.0, 0.0, 9.0, 8.0, 9.0])
    )
    table = fit.coefficients(standard_errors="sandwich")
    beta = table[table["role"] == "beta"]
    # The scores of the only subject of a class are zero at the maximum.
    assert beta[["standard_error", "z", "p"]].isna().to_numpy().all()
