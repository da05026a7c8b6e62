import dataclasses

import numpy as np
import pytest
from scipy.stats import chi2

from harness.errors import SpecError
from harness.gbtm.inference.likelihood_ratio import ComparedModel, likelihood_ratio
from harness.trajectories import fit_gbtm


@pytest.fixture(scope="module")
def fit_of(family_table):
    def fit(**settings):
        given = {"outcome": "score", "time": "week", "subject": "id", "orders": (1, 1), "n_starts": 6, **settings}
        return fit_gbtm(family_table, **given)

    return fit


@pytest.fixture(scope="module")
def plain(fit_of):
    return fit_of()


def test_the_table_is_twice_the_rise_of_the_log_likelihood(plain, fit_of):
    constant, larger = fit_of(orders=(0, 0)), fit_of(membership="age", sigma="class")
    found = larger.likelihood_ratio(constant, plain)
    table = found.table()
    assert [row.n_parameters for row in found.rows] == [4, 6, 8]
    np.testing.assert_allclose(table["log_likelihood"], [m.log_likelihood for m in (constant, plain, larger)])
    np.testing.assert_allclose(table["bic"], [m.bic for m in (constant, plain, larger)])
    for k, (less, more) in enumerate(((constant, plain), (plain, larger)), start=1):
        rise = 2 * (more.log_likelihood - less.log_likelihood)
        assert table["chi_square"].iloc[k] == pytest.approx(rise, rel=1e-12)
        assert table["p"].iloc[k] == pytest.approx(chi2.sf(rise, 2), rel=1e-12)
    assert np.isnan(table["chi_square"].iloc[0])


def test_a_variance_that_the_smaller_model_has_not_makes_the_test_conservative(plain, fit_of):
    (test,) = plain.likelihood_ratio(fit_of(random=0)).tests
    assert test.remarks == (
        "In the smaller model a variance of random effects is at its bound: chi-square is conservative.",
    )


def test_other_numbers_of_classes_are_sent_to_the_bootstrap(plain, fit_of):
    with pytest.raises(SpecError, match="use blrt"):
        plain.likelihood_ratio(fit_of(orders=(1, 1, 1)))


def test_models_that_are_not_nested_are_refused_with_every_reason(fit_of):
    other = fit_of(orders=(2, 0), sigma="class", membership="sex", covariates="dose")
    smaller = fit_of(sigma="visit", membership="age", common="dose")
    with pytest.raises(SpecError) as refusal:
        other.likelihood_ratio(smaller)
    text = str(refusal.value)
    for reason in ("sigma by", "risk factors", "orders that no assignment"):
        assert reason in text


def test_a_common_covariate_is_nested_in_one_by_class_and_in_no_other(fit_of):
    common, by_class = fit_of(common="dose"), fit_of(covariates="dose")
    assert by_class.likelihood_ratio(common).tests[0].df == 1
    with pytest.raises(SpecError, match="common covariates that the larger model does not have"):
        fit_of(covariates="age").likelihood_ratio(common)


def test_unequal_orders_are_nested_whichever_class_has_which(plain, fit_of):
    assert fit_of(orders=(2, 1)).likelihood_ratio(plain).tests[0].df == 1


def test_other_rows_and_sampling_weights_are_refused(plain, family_table, fit_of):
    fewer = fit_gbtm(family_table.iloc[20:], outcome="score", time="week", subject="id", orders=(2, 1), n_starts=4)
    with pytest.raises(SpecError, match="other rows, outcomes, subjects or weights"):
        plain.likelihood_ratio(fewer)
    with pytest.raises(SpecError, match="Use wald"):
        fit_of(weights="weight").likelihood_ratio(fit_of(weights="weight", orders=(2, 1)))


def test_a_larger_model_below_the_smaller_one_is_at_no_optimum_of_its_own(plain, fit_of):
    larger = fit_of(orders=(2, 1))
    low = dataclasses.replace(larger.fit, log_likelihood=plain.log_likelihood - 1.0)
    models = [
        ComparedModel(name=name, design=result.design, fit=fit)
        for name, result, fit in (("plain", plain, plain.fit), ("larger", larger, low))
    ]
    with pytest.raises(SpecError, match="falls by 1"):
        likelihood_ratio(models)


def test_one_model_is_no_comparison(plain):
    with pytest.raises(SpecError, match="1 model"):
        plain.likelihood_ratio()
