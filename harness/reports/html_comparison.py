"""One drawer of the page: two engines on one case, and all that was measured between them."""

import re
import shlex
from collections.abc import Sequence

from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import Reading
from harness.reports.dotplot import dot_plot
from harness.reports.elements import Html, element, join
from harness.reports.families import standings
from harness.reports.html_curves import curves
from harness.reports.html_limits import Limits
from harness.reports.html_overview import CSS_CLASS, pill, searchable
from harness.reports.html_sides import permutation, provenance, two_sides
from harness.reports.objectives import evidence_sentences, objective_rows
from harness.reports.ranking import MARK, compared, outcome_of, worst_first
from harness.reports.words import both, counted, name, number, sentence

_VERDICTS = 60
_MEASURES = ("observed", "limit", "digits", "basis")


def drawer(comparison: Comparison, k: int, command: str, limits: Limits) -> Html:
    """Return the drawer; it is open where a reader has something to decide."""
    outcome = outcome_of(comparison)
    drawn = join(curves(comparison), dot_plot(comparison))
    body = element(
        "div",
        _says(comparison),
        element(
            "div",
            element("div", _objectives(comparison), permutation(comparison), two_sides(comparison), class_="stack"),
            element("div", drawn, class_="stack") if drawn else "",
            class_="columns",
        ),
        _verdicts(comparison, k, limits),
        provenance(comparison, commands(comparison, command), k),
        class_="body",
    )
    return element(
        "details",
        element("summary", _heading(comparison)),
        body,
        id=f"c{k}",
        class_=f"comparison {CSS_CLASS[outcome]}",
        data_outcome=CSS_CLASS[outcome],
        data_words=searchable(comparison.case, comparison.right.engine),
        open=outcome is not Outcome.AGREE,
    )


def commands(comparison: Comparison, command: str) -> tuple[str, ...]:
    """Return what to type to see this comparison again: alone where it is a case of the project, else the whole run."""
    if "--data" in command or not re.fullmatch(r"[a-z0-9_]{1,80}", comparison.case):
        return (command,)
    again = "check" if comparison.right.source == "pinned" else "compare"
    verdict = f"{comparison.case}/{comparison.right.engine}"
    if not re.fullmatch(r"[A-Za-z0-9_]{1,80}", comparison.right.engine):
        verdict = comparison.case
    return (shlex.join(["harness", again, comparison.case]), shlex.join(["harness", "explain", verdict]))


def _heading(comparison: Comparison) -> Html:
    outcome = outcome_of(comparison)
    cause = element("span", comparison.attribution.value, class_="cause") if comparison.attribution else ""
    total = compared(comparison)
    share = f"{comparison.count(Outcome.AGREE)} of {counted(total, 'quantity', 'quantities')} agree"
    return join(
        element("h4", f"against {_engine(comparison.right)}"),
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
        said.append(f"{counted(missing, 'quantity was', 'quantities were')} not compared.")
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
            *(element("td", text) for text in (row.left, row.right, row.difference)),
        )
        for row in rows
    )
    caption = element("caption", "Log-likelihoods at the same parameters")
    table = element("table", caption, element("thead", head), element("tbody", *body), class_="objectives")
    return element("div", table, class_="scroll", role="region", aria_label="Log-likelihoods", tabindex="0")


def _verdicts(comparison: Comparison, k: int, limits: Limits) -> Html:
    if not comparison.verdicts:
        return join()
    shown = _shown(comparison)
    engines = (name(comparison.left.engine), name(comparison.right.engine))
    head = element(
        "tr",
        element("th", "quantity", scope="col"),
        element("th", "outcome", scope="col"),
        *(element("th", text, scope="col", class_="number") for text in (*engines, *_MEASURES)),
    )
    table = element(
        "table",
        element("thead", head),
        element("tbody", *(_verdict(verdict, limits) for verdict in shown)),
        class_="verdicts",
    )
    total = counted(len(comparison.verdicts), "verdict")
    return element(
        "details",
        element("summary", f"{total}: the worst, and the worst of each group of quantities"),
        element("div", table, class_="scroll", role="region", aria_label=f"Verdicts of comparison {k}", tabindex="0"),
        _left_out(comparison.verdicts, shown),
        class_="more",
        open=outcome_of(comparison) is Outcome.DISAGREE,
    )


def _shown(comparison: Comparison) -> list[Verdict]:
    """Return the worst verdict of each group of quantities, and all that do not agree, up to a bound; worst first."""
    ranked = worst_first(comparison.verdicts)
    chosen = {id(standing.worst) for standing in standings(comparison.verdicts).values()}
    chosen |= {id(verdict) for verdict in ranked if verdict.outcome is Outcome.DISAGREE}
    if outcome_of(comparison) is not Outcome.AGREE:
        chosen |= set(map(id, ranked[: _VERDICTS // 3]))
    return [verdict for verdict in ranked if id(verdict) in chosen][:_VERDICTS]


def _verdict(verdict: Verdict, limits: Limits) -> Html:
    left, right = both(verdict.left_value, verdict.right_value)
    cells = (left, right, number(verdict.observed, 3), number(verdict.limit, 3), number(verdict.digits, 3))
    reason = element("small", sentence(verdict.reason, 240)) if verdict.reason else ""
    return element(
        "tr",
        element("th", name(verdict.quantity), reason, scope="row"),
        element("td", f"{MARK[verdict.outcome]} {verdict.outcome.value}"),
        *(element("td", text) for text in (*cells, limits.link(verdict))),
        class_=None if verdict.outcome is Outcome.AGREE else CSS_CLASS[verdict.outcome],
    )


def _left_out(verdicts: Sequence[Verdict], shown: Sequence[Verdict]) -> Html:
    """Return what the table does not show, by outcome, so that no disagreement is hidden by its length."""
    kinds = [
        f"{n} {outcome.value}"
        for outcome in Outcome
        if (n := sum(v.outcome is outcome for v in verdicts) - sum(v.outcome is outcome for v in shown))
    ]
    return element("p", f"Not shown here but in run.json: {', '.join(kinds)}.", class_="quiet") if kinds else join()
