"""The report as Markdown for the summary of a CI step: bounded, disagreements first, every text escaped."""

import re
from collections.abc import Iterable, Sequence

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.reports.objectives import evidence_sentences, objective_rows, permutation_text
from harness.reports.ranking import (
    MARK,
    READING_ORDER,
    basis_text,
    compared,
    disagreeing,
    numbered_bases,
    outcome_of,
    ratio,
    worst,
)
from harness.reports.summary import engine_text, summarise
from harness.reports.words import ABSENT, both, counted, name, number, sentence, times, visible

MOST_CHARACTERS = 200_000
"""Bound of the whole text; a GitHub step summary may have 1 MiB."""

_ROWS = 200
_BLOCKS = 20
_VERDICTS = 5
_REASONS = 30
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def render(run: Run) -> str:
    """Return the run as GitHub-flavoured Markdown of at most `MOST_CHARACTERS` characters."""
    lines, left_out, size = [], 0, 0
    for block in _blocks(run):
        size += len(block) + 2
        if size <= MOST_CHARACTERS - 200:
            lines.append(block)
        else:
            left_out += 1
    if left_out:
        lines.append(f"{counted(left_out, 'more part')} of this summary did not fit; the JSON report has all.")
    return "\n\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line, inside a table or outside."""
    # A colon matters before a letter (emoji, links), a dash only where it would open a list.
    escaped = re.sub(r"([\\`*_{}\[\]#+|~!$]|:(?=\S)|^-)", r"\\\1", visible(text))
    return re.sub(r"[&<>@]", lambda found: _ENTITY[found[0]], escaped)


def _blocks(run: Run) -> Iterable[str]:
    summary = summarise(run)
    reasons = summary.not_compared[:_REASONS]
    rest = len(summary.not_compared) - len(reasons)
    yield f"## Cross-check: {summary.overall.value}"
    yield f"**{escape(summary.headline)}.** {escape(summary.counts)}."
    cautions = [
        *(f"- **Pinned:** {escape(text)}" for text in summary.pinned),
        *(f"- **Not compared:** {escape(text)}" for text in reasons),
        *([f"- **Not compared** for {counted(rest, 'more reason')}: see the JSON report."] if rest > 0 else []),
        *(f"- **Note:** {escape(sentence(note))}" for note in run.notes[:_REASONS]),
    ]
    if cautions:
        yield "\n".join(cautions)
    ordered = sorted(run.comparisons, key=lambda comparison: READING_ORDER.index(outcome_of(comparison)))
    if ordered:
        yield _matrix(ordered[:_ROWS])
    if len(ordered) > _ROWS:
        yield f"and {counted(len(ordered) - _ROWS, 'more comparison')}: see the JSON report."
    if summary.not_given:
        yield "\n".join(f"- **Not given:** {escape(text)}" for text in summary.not_given[:_REASONS])
    disagreements = [comparison for comparison in ordered if outcome_of(comparison) is Outcome.DISAGREE]
    yield from (_block(comparison) for comparison in disagreements[:_BLOCKS])
    if len(disagreements) > _BLOCKS:
        yield f"and {counted(len(disagreements) - _BLOCKS, 'more disagreement')}: see the JSON report."
    yield "\n".join(
        f"- {use.source}: {escape(engine_text(use.engine, use.versions))}, in {counted(use.readings, 'comparison')}"
        + (f", failed in {use.failures}" if use.failures else "")
        for use in summary.engines
    )
    yield f"Reproduce: {escape(sentence(run.command))}"


def _matrix(comparisons: Sequence[Comparison]) -> str:
    headings = (
        "case",
        "reference",
        "source",
        "verdict",
        "compared",
        "agree",
        "known",
        "disagree",
        "not compared",
        "D",
        "nearest to its limit",
        "attribution",
    )
    return _table(headings, [_row(comparison) for comparison in comparisons], numeric=range(4, 10))


def _row(comparison: Comparison) -> list[str]:
    outcome, first = outcome_of(comparison), worst(comparison)
    return [
        name(comparison.case),
        name(comparison.right.engine),
        comparison.right.source,
        f"{MARK[outcome]} {outcome.value}",
        str(compared(comparison)),
        *(str(comparison.count(outcome)) for outcome in Outcome),
        number(comparison.distance, 2),
        f"{name(first.quantity)}, {times(ratio(first))}" if first else ABSENT,
        comparison.attribution.value if comparison.attribution else "",
    ]


def _block(comparison: Comparison) -> str:
    left, right = name(comparison.left.engine), name(comparison.right.engine)
    said = (sentence(comparison.sentence) or "No cause is given.", *evidence_sentences(comparison))
    parts = [
        f"### ✗ {escape(name(comparison.case))}: {escape(left)} and {escape(right)}",
        escape(" ".join([*said, permutation_text(comparison)]).strip()),
        f"**Next:** {escape(sentence(comparison.next_step))}" if comparison.next_step else "",
        _objectives(comparison, left, right) if comparison.evidence.objectives else "",
        _verdicts(comparison, left, right) if disagreeing(comparison) else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _objectives(comparison: Comparison, left: str, right: str) -> str:
    rows = [[row.at, row.left, row.right, row.difference] for row in objective_rows(comparison)]
    return _table(("log-likelihood at", f"by {left}", f"by {right}", "difference"), rows, numeric=range(1, 4))


def _verdicts(comparison: Comparison, left: str, right: str) -> str:
    found = disagreeing(comparison)
    shown = found[:_VERDICTS]
    bases = numbered_bases(shown)
    rows = [
        [
            name(verdict.quantity),
            *both(verdict.left_value, verdict.right_value),
            number(verdict.observed, 3),
            number(verdict.limit, 3),
            str(bases[basis_text(verdict)]),
            sentence(verdict.reason, 160),
        ]
        for verdict in shown
    ]
    headings = ("quantity", left, right, "observed", "limit", "basis", "reason")
    legend = "\n".join(f"{k}. {escape(basis)}" for basis, k in bases.items())
    rest = len(found) - len(shown)
    more = f"\n\nand {counted(rest, 'more quantity disagrees', 'more quantities disagree')}." if rest else ""
    return f"{_table(headings, rows, numeric=range(1, 6))}\n\n{legend}{more}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], numeric: range) -> str:
    rule = ["---:" if k in numeric else "---" for k in range(len(headings))]
    lines = [[escape(heading) for heading in headings], rule, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
