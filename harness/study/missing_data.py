"""S10, missing ratings: how they are missing, and what follows if they are not missing at random."""

from collections.abc import Iterator, Sequence

import pandas as pd

from harness.study.cross_check import CrossChecks, cross_checks
from harness.study.data import StudyData
from harness.study.missing_classes import missing_classes
from harness.study.missing_patterns import missing_patterns
from harness.study.model_rows import by_visit, model_rows, own_visits, shared_visits
from harness.study.parts import Later, Part, section_of
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Section, Table
from harness.study.shown import scale_title
from harness.study.tipping_point import tipping_point
from harness.study.trajectories import ScaleTrajectories, fit_trajectories
from harness.study.visit_contrasts import visit_model

KEY, TITLE = "S10", "Missing ratings"
ASSUMPTION = (
    "The analyses of this report rest on likelihood, which is right if ratings are missing at random: given what was "
    "rated before, whether a rating is missing does not depend on what it would have been. No data can show that; the "
    "analyses below ask how far conclusions depend on it."
)


def missing_data(data: StudyData, plan: StudyPlan) -> Section:
    """Return the section of missing ratings.

    Raises
    ------
    DurabilityNotEstimable
        The plan's models reach into a follow-up that a protocol lacks.
    SpecError
        A model that can't be fitted; with all reasons.
    """
    with cross_checks(wanted=plan.cross_check) as checks:
        parts = begin_missing_data(fit_trajectories(data, plan, checks), data, plan, checks)
        return section_of(KEY, TITLE, (later() for later in parts))


def begin_missing_data(
    models: Sequence[ScaleTrajectories], data: StudyData, plan: StudyPlan, checks: CrossChecks
) -> tuple[Later, ...]:
    """Fit what the section needs, ask R, and return what becomes it when R has answered."""
    rows, visits = model_rows(data, plan), shared_visits(data, plan)
    parts = (part for one in models for part in _of_scale(rows, one, data, plan, visits=visits, checks=checks))
    return (lambda: Part(paragraphs=(ASSUMPTION,)), *parts)


def _of_scale(
    rows: pd.DataFrame,
    models: ScaleTrajectories,
    data: StudyData,
    plan: StudyPlan,
    *,
    visits: tuple[str, ...],
    checks: CrossChecks,
) -> Iterator[Later]:
    yield missing_patterns(rows, plan, models.scale, checks)
    found = (
        _completers(rows, plan, models.scale),
        tipping_point(rows, data, plan, models.scale, visits),
        missing_classes(models, plan, visits),
    )
    yield from (_made(part) for part in found)


def _made(part: Part) -> Later:
    return lambda: part


def _completers(rows: pd.DataFrame, plan: StudyPlan, scale: str) -> Part:
    """Return changes of model A beside those of the patients who were rated at all of their visits."""
    complete: list[str] = []
    for protocol in plan.protocols:
        scores = by_visit(rows[rows["protocol"] == protocol], scale, own_visits(plan, protocol))
        complete += scores.index[scores.notna().all(axis=1)].astype(str).tolist()
    if len(complete) < plan.small_cell_limit:
        return Part(paragraphs=(f"{scale_title(scale)}: too few patients were rated at all visits.",))
    fits = [visit_model(frame, scale) for frame in (rows, rows[rows["subject"].isin(complete)])]
    changes = [fit.means("visit").contrasts("baseline", reference=plan.model_visits[0], adjust="none") for fit in fits]
    cells: list[tuple[Cell, ...]] = []
    for k, visit in enumerate(plan.model_visits[1:]):
        numbers = [float(values[k]) for one in changes for values in (one.estimate, one.lower, one.upper)]
        cells.append((visit, *numbers))
    return Part(
        tables=(
            Table(
                name=f"{scale}.completers",
                caption=f"{scale_title(scale)}: changes from {plan.model_visits[0]}, all patients and completers",
                header=("visit", "all: change", "2.5 %", "97.5 %", "completers: change", "lower", "upper"),
                rows=tuple(cells),
                digits=(0, 1, 1, 1, 1, 1, 1),
                notes=("Model A; completers were rated at every visit that their protocol plans.",),
            ),
        )
    )
