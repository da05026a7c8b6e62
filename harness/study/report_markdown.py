"""The report as Markdown, with the same sections, tables and verdicts as the page; figures are told in words."""

from collections.abc import Iterable, Iterator, Sequence

from harness.reports.markdown import escape
from harness.reports.words import sentence
from harness.study.anchors import part_label
from harness.study.cell_text import cell_text, estimate_text, is_numeric
from harness.study.checklists import Checklist
from harness.study.provenance import provenance_lines
from harness.study.report import StudyReport
from harness.study.section import Estimate, Picture, Section, Table
from harness.study.section_html import MARK
from harness.study.verdicts import check_of, compared_with, headline, reasons_for_no_comparison

_LONGEST = 4000


def render(report: StudyReport) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    return "\n\n".join(block for block in _blocks(report) if block) + "\n"


def _blocks(report: StudyReport) -> Iterator[str]:
    yield f"# {_line(report.plan.title)}"
    yield f"**{_line(headline(report.estimates))}.** Compared with {_line(compared_with(report.estimates))}."
    yield _list(f"not compared, {reason}" for reason in reasons_for_no_comparison(report.estimates))
    for section in report.sections:
        yield from _section(section)
    yield "## Methods in words"
    yield from (_line(text) for text in report.methods)
    yield "## S12 Reporting checklists"
    yield from (_checklist(checklist) for checklist in report.checklists)
    yield "## Provenance"
    yield _list(f"{what}: {which}" for what, which in provenance_lines(report))


def _section(section: Section) -> Iterator[str]:
    yield f"## {_line(f'{section.key} {section.title}')}"
    yield _list(section.warnings, mark="**Note:** ")
    yield from (_line(text) for text in section.paragraphs)
    for table in section.tables:
        yield _table(section, table)
    for picture in section.pictures:
        yield _picture(section, picture)
    if section.estimates:
        yield f"**Estimates of section {_line(section.key)}**"
        yield _estimates(section.estimates)


def _table(section: Section, table: Table) -> str:
    numeric = [k > 0 and is_numeric([row[k] for row in table.rows]) for k in range(len(table.header))]
    rows = [
        [cell_text(cell, table.digits[k] if k < len(table.digits) else None) for k, cell in enumerate(row)]
        for row in table.rows
    ]
    notes = _list(table.notes)
    parts = (f"**{part_label(section, table)}.** {_line(table.caption)}", _grid(table.header, rows, numeric), notes)
    return "\n\n".join(part for part in parts if part)


def _picture(section: Section, picture: Picture) -> str:
    said = f"**{part_label(section, picture)}.** {_line(picture.caption)}"
    return f"{said} {_line(picture.description)} (Drawn in the HTML report.)"


def _estimates(estimates: Sequence[Estimate]) -> str:
    rows = []
    for estimate in estimates:
        text = estimate_text(estimate)
        check = check_of(estimate)
        engine = "" if estimate.check is None else estimate.check.engine
        numbers = (text.value, text.interval, text.standard_error, text.p, text.denominator)
        rows.append([estimate.label, estimate.path, *numbers, f"{MARK[check]} {check}", engine])
    header = ("estimate", "path", "value", "95 % interval", "SE", "p", "patients", "checked against R", "engine")
    return _grid(header, rows, [k in range(2, 7) for k in range(len(header))])


def _checklist(checklist: Checklist) -> str:
    rows = [
        [
            answer.item.number,
            answer.item.asks,
            ", ".join(link.label for link in answer.links) or answer.standing,
            answer.item.remark,
        ]
        for answer in checklist.answers
    ]
    header = ("item", "what it asks for", "where it is", "remark")
    return f"**{_line(checklist.name)}.** {_line(checklist.source)}\n\n{_grid(header, rows, [False] * 4)}"


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> str:
    rule = ["---:" if is_number else "---" for is_number in numeric]
    lines = [[_line(text) for text in header], rule, *([_line(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(lines: Iterable[str], mark: str = "") -> str:
    return "\n".join(f"- {mark}{_line(line)}" for line in lines)


def _line(text: str) -> str:
    return escape(sentence(text, _LONGEST))
