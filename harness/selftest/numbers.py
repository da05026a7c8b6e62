"""Every number of a reading under the path of its verdict, and readings in which some of them are other numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.comparison.joint import INPUT
from harness.comparison.verdict import Verdict
from harness.quantities import InputEvidence, Kind, Quantity, Reading, Value

OBJECTIVE = "objective["
_DESIGN = f"{INPUT}design["
_COUNTS = ("n_observations", "n_subjects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of the reference on which it agrees with ours.

    `path` carries the reference's own class labels, `ours` is our number of the same meaning, and `matters` the
    smallest change that could mislead a reader.
    """

    path: str
    kind: Kind
    value: Value
    ours: Value | None
    verdict: Verdict
    matters: float


def numbers_of(reading: Reading) -> dict[str, tuple[Kind, Value]]:
    """Return kind and value of each quantity, each objective value and each count and sum of the input."""
    found: dict[str, tuple[Kind, Value]] = {q.path: (q.kind, q.value) for q in reading.quantities}
    found |= {f"{OBJECTIVE}{said.label}]": (Kind.OBJECTIVE, said.log_likelihood) for said in reading.objective}
    evidence = reading.evidence
    if evidence is not None:
        found |= {f"{INPUT}{name}": (Kind.EXACT, getattr(evidence, name)) for name in _COUNTS}
        found[f"{INPUT}outcome_sum"] = (Kind.ALGEBRAIC, evidence.outcome_sum)
        found |= {f"{_DESIGN}{name}]": (Kind.ALGEBRAIC, value) for name, value in evidence.design_sums.items()}
    return found


def with_numbers(reading: Reading, values: Mapping[str, Value]) -> Reading:
    """Return the reading with other values at the paths that `numbers_of` names; a wrong one may be no number."""
    changed: Mapping[str, Any] = values
    quantities = tuple(replace(q, value=changed[q.path]) if q.path in changed else q for q in reading.quantities)
    objective = reading.objective
    if any(path.startswith(OBJECTIVE) for path in changed):
        objective = tuple(
            replace(said, log_likelihood=changed.get(f"{OBJECTIVE}{said.label}]", said.log_likelihood))
            for said in objective
        )
    evidence = reading.evidence
    if evidence is not None and any(path.startswith(INPUT) for path in changed):
        evidence = _with_sums(evidence, changed)
    return replace(reading, quantities=quantities, objective=objective, evidence=evidence)


def without(reading: Reading, *paths: str) -> Reading:
    """Return the reading without some of its quantities."""
    return replace(reading, quantities=tuple(q for q in reading.quantities if q.path not in paths))


def renamed(reading: Reading, names: Mapping[str, str]) -> Reading:
    """Return the reading with some quantities under other paths."""
    quantities = (replace(q, path=names[q.path]) if q.path in names else q for q in reading.quantities)
    return replace(reading, quantities=tuple(quantities))


def quantities_by_path(reading: Reading) -> dict[str, Quantity]:
    """Return the quantities of a reading by their paths."""
    return {quantity.path: quantity for quantity in reading.quantities}


def _with_sums(evidence: InputEvidence, changed: Mapping[str, Any]) -> InputEvidence:
    fields = {name: changed[f"{INPUT}{name}"] for name in (*_COUNTS, "outcome_sum") if f"{INPUT}{name}" in changed}
    sums = {name: changed.get(f"{_DESIGN}{name}]", value) for name, value in evidence.design_sums.items()}
    return replace(evidence, **fields, design_sums=sums)
