"""The report in a terminal: what was pinned or not compared, the verdict, one table, a block per disagreement."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.reports.consensus_lines import consensus_lines
from harness.reports.drift_lines import drift_lines
from harness.reports.lines import lines_of
from harness.reports.objectives import evidence_sentences, objective_rows, permutation_text
from harness.reports.ranking import basis_text, compared, disagreeing, numbered_bases, outcome_of, ratio, worst
from harness.reports.summary import MOST_PINS, Overall, Summary, engine_text, pinned_in_short, summarise
from harness.reports.words import both, counted, name, number, sentence, times

_STYLE = {
    Outcome.AGREE: "green",
    Outcome.KNOWN: "yellow",
    Outcome.DISAGREE: "bold red",
    Outcome.NOT_COMPARED: "cyan",
}
_OVERALL_STYLE = {
    Overall.AGREE: "bold green",
    Overall.KNOWN: "bold yellow",
    Overall.PARTIAL: "bold yellow",
    Overall.DISAGREE: "bold red",
    Overall.NOTHING: "bold red",
}
_REASONS_SHOWN = 12
_VERDICTS_SHOWN = 5


def render(run: Run, width: int = 100, *, colour: bool = False) -> str:
    """Return the run as lines of at most `width` columns; colour repeats what the words say."""
    return lines_of(_parts(run), width, colour=colour)


def _parts(run: Run) -> list[RenderableType]:
    summary = summarise(run)
    disagreements = [comparison for comparison in run.comparisons if outcome_of(comparison) is Outcome.DISAGREE]
    return [
        *_cautions(summary, summary.pinned if len(summary.pinned) <= MOST_PINS else (pinned_in_short(run),)),
        *(Text(f"Note: {sentence(note)}") for note in run.notes),
        Text(),
        Text.assemble((summary.overall.value.upper(), _OVERALL_STYLE[summary.overall]), f"  {summary.headline}"),
        Text(summary.counts),
        *_engines(summary),
        *_table(run.comparisons),
        *(Text(line) for line in consensus_lines(run)),
        *drift_lines(run),
        *(Text.assemble(("Not given: ", "bold"), text) for text in summary.not_given[:_REASONS_SHOWN]),
        *(_block(comparison) for comparison in disagreements),
    ]


def _cautions(summary: Summary, pinned: Sequence[str]) -> list[Text]:
    shown = summary.not_compared[:_REASONS_SHOWN]
    rest = len(summary.not_compared) - len(shown)
    return [
        *(Text.assemble(("Pinned: ", "bold"), text) for text in pinned),
        *(Text.assemble(("Not compared: ", "bold"), text) for text in shown),
        *([Text(f"Not compared for {counted(rest, 'more reason')}: see the JSON report.")] if rest > 0 else []),
    ]


def _engines(summary: Summary) -> list[Text]:
    return [
        Text(
            f"  {use.source:<8} {engine_text(use.engine, use.versions)}, in {counted(use.readings, 'comparison')}"
            + (f", failed in {use.failures}" if use.failures else "")
        )
        for use in summary.engines
    ]


def _table(comparisons: Sequence[Comparison]) -> list[RenderableType]:
    if not comparisons:
        return []
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0, pad_edge=False, header_style="bold")
    table.add_column("case\n  where worst", overflow="fold", ratio=1, min_width=12)
    table.add_column("refer-\nence", overflow="fold", max_width=11)
    table.add_column("verdict\nattribution", overflow="fold", max_width=15)
    for heading in ("com-\npared", "agree", "known", "dis-\nagree", "not\ncomp."):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("D\nworst", justify="right", no_wrap=True)
    for comparison in comparisons:
        table.add_row(*_row(comparison))
    return [Text(), table, Text()]


def _row(comparison: Comparison) -> list[Text]:
    outcome, first = outcome_of(comparison), worst(comparison)
    share = None if first is None else ratio(first)
    attribution = comparison.attribution.value if comparison.attribution else ""
    verdict = "known" if outcome is Outcome.KNOWN else outcome.value
    return [
        Text.assemble(name(comparison.case), (f"\n  {name(first.quantity, 60)}" if first else "", "dim")),
        Text(f"{name(comparison.right.engine)}\n{comparison.right.source}"),
        Text.assemble((verdict, _STYLE[outcome]), f"\n{attribution}"),
        Text(str(compared(comparison))),
        *(_count(comparison, outcome) for outcome in Outcome),
        Text(f"{number(comparison.distance, 2)}\n{times(share)}"),
    ]


def _count(comparison: Comparison, outcome: Outcome) -> Text:
    n = comparison.count(outcome)
    return Text(str(n) if n else ".", style=_STYLE[outcome] if n and outcome is not Outcome.AGREE else "")


def _block(comparison: Comparison) -> RenderableType:
    title = f"{name(comparison.case)}: {name(comparison.left.engine)} and {name(comparison.right.engine)}"
    said = [sentence(comparison.sentence) or "No cause is given.", *evidence_sentences(comparison)]
    permutation = permutation_text(comparison)
    body: list[RenderableType] = [Text(" ".join([*said, *([permutation] if permutation else [])]))]
    if comparison.next_step:
        body.append(Text.assemble(("Next: ", "bold"), sentence(comparison.next_step)))
    if comparison.evidence.objectives:
        body += [Text(), _objectives(comparison)]
    if disagreeing(comparison):
        body += [Text(), _verdicts(comparison)]
    heading = Text.assemble(("DISAGREE  ", _STYLE[Outcome.DISAGREE]), (title, "bold"))
    return Group(heading, Padding(Group(*body), (0, 0, 1, 2)))


def _objectives(comparison: Comparison) -> Table:
    table = _plain_table()
    table.add_column("log-likelihood at", overflow="fold")
    for heading in (f"by {name(comparison.left.engine)}", f"by {name(comparison.right.engine)}", "difference"):
        table.add_column(heading, justify="right", overflow="fold")
    for row in objective_rows(comparison):
        table.add_row(*(Text(cell) for cell in (row.at, row.left, row.right, row.difference)))
    return table


def _verdicts(comparison: Comparison) -> RenderableType:
    found = disagreeing(comparison)
    shown = found[:_VERDICTS_SHOWN]
    bases = numbered_bases(shown)
    table = _plain_table()
    table.add_column("worst quantities", overflow="fold")
    for heading in (name(comparison.left.engine), name(comparison.right.engine), "observed", "limit", "basis"):
        table.add_column(heading, justify="right", overflow="fold", max_width=22)
    for verdict in shown:
        left, right = both(verdict.left_value, verdict.right_value)
        numbers = (
            left,
            right,
            number(verdict.observed, 3),
            number(verdict.limit, 3),
            f"[{bases[basis_text(verdict)]}]",
        )
        reason = f"\n  {sentence(verdict.reason, 160)}" if verdict.reason else ""
        table.add_row(Text(f"{name(verdict.quantity)}{reason}"), *(Text(cell) for cell in numbers))
    legend = [Text(f"[{k}] {basis}") for basis, k in bases.items()]
    rest = len(found) - len(shown)
    more = counted(rest, "more quantity disagrees", "more quantities disagree")
    return Group(table, *legend, *([Text(f"and {more}")] if rest else []))


def _plain_table() -> Table:
    return Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
