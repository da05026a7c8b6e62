"""What the limits rest on, each text once on the page, numbered in the order in which they are met."""

from harness.comparison.verdict import Outcome, Verdict
from harness.reports.elements import Html, element, join
from harness.reports.ranking import basis_text
from harness.reports.words import ABSENT

_AT_MOST = 400


class Limits:
    """Numbers the bases of the verdicts that were linked."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def link(self, verdict: Verdict) -> Html:
        """Return the number of a verdict's basis as a link to its text; beyond the most that are listed, a dash."""
        if verdict.outcome is Outcome.NOT_COMPARED:
            return join(ABSENT)
        text = basis_text(verdict)
        if text not in self._numbers and len(self._numbers) >= _AT_MOST:
            return join(ABSENT)
        k = self._numbers.setdefault(text, len(self._numbers) + 1)
        return element("a", str(k), href=f"#b{k}")

    def listed(self) -> Html:
        """Return the list of all texts that were linked."""
        if not self._numbers:
            return join()
        items = (element("li", text, id=f"b{k}") for text, k in self._numbers.items())
        summary = element("summary", element("h2", "Limits and what they rest on", id="limits"))
        return element("details", summary, element("ol", *items, class_="bases"), class_="limits", open=True)
