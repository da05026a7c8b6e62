"""Log-odds of class membership after the classes have been renamed: against the class of the same label as before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.arrays import Matrix
from harness.comparison.yardstick import number
from harness.quantities import OptimumCovariance, Quantity, Reading

_LOG_ODDS = re.compile(r"class\[(\d+)\]\.membership\[(.*)\]\.estimate")


def referred(renamed: Reading, permutation: Mapping[int, int]) -> Reading:
    """Return the renamed reading with its log-odds against the class that has the label of the one they were against.

    Log-odds are given for all classes but one. Renaming moves that one, and with it what all of them mean: those of
    two engines would be against different classes. Standard errors follow from the covariance, and are dropped where
    there is none. A reading without log-odds, or whose class keeps its label, is returned as it is.
    """
    places = _places(renamed.quantities)
    to_any = set(permutation.values()) - {g for g, _ in places}
    if not places or len(to_any) != 1:
        return renamed
    against = to_any.pop()
    label = next(before for before, after in permutation.items() if after == against)
    if label == against or label not in permutation.values():
        return renamed
    # Each path with the two whose difference it becomes: the class that they were against has 0 against itself.
    differences = {_path(g, name): (_path(g, name), _path(label, name)) for g, name in places if g != label}
    differences |= {_path(against, name): ("", _path(label, name)) for g, name in places if g == label}
    taken = {_path(label, name): _path(against, name) for g, name in places if g == label}
    values = {q.path: number(q.value) for q in renamed.quantities} | {"": 0.0}
    covariance = None if renamed.covariance is None else _covariance(renamed.covariance, differences, taken)
    errors = {} if covariance is None else dict(zip(covariance.paths, _roots(covariance.matrix), strict=True))
    quantities = []
    for q in renamed.quantities:
        path = taken.get(q.path, q.path)
        if path in differences:
            first, second = differences[path]
            quantities.append(
                replace(
                    q,
                    path=path,
                    value=values[first] - values[second],
                    standard_error=None if q.standard_error is None else errors.get(path),
                    latent_class=against if q.path in taken else q.latent_class,
                )
            )
        else:
            quantities.append(q)
    return replace(renamed, quantities=tuple(quantities), covariance=covariance)


def _covariance(
    covariance: OptimumCovariance, differences: Mapping[str, tuple[str, str]], taken: Mapping[str, str]
) -> OptimumCovariance:
    at = {path: k for k, path in enumerate(covariance.paths)}
    paths = tuple(taken.get(path, path) for path in covariance.paths)
    jacobian = np.zeros((len(paths), len(paths)))
    for row, path in enumerate(paths):
        first, second = differences.get(path, (path, ""))
        for source, sign in ((first, 1.0), (second, -1.0)):
            if source in at:
                jacobian[row, at[source]] += sign
    return OptimumCovariance(paths=paths, matrix=_through(jacobian, covariance.matrix))


def _through(jacobian: Matrix, matrix: Matrix) -> Matrix:
    """Return J S J', NaN only where a NaN of S is used."""
    unknown = np.isnan(matrix)
    known = jacobian @ np.where(unknown, 0.0, matrix) @ jacobian.T
    used = np.abs(jacobian) @ unknown.astype(float) @ np.abs(jacobian).T
    return np.where(used > 0, np.nan, known)


def _roots(matrix: Matrix) -> list[float | None]:
    return [float(np.sqrt(v)) if np.isfinite(v) and v >= 0 else None for v in np.diag(matrix)]


def _places(quantities: Sequence[Quantity]) -> list[tuple[int, str]]:
    """Return the class and the name of each of the log-odds."""
    matches = [_LOG_ODDS.fullmatch(q.path) for q in quantities]
    return [(int(match[1]), match[2]) for match in matches if match is not None]


def _path(g: int, name: str) -> str:
    return f"class[{g}].membership[{name}].estimate"
