"""The structures by name, as formulas name them: `us(visit | subject)` and the others."""

from itertools import pairwise

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.lmm.visits.forms import Linear, Powers, Search, Structure

__all__ = ["Linear", "Powers", "Structure", "continuous_autoregression", "structure"]

Names = tuple[str, ...]


def structure(name: str, visits: Names) -> Structure:
    """Return the structure of this name over visits in their order.

    Parameters: us, the elements of Sigma (lower triangle by rows); cs, (covariance, residual); toep, the covariances
    by lag; ar1 and ad, a variance, then the correlations; csh, ar1h, toeph, adh, the variances, then the correlations.
    """
    places = np.indices((len(visits), len(visits))).reshape(2, -1)
    if name in _LINEAR:
        names, basis = _LINEAR[name](places, visits)
        search: Search = "factor" if name == "us" else "parameters"
        return Linear(names=names, basis=read_only(basis), n_visits=len(visits), search=search)
    kind = name.removesuffix("h")
    variance_names, of_variances = _variances(places, visits) if kind != name else (("variance",), np.ones((1, 1)))
    names, of_correlations = _CORRELATIONS[kind](places, visits) if len(visits) > 1 else ((), np.empty((0, 1)))
    of_variances = np.broadcast_to(of_variances, (len(of_variances), places.shape[1]))
    return Powers(
        names=variance_names + names,
        exponents=read_only(np.concatenate([of_variances, of_correlations])),
        n_variances=len(variance_names),
        n_visits=len(visits),
    )


def continuous_autoregression(distances: Vector) -> Powers:
    """Return covariances v phi^d at distances d (U,), measured in a unit in which neighbours are about 1 apart."""
    return Powers(
        names=("variance", "correlation"),
        exponents=read_only(np.stack([np.ones_like(distances), distances])),
        n_variances=1,
        n_visits=None,
    )


def _unstructured(places: Codes, visits: Names) -> tuple[Names, Matrix]:
    rows, columns = np.tril_indices(len(visits))
    basis = (rows[:, None] == places.max(axis=0)) & (columns[:, None] == places.min(axis=0))
    names = tuple(
        f"variance[{visits[i]}]" if i == j else f"covariance[{visits[i]}, {visits[j]}]"
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    )
    return names, basis.astype(float)


def _compound_symmetric(places: Codes, visits: Names) -> tuple[Names, Matrix]:
    if len(visits) == 1:
        return ("variance",), np.ones((1, 1))
    same = (places[0] == places[1]).astype(float)
    return ("covariance", "residual"), np.stack([np.ones_like(same), same])


def _toeplitz(places: Codes, visits: Names) -> tuple[Names, Matrix]:
    lags = np.arange(len(visits))
    names = ("variance", *(f"covariance[lag {d}]" for d in lags[1:].tolist()))
    return names, (_lag(places) == lags[:, None]).astype(float)


def _variances(places: Codes, visits: Names) -> tuple[Names, Matrix]:
    halves = (places[:, None, :] == np.arange(len(visits))[:, None]) / 2
    return tuple(f"variance[{visit}]" for visit in visits), halves.sum(axis=0)


def _common_correlation(places: Codes, visits: Names) -> tuple[Names, Matrix]:  # noqa: ARG001  # all have one form
    return ("correlation",), (_lag(places) > 0)[None].astype(float)


def _autoregressive(places: Codes, visits: Names) -> tuple[Names, Matrix]:  # noqa: ARG001
    return ("correlation",), _lag(places)[None].astype(float)


def _banded(places: Codes, visits: Names) -> tuple[Names, Matrix]:
    lags = np.arange(1, len(visits))
    return tuple(f"correlation[lag {d}]" for d in lags.tolist()), (_lag(places) == lags[:, None]).astype(float)


def _antedependent(places: Codes, visits: Names) -> tuple[Names, Matrix]:
    steps = np.arange(1, len(visits))[:, None]
    between = (places.min(axis=0) < steps) & (steps <= places.max(axis=0))
    return tuple(f"correlation[{one}, {next_one}]" for one, next_one in pairwise(visits)), between.astype(float)


def _lag(places: Codes) -> Codes:
    return np.asarray(np.abs(places[0] - places[1]))


_LINEAR = {"us": _unstructured, "cs": _compound_symmetric, "toep": _toeplitz}
_CORRELATIONS = {"cs": _common_correlation, "ar1": _autoregressive, "toep": _banded, "ad": _antedependent}
