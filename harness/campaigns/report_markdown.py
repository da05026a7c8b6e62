"""The campaign as Markdown: tables that a summary of a CI step, or a paper's supplement, can take."""

from collections.abc import Iterator, Sequence

from harness.campaigns.report import Report
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
from harness.reports.words import ABSENT, counted, name, number, sentence

MOST_CELLS, MOST_ROWS = 200, 30


def render(report: Report) -> str:
    """Return the document."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# Campaign: {_cell(report.plan.name)}"
    yield ""
    yield f"**{headline(report)}.** {requirement(report)}"
    for caution in cautions(report):
        yield f"- {caution}"
    yield ""
    yield from _agreement(report)
    yield from _behind(report)
    yield from _coverage(report)
    yield from _disagreements(report)
    yield "## Provenance"
    yield ""
    yield f"`{report.command.replace('`', '')}`; {made(report)}."
    yield f"Digest of all rows: `{report.digest}`. {SAME}"
    if report.plan.stop is not None:
        yield STOP_RULE.format(batch=report.plan.batch, stop=report.plan.stop)


def _agreement(report: Report) -> Iterator[str]:
    yield f"## Agreement, {LEVEL_WORDS}"
    yield ""
    yield from _table(
        ("cell", "replicates", "agree", "rate %", "required"),
        [
            (
                one.label,
                str(one.summary.agreement.n) + (" (enough)" if one.ended_early and report.plan.stop else ""),
                str(one.summary.agreement.events),
                percent(one.summary.agreement),
                one.standing,
            )
            for one in report.cells
        ],
    )


def _behind(report: Report) -> Iterator[str]:
    yield "## Behind it"
    yield ""
    head = ("cell", "D median", "D 99 %", "D largest", "fewest digits", "causes", "better optimum", "ours", "theirs")
    yield from _table(
        head,
        [
            (
                one.label,
                *(number(one.summary.distances.get(at), 2) for at in (0.5, 0.99, 1.0)),
                number(one.summary.digits.get(0.0), 3),
                counts(one.summary.attributions),
                better(one.summary.better, one.cell.reference),
                milliseconds(one.summary.left_seconds),
                milliseconds(one.summary.right_seconds),
            )
            for one in report.cells
        ],
    )


def _coverage(report: Report) -> Iterator[str]:
    rows = [
        (
            one.label,
            parameter,
            *(
                percent(found.rates[parameter]) if parameter in found.rates else ABSENT
                for found in one.summary.coverage
            ),
        )
        for one in report.cells
        for parameter in dict.fromkeys(path for found in one.summary.coverage for path in found.rates)
    ]
    if not rows:
        return
    kinds = max((one.summary.coverage for one in report.cells), key=len)
    yield "## Coverage of 95 % intervals"
    yield ""
    yield from _table(("cell", "truth of", *(found.kind for found in kinds)), rows)


def _disagreements(report: Report) -> Iterator[str]:
    if not report.disagreements:
        return
    yield "## No agreement"
    yield ""
    yield ONE_REPLICATE
    yield ""
    yield from _table(
        ("cell", "replicate", "cause", "why"),
        [
            (
                report.label_of(row["cell"]),
                f"{row['cell']}:{row['replicate']}",
                row["attribution"] or row["outcome"],
                row["reason"] or "",
            )
            for row in report.disagreements[:MOST_ROWS]
        ],
    )
    rest = len(report.disagreements) - MOST_ROWS
    if rest > 0:
        yield f"And {counted(rest, 'more replicate')}, in the Parquet files."
        yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows[:MOST_CELLS]:
        yield f"| {' | '.join(_cell(text) for text in row)} |"
    yield ""
    if len(rows) > MOST_CELLS:
        yield f"And {counted(len(rows) - MOST_CELLS, 'more row')}, in `campaign.json`."
        yield ""


def _cell(text: str) -> str:
    shown = sentence(text, 300) if len(text) > 80 else name(text)
    return shown.replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
