"""Tables of what lies beside a rate: categories of change, response by remission, and who has no answer."""

from collections.abc import Sequence

from harness.scoring import category, cross_tabulate, end_score, why_undefined
from harness.study.data import StudyData
from harness.study.endings import Outcome, Rates
from harness.study.plan import ScalePlan, StudyPlan
from harness.study.rate_tables import WITHHELD
from harness.study.section import Cell, Table
from harness.study.shown import count_cell, scale_title
from harness.suppression import suppress, suppress_counts

CATEGORIES = {"response": "response", "partial": "partial response", "minimal": "minimal change", "worse": "worse"}


def categories_table(data: StudyData, plan: StudyPlan, primary: Sequence[Rates]) -> Table:
    """Return the one category of each patient with an answer at the end of treatment, by protocol."""
    rows: list[tuple[Cell, ...]] = []
    for scale in plan.scales:
        rates = next(one for one in primary if (one.scale, one.outcome) == (scale.name, "response"))
        columns = []
        for protocol, own in _categories(data, plan, scale).items():
            safe = suppress_counts([own.count(name) for name in CATEGORIES], plan.small_cell_limit)
            # The sum and the responses stand in the table of rates: neither can be what hides another count.
            known = rates.may_be_shown(protocol, plan.small_cell_limit)
            hides = safe.total is None or (known and safe.counts[0] is None)
            columns.append([WITHHELD] * len(CATEGORIES) if hides else safe.texts())
        rows += [
            (scale_title(scale.name), label, *cells)
            for label, *cells in zip(CATEGORIES.values(), *columns, strict=True)
        ]
    return Table(
        name="categories",
        caption="What became of patients by the end of treatment: observed scores",
        header=("scale", "category", *plan.protocols),
        rows=tuple(rows),
    )


def _categories(data: StudyData, plan: StudyPlan, scale: ScalePlan) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {protocol: [] for protocol in plan.protocols}
    for subject, course in data.courses[scale.name].items():
        protocol = data.protocol_of[subject]
        later = end_score(course, plan.end_of_treatment[protocol])
        found[protocol].append(category(course.baseline, later, plan.improvement))
    return found


def both_table(data: StudyData, plan: StudyPlan, primary: Sequence[Rates]) -> Table:
    """Return how response and remission go together, neither of which follows from the other."""
    rows: list[tuple[Cell, ...]] = []
    for scale in plan.scales:
        of: dict[Outcome, Rates] = {one.outcome: one for one in primary if one.scale == scale.name}
        for protocol in plan.protocols:
            truths = [
                (of["response"].truths[subject], of["remission"].truths[subject])
                for subject in of["response"].truths
                if subject in of["remission"].truths and data.protocol_of[subject] == protocol
            ]
            pairs = cross_tabulate([first for first, _ in truths], [second for _, second in truths])
            safe = suppress(
                [[pairs[True, True], pairs[True, False]], [pairs[False, True], pairs[False, False]]],
                plan.small_cell_limit,
            )
            whole = None not in (*safe.rows, *safe.columns, safe.total)
            texts = [text for row in safe.texts() for text in row] if whole else [WITHHELD] * 4
            rows.append((scale_title(scale.name), protocol, *texts))
    return Table(
        name="response_and_remission",
        caption="Response by remission",
        header=("scale", "protocol", "both", "response alone", "remission alone", "neither"),
        rows=tuple(rows),
    )


def undefined_table(data: StudyData, plan: StudyPlan) -> Table:
    """Return why patients have no answer about response, by protocol."""
    rows: list[tuple[Cell, ...]] = []
    for scale in plan.scales:
        reasons: dict[str, dict[str, int]] = {}
        for subject, course in data.courses[scale.name].items():
            protocol = data.protocol_of[subject]
            later = end_score(course, plan.end_of_treatment[protocol])
            why = why_undefined(course.baseline, later, plan.improvement)
            if why is not None:
                own = reasons.setdefault(why, dict.fromkeys(plan.protocols, 0))
                own[protocol] += 1
        sizes = [list(data.protocol_of.values()).count(protocol) for protocol in plan.protocols]
        for reason, counts in reasons.items():
            cells = [count_cell(n, of, plan.small_cell_limit) for n, of in zip(counts.values(), sizes, strict=True)]
            rows.append((scale_title(scale.name), reason, *cells))
    return Table(
        name="undefined",
        caption="Patients without an answer about response at the end of treatment, by the first reason that applies",
        header=("scale", "reason", *plan.protocols),
        rows=tuple(rows),
    )
