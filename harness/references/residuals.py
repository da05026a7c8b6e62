"""Residual covariances of R's engines in the parameters of our structures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.arrays import Matrix, Vector, read_only
from harness.formula import ResidualTerm
from harness.lmm.estimates import ResidualCovariance
from harness.lmm.spec import LmmSpec
from harness.lmm.visits.structures import Linear, Powers, structure
from harness.references.requests import Request

Residual = tuple[tuple[ResidualCovariance, ...], Mapping[str, float]]
"""The covariance of all visits, one for each level that it differs by, and the parameters by name."""


def residual_part(given: Sequence[Any], term: ResidualTerm | None, request: Request) -> Residual:
    """Return what R says of the residuals; `given` has one entry for each level of `by`, or one.

    An entry has the visits and `cov`, their covariance, or for car1 `variance` and `correlation`; `level` where the
    covariance differs by one.
    """
    if term is None:
        return (), {}
    covariances: list[ResidualCovariance] = []
    parameters: dict[str, float] = {}
    sent = request.payload["spec"]["residual"]
    for entry in given:
        level = None if term.by is None else request.label(entry["level"][0], [sent["by"]])
        prefix = "" if level is None else f"{term.by}[{level}] "
        if term.structure == "car1":
            parameters[f"{prefix}variance"] = entry["variance"].item()
            parameters[f"{prefix}correlation"] = entry["correlation"].item()
            continue
        visits = tuple(request.label(visit, [sent["visit"]]) for visit in entry["visits"])
        covariances.append(ResidualCovariance(level=level, visits=visits, cov=read_only(entry["cov"])))
        names, values = structure_parameters(term.structure, visits, entry["cov"])
        parameters |= {f"{prefix}{name}": float(value) for name, value in zip(names, values, strict=True)}
    return tuple(covariances), parameters


def gamma_of(blocks: Sequence[Any], spec: LmmSpec, residual: Residual) -> Vector:
    """Return the point of a model with a residual structure: what is not zero of each G, by rows, then the rest."""
    elements = [
        block["cov"][np.tril_indices(len(block["cov"]))] if random.correlated else np.diag(block["cov"])
        for block, random in zip(blocks, spec.formula.random, strict=True)
    ]
    return np.concatenate([*elements, np.array(list(residual[1].values()))])


def structure_parameters(name: str, visits: tuple[str, ...], cov: Matrix) -> tuple[tuple[str, ...], Vector]:
    """Return the names of a structure's parameters, and the values that give the covariance (v, v)."""
    own = structure(name, visits)
    entries = cov.reshape(-1)
    if isinstance(own, Linear):
        return own.names, np.asarray(np.linalg.lstsq(own.basis.T, entries, rcond=None)[0])
    if not isinstance(own, Powers):
        raise TypeError(name)
    E, k = own.exponents, own.n_variances
    # On the diagonal a variance stands alone, to the first power.
    variances = np.array([entries[np.flatnonzero((E[j] == 1) & ~E[k:].any(axis=0))[0]] for j in range(k)])
    scaled = entries / np.prod(variances[:, None] ** E[:k], axis=0)
    alone = (np.flatnonzero((E[j] == 1) & (E[k:].sum(axis=0) == 1))[0] for j in range(k, len(E)))
    return own.names, np.concatenate([variances, [scaled[place] for place in alone]])
