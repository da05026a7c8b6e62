"""Tables and verdicts of a bundle's page."""

from collections.abc import Collection, Iterable, Sequence

from harness.certification.traceability import Standing
from harness.reports.elements import Html, element

CSS_CLASS = {
    Standing.SHOWN: "agree",
    Standing.KNOWN: "known",
    Standing.NOT_SHOWN: "disagree",
    Standing.NOT_EXAMINED: "missing",
}
_MARK = {Standing.SHOWN: "✓", Standing.KNOWN: "≈", Standing.NOT_SHOWN: "✗", Standing.NOT_EXAMINED: "○"}


def pill(standing: Standing) -> Html:
    """Return the standing in a coloured box, with a sign for those who do not see the colour."""
    return element("span", f"{_MARK[standing]} {standing.value}", class_=f"pill {CSS_CLASS[standing]}")


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    label: str,
    css: str | None = None,
    numbers: Collection[int] = (),
) -> Html:
    """Return a table that scrolls by itself; a row's first cell is its heading, `numbers` are columns of numbers."""

    def cell(k: int, text: str) -> Html:
        number = "number" if k in numbers else None
        return element("td", text, class_=number) if k else element("th", text, scope="row")

    headings = (
        element("th", text, scope="col", class_="number" if k in numbers else None) for k, text in enumerate(head)
    )
    body = (element("tr", *(cell(k, text) for k, text in enumerate(row))) for row in rows)
    made = element("table", element("thead", element("tr", *headings)), element("tbody", *body), class_=css)
    return element("div", made, class_="scroll", role="region", aria_label=label, tabindex="0")
