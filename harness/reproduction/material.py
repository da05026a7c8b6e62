"""What a reproduction is made of: the rows that were used as columns with letters, and what the letters stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.arrays import Codes, Matrix, Vector
from harness.gbtm.design import ClassKind, GbtmDesign
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates

LARGEST_DENSE = 4_000
"""So many rows fill a covariance matrix of 128 MB; beyond, a definition by one dense matrix is none that people run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One model without names: `columns` of data.csv, and `model`, which model.json holds.

    `lines` has, by path of a quantity, what the scripts call it.
    """

    kind: str
    columns: Mapping[str, Vector | Codes]
    model: Mapping[str, Any]
    lines: Mapping[str, str] = field(default_factory=dict)


def mixed_model(design: LmmDesign, estimates: LmmEstimates) -> Material | str:
    """Return the material of a mixed model, or why there is none, in a sentence."""
    if design.residual is not None:
        return "There are no scripts for residual structures."
    if design.n_observations > LARGEST_DENSE:
        return f"There are no scripts for more than {LARGEST_DENSE} rows: they would hold a dense covariance of all."
    fixed = _lettered("x", design.fixed_names)
    columns: dict[str, Vector | Codes] = {"y": design.y, **_columns(fixed, design.X)}
    random: dict[str, tuple[str, str]] = {}
    blocks: list[dict[str, Any]] = []
    groupings = {name: f"g{k}" for k, name in enumerate(dict.fromkeys(one.grouping for one in design.random), start=1)}
    at = 0
    for one in design.random:
        columns[groupings[one.grouping]] = one.codes
        for size in one.blocks:
            letters = [f"z{at + k + 1}" for k in range(size)]
            columns |= {letter: design.Z[:, at + k] for k, letter in enumerate(letters)}
            blocks.append({"levels": groupings[one.grouping], "columns": letters})
            at += size
        random |= {f"z{at - len(one.names) + k + 1}": (one.grouping, name) for k, name in enumerate(one.names)}
    if design.weights is not None:
        columns["w"] = design.weights
    return Material(
        kind="mixed model",
        columns=columns,
        model={
            "kind": "mixed model",
            "criterion": design.criterion,
            "fixed": list(fixed),
            "blocks": blocks,
            "names": {
                **fixed,
                **{letter: name for letter, (_, name) in random.items()},
                **{letter: name for name, letter in groupings.items()},
            },
        },
        lines=_mixed_lines(fixed, random, several=len(estimates.random) > 1),
    )


def trajectories(design: GbtmDesign, kinds: tuple[ClassKind, ...]) -> Material | str:
    """Return the material of a trajectory model, or why there is none, in a sentence."""
    spec = design.spec
    further = {
        "families but gaussian, logit and Poisson": spec.family not in {"gaussian", "logit", "poisson"},
        "random effects in classes": spec.random is not None,
        "correlated errors": spec.errors != "independent",
        "dropout": spec.dropout is not None,
        "splines": bool(spec.knots),
        "a sigma for each visit": spec.sigma == "visit",
        "several outcomes": len(design.outcomes) > 1,
    }
    if without := [name for name, has in further.items() if has]:
        return f"There are no scripts for trajectory models with {', '.join(without)}."
    rows, subjects = design.outcomes[0].rows, design.subjects
    own = _lettered("v", rows.covariates.names)
    common = _lettered("c", rows.common.names)
    risk = _lettered("m", subjects.membership.names)
    of_row = rows.panel.subject
    columns: dict[str, Vector | Codes] = {"subject": of_row + 1, "y": rows.y, "t": rows.time}
    columns |= _columns(own, rows.covariates.values) | _columns(common, rows.common.values)
    columns |= _columns(risk, subjects.membership.values[of_row])
    columns |= {
        "n": np.ones(len(rows.y)) if rows.trials is None else rows.trials,
        "o": rows.offset,
        "w": subjects.weights[of_row],
    }
    lines = {"log_likelihood": "log_likelihood"}
    lines |= {f"class[{g}].share.estimate": f"share.{g}" for g in range(1, design.n_classes + 1)}
    return Material(
        kind="trajectories",
        columns=columns,
        model={
            "kind": "trajectories",
            "family": spec.family,
            "sigma": spec.sigma,
            "orders": [kind[0] for kind in kinds],
            "covariates": list(own),
            "common": list(common),
            "membership": list(risk),
            "names": {"subject": spec.subject, "y": spec.outcome, "t": str(spec.time), **own, **common, **risk},
        },
        lines=lines,
    )


def data_csv(columns: Mapping[str, Vector | Codes]) -> str:
    """Return the columns as CSV: codes as integers, all else with the 17 digits that give back the very double."""
    cells = [
        [str(value) for value in values.tolist()]
        if np.issubdtype(values.dtype, np.integer)
        else [f"{value:.17g}" for value in values.tolist()]
        for values in columns.values()
    ]
    return "\n".join([",".join(columns), *map(",".join, zip(*cells, strict=True))]) + "\n"


def _lettered(letter: str, names: Sequence[str]) -> dict[str, str]:
    return {f"{letter}{k}": name for k, name in enumerate(names, start=1)}


def _columns(letters: Mapping[str, str], values: Matrix) -> dict[str, Vector | Codes]:
    return {letter: values[:, k] for k, letter in enumerate(letters)}


def _mixed_lines(fixed: Mapping[str, str], random: Mapping[str, tuple[str, str]], *, several: bool) -> dict[str, str]:
    lines = {"log_likelihood": "log_likelihood", "sigma.estimate": "sigma"}
    for letter, name in fixed.items():
        lines[f"fixed[{name}].estimate"] = f"{letter}.estimate"
        lines[f"fixed[{name}].standard_error"] = f"{letter}.standard_error"
    letters = list(random)
    for k, a in enumerate(letters):
        for b in letters[: k + 1]:
            (grouping, name), (other_grouping, other) = random[a], random[b]
            if grouping == other_grouping:
                prefix = f"{grouping};" if several else ""
                lines[f"random.covariance[{prefix}{name},{other}]"] = f"covariance.{a}.{b}"
    return lines
