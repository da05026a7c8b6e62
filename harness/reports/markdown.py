"""The report as Markdown for the summary of a CI step: bounded, disagreements first, every text escaped."""

import re
from collections.abc import Iterable, Sequence

from harness.comparison.run import Run
from harness.comparison.triangle import Mover
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
from harness.reports.summary import MOST_PINS, engine_text, pinned_in_short, summarise
from harness.reports.words import ABSENT, both, counted, name, number, sentence, times, visible

MOST_BYTES = 64_000
"""Bound of the whole text; a GitHub step summary may have 1 MiB, but nobody reads one."""

_RESERVE = 600  # for saying what was left out
_FOR_THE_TABLE = 20_000
_BLOCKS = 20
_ENGINES = 30
_VERDICTS = 5
_REASONS = 10
_HEADINGS = (
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
_NUMERIC = range(4, 10)
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def render(run: Run) -> str:
    """Return the run as GitHub-flavoured Markdown of at most `MOST_BYTES` bytes, the worst first."""
    page = _Page()
    for block in _blocks(run):
        page.add(block)
    page.add_table(_HEADINGS, (_row(comparison) for comparison in worst_comparisons_first(run.comparisons)))
    return page.text()


class _Page:
    """Takes parts as long as there is room, and counts the others."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left = MOST_BYTES - _RESERVE
        self.parts_left_out = self.rows_left_out = 0

    def add(self, part: str) -> None:
        size = len(part.encode()) + 2
        if size > self.left - _FOR_THE_TABLE:
            self.parts_left_out += 1
        else:
            self.parts.append(part)
            self.left -= size

    def add_table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        lines = _table_lines(headings, [], numeric=_NUMERIC)
        room = self.left - sum(len(line) + 1 for line in lines) - 2
        n_headings = len(lines)
        for row in rows:
            (line,) = _table_lines((), [row], numeric=_NUMERIC)
            room -= len(line.encode()) + 1
            if room >= 0:
                lines.append(line)
            else:
                self.rows_left_out += 1
        if len(lines) > n_headings:
            self.parts.append("\n".join(lines))

    def text(self) -> str:
        cut = [
            counted(n, noun)
            for n, noun in ((self.rows_left_out, "more comparison"), (self.parts_left_out, "more part"))
            if n
        ]
        if cut:
            self.parts.append(f"{' and '.join(cut)} did not fit: see index.html and run.json.")
        return "\n\n".join(self.parts) + "\n"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line, inside a table or outside."""
    # A colon matters before a letter (emoji, links), a dash only where it would open a list.
    escaped = re.sub(r"([\\`*_{}\[\]#+|~!$]|:(?=\S)|^-)", r"\\\1", visible(text))
    return re.sub(r"[&<>@]", lambda found: _ENTITY[found[0]], escaped)


def _blocks(run: Run) -> Iterable[str]:
    summary = summarise(run)
    pins = summary.pinned if len(summary.pinned) <= MOST_PINS else (pinned_in_short(run),)
    reasons = summary.not_compared[:_REASONS]
    rest = len(summary.not_compared) - len(reasons)
    yield f"## Cross-check: {summary.overall.value}"
    yield f"**{escape(summary.headline)}.** {escape(summary.counts)}."
    cautions = [
        *(f"- **Pinned:** {escape(text)}" for text in pins),
        *(f"- **Not compared:** {escape(text)}" for text in reasons),
        *([f"- **Not compared** for {counted(rest, 'more reason')}: see the JSON report."] if rest > 0 else []),
        *(f"- **Note:** {escape(sentence(note))}" for note in run.notes[:_REASONS]),
    ]
    if cautions:
        yield "\n".join(cautions)
    yield "\n".join(
        f"- {use.source}: {escape(engine_text(use.engine, use.versions))}, in {counted(use.readings, 'comparison')}"
        + (f", failed in {use.failures}" if use.failures else "")
        for use in summary.engines[:_ENGINES]
    )
    if len(summary.engines) > _ENGINES:
        yield f"and {counted(len(summary.engines) - _ENGINES, 'more engine')}: see index.html."
    yield f"Reproduce: {escape(sentence(run.command))}"
    disagreements = [
        comparison
        for comparison in worst_comparisons_first(run.comparisons)
        if outcome_of(comparison) is Outcome.DISAGREE
    ]
    yield from (_block(comparison) for comparison in disagreements[:_BLOCKS])
    if len(disagreements) > _BLOCKS:
        yield f"and {counted(len(disagreements) - _BLOCKS, 'more disagreement')}, in the table below and in index.html."
    yield from _beyond(run)
    if summary.not_given:
        yield "\n".join(f"- **Not given:** {escape(text)}" for text in summary.not_given[:_REASONS])
    if len(summary.not_given) > _REASONS:
        yield f"and {counted(len(summary.not_given) - _REASONS, 'more reason')} why quantities are not given."


def _beyond(run: Run) -> Iterable[str]:
    """Yield who moved, what drifts and who stands alone."""
    moved = [item for item in run.triangles if item.mover is not Mover.NOBODY]
    lines = [
        *(_line("Moved", item.case, item.engine, item.sentence) for item in moved),
        *(_line("Drift", item.case, item.engine, item.warning) for item in run.traces if item.warning),
        *(
            _line("Alone", found.case, dissent.dissenter, f"{name(dissent.quantity)}. {dissent.sentence}")
            for found in run.consensus
            for dissent in found.dissents
            if dissent.dissenter is not None
        ),
    ]
    if lines:
        yield "\n".join(lines[:_REASONS])
    if len(lines) > _REASONS:
        yield f"and {counted(len(lines) - _REASONS, 'more line')} on what moved: see index.html."


def _line(word: str, case: str, engine: str, text: str) -> str:
    return f"- **{word}:** {escape(name(case))}, {escape(name(engine))}: {escape(sentence(text, 240))}"


def worst_comparisons_first(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Return the comparisons by outcome, then by how near the worst quantity came to its limit."""

    def urgency(comparison: Comparison) -> tuple[int, float]:
        first = worst(comparison)
        share = None if first is None else ratio(first)
        return READING_ORDER.index(outcome_of(comparison)), -(share or 0.0)

    return sorted(comparisons, key=urgency)


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
    return "\n".join(_table_lines(headings, rows, numeric))


def _table_lines(headings: Sequence[str], rows: Sequence[Sequence[str]], numeric: range) -> list[str]:
    rule = ["---:" if k in numeric else "---" for k in range(len(headings))]
    top = [[escape(heading) for heading in headings], rule] if headings else []
    return [f"| {' | '.join(line)} |" for line in (*top, *([escape(cell) for cell in row] for row in rows))]
