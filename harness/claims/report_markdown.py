"""Verdicts on claims as Markdown: the inconsistent ones first, every text escaped."""

from collections.abc import Iterator, Sequence

from harness.claims.report_console import headline, perhaps, printed_text, reasons
from harness.claims.verdict import Answer, Judged, Verification
from harness.reports.markdown import escape
from harness.reports.words import counted, name, sentence

ORDER = (Answer.INCONSISTENT, Answer.NOT_CHECKABLE, Answer.CONSISTENT)
MOST_ROWS = 500


def render(verification: Verification) -> str:
    """Return the verdicts as GitHub-flavoured Markdown; at most 500 claims of each verdict are shown."""
    return "\n\n".join(_blocks(verification)) + "\n"


def _blocks(verification: Verification) -> Iterator[str]:
    yield "## Claims"
    yield f"**{escape(headline(verification))}.**"
    if verification.notes:
        yield "\n".join(f"- **Note:** {escape(sentence(note))}" for note in verification.notes)
    for answer in ORDER:
        judged = [one for one in verification.judged if one.answer is answer]
        if judged:
            yield f"### {answer.value.capitalize()}"
            yield _table(judged[:MOST_ROWS])
        if len(judged) > MOST_ROWS:
            yield f"and {counted(len(judged) - MOST_ROWS, 'more claim')}: see the JSON report."
    yield (
        "A print stands for every number that rounds to it, half up or half to even. Inconsistent means that no such"
        " number fits; a cause is a guess."
    )


def _table(judged: Sequence[Judged]) -> str:
    rows = [("claim", "where", "printed", "kind", "reason"), ("---",) * 5, *map(_row, judged)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(one: Judged) -> tuple[str, ...]:
    claim = one.claim
    said = [escape(text) for text in reasons(one)]
    if text := perhaps(one):
        said.append(f"*{escape(text)}*")
    return (
        escape(name(claim.id)),
        escape(name(claim.place)) if claim.place else "",
        escape(printed_text(claim)),
        claim.kind,
        "<br>".join(said),
    )
