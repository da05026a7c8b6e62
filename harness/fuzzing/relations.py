"""Cases told in another way, and what their estimates must be then: what is known without any other engine."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from harness.counterexamples.specimen import Specimen
from harness.quantities import Kind, OptimumCovariance, Quantity, Reading

SCALE = 8.0
"""By which outcomes and times are multiplied: a power of two, so that nothing is rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How the quantities of a case follow from those of the case told in another way.

    `renamed` maps texts in paths to those of the first telling. A coefficient is multiplied by `effect` of its name,
    sigma by `sigma`; to the log-likelihood `added` is added and then it is multiplied by `copies`, by whose root
    standard errors shrink. Only quantities whose path begins with one of `only` are compared, if it is not empty.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    effect: Callable[[str], float] = lambda _: 1.0
    sigma: float = 1.0
    added: float = 0.0
    copies: int = 1
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Another telling of a specimen, or None where it has none; and the change back, given how the first ended."""

    name: str
    told: Callable[[Specimen], tuple[Specimen, Callable[[Reading], Change]] | None]


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
    error = quantity.standard_error
    if path == "log_likelihood":
        value = (value + change.added) / change.copies
    elif path.endswith(".standard_error"):
        value *= abs(factor) * root
    elif path.endswith(".variance"):
        value *= factor**2
    elif quantity.kind in {Kind.OPTIMUM, Kind.POSTERIOR}:
        value *= factor
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


def _rows(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]]:
    """Tell the rows in another order, and the columns too."""
    order = np.random.default_rng(specimen.n_rows).permutation(specimen.n_rows).tolist()
    moved = replace(specimen, levels=_levels(specimen)).rows(order)
    turned = replace(
        moved, numbers=dict(list(moved.numbers.items())[::-1]), labels=dict(list(moved.labels.items())[::-1])
    )
    return turned, lambda _: Change()


def _levels(specimen: Specimen) -> Mapping[str, tuple[str, ...]]:
    """Return the order of all levels, so that it does not depend on the order of rows."""
    seen = {column: tuple(dict.fromkeys(filter(None, labels))) for column, labels in specimen.labels.items()}
    return {**seen, **specimen.levels}


def _names(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]]:
    """Call the subjects and the levels of other factors by other names."""
    levels = _levels(specimen)
    names = {
        column: {label: f"{column}§{k:03d}" for k, label in enumerate(found)}
        for column, found in levels.items()
        if column not in {"visit", "site"}
    }
    labels = {
        column: tuple(None if label is None else names[column][label] for label in found) if column in names else found
        for column, found in specimen.labels.items()
    }
    renamed = {new: old for column in names for old, new in names[column].items()}
    told = replace(
        specimen,
        labels=labels,
        levels={c: tuple(names[c][level] for level in found) if c in names else found for c, found in levels.items()},
    )
    return told, lambda _: Change(renamed=renamed)


def _empty_rows(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Add a visit without an outcome to each subject, later than all others; which would train poly(t, 2)."""
    if "poly" in specimen.model.get("formula", ""):
        return None
    first = {label: row for row, label in reversed(list(enumerate(specimen.labels["id"])))}
    rows = [*range(specimen.n_rows), *first.values()]
    more = replace(specimen, levels=_levels(specimen)).rows(rows)
    added, latest = len(first), max(specimen.numbers["t"])
    numbers = {
        **more.numbers,
        "y": (*specimen.numbers["y"], *(float("nan"),) * added),
        "t": (*specimen.numbers["t"], *(latest + 1.0,) * added),
    }
    return replace(more, numbers=numbers), lambda _: Change()


def _scaled(specimen: Specimen, by: float) -> tuple[Specimen, Callable[[Reading], Change]]:
    numbers = {**specimen.numbers, "y": tuple(by * value for value in specimen.numbers["y"])}

    def change(reading: Reading) -> Change:
        n = _counted(reading, "n_observations")
        df = n - (_n_fixed(reading) if specimen.model.get("criterion", "ML") == "REML" else 0)
        return Change(effect=lambda _: 1 / by, sigma=1 / abs(by), added=df * float(np.log(abs(by))))

    return replace(specimen, numbers=numbers), change


def _outcome_scaled(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Multiply the outcome: coefficients follow, the density is divided."""
    return None if specimen.model.get("family", "gaussian") != "gaussian" else _scaled(specimen, SCALE)


def _outcome_mirrored(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Change the outcome's sign: so do coefficients, and classes come in the reversed order."""
    if specimen.model.get("family", "gaussian") != "gaussian" or "membership" in specimen.model:
        return None  # log-odds are against the last class, which would be another one
    return _scaled(specimen, -1.0)


def _time_scaled(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]]:
    """Measure time in another unit: coefficients of its powers follow, and log|X'V^-1 X| under REML."""
    numbers = {**specimen.numbers, "t": tuple(SCALE * value for value in specimen.numbers["t"])}

    def change(reading: Reading) -> Change:
        fixed = [q.path[6:-10] for q in reading.quantities if re.fullmatch(r"fixed\[.+\]\.estimate", q.path)]
        powers = sum(_degree(name) for name in fixed) if specimen.model.get("criterion", "ML") == "REML" else 0
        return Change(effect=lambda name: SCALE ** _degree(name), added=powers * float(np.log(SCALE)))

    return replace(specimen, numbers=numbers), change


def _degree(name: str) -> int:
    """Return the power of time in a coefficient's name: 1 in t:arm[six], 2 in t^2, none in poly(t, 2)[1]."""
    if name.startswith("poly"):
        return 0
    return sum(int(atom[2:]) if atom.startswith("t^") else atom == "t" for atom in name.split(":"))


def _weights_scaled(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Multiply all prior weights: the residual variance follows."""
    if specimen.model["kind"] != "lmm" or "weights" not in specimen.model:
        return None
    numbers = {**specimen.numbers, "w": tuple(SCALE**2 * value for value in specimen.numbers["w"])}
    return replace(specimen, numbers=numbers), lambda _: Change(sigma=1 / SCALE)


def _unit_weights(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Give every row of a mixed model, or every subject of a trajectory model, the weight one."""
    if "weights" in specimen.model or "w" in specimen.numbers:
        return None
    numbers = {**specimen.numbers, "w": (1.0,) * specimen.n_rows}
    # Sampling weights have a sandwich for a covariance.
    compared = () if specimen.model["kind"] == "lmm" else ("log_likelihood", "entropy")
    told = replace(specimen, numbers=numbers, model={**specimen.model, "weights": "w"})
    return told, lambda _: Change(only=compared)


def _twice(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Let every subject come twice: the likelihood is squared, the estimates stay."""
    likelihood = specimen.model["kind"] == "gbtm" or specimen.model["criterion"] == "ML"
    if not likelihood or "site" in specimen.labels or "poly" in specimen.model.get("formula", ""):
        return None
    again = replace(specimen, levels={}).rows([*range(specimen.n_rows)] * 2)
    n = specimen.n_rows
    ids = (*again.labels["id"][:n], *(f"{label}, again" for label in again.labels["id"][n:]))
    levels = {column: found for column, found in _levels(specimen).items() if column != "id"}
    told = replace(again, labels={**again.labels, "id": ids}, levels=levels)
    classes = range(1, len(specimen.model.get("orders", ())) + 1)
    of_class = [f"class[{g}].{what}" for g in classes for what in ("share", "beta", "sigma", "membership")]
    compared = ("log_likelihood", "fixed", "random", "sigma", "common", *of_class)
    return told, lambda _: Change(copies=2, only=compared)


def _counted(reading: Reading, path: str) -> int:
    return next(int(q.value) for q in reading.quantities if q.path == path)


def _n_fixed(reading: Reading) -> int:
    return sum(bool(re.fullmatch(r"fixed\[.+\]\.estimate", q.path)) for q in reading.quantities)


RELATIONS = (
    Relation(name="rows_in_another_order", told=_rows),
    Relation(name="other_names", told=_names),
    Relation(name="rows_without_an_outcome", told=_empty_rows),
    Relation(name="outcome_scaled", told=_outcome_scaled),
    Relation(name="outcome_mirrored", told=_outcome_mirrored),
    Relation(name="time_scaled", told=_time_scaled),
    Relation(name="weights_scaled", told=_weights_scaled),
    Relation(name="unit_weights", told=_unit_weights),
    Relation(name="every_subject_twice", told=_twice),
)
