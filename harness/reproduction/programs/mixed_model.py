"""The log-likelihood of a linear mixed model by its definition, at the parameters at which two engines ended.

Needs numpy only. Run it in its folder: python reproduce.py

data.csv has a row an observation: y the outcome, x1 ... the fixed effects, z1 ... the random effects, g1 ... the codes
of their levels, w the weights if there are any. model.json says what they are called, and gives the points: theta, the
lower triangles by columns of the relative factors L of its blocks of random effects.

With V = diag(1/w) + sum over blocks of Z L L' Z', all outcomes have covariance sigma^2 V. Fixed effects and sigma are
those that maximise the (restricted) likelihood given theta. Then -2 log-likelihood = log|V| + df (1 + log(2 pi s)) with
s = r'V^-1 r / df, r the residuals and df = n; under REML df = n - p, and log|X'V^-1 X| is added.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Columns = dict[str, Array]


def main() -> None:
    """Print the log-likelihood and the estimates at each point."""
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


def estimates(theta: Array, model: dict[str, Any], data: Columns) -> dict[str, float]:
    """Return the log-likelihood, the fixed effects with standard errors, sigma and the covariances, given theta."""
    y = data["y"]
    X = beside(model["fixed"], data, len(y))
    n, p = X.shape
    weights = data["w"] if "w" in data else np.ones(n)
    V = np.diag(1 / weights)
    at, factors = 0, []
    for block in model["blocks"]:
        q = len(block["columns"])
        L = np.zeros((q, q))
        L.T[np.triu_indices(q)] = theta[at : at + q * (q + 1) // 2]
        at += q * (q + 1) // 2
        factors.append(L)
        codes, half = data[block["levels"]], beside(block["columns"], data, n) @ L
        V += (half @ half.T) * (codes[:, None] == codes)
    root = np.linalg.cholesky(V)
    whitened = np.linalg.solve(root, np.column_stack([X, y]))
    Q, R = np.linalg.qr(whitened[:, :p])
    beta = np.linalg.solve(R, Q.T @ whitened[:, p])
    residual = whitened[:, p] - whitened[:, :p] @ beta
    log_det = 2 * np.log(np.diag(root)).sum()
    df = n
    if model["criterion"] == "REML":
        log_det += 2 * np.log(np.abs(np.diag(R))).sum()
        df -= p
    variance = residual @ residual / df
    errors = np.sqrt(variance) * np.linalg.norm(np.linalg.inv(R), axis=1)
    found = {"log_likelihood": -(log_det + df * (1 + np.log(2 * np.pi * variance))) / 2, "sigma": np.sqrt(variance)}
    found |= {f"{name}.estimate": value for name, value in zip(model["fixed"], beta, strict=True)}
    found |= {f"{name}.standard_error": value for name, value in zip(model["fixed"], errors, strict=True)}
    for block, L in zip(model["blocks"], factors, strict=True):
        G = variance * L @ L.T
        for a, row in enumerate(block["columns"]):
            found |= {f"covariance.{row}.{column}": G[a, b] for b, column in enumerate(block["columns"][: a + 1])}
    return {name: float(value) for name, value in found.items()}


if __name__ == "__main__":
    main()
