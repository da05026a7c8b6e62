"""The campaign as one self-contained HTML page: no network, no script, readable on a phone and on paper."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from importlib import resources

from harness.campaigns.intervals_figure import Line, decades, figure, rate_axis
from harness.campaigns.report import CellReport, Report
from harness.campaigns.report_words import (
    LEVEL_WORDS,
    ONE_REPLICATE,
    SAME,
    STOP_RULE,
    better,
    cautions,
    counts,
    headline,
    made,
    milliseconds,
    percent,
    requirement,
)
from harness.comparison.tolerances import Measure, tolerance
from harness.engines import NAME
from harness.reports.elements import Html, element, join, trusted
from harness.reports.words import ABSENT, counted, name, number, sentence

MOST_ROWS = 200
NOMINAL = 0.95
_OWN_STYLE = """
section table:not(.dots) tbody th { min-width: 9.5rem; }
section .scroll + .scroll { margin-top: 1.5rem; }
.dots td:last-child { width: 14rem; }
@media (max-width: 46rem) {
  .dots tr { grid-template-columns: minmax(0, 1fr); }
  .dots td:last-child { width: auto; text-align: left; }
}
"""


def render(report: Report) -> str:
    """Return the page."""
    return f"<!doctype html>\n{element('html', _head(report), _body(report), lang='en')}\n"


def _head(report: Report) -> Html:
    style = resources.files("harness.reports").joinpath("page.css").read_text("utf-8") + _OWN_STYLE
    fingerprint = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{fingerprint}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Campaign {name(report.plan.name)}"),
        element("style", trusted(style)),
    )


def _body(report: Report) -> Html:
    main = element(
        "main",
        _banner(report),
        _agreement(report),
        _distances(report),
        _behind(report),
        _coverage(report),
        _disagreements(report),
    )
    return element("body", main, _footer(report))


def _banner(report: Report) -> Html:
    figures = (
        element("div", element("dt", what), element("dd", str(count)), class_=look)
        for what, count, look in (
            ("agree", report.overall.events, "agree"),
            ("do not agree", report.overall.n - report.overall.events, "disagree"),
            ("cells", len(report.cells), "missing"),
        )
    )
    said = (element("li", sentence(caution)) for caution in cautions(report))
    return element(
        "header",
        element("p", f"Campaign {name(report.plan.name)}, seed {report.plan.seed}", class_="eyebrow"),
        element("h1", headline(report)),
        element("p", requirement(report), class_="verdict") if report.plan.required is not None else "",
        element("dl", *figures, class_="figures"),
        element("ul", *said, class_="cautions"),
        class_=f"banner {_edge(report)}",
    )


def _edge(report: Report) -> str:
    if report.below or not report.overall.n:
        return "disagree"
    settled = all(one.standing in {"shown", "not required"} for one in report.cells)
    return "agree" if settled and report.complete and report.overall.events else "known"


def _agreement(report: Report) -> Html:
    rates = [one.summary.agreement for one in report.cells]
    axis = rate_axis(min((rate.lower for rate in rates if rate.n), default=0.0))
    lines = [
        Line(
            label=one.label,
            lower=rate.lower,
            point=rate.estimate,
            upper=rate.upper,
            words=f"{percent(rate)} of {rate.n}",
            beyond=one.standing == "below",
        )
        for one, rate in zip(report.cells, rates, strict=True)
        if rate.n
    ]
    caption = f"rate of replicates in which every quantity agrees, {LEVEL_WORDS}"
    required = report.plan.required
    if required is not None:
        caption += f"; the dashed line is the required rate, {required:g}"
    return _section("Agreement", figure(lines, axis, caption=caption, limit=required, unit="rate"))


def _distances(report: Report) -> Html:
    drawn = [one for one in report.cells if one.summary.distances and one.summary.distances[1.0] > 0]
    if not drawn:
        return join()
    limits = {one.cell.reference: tolerance(Measure.DISTANCE, NAME, one.cell.reference).limit for one in drawn}
    largest = max(*(one.summary.distances[1.0] for one in drawn), *limits.values())
    axis = decades(min(max(one.summary.distances[0.5], 1e-12) for one in drawn), largest)
    lines = [_distance_line(one, limits[one.cell.reference]) for one in drawn]
    only = next(iter(limits.values())) if len(set(limits.values())) == 1 else None
    caption = "D, the distance of the two optima in standard errors: median (dot) to largest (end of the line)"
    caption += f"; the dashed line is the limit, {only:g}" if only is not None else ""
    return _section(
        "Distance of the optima", figure(lines, axis, caption=caption, limit=only, unit="median, 99 %, largest")
    )


def _distance_line(one: CellReport, limit: float) -> Line:
    median, most, largest = (one.summary.distances[at] for at in (0.5, 0.99, 1.0))
    words = ", ".join(number(value, 2) for value in (median, most, largest))
    return Line(label=one.label, lower=median, point=median, upper=largest, words=words, beyond=largest > limit)


def _behind(report: Report) -> Html:
    head = (
        "cell",
        "fewest digits",
        "causes of disagreement",
        "better optimum",
        "harness",
        "reference",
        "times as long",
        "nearest to its limit",
    )
    rows = [
        (
            one.label,
            number(one.summary.digits.get(0.0), 3),
            counts(one.summary.attributions),
            better(one.summary.better, one.cell.reference),
            milliseconds(one.summary.left_seconds),
            milliseconds(one.summary.right_seconds),
            number(one.summary.speed, 3),
            ABSENT
            if one.summary.worst is None
            else f"{one.summary.worst['worst_quantity']}, replicate"
            f" {one.summary.worst['replicate']}, x {number(one.summary.worst['worst_ratio'], 2)}",
        )
        for one in report.cells
    ]
    caption = (
        "fewest digits in which an estimate of any replicate agrees; seconds of a fit are medians, the reference's"
    )
    return _section("Behind the rates", _table(head, rows, f"{caption} with its transport"))


def _coverage(report: Report) -> Html:
    parts = []
    for kind in dict.fromkeys(found.kind for one in report.cells for found in one.summary.coverage):
        lines = [
            Line(
                label=f"{one.label}: {path}",
                lower=rate.lower,
                point=rate.estimate,
                upper=rate.upper,
                words=f"{percent(rate)} of {rate.n}",
                beyond=rate.upper < NOMINAL or rate.lower > NOMINAL,
            )
            for one in report.cells
            for found in one.summary.coverage
            if found.kind == kind
            for path, rate in found.rates.items()
        ]
        axis = rate_axis(min(NOMINAL - 0.05, *(line.lower for line in lines)))
        caption = (
            f"how often the 95 % intervals of {kind} had the truth in them; the dashed line is {NOMINAL}, red is an"
        )
        caption += " interval without it"
        parts.append(figure(lines[:MOST_ROWS], axis, caption=caption, limit=NOMINAL, unit="coverage"))
    return _section("Coverage", *parts) if parts else join()


def _disagreements(report: Report) -> Html:
    if not report.disagreements:
        return join()
    rows = [
        (
            report.label_of(row["cell"]),
            f"{row['cell']}:{row['replicate']}",
            row["attribution"] or row["outcome"],
            row["reason"] or "",
        )
        for row in report.disagreements[:MOST_ROWS]
    ]
    rest = len(report.disagreements) - len(rows)
    more = element("p", f"And {counted(rest, 'more replicate')}, in the Parquet files.") if rest else ""
    return _section("No agreement", _table(("cell", "replicate", "cause", "why"), rows, ONE_REPLICATE), more)


def _section(title: str, *parts: str) -> Html:
    return element("section", element("h2", title), *(element("div", part, class_="scroll") for part in parts if part))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> Html:
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *(element("th", text, scope="col") for text in head))),
        element("tbody", *(_row(row) for row in rows)),
    )


def _row(row: Sequence[str]) -> Html:
    first, *others = row
    return element(
        "tr", element("th", name(first), scope="row"), *(element("td", sentence(text, 400)) for text in others)
    )


def _footer(report: Report) -> Html:
    pairs = (join(element("dt", what), element("dd", sentence(which))) for what, which in _provenance(report))
    return element(
        "footer",
        element("h2", "Provenance"),
        element("dl", *pairs, class_="pairs"),
        element("p", SAME),
        element("p", STOP_RULE.format(batch=report.plan.batch, stop=report.plan.stop)) if report.plan.stop else "",
        element(
            "p",
            "Every number is in ",
            element("code", "campaign.json"),
            ", every row in the Parquet files of ",
            element("code", "rows"),
            ".",
        ),
    )


def _provenance(report: Report) -> Iterator[tuple[str, str]]:
    yield "command", report.command
    yield "started", f"{report.started}, {made(report)}"
    yield "model", json.dumps(dict(report.plan.model))
    yield "factors", json.dumps({key: list(values) for key, values in report.plan.factors.items()})
    yield "digest", report.digest
    for versions in report.versions:
        yield "versions", ", ".join(f"{key} {value}" for key, value in sorted(versions.items()))
