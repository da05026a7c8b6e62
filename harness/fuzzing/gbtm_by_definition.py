"""What a trajectory model's estimates must be by its definition, from its densities and nothing of our engine.

Given class g with share s_g, rows are independent: gaussian, Poisson with a log link, or binary with a logit link.
The log-likelihood is sum_i log sum_g s_g prod_j f(y_ij | g), the posterior follows by Bayes' rule, at a maximum the
mean posterior of a class is its share, and nothing nearby is more likely.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, log_softmax, logsumexp

from harness.arrays import Matrix, Vector
from harness.convergence import Stop
from harness.counterexamples.specimen import Specimen
from harness.quantities import Reading

_SLACK = 1e-8
_PROBABILITY = 1e-6
_HIGHER = 1e-6
_MOVES = (0.3, -0.3, 0.03, -0.03)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """The complete rows: y (n,), powers of time and covariates by name, the subject of each row, risk factors."""

    y: Vector
    columns: Mapping[str, Vector]
    owner: np.ndarray
    subjects: tuple[str, ...]
    risk: Mapping[str, Vector]


def gbtm_contradictions(specimen: Specimen, reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield what contradicts the definition of the model, as a word for the finding and a sentence."""
    values = {q.path: float(q.value) for q in reading.quantities if isinstance(q.value, int | float)}
    rows, K = _rows(specimen), len(specimen.model["orders"])
    joint = _joint(values, rows, specimen, K)
    value = float(logsumexp(joint, axis=1).sum())
    told = values["log_likelihood"]
    # Powers of time lose what raw coefficients cancel: up to eps times their largest term, in standard deviations.
    room = _SLACK * max(1.0, abs(value)) + _cancelled(values, rows, K)
    if not abs(told - value) <= room:
        yield "log_likelihood", f"the log-likelihood is {told!r}, by its densities {value!r}"
    posterior = np.exp(log_softmax(joint, axis=1))
    for g in range(1, K + 1):
        for i, subject in enumerate(rows.subjects):
            found = values[f"class[{g}].posterior[{subject}]"]
            if not abs(found - posterior[i, g - 1]) <= _PROBABILITY + room:
                yield (
                    "posterior",
                    f"class[{g}].posterior[{subject}] is {found!r}, by Bayes' rule {float(posterior[i, g - 1])!r}",
                )
                return
    if reading.convergence is None or reading.convergence.stop is not Stop.OPTIMUM:
        return
    for g in range(1, K + 1):
        share = values[f"class[{g}].share.estimate"]
        mean = float(np.mean([values[f"class[{g}].posterior[{subject}]"] for subject in rows.subjects]))
        if not abs(share - mean) <= _PROBABILITY:
            yield "share", f"class[{g}].share is {share!r}, its mean posterior {mean!r}: no stationary point"
    yield from _higher(values, rows, specimen, value, room)


def _higher(
    values: Mapping[str, float], rows: _Rows, specimen: Specimen, value: float, room: float
) -> Iterator[tuple[str, str]]:
    """Yield the first parameter that is better a little beside its estimate."""
    for path, estimate in values.items():
        error = values.get(path.removesuffix(".estimate") + ".standard_error")
        if not path.endswith(".estimate") or error is None or ".share" in path:
            continue
        for move in _MOVES:
            moved = {**values, path: estimate + move * error}
            there = float(logsumexp(_joint(moved, rows, specimen, len(specimen.model["orders"])), axis=1).sum())
            if there > value + _HIGHER + 2 * room:
                yield "not_the_maximum", f"{path} {move:+g} standard errors is {there - value:.3g} more likely"
                return


def _joint(values: Mapping[str, float], rows: _Rows, specimen: Specimen, K: int) -> Matrix:
    """Return log(share of class g for subject i) + log density of the rows of i given g, (N, K)."""
    family = specimen.model["family"]
    log_shares = _log_shares(values, rows, K)
    joint = np.empty((len(rows.subjects), K))
    common = _predictor(values, rows, "common")
    for g in range(1, K + 1):
        mean = _predictor(values, rows, f"class[{g}].beta") + common
        sigma = values.get(f"class[{g}].sigma.estimate", values.get("sigma.estimate", 1.0))
        joint[:, g - 1] = log_shares[:, g - 1] + np.bincount(
            rows.owner, _log_density(family, rows.y, mean, sigma), minlength=len(rows.subjects)
        )
    return joint


def _log_density(family: str, y: Vector, predictor: Vector, sigma: float) -> Vector:
    if family == "gaussian":
        return np.asarray(-0.5 * np.log(2 * np.pi) - np.log(sigma) - 0.5 * ((y - predictor) / sigma) ** 2)
    if family == "poisson":
        return np.asarray(y * predictor - np.exp(np.minimum(predictor, 700.0)) - gammaln(y + 1))
    return np.asarray(y * predictor - np.logaddexp(0, predictor))


def _predictor(values: Mapping[str, float], rows: _Rows, stem: str) -> Vector:
    predictor = np.zeros(len(rows.y))
    for path, value in values.items():
        if (found := re.fullmatch(rf"{re.escape(stem)}\[(.+)\]\.estimate", path)) is not None:
            predictor = predictor + value * rows.columns[found[1]]
    return predictor


def _log_shares(values: Mapping[str, float], rows: _Rows, K: int) -> Matrix:
    odds = np.zeros((len(rows.subjects), K))
    if not rows.risk:
        odds += np.log([max(values[f"class[{g}].share.estimate"], 1e-300) for g in range(1, K + 1)])
        return odds
    for g in range(1, K + 1):
        for name, column in rows.risk.items():
            odds[:, g - 1] += values.get(f"class[{g}].membership[{name}].estimate", 0.0) * column
    return np.asarray(log_softmax(odds, axis=1))


def _cancelled(values: Mapping[str, float], rows: _Rows, K: int) -> float:
    """Return to what the log-likelihood is rounded by terms of the predictors that cancel."""
    largest = 0.0
    for path, value in values.items():
        if (found := re.fullmatch(r"class\[\d+\]\.beta\[(.+)\]\.estimate", path)) is not None:
            largest = max(largest, float(np.abs(value * rows.columns[found[1]]).max()))
    sigma = min((values[path] for path in values if path.endswith("sigma.estimate")), default=1.0)
    return float(np.finfo(float).eps) * 100 * K * len(rows.y) * max(largest, float(np.abs(rows.y).max())) / sigma


def _rows(specimen: Specimen) -> _Rows:
    y = np.array(specimen.numbers["y"])
    kept = np.flatnonzero(np.isfinite(y))
    ids = [specimen.labels[specimen.subject][row] for row in kept]
    subjects = tuple(dict.fromkeys(str(label) for label in ids))
    time = np.array(specimen.numbers[str(specimen.time)])[kept]
    columns = {"intercept": np.ones(len(kept)), "t": time, **{f"t^{k}": time**k for k in (2, 3, 4, 5)}}
    if "x" in specimen.numbers:
        columns["x"] = np.array(specimen.numbers["x"])[kept]
    owner = np.array([subjects.index(str(label)) for label in ids])
    risk: dict[str, Vector] = {}
    if "membership" in specimen.model:
        first = [int(np.flatnonzero(owner == i)[0]) for i in range(len(subjects))]
        risk = {"intercept": np.ones(len(subjects)), "a": np.array(specimen.numbers["a"])[kept][first]}
    return _Rows(y=y[kept], columns=columns, owner=owner, subjects=subjects, risk=risk)
