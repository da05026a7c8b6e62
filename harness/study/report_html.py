"""The report as one self-contained HTML page: no network, no script, readable on a phone, on paper and by ear."""

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources

from harness.reports.elements import Html, element, join, trusted
from harness.reports.words import sentence
from harness.study.anchors import section_anchor, slug
from harness.study.checklists import Answer, Checklist
from harness.study.provenance import provenance_lines
from harness.study.report import StudyReport
from harness.study.section import Check
from harness.study.section_html import CSS_CLASS, scrolling, section_html
from harness.study.verdicts import CHECKS, check_counts, compared_with, headline, reasons_for_no_comparison

_STYLES = (("harness.reports", "page.css"), ("harness.study", "study.css"))
_REASONS = 12
_PRIVACY = (
    "This report holds no table of patients, no date and no label of a patient. Counts of patients from 1 to {} are"
    " withheld, and as many others as are needed so that these can't be worked out. How many had no score can be told"
    " from the denominators of rates."
)
_COURSES = (
    " Figures of courses draw the ratings of single patients, without labels, in classes of at least {} patients."
)


def render(report: StudyReport) -> str:
    """Return the page."""
    return f"<!doctype html>\n{element('html', _head(report), _body(report), lang='en')}\n"


def _head(report: StudyReport) -> Html:
    style = "\n".join(resources.files(package).joinpath(file).read_text("utf-8") for package, file in _STYLES)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # Nothing but the style of this package has any effect, whatever else might ever slip into the page.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", sentence(report.plan.title)),
        element("style", trusted(style)),
    )


def _body(report: StudyReport) -> Html:
    main = element(
        "main",
        *(section_html(section) for section in report.sections),
        _methods(report),
        _checklists(report),
        id="main",
        tabindex="-1",
    )
    skip = element("a", "Skip to the results", href="#main", class_="skip")
    return element("body", skip, _banner(report), _contents(report), main, _footer(report))


def _banner(report: StudyReport) -> Html:
    counts = check_counts(report.estimates)
    reasons = reasons_for_no_comparison(report.estimates)
    shown = [element("li", element("strong", "Not compared. "), sentence(reason)) for reason in reasons[:_REASONS]]
    rest = len(reasons) - len(shown)
    figures = (
        element("div", element("dt", check), element("dd", str(counts[check])), class_=CSS_CLASS[check])
        for check in CHECKS
    )
    return element(
        "header",
        element("p", f"Study {report.plan.name}", class_="eyebrow"),
        element("h1", sentence(report.plan.title)),
        element("p", f"{headline(report.estimates)}.", class_="verdict"),
        element("p", f"Compared with {compared_with(report.estimates)}.", class_="quiet"),
        element("dl", *figures, class_="figures"),
        element("ul", *shown, class_="cautions", aria_label="Why estimates were not compared") if shown else "",
        element("p", f"and {rest} more reasons, each beside its estimate", class_="quiet") if rest > 0 else "",
        element("p", _privacy(report), class_="quiet"),
        class_=f"banner {_edge(counts)}",
    )


def _privacy(report: StudyReport) -> str:
    limit = report.plan.small_cell_limit
    draws_courses = any(
        picture.name.endswith("-courses") for section in report.sections for picture in section.pictures
    )
    return _PRIVACY.format(limit - 1) + (_COURSES.format(limit) if draws_courses else "")


def _edge(counts: Mapping[Check, int]) -> str:
    """Return the look of the banner; it is that of agreement only where everything was compared."""
    if counts["disagrees"]:
        return CSS_CLASS["disagrees"]
    if not counts["agrees"]:
        return CSS_CLASS["not compared"]
    return "known" if counts["not compared"] else CSS_CLASS["agrees"]


def _contents(report: StudyReport) -> Html:
    lines = [(section_anchor(section), f"{section.key} {section.title}") for section in report.sections]
    lines += [("methods", "Methods in words"), ("checklists", "Reporting checklists"), ("provenance", "Provenance")]
    return element(
        "nav",
        element("h2", "Contents", id="contents"),
        element("ol", *(element("li", element("a", sentence(text), href=f"#{anchor}")) for anchor, text in lines)),
        class_="contents",
        aria_labelledby="contents",
    )


def _methods(report: StudyReport) -> Html:
    title = element("h2", "Methods in words", id="methods-title")
    paragraphs = (element("p", sentence(text, 4000)) for text in report.methods)
    return element("section", title, *paragraphs, id="methods", aria_labelledby="methods-title", class_="step")


def _checklists(report: StudyReport) -> Html:
    title = element("h2", element("span", "S12 ", class_="key"), "Reporting checklists", id="checklists-title")
    said = element(
        "p",
        "Links lead to what this report says on an item. An item without a link is not answered here, whether or not"
        " the authors answer it elsewhere.",
    )
    tables = (_checklist(checklist) for checklist in report.checklists)
    return element("section", title, said, *tables, id="checklists", aria_labelledby="checklists-title", class_="step")


def _checklist(checklist: Checklist) -> Html:
    headings = ("item", "what it asks for", "where it is")
    head = element("tr", *(element("th", text, scope="col") for text in headings))
    table = element(
        "table",
        element("caption", element("b", f"{checklist.name}. "), checklist.source),
        element("thead", head),
        element("tbody", *(_answer(answer) for answer in checklist.answers)),
        class_="checklist",
    )
    return element("div", scrolling(table, checklist.name), id=f"checklist-{slug(checklist.name)}", class_="part")


def _answer(answer: Answer) -> Html:
    links = [element("a", link.label, href=f"#{link.anchor}") for link in answer.links]
    separated = [part for link in links for part in (", ", link)][1:]
    remark = element("small", answer.item.remark) if answer.item.remark else ""
    return element(
        "tr",
        element("th", answer.item.number, scope="row"),
        element("td", answer.item.asks),
        element("td", *(separated or [answer.standing]), remark),
    )


def _footer(report: StudyReport) -> Html:
    pairs = (
        join(element("dt", sentence(what, 80)), element("dd", sentence(which, 300)))
        for what, which in provenance_lines(report)
    )
    return element(
        "footer",
        element("h2", "Provenance", id="provenance"),
        element("dl", *pairs, class_="pairs"),
        element("p", "Every number shown here is in ", element("code", "results.json"), " beside this page, in full."),
    )
