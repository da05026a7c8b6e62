"""S1: what the data were held to, how often a rule was hit, and on which days visits really took place."""

from collections.abc import Iterator

import numpy as np

from harness.arrays import Mask, Vector
from harness.importing import Check
from harness.reports.words import counted
from harness.study.data import StudyData
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Section, Table
from harness.study.shown import count_cell, scale_title

REPAIR = "a declared reading of cells, counted"


def data_checks(data: StudyData, plan: StudyPlan) -> Section:
    """Return the rules with their hits, the timing of visits, and which columns were read."""
    rules = [check for check in data.imported.checks if check.meaning]
    hit = [check for check in rules if check.hits]
    accepted = [check.rule for check in hit if check.accepted]
    said = f"{counted(len(hit), 'rule')} out of {len(rules)} {'was' if len(hit) == 1 else 'were'} hit"
    warnings = [f"Violations of {rule} were accepted and stay in the data." for rule in accepted]
    return Section(
        key="S1",
        title="Data checks",
        paragraphs=(
            (
                f"The file was held to the rules below, and {said}. A violation that is not accepted ends the import, "
                "so none is left. The rules say how often they were hit, never where."
            ),
            (
                "Baseline is the rating before the first treatment. Days are counted from that treatment, and the "
                "file's dates and labels of patients are in no result."
            ),
        ),
        tables=(_rules(data, plan), _timing(data, plan), _columns(data)),
        warnings=(*warnings, *_off_course(data, plan)),
    )


def _rules(data: StudyData, plan: StudyPlan) -> Table:
    rows = tuple(
        (check.rule.replace("_", " "), check.meaning or REPAIR, _hits(check, plan), "yes" if check.accepted else "")
        for check in data.imported.checks
    )
    return Table(
        name="rules",
        caption="Rules of the data and how often each was hit",
        header=("rule", "meaning", "hits", "accepted"),
        rows=rows,
        notes=(_note(plan),),
    )


def _hits(check: Check, plan: StudyPlan) -> Cell:
    """Return how often a rule was hit, which may be a number of patients."""
    return f"< {plan.small_cell_limit}" if 0 < check.hits < plan.small_cell_limit else check.hits


def _timing(data: StudyData, plan: StudyPlan) -> Table:
    """Return the days of rated visits by protocol, without the ends, which are those of single patients."""
    rated = _rated(data)
    rows = []
    for protocol in plan.protocols:
        own = rated & _labelled(data, "protocol", protocol)
        n = len(np.unique(data.cohort.subjects.codes[_labelled(data, "protocol", protocol)]))
        for visit in (*plan.treatment_visits, *plan.follow_up_visits):
            days = data.cohort.numeric["day"][own & _labelled(data, "visit", visit)]
            if days.size:
                shown = count_cell(days.size, n, plan.small_cell_limit)
                rows.append((visit, protocol, shown, *_spread(days, plan.small_cell_limit)))
    return Table(
        name="timing",
        caption="Days since the first treatment on which rated visits took place",
        header=("visit", "protocol", "patients rated", "mean", "SD", "median"),
        rows=tuple(rows),
        digits=(0, 0, 0, 1, 1, 1),
        notes=(_note(plan),),
    )


def _spread(days: Vector, limit: int) -> tuple[Cell, ...]:
    """Return mean, SD and median, where enough patients have them."""
    if days.size < limit:
        return (None,) * 3
    return (float(days.mean()), float(days.std(ddof=1)), float(np.median(days)))


def _columns(data: StudyData) -> Table:
    rows = []
    for place, use in enumerate(data.imported.columns, start=1):
        rows += [
            (f"file {place}", "read", len(use.read), ", ".join(use.read)),
            (f"file {place}", "status of forms, not read", len(use.form_status), ", ".join(use.form_status)),
            (f"file {place}", "check boxes, not read", len(use.checkboxes), ", ".join(use.checkboxes)),
            (f"file {place}", "others, not read", len(use.others), ", ".join(use.others)),
        ]
    return Table(
        name="columns",
        caption="Columns of the file",
        header=("file", "use", "columns", "names"),
        rows=tuple(row for row in rows if row[2]),
    )


def _off_course(data: StudyData, plan: StudyPlan) -> Iterator[str]:
    """Yield what the courses of patients show that no rule of the import stops."""
    for scale in plan.scales:
        courses = data.courses[scale.name].values()
        without = sum(course.baseline is None for course in courses)
        if without:
            shown = count_cell(without, len(data.protocol_of), plan.small_cell_limit)
            yield f"Patients without a baseline of {scale_title(scale.name)}: {shown}; they have no response."


def _rated(data: StudyData) -> Mask:
    return np.asarray(np.any([~np.isnan(data.cohort.numeric[scale]) for scale in data.courses], axis=0))


def _labelled(data: StudyData, column: str, label: str) -> Mask:
    found = data.cohort.factors[column]
    code = found.levels.index(label) if label in found.levels else -2
    return np.asarray(found.codes == code)


def _note(plan: StudyPlan) -> str:
    limit = plan.small_cell_limit
    return f"Counts of 1 to {limit - 1} are withheld, and those of which the rest would be such a count."
