"""What a mixed model's estimates must be by its definition, from dense matrices and nothing of our engine.

The columns of X and Z are built from the names that the estimates bear. With V = Z G Z' + sigma^2 diag(1/w):
log-likelihood -1/2 (n log 2 pi + log|V| + r'V^-1 r), under REML with n - p and log|X'V^-1 X| besides; fixed effects by
generalised least squares; and no covariance nearby that is more likely.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from harness.arrays import Matrix, Vector
from harness.counterexamples.specimen import Specimen
from harness.quantities import Reading

_EPS = float(np.finfo(np.float64).eps)
_HIGHER = 1e-6
"""Of a log-likelihood: what half of D^2 is at D = 1e-3 standard errors, ten times the limit to lme4's optimum."""
_MOVES = (0.3, 0.03, 3e-3)
_SLACK = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Dense:
    """The complete rows of a specimen as matrices, and the estimates."""

    y: Vector
    X: Matrix
    noise: Vector
    blocks: tuple[tuple[Matrix, Matrix], ...]  # (Z, G) of each level of each grouping factor, as (n, q) and (q, q)
    sigma: float
    restricted: bool
    values: Mapping[str, float]
    names: tuple[str, ...]


def lmm_contradictions(specimen: Specimen, reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield what contradicts the definition of the model, as a word for the finding and a sentence."""
    dense = _dense(specimen, reading)
    V = _marginal(dense, 1.0, dense.blocks)
    value, beta, errors = _likelihood(V, dense)
    loss = _lost(V, dense)
    told = dense.values["log_likelihood"]
    room = _SLACK * max(1.0, abs(value)) + loss
    if not abs(told - value) <= room:
        yield (
            "log_likelihood",
            f"the log-likelihood is {told!r}, by dense matrices {value!r}, room for rounding {room:.1e}",
        )
    for name, mine, error in zip(dense.names, beta.tolist(), errors.tolist(), strict=True):
        if name.startswith("poly("):
            continue  # its sign and scale are conventions
        found, own = dense.values[f"fixed[{name}].estimate"], dense.values[f"fixed[{name}].standard_error"]
        far, wide = abs(found - mine) / error, abs(own / error - 1)
        if not max(far, wide) <= 1e-6 + loss:
            yield (
                "fixed_effects",
                f"fixed[{name}] is {found!r} ({own!r}), by generalised least squares {mine!r} ({error!r})",
            )
    yield from _higher(dense, value, loss)


def _higher(dense: _Dense, value: float, loss: float) -> Iterator[tuple[str, str]]:
    """Yield the first covariance nearby whose log-likelihood is higher than that of the estimates."""
    for label, scale, blocks in _neighbours(dense):
        V = _marginal(dense, scale, blocks)
        try:
            there = _likelihood(V, dense)[0]
        except np.linalg.LinAlgError:
            continue
        if there > value + _HIGHER + 2 * loss + _SLACK * abs(value):
            yield "not_the_maximum", f"with {label} the log-likelihood is {there - value:.3g} higher"
            return


def _neighbours(dense: _Dense) -> Iterator[tuple[str, float, tuple[tuple[Matrix, Matrix], ...]]]:
    """Yield covariances beside the estimated one: sigma moved, and each row of each G's factor."""
    for move in _MOVES:
        for sign in (1, -1):
            by = 1 + sign * move
            yield f"sigma times {by:g}", by, dense.blocks
            yield f"the random effects times {by:g}", 1.0, tuple((Z, by**2 * G) for Z, G in dense.blocks)
            covariances = {id(G): G for _, G in dense.blocks}
            for key, G in covariances.items():
                for k in range(len(G)):
                    spread = np.eye(len(G))
                    spread[k, k] = by
                    moved = spread @ G @ spread
                    yield (
                        f"random effect {k + 1} times {by:g}",
                        1.0,
                        tuple((Z, moved if id(own) == key else own) for Z, own in dense.blocks),
                    )


def _lost(V: Matrix, dense: _Dense) -> float:
    """Return to what rounding leaves a log-likelihood: the double's digits, by the conditions of V and of X."""
    spread = np.sqrt(np.diag(V))
    X = dense.X / spread[:, None]
    conditions = np.linalg.cond(V / np.outer(spread, spread)) + np.linalg.cond(X / np.linalg.norm(X, axis=0)) ** 2
    offset = float(np.linalg.norm(dense.y / spread)) / len(V) ** 0.5
    return float(10 * _EPS * len(V) * (conditions + 1.0) * max(offset, 1.0))


def _likelihood(V: Matrix, dense: _Dense) -> tuple[float, Vector, Vector]:
    """Return the log-likelihood, beta and its standard errors."""
    n, p = dense.X.shape
    spread = np.sqrt(np.diag(V))
    factor = cho_factor(V / np.outer(spread, spread), lower=True)
    X, y = dense.X / spread[:, None], dense.y / spread
    unit = np.linalg.norm(X, axis=0)
    information = (X / unit).T @ cho_solve(factor, X / unit)
    inverse = np.linalg.inv(information)
    beta = inverse @ ((X / unit).T @ cho_solve(factor, y))
    left = y - (X / unit) @ beta
    quadratic = float(left @ cho_solve(factor, left))
    log_det = 2 * float(np.log(np.abs(np.diag(factor[0]))).sum() + np.log(spread).sum())
    total = n * np.log(2 * np.pi) + log_det + quadratic
    if dense.restricted:
        total += np.linalg.slogdet(information)[1] + 2 * np.log(unit).sum() - p * np.log(2 * np.pi)
    return float(-total / 2), beta / unit, np.sqrt(np.abs(np.diag(inverse))) / unit


def _marginal(dense: _Dense, scale: float, blocks: tuple[tuple[Matrix, Matrix], ...]) -> Matrix:
    V = np.diag((scale * dense.sigma) ** 2 * dense.noise)
    for Z, G in blocks:
        V += Z @ G @ Z.T
    return np.asarray(V)


def _dense(specimen: Specimen, reading: Reading) -> _Dense:
    model = specimen.model
    values = {q.path: float(q.value) for q in reading.quantities if isinstance(q.value, int | float)}
    names = tuple(path[6:-10] for path in values if path.startswith("fixed[") and path.endswith("].estimate"))
    kept = _complete(specimen)
    weights = np.array(specimen.numbers[model["weights"]])[kept] if "weights" in model else np.ones(len(kept))
    return _Dense(
        y=np.array(specimen.numbers["y"])[kept],
        X=np.column_stack([_column(name, specimen, kept) for name in names]),
        noise=1 / weights,
        blocks=tuple(_blocks(specimen, kept, values)),
        sigma=values["sigma.estimate"],
        restricted=model.get("criterion", "REML") == "REML",
        values=values,
        names=names,
    )


def _complete(specimen: Specimen) -> np.ndarray:
    """Return the rows that the model uses: those with every number that it names; no label is ever missing here."""
    formula = specimen.model["formula"]
    named = {column for column in specimen.numbers if re.search(rf"\b{column}\b", formula)}
    return np.flatnonzero(np.all([np.isfinite(specimen.numbers[column]) for column in sorted(named)], axis=0))


def _blocks(specimen: Specimen, kept: np.ndarray, values: Mapping[str, float]) -> Iterator[tuple[Matrix, Matrix]]:
    entries: dict[str, dict[tuple[str, str], float]] = {}
    for path, value in values.items():
        if (found := re.fullmatch(r"random\.covariance\[(?:(.+);)?(\w+),(\w+)\]", path)) is not None:
            grouping, a, b = found.groups()
            entries.setdefault(grouping or specimen.subject, {})[a, b] = value
    for grouping, covariances in entries.items():
        names = list(dict.fromkeys(name for pair in covariances for name in pair))
        names.sort(key=[a for a, _ in covariances].index)
        G = np.array([[covariances.get((a, b), covariances.get((b, a), 0.0)) for b in names] for a in names])
        Z = np.column_stack([_column(name, specimen, kept) for name in names])
        columns = [specimen.labels[column] for column in grouping.split(":")]
        own = np.array([" / ".join(str(column[row]) for column in columns) for row in kept])
        for level in np.unique(own):
            yield Z * (own == level)[:, None], G


def _column(name: str, specimen: Specimen, kept: np.ndarray) -> Vector:
    """Return the column of a term's name: numbers, indicators of levels such as arm[six], and products of them."""
    column = np.ones(len(kept))
    if name == "intercept":
        return column
    if (found := re.fullmatch(r"poly\(t, 2\)\[(\d)\]", name)) is not None:
        return np.asarray(_orthonormal(np.array(specimen.numbers["t"]), int(found[1]))[kept], dtype=np.float64)
    for atom in name.split(":"):
        source, _, level = atom.partition("[")
        if level:
            column = column * np.array([specimen.labels[source][row] == level[:-1] for row in kept])
        else:
            column = column * np.array(specimen.numbers[source])[kept]
    return np.asarray(column, dtype=float)


def _orthonormal(time: Vector, degree: int) -> Vector:
    centred = time - time.mean()
    Q = np.linalg.qr(np.column_stack([np.ones(len(time)), centred, centred**2]))[0]
    return np.array(Q[:, degree], dtype=np.float64)
