import numpy as np
import pandas as pd
import pytest

from harness.gbtm.adequacy import (
    assigned_shares,
    assignment,
    average_posterior,
    classification_table,
    entropy,
    mismatch,
    modal_uncertainty,
    odds_of_correct_classification,
    shares_above,
    total_entropy,
)

POSTERIOR = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.0, 1.0]])
SHARES = np.array([0.4, 0.6])


def test_adequacy_by_hand():
    assert assignment(POSTERIOR).tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(average_posterior(POSTERIOR), [0.75, 0.9])
    np.testing.assert_allclose(assigned_shares(POSTERIOR), [0.5, 0.5])
    np.testing.assert_allclose(mismatch(POSTERIOR, SHARES), [-0.1, 0.1])
    np.testing.assert_allclose(odds_of_correct_classification(POSTERIOR, SHARES), [3 / (0.4 / 0.6), 9 / 1.5])


def test_entropy_is_one_when_certain_and_nothing_when_even():
    assert entropy(np.eye(3)) == pytest.approx(1.0)
    assert entropy(np.full((4, 3), 1 / 3)) == pytest.approx(0.0, abs=1e-15)
    assert entropy(np.ones((4, 1))) == 1.0
    terms = [
        0.9 * np.log(0.9) + 0.1 * np.log(0.1),
        0.6 * np.log(0.6) + 0.4 * np.log(0.4),
        0.2 * np.log(0.2) + 0.8 * np.log(0.8),
    ]
    assert entropy(POSTERIOR) == pytest.approx(1 + sum(terms) / (4 * np.log(2)))


def test_a_class_that_nobody_is_assigned_to_has_no_average_posterior():
    posterior = np.array([[0.7, 0.3], [0.8, 0.2]])
    assert np.isnan(average_posterior(posterior)[1])
    assert odds_of_correct_classification(np.eye(2), SHARES).tolist() == [np.inf, np.inf]


def test_the_classification_table_has_mean_probabilities_by_modal_class():
    np.testing.assert_allclose(classification_table(POSTERIOR), [[0.75, 0.25], [0.1, 0.9]])
    np.testing.assert_allclose(np.diag(classification_table(POSTERIOR)), average_posterior(POSTERIOR))
    empty = classification_table(np.array([[0.7, 0.3], [0.8, 0.2]]))
    np.testing.assert_allclose(empty, [[0.75, 0.25], [np.nan, np.nan]])


def test_shares_above_a_threshold_are_of_those_assigned():
    np.testing.assert_allclose(shares_above(POSTERIOR, 0.7), [0.5, 1.0])
    np.testing.assert_allclose(shares_above(POSTERIOR, 0.9), [0.0, 0.5])
    assert np.isnan(shares_above(np.array([[0.7, 0.3]]), 0.7)[1])


def test_what_an_icl_adds_to_a_bic():
    terms = [0.9 * np.log(0.9) + 0.1 * np.log(0.1), 0.6 * np.log(0.6) + 0.4 * np.log(0.4)]
    terms.append(0.2 * np.log(0.2) + 0.8 * np.log(0.8))
    assert total_entropy(POSTERIOR) == pytest.approx(-sum(terms), rel=1e-14)
    assert modal_uncertainty(POSTERIOR) == pytest.approx(-2 * np.log(0.9 * 0.6 * 0.8), rel=1e-14)
    assert (total_entropy(np.eye(2)), modal_uncertainty(np.eye(2))) == (0.0, 0.0)


def test_the_classification_of_a_fit_is_that_of_its_posterior(family_fit):
    fit = family_fit("gaussian")
    found = fit.classification()
    pd.testing.assert_frame_equal(found.by_class[list(fit.adequacy())], fit.adequacy())
    np.testing.assert_allclose(found.by_class["above_0.9"], shares_above(fit.posterior, 0.9))
    table = found.by_modal_class[["probability_1", "probability_2"]].to_numpy()
    np.testing.assert_allclose(table, classification_table(fit.posterior))
    assert found.entropy == fit.entropy
    assert found.total_entropy == pytest.approx((1 - fit.entropy) * len(fit.posterior) * np.log(2), rel=1e-12)
    assert "a third of the subjects is in the wrong class" in found.caveat
