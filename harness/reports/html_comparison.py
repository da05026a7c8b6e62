"""One section of the page: two engines on one case, and all that was measured between them."""

from collections.abc import Sequence

from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import Reading
from harness.reports.dotplot import dot_plot
from harness.reports.elements import Html, breakable, element, join
from harness.reports.html_overview import CSS_CLASS, pill
from harness.reports.html_sides import permutation, provenance, two_sides
from harness.reports.objectives import evidence_sentences, objective_rows
from harness.reports.ranking import basis_text, compared, numbered_bases, outcome_of, worst_first
from harness.reports.words import ABSENT, both, counted, name, number, sentence

_VERDICTS = 300
_MEASURES = ("observed", "limit", "digits", "basis")


def section(comparison: Comparison, k: int, command: str) -> Html:
    """Return the section; it is open where a reader has something to decide."""
    outcome = outcome_of(comparison)
    body = element(
        "div",
        _says(comparison),
        element(
            "div",
            element("div", _objectives(comparison), permutation(comparison), two_sides(comparison), class_="stack"),
            dot_plot(comparison),
            class_="columns",
        ),
        _verdicts(comparison, k),
        provenance(comparison, command),
        class_="body",
    )
    words = f"{name(comparison.case)} {name(comparison.right.engine)}".lower()
    return element(
        "details",
        element("summary", _heading(comparison)),
        body,
        id=f"comparison-{k}",
        class_=f"comparison {CSS_CLASS[outcome]}",
        data_outcome=CSS_CLASS[outcome],
        data_words=words,
        open=outcome is not Outcome.AGREE,
    )


def _heading(comparison: Comparison) -> Html:
    outcome = outcome_of(comparison)
    cause = element("span", comparison.attribution.value, class_="cause") if comparison.attribution else ""
    total = compared(comparison)
    share = f"{comparison.count(Outcome.AGREE)} of {counted(total, 'quantity', 'quantities')} agree"
    return join(
        element("h3", breakable(name(comparison.case)), " ", element("span", f"against {_engine(comparison.right)}")),
        element(
            "span",
            pill(outcome),
            cause,
            element("span", share if total else "no quantity was compared", class_="quiet"),
            class_="standing",
        ),
    )


def _engine(reading: Reading) -> str:
    version = reading.versions.get(reading.engine, "")
    return " ".join(part for part in (name(reading.engine), name(version, 24), f"({reading.source})") if part)


def _says(comparison: Comparison) -> Html:
    missing = comparison.count(Outcome.NOT_COMPARED)
    said = [sentence(comparison.sentence), *evidence_sentences(comparison)]
    if not comparison.sentence and outcome_of(comparison) is Outcome.DISAGREE:
        said.insert(0, "No cause is given.")
    if missing:
        said.append(
            f"{counted(missing, 'quantity was', 'quantities were')} not compared; the reasons stand in the table."
        )
    text = " ".join(part for part in said if part)
    step = element("p", element("strong", "Next step. "), sentence(comparison.next_step), class_="next")
    return join(element("p", text) if text else "", step if comparison.next_step else "")


def _objectives(comparison: Comparison) -> Html:
    rows = objective_rows(comparison)
    if not rows:
        return element("p", "Log-likelihoods at the same parameters were not evaluated.", class_="quiet")
    left, right = name(comparison.left.engine), name(comparison.right.engine)
    numbers = (
        element("th", text, scope="col", class_="number") for text in (f"by {left}", f"by {right}", "difference")
    )
    head = element("tr", element("th", "at", scope="col"), *numbers)
    body = (
        element(
            "tr",
            element("th", row.at, scope="row"),
            *(element("td", text, class_="number") for text in (row.left, row.right, row.difference)),
        )
        for row in rows
    )
    caption = element("caption", "Log-likelihoods at the same parameters")
    table = element("table", caption, element("thead", head), element("tbody", *body), class_="objectives")
    return element("div", table, class_="scroll", role="region", aria_label="Log-likelihoods", tabindex="0")


def _verdicts(comparison: Comparison, k: int) -> Html:
    if not comparison.verdicts:
        return join()
    shown = worst_first(comparison.verdicts)[:_VERDICTS]
    bases = numbered_bases(verdict for verdict in shown if verdict.outcome is not Outcome.NOT_COMPARED)
    engines = (name(comparison.left.engine), name(comparison.right.engine))
    head = element(
        "tr",
        *(element("th", text, scope="col") for text in ("quantity", "outcome")),
        *(element("th", text, scope="col", class_="number") for text in (*engines, *_MEASURES)),
    )
    body = (_verdict(verdict, bases, k) for verdict in shown)
    table = element("table", element("thead", head), element("tbody", *body), class_="verdicts")
    total = counted(len(comparison.verdicts), "verdict")
    return element(
        "details",
        element("summary", f"{total}, the worst first"),
        element("div", table, class_="scroll", role="region", aria_label=f"Verdicts of comparison {k}", tabindex="0"),
        _left_out(worst_first(comparison.verdicts)[_VERDICTS:]),
        element("ol", *(element("li", text, id=f"basis-{k}-{n}") for text, n in bases.items()), class_="bases"),
        class_="more",
    )


def _verdict(verdict: Verdict, bases: dict[str, int], k: int) -> Html:
    left, right = both(verdict.left_value, verdict.right_value)
    cells = (left, right, number(verdict.observed, 3), number(verdict.limit, 3), number(verdict.digits, 3))
    basis = bases.get(basis_text(verdict)) if verdict.outcome is not Outcome.NOT_COMPARED else None
    reason = element("small", sentence(verdict.reason, 240)) if verdict.reason else ""
    return element(
        "tr",
        element("th", name(verdict.quantity), reason, scope="row"),
        element("td", pill(verdict.outcome)),
        *(element("td", text, class_="number") for text in cells),
        element("td", element("a", str(basis), href=f"#basis-{k}-{basis}") if basis else ABSENT, class_="number"),
    )


def _left_out(verdicts: Sequence[Verdict]) -> Html:
    """Return what the table does not show, by outcome, so that no disagreement is hidden by its length."""
    if not verdicts:
        return join()
    kinds = [
        f"{n} {outcome.value}" for outcome in Outcome if (n := sum(verdict.outcome is outcome for verdict in verdicts))
    ]
    return element("p", f"Not shown here but in run.json: {', '.join(kinds)}.", class_="quiet")
