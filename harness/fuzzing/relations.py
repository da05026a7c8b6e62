"""Cases told in another way, and what their estimates must be then: what is known without any other engine."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.counterexamples.specimen import Specimen
from harness.fuzzing.change import Change
from harness.quantities import Reading

SCALE = 8.0
"""By which outcomes and times are multiplied: a power of two, so that nothing is rounded."""

_FAR = 1e3
"""Outcomes farther from zero, in standard deviations, are not shifted: the sum would round their digits away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Another telling of a specimen, or None where it has none; and the change back, given how the first ended."""

    name: str
    told: Callable[[Specimen], tuple[Specimen, Callable[[Reading], Change]] | None]


_SHARED = ("log_likelihood", "fixed", "random", "sigma", "common")


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


def _outcome_shifted(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Add a constant to the outcome: intercepts follow, and nothing else."""
    known = np.array([value for value in specimen.numbers["y"] if not math.isnan(value)])
    largest = float(np.abs(known).max(initial=0.0))
    has_intercept = "0 +" not in specimen.model.get("formula", "")
    if not has_intercept or specimen.model.get("family", "gaussian") != "gaussian":
        return None
    if not 0 < largest <= _FAR * float(np.std(known)):
        return None
    shift = 2.0 ** math.floor(math.log2(largest))
    numbers = {**specimen.numbers, "y": tuple(value + shift for value in specimen.numbers["y"])}
    return replace(specimen, numbers=numbers), lambda _: Change(shift=shift)


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
    # Sampling weights have a sandwich for a covariance.
    compared = () if specimen.model["kind"] == "lmm" else ("log_likelihood", "entropy")
    return _weighted(specimen, (1.0,) * specimen.n_rows), lambda _: Change(only=compared)


def _twice(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Let every subject come twice: the likelihood is squared, the estimates stay."""
    again = _copied(specimen)
    of_class = ("share", "beta", "sigma", "membership")
    classes = range(1, len(specimen.model.get("orders", ())) + 1)
    compared = (*_SHARED, *(f"class[{g}].{what}" for g in classes for what in of_class))
    return None if again is None else (again, lambda _: Change(copies=2, only=compared))


def _weights_two(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Give every subject of a trajectory model the weight two: weights are relative, so that nothing changes."""
    if specimen.model["kind"] != "gbtm" or "weights" in specimen.model:
        return None
    told = _weighted(specimen, (2.0,) * specimen.n_rows)
    return told, lambda reading: Change(sandwich=True, only=_estimates(reading))


def _split(specimen: Specimen) -> tuple[Specimen, Callable[[Reading], Change]] | None:
    """Split every subject of a trajectory model in two, of weights 1/2 and 3/2: together they are it twice."""
    again = _copied(specimen)
    if again is None or specimen.model["kind"] != "gbtm" or "weights" in specimen.model:
        return None
    n = specimen.n_rows
    told = _weighted(again, (0.5,) * n + (1.5,) * n)
    return told, lambda reading: Change(copies=2, sandwich=True, only=_estimates(reading))


def _copied(specimen: Specimen) -> Specimen | None:
    """Return the specimen with every subject twice; None where that is another model than the square."""
    likelihood = specimen.model["kind"] == "gbtm" or specimen.model["criterion"] == "ML"
    if not likelihood or "site" in specimen.labels or "poly" in specimen.model.get("formula", ""):
        return None
    again = replace(specimen, levels={}).rows([*range(specimen.n_rows)] * 2)
    n = specimen.n_rows
    ids = (*again.labels["id"][:n], *(f"{label}, again" for label in again.labels["id"][n:]))
    levels = {column: found for column, found in _levels(specimen).items() if column != "id"}
    return replace(again, labels={**again.labels, "id": ids}, levels=levels)


def _weighted(specimen: Specimen, weights: tuple[float, ...]) -> Specimen:
    return replace(specimen, numbers={**specimen.numbers, "w": weights}, model={**specimen.model, "weights": "w"})


def _estimates(reading: Reading) -> tuple[str, ...]:
    """Return the paths of what stays where subjects are weighted: standard errors are those of a sandwich then."""
    return ("log_likelihood", *(q.path for q in reading.quantities if q.path.endswith(".estimate")))


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
    Relation(name="outcome_shifted", told=_outcome_shifted),
    Relation(name="time_scaled", told=_time_scaled),
    Relation(name="weights_scaled", told=_weights_scaled),
    Relation(name="unit_weights", told=_unit_weights),
    Relation(name="every_subject_twice", told=_twice),
    Relation(name="every_weight_two", told=_weights_two),
    Relation(name="every_subject_split", told=_split),
)
