"""Verdicts on claims in a terminal: a line of counts, then one row a claim with the reason."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.claims.claim import Claim
from harness.claims.verdict import Answer, Judged, Verification
from harness.reports.lines import lines_of
from harness.reports.words import NAME_LENGTH, counted, name, sentence, shorten, visible

_STYLE = {Answer.CONSISTENT: "green", Answer.INCONSISTENT: "bold red", Answer.NOT_CHECKABLE: "cyan"}
MOST_CAUSES = 4


def render(verification: Verification, width: int = 100, *, colour: bool = False) -> str:
    """Return the verdicts as lines of at most `width` columns; colour repeats what the words say."""
    return lines_of(_parts(verification), width, colour=colour)


def headline(verification: Verification) -> str:
    """Return how many claims have which verdict."""
    counts = ", ".join(f"{verification.count(answer)} {answer.value}" for answer in Answer)
    against = f" against {name(verification.data)}" if verification.data else ", without data"
    return f"{counted(len(verification.judged), 'claim')} of {name(verification.name)}{against}: {counts}"


def reasons(one: Judged) -> Sequence[str]:
    """Return the sentences behind a verdict; of a consistent claim all that was checked."""
    return [f"{finding.check}: {sentence(finding.reason)}" for finding in one.deciding]


def printed_text(claim: Claim) -> str:
    """Return what was printed on one line; it has been read as numbers, so a minus before it starts no formula."""
    return shorten(visible(claim.text), NAME_LENGTH)


def perhaps(one: Judged) -> str:
    """Return what would explain an inconsistency, nothing if nothing was found."""
    shown = one.causes[:MOST_CAUSES]
    return f"Perhaps {'; or '.join(map(sentence, shown))}." if shown else ""


def _parts(verification: Verification) -> list[RenderableType]:
    return [
        *(Text.assemble(("Note: ", "bold"), sentence(note)) for note in verification.notes),
        Text(f"{headline(verification)}."),
        Text(),
        _table(verification.judged),
    ]


def _table(judged: Sequence[Judged]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("claim\n  where", overflow="fold", max_width=24)
    table.add_column("printed\n  kind", overflow="fold", max_width=20)
    table.add_column("verdict", no_wrap=True)
    table.add_column("reason", overflow="fold", ratio=1)
    for one in judged:
        claim = one.claim
        said = _short(one) if one.answer is Answer.CONSISTENT else [*reasons(one), perhaps(one)]
        table.add_row(
            Text.assemble(name(claim.id), (f"\n  {name(claim.place)}" if claim.place else "", "dim")),
            Text.assemble(printed_text(claim), (f"\n  {claim.kind}", "dim")),
            Text(one.answer.value, style=_STYLE[one.answer]),
            Text("\n".join(filter(None, said))),
        )
    return table


def _short(one: Judged) -> list[str]:
    """Return what a consistent claim agrees with, and what could not be checked; the other reports have the numbers."""
    left = dict.fromkeys(finding.check for finding in one.findings if finding.answer is Answer.NOT_CHECKABLE)
    lines = ["agrees with " + "; ".join(dict.fromkeys(finding.check for finding in one.deciding))]
    return [*lines, "not checkable: " + "; ".join(left)] if left else lines
