"""The log-likelihood of a trajectory model by its definition, at the parameters at which two engines ended.

Needs numpy and scipy only. Run it in its folder: python reproduce.py

data.csv has a row an observation, rows of a subject together: subject its code, y the outcome, t the time, v1 ... the
covariates of each class, c1 ... those of all classes, m1 ... the risk factors for the classes (the same in all rows of
a subject), n the trials, o the logarithm of the exposure, w the weight of the subject.

A point holds the log-odds of classes 1 ... K-1 against class K, covariate by covariate, the intercept first; the
coefficients class by class, those of the powers of time first, then those of v1 ...; those of c1 ...; sigma, one or one
a class. The log-likelihood of a subject is the logarithm of the sum over classes of share times product of densities.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp

Array = np.ndarray[Any, np.dtype[np.float64]]
Columns = dict[str, Array]


def main() -> None:
    """Print the log-likelihood and the class shares at each point."""
    folder = Path(__file__).parent
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    data = read_columns(folder / "data.csv")
    for point in model["points"]:
        sys.stdout.write(f"{point['label']}\n")
        for name, value in estimates(np.array(point["parameters"], dtype=float), model, data).items():
            sys.stdout.write(f"  {name} {value!r}\n")


def read_columns(path: Path) -> Columns:
    """Return the columns by name; Python reads 17 digits as the very double that they were."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    return {name: np.array([float(row[k]) for row in rows]) for k, name in enumerate(names)}


def beside(names: list[str], data: Columns, n: int) -> Array:
    """Return these columns side by side, (n, 0) if there are none."""
    return np.column_stack([np.empty((n, 0)), *(data[name] for name in names)])


def estimates(point: Array, model: dict[str, Any], data: Columns) -> dict[str, float]:
    """Return the log-likelihood and the shares of the classes at a point."""
    orders = model["orders"]
    K = len(orders)
    subject, first = np.unique(data["subject"], return_index=True)
    at_risk = np.column_stack([np.ones(len(subject)), beside(model["membership"], data, len(data["y"]))[first]])
    left = list(point)

    def take(size: int) -> Array:
        taken = np.array(left[:size])
        del left[:size]
        return taken

    odds = take((K - 1) * at_risk.shape[1]).reshape(at_risk.shape[1], K - 1)
    log_odds = np.column_stack([at_risk @ odds, np.zeros(len(subject))])
    log_shares = log_odds - logsumexp(log_odds, axis=1, keepdims=True)
    t = data["t"]
    own = beside(model["covariates"], data, len(t))
    linear = []
    for order in orders:
        columns = np.column_stack([np.vander(t, order + 1, increasing=True), own])
        linear.append(columns @ take(columns.shape[1]))
    common = beside(model["common"], data, len(t))
    predictors = np.column_stack(linear) + (common @ take(common.shape[1]))[:, None]
    densities = log_densities(predictors, np.array(left), model["family"], data)
    rows = np.searchsorted(subject, data["subject"])
    joint = log_shares.copy()
    np.add.at(joint, rows, densities)
    weights = data["w"][first]
    shares = weights @ np.exp(log_shares) / weights.sum()
    found = {"log_likelihood": weights @ logsumexp(joint, axis=1)}
    return {
        name: float(value) for name, value in {**found, **{f"share.{g + 1}": s for g, s in enumerate(shares)}}.items()
    }


def log_densities(predictors: Array, sigma: Array, family: str, data: Columns) -> Array:
    """Return the log density of each row in each class, with all constants."""
    y = data["y"][:, None]
    if family == "gaussian":
        return np.asarray(-np.log(2 * np.pi) / 2 - np.log(sigma) - ((y - predictors) / sigma) ** 2 / 2)
    if family == "poisson":
        predictors = predictors + data["o"][:, None]
        return np.asarray(y * predictors - np.exp(predictors) - gammaln(y + 1))
    n = data["n"][:, None]
    chosen = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
    return np.asarray(chosen + y * predictors - n * np.logaddexp(0, predictors))


if __name__ == "__main__":
    main()
