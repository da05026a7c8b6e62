"""How the estimates of a case follow from those of the same case told in another way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from harness.quantities import Kind, OptimumCovariance, Quantity, Reading

_INTERCEPT = re.compile(r"(?:fixed|class\[\d+\]\.beta)\[intercept\]\.estimate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How the quantities of a case follow from those of the case told in another way.

    `renamed` maps texts in paths to those of the first telling. A coefficient is multiplied by `effect` of its name,
    sigma by `sigma`; from fixed intercepts, and those of classes, `shift` is subtracted. To the log-likelihood `added`
    is added, and then it is divided by `copies`, with whose root standard errors grow. With `sandwich` the other
    telling's standard errors are robust ones, which are not compared. Only quantities whose path begins with one of
    `only` are compared, if it is not empty.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    effect: Callable[[str], float] = lambda _: 1.0
    sigma: float = 1.0
    shift: float = 0.0
    added: float = 0.0
    copies: int = 1
    sandwich: bool = False
    only: tuple[str, ...] = ()


def back(reading: Reading, change: Change) -> Reading:
    """Return the reading of the other telling as the first telling's must be; without evidence of its input."""
    quantities = tuple(
        _back(quantity, change)
        for quantity in reading.quantities
        if not change.only or quantity.path.startswith(change.only)
    )
    covariance = reading.covariance if not change.only else None
    if covariance is not None:
        factors = np.array([_factor(path, change) for path in covariance.paths])
        covariance = OptimumCovariance(
            paths=tuple(_renamed(path, change) for path in covariance.paths),
            matrix=covariance.matrix * np.outer(factors, factors) * change.copies,
        )
    return replace(reading, quantities=quantities, covariance=covariance, evidence=None, objective=())


def only(reading: Reading, change: Change) -> Reading:
    """Return the part of the first telling's reading that is compared."""
    if not change.only:
        return replace(reading, evidence=None, objective=())
    kept = tuple(quantity for quantity in reading.quantities if quantity.path.startswith(change.only))
    return replace(reading, quantities=kept, covariance=None, evidence=None, objective=())


def _back(quantity: Quantity, change: Change) -> Quantity:
    path, value = quantity.path, quantity.value
    if not isinstance(value, float):
        return replace(quantity, path=_renamed(path, change))
    factor, root = _factor(path, change), change.copies**0.5
    error = None if change.sandwich else quantity.standard_error
    if path == "log_likelihood":
        value = (value + change.added) / change.copies
    elif path.endswith(".standard_error"):
        value *= abs(factor) * root
    elif path.endswith(".variance"):
        value *= factor**2
    elif quantity.kind in {Kind.OPTIMUM, Kind.POSTERIOR}:
        value *= factor
        if _INTERCEPT.fullmatch(path):
            value -= change.shift
    return replace(
        quantity,
        path=_renamed(path, change),
        value=value,
        standard_error=None if error is None else error * abs(factor) * (1.0 if path.startswith("mode[") else root),
    )


def _renamed(path: str, change: Change) -> str:
    for found, first in change.renamed.items():
        path = path.replace(found, first)
    return path


def _factor(path: str, change: Change) -> float:
    """Return what a quantity of the other telling is multiplied with."""
    if "sigma" in path:
        return change.sigma
    if (pair := re.match(r"random\.covariance\[(?:[^;]+;)?(.+),(.+)\]$", path)) is not None:
        return change.effect(pair[1]) * change.effect(pair[2])
    if (named := re.match(r"(?:fixed|class\[\d+\]\.beta|common)\[(.+)\]\.", path)) is not None:
        return change.effect(named[1])
    if (mode := re.match(r"mode\[.*,([^,]+)\]\.", path)) is not None:
        return change.effect(mode[1])
    return 1.0
