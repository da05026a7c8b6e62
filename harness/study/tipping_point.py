"""What if those who were not rated fared worse? Imputed scores made worse step by step, until a conclusion tips."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from harness.arrays import Vector
from harness.study.data import StudyData
from harness.study.imputation import imputations
from harness.study.imputed_estimates import (
    Ends,
    Pooled,
    difference_of_changes,
    ends_at,
    joined,
    mean_change,
    response_rate,
)
from harness.study.model_rows import by_visit, own_visits
from harness.study.parts import Part
from harness.study.pictures import colour_of, marker_of, picture_of
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Estimate, Picture, Table
from harness.study.shown import denominator, p_cell, scale_title

DRAWS = 50
STEPS = 10
_MADRS_RANGE = 60.0  # one step is a point of a scale of 60
_ALPHA = 0.05
ALL = "all patients"


def tipping_point(rows: pd.DataFrame, data: StudyData, plan: StudyPlan, scale: str, visits: tuple[str, ...]) -> Part:
    """Return what imputed scores that are ever worse do to changes, to their difference and to response.

    Steps tell how many scores are missing. Where these are few, protocols are shown together or not at all.

    Parameters
    ----------
    rows
        As `model_rows` gives them.
    data, plan, scale
        The study, and which of its scales.
    visits
        Those that every protocol has; the difference is at the last of them.
    """
    own, shared = _imputed(rows, plan, scale, len(visits) - 1)
    deltas: Vector = np.arange(STEPS + 1, dtype=np.float64) * _step(data, scale)
    changes = {name: [mean_change(ends, delta) for delta in deltas.tolist()] for name, ends in own.items()}
    differences = _differences(plan, shared, deltas) if len(visits) > 1 else {}
    patients, limit = len(data.protocol_of), plan.small_cell_limit
    n = {name: denominator(len(ends.missing), patients, limit) for name, ends in own.items()}
    shown = _shown(own, plan)
    tables: list[Table] = []
    pictures: list[Picture] = []
    if shown:
        steps = {name: [mean_change(ends, delta) for delta in deltas.tolist()] for name, ends in shown.items()}
        tables.append(_table(plan, scale, shown, deltas, steps))
        pictures.append(_picture(scale, deltas, steps))
    if differences and all(map(partial(_may_be_told, plan), shared.values())):
        tables.append(_difference_table(scale, deltas, differences, visits[-1]))
    return Part(
        paragraphs=tuple(_sentences(scale, deltas, changes, differences)),
        tables=tuple(tables),
        pictures=tuple(pictures),
        estimates=tuple(_estimate(scale, name, found[0], n[name]) for name, found in changes.items()),
    )


def _estimate(scale: str, protocol: str, found: Pooled, n: int | None) -> Estimate:
    return Estimate(
        path=f"{scale}.imputed_change.{protocol}",
        label=f"{scale_title(scale)}, change to the last visit in {protocol}, by {DRAWS} imputations",
        value=found.estimate,
        standard_error=found.standard_error,
        lower=found.lower,
        upper=found.upper,
        p=found.p,
        denominator=n,
    )


def _imputed(
    rows: pd.DataFrame, plan: StudyPlan, scale: str, last_shared: int
) -> tuple[dict[str, Ends], dict[str, Ends]]:
    """Return each protocol's scores at its own last visit, and at the last shared one, both from one imputation."""
    own, shared = {}, {}
    for k, protocol in enumerate(plan.protocols):
        scores = by_visit(rows[rows["protocol"] == protocol], scale, own_visits(plan, protocol)).to_numpy()
        filled = imputations(scores, DRAWS, plan.seed + k)
        own[protocol] = ends_at(filled, scores, scores.shape[1] - 1)
        shared[protocol] = ends_at(filled, scores, last_shared)
    return own, shared


def _may_be_told(plan: StudyPlan, ends: Ends) -> bool:
    return ends.n_missing == 0 or ends.n_missing >= plan.small_cell_limit


def _shown(own: Mapping[str, Ends], plan: StudyPlan) -> dict[str, Ends]:
    """Return the groups whose steps may be shown: all protocols, or all patients together, or none."""
    if all(_may_be_told(plan, ends) for ends in own.values()):
        return dict(own)
    together = joined(list(own.values()))
    return {ALL: together} if len(own) > 1 and _may_be_told(plan, together) else {}


def _step(data: StudyData, scale: str) -> float:
    """Return one step: a point of a scale of 60, and as much of the range of another."""
    limits = {score.name: score.total_range for score in data.imported.mapping.all_scores}[scale]
    return 1.0 if limits is None else (limits[1] - limits[0]) / _MADRS_RANGE


def _differences(plan: StudyPlan, shared: Mapping[str, Ends], deltas: Vector) -> dict[str, list[tuple[Pooled, Pooled]]]:
    """Return, by protocol beyond the reference and step, differences with both made worse and with this one alone."""
    reference, *others = plan.protocols
    return {
        protocol: [
            (
                difference_of_changes(shared[reference], shared[protocol], (delta, delta)),
                difference_of_changes(shared[reference], shared[protocol], (0.0, delta)),
            )
            for delta in deltas.tolist()
        ]
        for protocol in others
    }


def _table(
    plan: StudyPlan,
    scale: str,
    drawn: Mapping[str, Ends],
    deltas: Vector,
    changes: Mapping[str, Sequence[Pooled]],
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for k, delta in enumerate(deltas.tolist()):
        cells: list[Cell] = [delta]
        for protocol, one in drawn.items():
            found = changes[protocol][k]
            cells += [
                found.estimate,
                found.lower,
                found.upper,
                100 * response_rate(one, delta, plan.improvement),
            ]
        rows.append(tuple(cells))
    header = [f"{name}: {what}" for name in drawn for what in ("change", "2.5 %", "97.5 %", "response %")]
    return Table(
        name=f"{scale}.tipping",
        caption=f"{scale_title(scale)}: mean change to the last visit of each protocol, missing scores made worse",
        header=("points worse", *header),
        rows=tuple(rows),
        digits=(2, *(1 for _ in header)),
        notes=(
            f"{DRAWS} imputations by a normal distribution of a protocol's visits, pooled by Rubin's rules.",
            "Points are added to imputed scores after the baseline; with 0 they are missing at random.",
        ),
    )


def _difference_table(
    scale: str, deltas: Vector, differences: Mapping[str, Sequence[tuple[Pooled, Pooled]]], visit: str
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for protocol, found in differences.items():
        for delta, (both, one) in zip(deltas.tolist(), found, strict=True):
            cells = [value for each in (both, one) for value in (each.estimate, each.lower, each.upper)]
            rows.append((protocol, delta, *cells[:3], p_cell(both.p), *cells[3:], p_cell(one.p)))
    return Table(
        name=f"{scale}.tipping_difference",
        caption=f"{scale_title(scale)}: difference of changes to {visit}, missing scores made worse",
        header=(
            *("protocol", "points worse", "worse in both", "2.5 %", "97.5 %", "p"),
            *("worse in this one", "lower", "upper", "p (this one)"),
        ),
        rows=tuple(rows),
        digits=(0, 2, 2, 2, 2, 3, 2, 2, 2, 3),
    )


def _sentences(
    scale: str,
    deltas: Vector,
    changes: Mapping[str, Sequence[Pooled]],
    differences: Mapping[str, Sequence[tuple[Pooled, Pooled]]],
) -> list[str]:
    title, most = scale_title(scale), float(deltas[-1])
    said = []
    for protocol, found in changes.items():
        tipped = [delta for delta, one in zip(deltas.tolist(), found, strict=True) if one.upper >= 0]
        what = f"at {tipped[0]:g} points" if tipped else f"at no step up to {most:g} points"
        said.append(f"{title}, {protocol}: the improvement to the last visit stops being significant {what}.")
    for protocol, pairs in differences.items():
        was = pairs[0][0].p < _ALPHA
        changed = [delta for delta, (_, one) in zip(deltas.tolist(), pairs, strict=True) if (one.p < _ALPHA) is not was]
        what = f"at {changed[0]:g} points" if changed else f"at no step up to {most:g} points"
        said.append(
            f"{title}: the difference of {protocol} from the reference is {'' if was else 'not '}significant if scores "
            f"are missing at random; this changes {what}, added in {protocol} alone."
        )
    return said


def _picture(scale: str, deltas: Vector, changes: Mapping[str, Sequence[Pooled]]) -> Picture:
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.add_subplot()
    told = []
    for k, (protocol, found) in enumerate(changes.items()):
        colour = colour_of(k)
        axes.plot(deltas, [one.estimate for one in found], color=colour, marker=marker_of(k), label=protocol)
        lower, upper = [one.lower for one in found], [one.upper for one in found]
        axes.fill_between(deltas, lower, upper, color=colour, alpha=0.15, linewidth=0)
        told.append(f"{protocol} from {found[0].estimate:.1f} to {found[-1].estimate:.1f}")
    axes.axhline(0, color="0.5", linewidth=0.8)
    axes.set_xlabel("points by which missing scores are worse")
    axes.set_ylabel(f"mean change of {scale_title(scale)}")
    axes.legend(frameon=False)
    return picture_of(
        figure,
        name=f"{scale}-tipping",
        caption=f"{scale_title(scale)}: mean change to the last visit when missing scores are worse, with 95 % limits.",
        description=f"Mean change over the points added: {'; '.join(told)}. Above zero is no improvement.",
    )
