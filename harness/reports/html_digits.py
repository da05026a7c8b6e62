"""The matrix of cases by groups of quantities: how many digits agree, in words and in one colour scale."""

import math
from collections.abc import Mapping

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.reports.elements import Html, breakable, element, join
from harness.reports.families import Family, Standing, standings
from harness.reports.html_overview import CSS_CLASS, searchable
from harness.reports.ranking import MARK, READING_ORDER, outcome_of
from harness.reports.words import ABSENT, name

_STEPS = (2, 4, 6, 8)
_LEGEND = ("below 2", "2 to 4", "4 to 6", "6 to 8", "8 and more")


def digits_matrix(run: Run) -> Html:
    """Return the table, one row a comparison; empty where nothing was compared."""
    rows = [(k, comparison, standings(comparison.verdicts)) for k, comparison in enumerate(run.comparisons, start=1)]
    rows.sort(key=lambda row: READING_ORDER.index(outcome_of(row[1])))
    families = [family for family in Family if any(family in found for _, _, found in rows)]
    if not families:
        return join()
    heads = ("case", "reference", "cause", *(family.value for family in families))
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    body = (_row(k, comparison, found, families) for k, comparison, found in rows)
    table = element("table", element("thead", head), element("tbody", *body), class_="matrix digits")
    region = element("div", table, class_="scroll tall", role="region", aria_labelledby="quantities", tabindex="0")
    title = element("h2", "Cases by quantity", id="quantities")
    return element("section", title, _legend(), region)


def _legend() -> Html:
    steps = (element("span", text, class_=f"key d{k}") for k, text in enumerate(_LEGEND))
    return join(
        element(
            "p",
            "To how many decimals all quantities of a group agree: of standard errors for estimates and modes, of"
            " probabilities for posteriors, of the number itself for all others. ",
            element("span", *steps, class_="keys"),
            f" “same”: equal to the last bit; {MARK[Outcome.DISAGREE]} beyond the limit;"
            f" {MARK[Outcome.KNOWN]} beyond it but known; {MARK[Outcome.NOT_COMPARED]} not compared.",
            class_="legend",
        )
    )


def _row(k: int, comparison: Comparison, found: Mapping[Family, Standing], families: list[Family]) -> Html:
    cause = comparison.attribution.value.replace("_", " ") if comparison.attribution else ""
    outcome = outcome_of(comparison)
    mark = "" if outcome is Outcome.AGREE else f"{MARK[outcome]} "
    reference = element("a", f"{mark}{name(comparison.right.engine, 24)}", href=f"#c{k}")
    cells = (_cell(found[family]) if family in found else element("td") for family in families)
    return element(
        "tr",
        element("th", breakable(name(comparison.case)), scope="row"),
        element("td", reference),
        element("td", cause),
        *cells,
        data_outcome=CSS_CLASS[outcome],
        data_words=searchable(comparison.case, comparison.right.engine),
    )


def _cell(standing: Standing) -> Html:
    mark = "" if standing.outcome is Outcome.AGREE else MARK[standing.outcome]
    if standing.digits is None:
        return element("td", mark or ABSENT, class_="none", title=standing.outcome.value)
    if math.isinf(standing.digits):
        text, step = "same", len(_STEPS)
    else:
        text, step = f"{math.floor(10 * standing.digits) / 10:.1f}", sum(standing.digits >= s for s in _STEPS)
    beyond = "" if standing.outcome is Outcome.AGREE else f" {CSS_CLASS[standing.outcome]}"
    return element("td", f"{mark} {text}".strip(), class_=f"d{step}{beyond}")
