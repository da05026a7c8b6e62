import numpy as np
import pytest
from scipy.stats import chi2

from harness.gbtm.selection.weighted_chi_square import upper_tail

ACCURACY = 2e-6  # of the inversion where one weight makes it slowest


@pytest.mark.parametrize("df", [1, 2, 7])
@pytest.mark.parametrize("x", [0.5, 4.0, 12.0])
def test_equal_weights_give_the_chi_square_distribution(df, x):
    assert upper_tail(3.0 * x, np.full(df, 3.0)) == pytest.approx(chi2.sf(x, df), abs=ACCURACY)


def test_pairs_of_weights_give_sums_of_exponentials():
    # a (Z1^2 + Z2^2) is exponential with mean 2a; the sum of two has a tail in closed form.
    x, a, b = 5.0, 1.5, 0.4
    closed = (a * np.exp(-x / (2 * a)) - b * np.exp(-x / (2 * b))) / (a - b)
    assert upper_tail(x, np.array([a, a, b, b])) == pytest.approx(closed, abs=ACCURACY)
    # Of their difference: above 0 the tail of a is thinned by a / (a + b).
    assert upper_tail(x, np.array([a, a, -b, -b])) == pytest.approx(a / (a + b) * np.exp(-x / (2 * a)), abs=ACCURACY)
    assert upper_tail(-x, np.array([a, a, -b, -b])) == pytest.approx(
        1 - b / (a + b) * np.exp(-x / (2 * b)), abs=ACCURACY
    )


def test_weights_of_zero_add_nothing():
    assert upper_tail(3.0, np.array([1.0, 0.0, 1.0, 0.0])) == pytest.approx(chi2.sf(3.0, 2), abs=ACCURACY)
    assert upper_tail(1.0, np.zeros(3)) == 0.0
