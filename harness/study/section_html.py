"""One section of the page: its words, tables and figures, and each estimate beside the verdict of R."""

from collections.abc import Iterator

from harness.reports.elements import Html, breakable, element, join
from harness.reports.words import sentence
from harness.study.anchors import estimate_anchor, part_anchor, part_label, section_anchor
from harness.study.cell_text import cell_text, estimate_text, is_numeric, is_short
from harness.study.picture_html import svg_html
from harness.study.section import Cell, Check, Estimate, Picture, Section, Table
from harness.study.verdicts import check_of

MARK: dict[Check, str] = {"agrees": "✓", "disagrees": "✗", "not compared": "○"}
CSS_CLASS: dict[Check, str] = {"agrees": "agree", "disagrees": "disagree", "not compared": "missing"}

_LONGEST_PARAGRAPH = 3000
_BRIEF = 12  # rows that paper keeps together
_WIDE = 10  # columns that paper has no room for at the size of other tables


def section_html(section: Section) -> Html:
    """Return a section."""
    anchor = section_anchor(section)
    return element(
        "section",
        element("h2", element("span", f"{section.key} ", class_="key"), section.title, id=f"{anchor}-title"),
        _warnings(section),
        *(element("p", sentence(text, _LONGEST_PARAGRAPH)) for text in section.paragraphs),
        *(table_html(section, table) for table in section.tables),
        *(_picture(section, picture) for picture in section.pictures),
        _estimates(section),
        id=anchor,
        aria_labelledby=f"{anchor}-title",
        class_="step",
    )


def pill(check: Check) -> Html:
    """Return a verdict as a mark and its word."""
    return element(
        "span", element("span", MARK[check], aria_hidden="true"), f" {check}", class_=f"pill {CSS_CLASS[check]}"
    )


def scrolling(table: Html, label: str) -> Html:
    """Return a table that scrolls by itself where the page is narrow, by keyboard too."""
    return element("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def table_html(section: Section, table: Table) -> Html:
    """Return a table with its caption above and its notes below."""
    columns = [[row[k] for row in table.rows] for k in range(len(table.header))]
    numeric = [k > 0 and is_numeric(column) for k, column in enumerate(columns)]
    head = element("tr", *(_heading(text, is_number) for text, is_number in zip(table.header, numeric, strict=True)))
    body = (_row(row, table.digits, numeric) for row in table.rows)
    label = part_label(section, table)
    made = element(
        "table",
        element("caption", element("b", f"{label}. "), sentence(table.caption)),
        element("thead", head),
        element("tbody", *body),
        class_="wide" if len(table.header) > _WIDE else None,
    )
    notes = (
        element("ul", *(element("li", sentence(note)) for note in table.notes), class_="notes") if table.notes else ""
    )
    return element(
        "div",
        scrolling(made, label),
        notes,
        id=part_anchor(section, table),
        class_="part brief" if len(table.rows) <= _BRIEF else "part",
    )


def _heading(text: str, is_number: bool) -> Html:  # noqa: FBT001  # a private mark
    look = "number" if is_number else None
    # A header without words would be read as a header all the same.
    return element("th", text, scope="col", class_=look) if text.strip() else element("td", class_=look)


def _row(row: tuple[Cell, ...], digits: tuple[int, ...], numeric: list[bool]) -> Html:
    texts = [cell_text(cell, digits[k] if k < len(digits) else None) for k, cell in enumerate(row)]
    first = element("th", texts[0], scope="row") if texts[0] else element("td")
    looks = [
        "number" if is_number else "short" if is_short(text) else None
        for text, is_number in zip(texts, numeric, strict=True)
    ]
    rest = zip(texts[1:], looks[1:], strict=True)
    return element("tr", first, *(element("td", text, class_=look) for text, look in rest))


def _warnings(section: Section) -> Html:
    if not section.warnings:
        return join()
    lines = (element("li", sentence(text, _LONGEST_PARAGRAPH)) for text in section.warnings)
    return element("ul", *lines, class_="cautions", aria_label=f"What limits section {section.key}")


def _picture(section: Section, picture: Picture) -> Html:
    anchor, label = part_anchor(section, picture), part_label(section, picture)
    drawn = svg_html(picture.svg, anchor, f"{label}. {picture.caption}", picture.description)
    region = element("div", drawn, class_="scroll drawn", role="region", aria_label=label, tabindex="0")
    words = element("p", sentence(picture.description, _LONGEST_PARAGRAPH), class_="quiet")
    caption = element("figcaption", element("b", f"{label}. "), sentence(picture.caption))
    return element("figure", region, caption, words, id=anchor)


def _estimates(section: Section) -> Html:
    if not section.estimates:
        return join()
    headings = (("p", "number"), ("patients", "number"), ("checked against R", None))
    head = element(
        "tr",
        element("th", "estimate", scope="col"),
        *(element("th", text, scope="col", class_="number") for text in ("value", "95 % interval", "SE")),
        *(element("th", text, scope="col", class_=look) for text, look in headings),
    )
    label = f"Estimates of section {section.key}"
    table = element(
        "table",
        element("caption", label),
        element("thead", head),
        element("tbody", *(_estimate(estimate) for estimate in section.estimates)),
        class_="estimates",
    )
    return element("div", scrolling(table, label), class_="part")


def _estimate(estimate: Estimate) -> Html:
    text = estimate_text(estimate)
    numbers = (text.value, text.interval, text.standard_error, text.p, text.denominator)
    return element(
        "tr",
        element(
            "th",
            sentence(estimate.label),
            element("small", breakable(estimate.path)),
            scope="row",
            id=estimate_anchor(estimate),
        ),
        *(element("td", number, class_="number") for number in numbers),
        element("td", *_check(estimate)),
    )


def _check(estimate: Estimate) -> Iterator[Html]:
    yield pill(check_of(estimate))
    if estimate.check is None:
        yield element("small", "no engine of R was asked for this number")
        return
    yield element("span", f" {sentence(estimate.check.engine, 80)}", class_="quiet")
    if estimate.check.detail:
        yield element("small", sentence(estimate.check.detail, 240))
