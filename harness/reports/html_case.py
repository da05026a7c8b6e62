"""One case of the page: what all engines say together, then a drawer for each reference."""

from collections.abc import Iterator

from harness.comparison.run import Run
from harness.comparison.triangle import Mover
from harness.comparison.verdict import Comparison
from harness.reports.elements import Html, breakable, element, join
from harness.reports.html_comparison import drawer
from harness.reports.html_limits import Limits
from harness.reports.html_overview import pill
from harness.reports.ranking import READING_ORDER, outcome_of
from harness.reports.words import counted, name, sentence

Numbered = tuple[int, Comparison]


def in_order(run: Run) -> list[tuple[str, list[Numbered]]]:
    """Return the cases with their numbered comparisons, those first in which a reader has something to decide."""
    cases: dict[str, list[Numbered]] = {}
    for k, comparison in enumerate(run.comparisons, start=1):
        cases.setdefault(comparison.case, []).append((k, comparison))
    for numbered in cases.values():
        numbered.sort(key=_urgency)
    return sorted(cases.items(), key=lambda case: _urgency(case[1][0]))


def case_page(case: tuple[str, list[Numbered]], run: Run, limits: Limits) -> Html:
    """Return the section of a case."""
    title, numbered = case
    heading = element(
        "header",
        element("h3", breakable(name(title))),
        element(
            "span",
            pill(outcome_of(numbered[0][1])),
            element("span", counted(len(numbered), "reference"), class_="quiet"),
            class_="standing",
        ),
    )
    said = [element("p", text) for text in _said(title, run)]
    drawers = (drawer(comparison, k, run.command, limits) for k, comparison in numbered)
    return element("section", heading, *said, join(*drawers), class_="case")


def _said(title: str, run: Run) -> Iterator[str]:
    """Yield what was found beyond the pairs of this case."""
    yield from (sentence(found.sentence) for found in run.consensus if found.case == title and found.sentence)
    for triangle in run.triangles:
        if triangle.case == title and triangle.mover is not Mover.NOBODY:
            yield f"{name(triangle.engine, 24)}: {sentence(triangle.sentence)}"
    for trace in run.traces:
        if trace.case == title and trace.warning:
            yield f"{name(trace.engine, 24)}: {sentence(trace.warning)}"


def _urgency(numbered: Numbered) -> int:
    return READING_ORDER.index(outcome_of(numbered[1]))
