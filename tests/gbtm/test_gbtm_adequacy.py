import numpy as np
import pytest

from harness.gbtm.adequacy import (
    assigned_shares,
    assignment,
    average_posterior,
    entropy,
    mismatch,
    odds_of_correct_classification,
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
