"""Class shares under other assumptions about missing ratings: dropout that differs by class, and completers alone."""

from typing import TYPE_CHECKING

import numpy as np

from harness.errors import SpecError
from harness.gbtm.result import GbtmResult
from harness.study.class_sensitivity import agreement
from harness.study.model_rows import OCCASION, by_visit
from harness.study.parts import Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Table
from harness.study.shown import scale_title
from harness.study.trajectories import ScaleTrajectories, sizes_of
from harness.suppression import suppress_counts
from harness.trajectories import fit_gbtm

if TYPE_CHECKING:
    import pandas as pd

STARTS = 10


def missing_classes(models: ScaleTrajectories, plan: StudyPlan, visits: tuple[str, ...]) -> Part:
    """Return class shares on the shared visits: as they are, with dropout by class, and of completers.

    Shared visits, because a visit that a protocol does not plan is no dropout.
    """
    K = models.n_classes
    if K == 1 or len(visits) <= max(models.fit.orders):
        return Part()
    rows = models.rows[models.rows["visit"].isin(visits)]
    rated = by_visit(rows, models.scale, visits).notna().all(axis=1)
    complete = rows[rows["subject"].isin(rated.index[rated])]
    cases: tuple[tuple[str, pd.DataFrame, tuple[int, ...] | None], ...] = (
        ("missing at random", rows, None),
        ("dropout by class, after the last score", rows, (1,) * K),
        ("completers only", complete, None),
    )
    cells: list[tuple[Cell, ...]] = []
    refused: list[str] = []
    first: GbtmResult | None = None
    for words, frame, dropout in cases:
        try:
            fit = fit_gbtm(
                frame,
                outcome=models.scale,
                time=OCCASION,
                subject="subject",
                orders=models.fit.orders,
                dropout=dropout,
                n_starts=STARTS,
                seed=plan.seed,
            )
        except SpecError as error:
            refused.append(f"{words}: {error}")
            continue
        first = first or fit
        cells.append((words, *_shares(fit, plan), _same(first, fit)))
    header = ("assumption", *(f"class {g} %" for g in range(1, K + 1)), "same class %")
    return Part(
        tables=(
            Table(
                name=f"{models.scale}.missing_classes",
                caption=f"{scale_title(models.scale)}: shares of {K} classes on the visits {', '.join(visits)}",
                header=header,
                rows=tuple(cells),
                digits=tuple(0 if k in {0, K + 1} else 1 for k in range(K + 2)),
                notes=("Same class %: of the patients in both, against the first row.", *refused),
            ),
        )
    )


def _shares(fit: GbtmResult, plan: StudyPlan) -> list[Cell]:
    safe = suppress_counts(sizes_of(fit.assignment, fit.design.n_classes).tolist(), plan.small_cell_limit)
    shares = zip(safe.texts(), safe.counts, fit.class_shares.tolist(), strict=True)
    return [text if count is None else 100 * share for text, count, share in shares]


def _same(one: GbtmResult, other: GbtmResult) -> float:
    """Return the share of the patients of both models whose classes match, in percent."""
    own = dict(zip(other.estimates.subject_labels, other.assignment.tolist(), strict=True))
    labels = zip(one.estimates.subject_labels, one.assignment.tolist(), strict=True)
    pairs = np.array([(g, own[subject]) for subject, g in labels if subject in own])
    return 100 * agreement(pairs[:, 0], pairs[:, 1]).same
