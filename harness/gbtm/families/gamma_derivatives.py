"""First and second derivative of log Gamma together, for arguments of at least 1.

scipy's trigamma is a general zeta function, ten times slower than all else that a beta density needs.
"""

import numpy as np
from scipy.special import bernoulli

from harness.arrays import Tensor

_SHIFT = 6  # steps of the recurrence, after which the series below has an error of 1e-16
_BERNOULLI = bernoulli(20)[2::2]


def digamma_and_trigamma(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return psi(x) and psi'(x) at x >= 1, with errors of a few units in the last place; R: ``digamma``, ``trigamma``.

    psi(x) = psi(x + m) - sum_k 1 / (x + k) for k < m, then Abramowitz & Stegun 6.3.18 and 6.4.12 at x + m.
    """
    passed, passed_squares, part = np.zeros_like(x), np.zeros_like(x), np.empty_like(x)
    for k in range(_SHIFT):
        np.add(x, k, out=part)
        np.divide(1.0, part, out=part)
        passed += part
        np.multiply(part, part, out=part)
        passed_squares += part
    far = x + _SHIFT
    inverse = 1.0 / far
    v = inverse * inverse
    first, second = np.zeros_like(x), np.zeros_like(x)
    for k in range(len(_BERNOULLI), 0, -1):
        first += _BERNOULLI[k - 1] / (2 * k)
        first *= v
        second += _BERNOULLI[k - 1]
        second *= v
    digamma = np.log(far) - 0.5 * inverse - first - passed
    return np.asarray(digamma), np.asarray(inverse + 0.5 * v + second * inverse + passed_squares)
