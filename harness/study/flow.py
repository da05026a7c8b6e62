"""S2: from charts to patients to ratings, by protocol and visit."""

from collections.abc import Mapping

from harness.study.data import StudyData
from harness.study.firewall import observed_at, subjects_of
from harness.study.flow_figure import Box, flow_svg
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Picture, Section, Table
from harness.study.shown import count_cell, scale_title
from harness.suppression import suppress_counts


def flow(data: StudyData, plan: StudyPlan) -> Section:
    """Return how many patients there were at each step and with a score at each visit."""
    sizes = _sizes(data, plan)
    total = sizes[""]
    named = ", ".join(f"{size} in {protocol!r}" for protocol, size in sizes.items() if protocol)
    charts = [f"{step}: {count}" for step, count in plan.charts.items()]
    before = (
        f"Charts before the file was made: {'; '.join(charts)}."
        if charts
        else "How many charts were screened, and how many were eligible, is not in the file and was not declared."
    )
    return Section(
        key="S2",
        title="Flow of patients",
        paragraphs=(before, f"Patients with any score: {total} in all; {named}."),
        tables=(_ratings(data, plan),),
        pictures=(_picture(data, plan, sizes),),
    )


def _sizes(data: StudyData, plan: StudyPlan) -> dict[str, Cell]:
    """Return the number of patients of each protocol, and of all under an empty name, as they may be shown."""
    safe = suppress_counts([len(subjects_of(data, protocol)) for protocol in plan.protocols], plan.small_cell_limit)
    total: Cell = "withheld" if safe.total is None else safe.total
    shown = [text if count is None else count for count, text in zip(safe.counts, safe.texts(), strict=True)]
    return {"": total, **dict(zip(plan.protocols, shown, strict=True))}


def _ratings(data: StudyData, plan: StudyPlan) -> Table:
    columns = [(protocol, scale.name) for protocol in plan.protocols for scale in plan.scales]
    rows: list[tuple[Cell, ...]] = [
        (visit, *(_rated(data, plan, visit, protocol, scale) for protocol, scale in columns))
        for visit in (*plan.treatment_visits, *plan.follow_up_visits)
    ]
    return Table(
        name="ratings",
        caption="Patients with a score at each visit",
        header=("visit", *(f"patients in {protocol!r}, {scale_title(scale)}" for protocol, scale in columns)),
        rows=tuple(rows),
        notes=(
            "A blank: the protocol plans no such visit.",
            (
                f"Counts of 1 to {plan.small_cell_limit - 1}, and those of which the rest of the protocol would be "
                "such a count, are given as limits."
            ),
        ),
    )


def _rated(data: StudyData, plan: StudyPlan, visit: str, protocol: str, scale: str) -> Cell:
    found = observed_at(data, visit, protocol, scale)
    if visit in plan.treatment_visits[plan.protocols[protocol] :] and not found.patients:
        return None
    return count_cell(found.patients, found.of, plan.small_cell_limit)


def _picture(data: StudyData, plan: StudyPlan, sizes: Mapping[str, Cell]) -> Picture:
    above = [Box(lines=(f"Charts {step}", f"{count}")) for step, count in plan.charts.items()]
    above.append(Box(lines=("Patients with any score", f"{sizes['']}")))
    columns = []
    for protocol, planned in plan.protocols.items():
        last = plan.treatment_visits[planned - 1]
        boxes = [Box(lines=(f"Protocol {protocol!r}", f"{sizes[protocol]}"))]
        boxes += [
            Box(lines=(f"Rated at {visit}", *(_line(data, plan, visit, protocol, scale.name) for scale in plan.scales)))
            for visit in dict.fromkeys([last, *plan.follow_up_visits])
        ]
        columns.append(tuple(boxes))
    described = [" to ".join(f"{box.lines[0]}: {', '.join(box.lines[1:])}" for box in column) for column in columns]
    return Picture(
        name="flow",
        caption="Flow of patients: all, by protocol, at the last visit before a treatment, and afterwards",
        description="; ".join([*(f"{box.lines[0]}: {box.lines[1]}" for box in above), *described]),
        svg=flow_svg(above, columns),
    )


def _line(data: StudyData, plan: StudyPlan, visit: str, protocol: str, scale: str) -> str:
    return f"{scale_title(scale)} {_rated(data, plan, visit, protocol, scale)}"
