import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from harness.errors import SpecError
from harness.trajectories import fit_gbtm


@pytest.fixture(scope="module")
def large_panel():
    """1500 subjects, two clear classes; a risk factor with a log-odds of 0.2, and slopes that are equal."""
    stream = np.random.default_rng(11)
    N, T = 1500, 4
    age = stream.standard_normal(N)
    high = stream.random(N) < 1 / (1 + np.exp(-0.2 * age))
    week = np.tile(np.arange(T, dtype=float), (N, 1))
    score = 4.0 * high[:, None] + 0.5 * week + stream.standard_normal((N, T))
    return pd.DataFrame(
        {
            "id": np.repeat([f"p{i}" for i in range(N)], T),
            "week": week.ravel(),
            "score": score.ravel(),
            "age": np.repeat(age, T),
        }
    )


def fit_of(panel, **settings):
    return fit_gbtm(panel, outcome="score", time="week", subject="id", orders=(1, 1), n_starts=4, **settings)


def test_one_parameter_gives_the_square_of_its_z(family_fit):
    fit = family_fit("gaussian")
    table = fit.coefficients().set_index(["latent_class", "parameter"])
    test = fit.wald("class[1].membership[age]")
    assert test.df == 1
    assert test.chi_square == pytest.approx(table.loc[(1, "age"), "z"] ** 2, rel=1e-10)
    assert test.p == pytest.approx(table.loc[(1, "age"), "p"], rel=1e-10)


def test_the_statistic_is_that_of_the_reported_covariance(family_fit):
    fit = family_fit("gaussian")
    paths = [path.removesuffix(".estimate") for path in fit.estimates.optimum_covariance().paths]
    at = [paths.index(f"class[{g}].beta[week]") for g in (1, 2)]
    (difference,) = np.diff([fit.beta[g][1] for g in (0, 1)])
    V = fit.estimates.covariance
    expected = difference**2 / (V[at[0], at[0]] + V[at[1], at[1]] - 2 * V[at[0], at[1]])
    for hypothesis in (
        "class[1].beta[week] = class[2].beta[week]",
        {"class[1].beta[week]": 3.0, "class[2].beta[week]": -3.0},
    ):
        assert fit.wald(hypothesis).chi_square == pytest.approx(expected, rel=1e-9)


def test_the_end_of_a_path_means_all_classes_and_redundant_sums_do_not_count(family_fit):
    fit = family_fit("gaussian")
    both = fit.wald("beta[dose]")
    assert both.hypotheses == ("class[1].beta[dose] = 0", "class[2].beta[dose] = 0")
    more = fit.wald(["beta[dose]", "class[1].beta[dose] = class[2].beta[dose]"])
    assert (more.df, both.df) == (2, 2)
    assert more.chi_square == pytest.approx(both.chi_square, rel=1e-8)
    # Shares sum to 1: that they are equal is one hypothesis, however it is written.
    shares = fit.wald([{"class[1].share": 1, "class[2].share": -1}, {"class[1].share": 2, "class[2].share": -2}])
    assert shares.df == 1


def test_wald_and_likelihood_ratio_agree_on_a_large_panel(large_panel):
    with_age = fit_of(large_panel, membership="age")
    test = with_age.wald("membership[age]")
    ratio = with_age.likelihood_ratio(fit_of(large_panel)).tests[0]
    assert ratio.df == test.df == 1
    assert ratio.chi_square > 5  # else their agreement would say nothing
    # They differ by terms of the order of the effect (0.2 log-odds) squared times the statistic itself.
    assert test.chi_square == pytest.approx(ratio.chi_square, rel=0.04)
    assert test.p == pytest.approx(chi2.sf(test.chi_square, 1), rel=1e-12)


def test_the_sandwich_tests_with_its_own_covariance(family_fit):
    fit = family_fit("random")
    plain, robust = (fit.wald("beta[week]", kind) for kind in ("observed information", "sandwich"))
    errors = fit.coefficients(standard_errors="sandwich").query("parameter == 'week'")["standard_error"]
    np.testing.assert_allclose(robust.standard_errors, errors, rtol=1e-10)
    assert robust.chi_square != pytest.approx(plain.chi_square, rel=1e-3)


def test_everything_wrong_with_hypotheses_is_said_at_once(family_fit):
    with pytest.raises(SpecError) as refusal:
        family_fit("gaussian").wald(
            ["membership[agee]", "sigma = class[1].sigma", {"class[1].share": np.nan}, {"class[1].share": 0}, 7]
        )
    found = [str(problem) for problem in refusal.value.problems]
    assert len(found) == 5
    assert "Did you mean 'class[1].membership[age]'" in found[0]


def test_a_parameter_without_a_maximum_has_no_wald_test(separated):
    test = separated.wald("membership[sign]")
    assert np.isnan([test.chi_square, test.p, *test.standard_errors]).all()
    assert "profile_interval()" in test.remarks[0]
    assert np.isfinite(separated.wald("beta[week]").p)
