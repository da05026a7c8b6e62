"""The top of the page: the verdict, what was pinned or not compared, the engines, and the matrix of cases."""

from collections import defaultdict

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.reports.elements import Html, breakable, element, join
from harness.reports.ranking import MARK, compared, outcome_of
from harness.reports.summary import NOT_INSTALLED, Overall, Summary, engine_text, summarise
from harness.reports.words import counted, name, number, sentence

CSS_CLASS = {
    Outcome.AGREE: "agree",
    Outcome.KNOWN: "known",
    Outcome.DISAGREE: "disagree",
    Outcome.NOT_COMPARED: "missing",
}
_OVERALL_CLASS = {
    Overall.AGREE: "agree",
    Overall.KNOWN: "known",
    Overall.PARTIAL: "known",
    Overall.DISAGREE: "disagree",
    Overall.NOTHING: "disagree",
}
_REASONS = 100


def pill(outcome: Outcome) -> Html:
    """Return an outcome as a mark and its word."""
    mark = element("span", MARK[outcome], aria_hidden="true")
    return element("span", mark, f" {outcome.value}", class_=f"pill {CSS_CLASS[outcome]}")


def banner(run: Run) -> Html:
    """Return the verdict of the run and all that limits it."""
    summary = summarise(run)
    return element(
        "header",
        element("p", "Cross-check of pure-Python mixed and trajectory models against R", class_="eyebrow"),
        element("h1", summary.headline),
        _cautions(run, summary),
        _figures(run),
        _engines(run, summary),
        class_=f"banner {_OVERALL_CLASS[summary.overall]}",
    )


def filters(run: Run) -> Html:
    """Return the controls of the filter; the script shows them, so that nobody meets controls that do nothing."""
    if len(run.comparisons) + len(run.skipped) < 2:
        return join()
    everything = element("button", "All", type="button", data_show="all", aria_pressed="true")
    present = {*map(outcome_of, run.comparisons), *([Outcome.NOT_COMPARED] if run.skipped else [])}
    buttons = (
        element("button", f"{MARK[o]} {o.value}", type="button", data_show=CSS_CLASS[o], aria_pressed="false")
        for o in Outcome
        if o in present
    )
    search = element(
        "label", "Case or engine ", element("input", type="search", id="search", autocomplete="off", spellcheck="false")
    )
    status = element("span", role="status", id="shown")
    choices = element("span", everything, *buttons, role="group", aria_label="Outcome", class_="choices")
    return element("div", choices, search, status, class_="filters", id="filters", hidden=True)


def matrix(run: Run) -> Html:
    """Return the table of cases by references, each cell with its outcome in words."""
    cells: dict[str, dict[str, list[Html]]] = defaultdict(lambda: defaultdict(list))
    for k, comparison in enumerate(run.comparisons, start=1):
        cells[comparison.case][comparison.right.engine].append(_cell(comparison, k))
    for skipped in run.skipped:
        reason = element("small", sentence(skipped.reason, 120))
        cells[skipped.case][skipped.reference].append(
            _filterable(join(pill(Outcome.NOT_COMPARED), reason), Outcome.NOT_COMPARED, skipped.case, skipped.reference)
        )
    if not cells:
        return join()
    engines = list(dict.fromkeys(engine for row in cells.values() for engine in row))
    head = element("tr", *(element("th", name(text), scope="col") for text in ("case", *engines)))
    body = (
        element(
            "tr",
            element("th", breakable(name(case)), scope="row"),
            *(element("td", *row[engine]) if engine in row else _unasked() for engine in engines),
        )
        for case, row in cells.items()
    )
    table = element("table", element("thead", head), element("tbody", *body), class_="matrix")
    title = element("h2", "Cases by reference", id="cases")
    region = element("div", table, class_="scroll", role="region", aria_labelledby="cases", tabindex="0")
    return element("section", title, region)


def _cell(comparison: Comparison, k: int) -> Html:
    outcome = outcome_of(comparison)
    cause = f" · {comparison.attribution.value}" if comparison.attribution else ""
    distance = f"D {number(comparison.distance, 2)} · " if comparison.distance is not None else ""
    share = f"{distance}{comparison.count(Outcome.AGREE)} of {compared(comparison)}" if compared(comparison) else ""
    facts = (element("small", text) for text in (f"{comparison.right.source}{cause}", share) if text)
    link = element("a", pill(outcome), *facts, href=f"#comparison-{k}")
    return _filterable(link, outcome, comparison.case, comparison.right.engine)


def _filterable(content: Html, outcome: Outcome, case: str, engine: str) -> Html:
    words = f"{name(case)} {name(engine)}".lower()
    return element("div", content, class_="cell", data_outcome=CSS_CLASS[outcome], data_words=words)


def _unasked() -> Html:
    dot = element("span", "·", class_="quiet", aria_hidden="true")
    return element("td", dot, element("span", "not asked for", class_="unseen"))


def _cautions(run: Run, summary: Summary) -> Html:
    rest = len(summary.not_compared) - _REASONS
    lines = [
        *(element("li", element("strong", "Pinned. "), text) for text in summary.pinned),
        *(element("li", element("strong", "Not compared. "), text) for text in summary.not_compared[:_REASONS]),
        *([element("li", f"Not compared for {counted(rest, 'more reason')}, listed in run.json.")] if rest > 0 else []),
        *(element("li", element("strong", "Note. "), sentence(note)) for note in run.notes[:_REASONS]),
    ]
    if not lines:
        lines = [element("li", "Every reference was run live, and everything asked for was compared.")]
        if not run.comparisons:
            return join()
    return join(element("ul", *lines, class_="cautions"), _not_given(summary))


def _not_given(summary: Summary) -> Html:
    if not summary.not_given:
        return join()
    lines = [element("li", text) for text in summary.not_given[:_REASONS]]
    head = element("summary", "Quantities that an engine does not give")
    return element("details", head, element("ul", *lines), class_="not-given")


def _figures(run: Run) -> Html:
    """Return the counts as large figures."""
    counts = [
        ("comparisons", len(run.comparisons) + len(run.skipped), ""),
        ("quantities compared", sum(map(compared, run.comparisons)), ""),
        *((outcome.value, run.count(outcome), CSS_CLASS[outcome]) for outcome in Outcome),
    ]
    figures = (
        element(
            "div", element("dt", label), element("dd", f"{n:,}".replace(",", " ")), class_=(css if n else "") or None
        )
        for label, n, css in counts
    )
    return element("dl", *figures, class_="figures")


def _engines(run: Run, summary: Summary) -> Html:
    if not summary.engines:
        return join()
    head = element("tr", *(element("th", text, scope="col") for text in ("engine and versions", "source", "took part")))
    rows = (
        element(
            "tr",
            element("th", engine_text(use.engine, use.versions), scope="row"),
            element("td", use.source),
            element(
                "td",
                counted(use.readings, "comparison") + (f", failed in {use.failures}" if use.failures else ""),
            ),
        )
        for use in summary.engines
    )
    absent = sorted(key for key, value in run.environment.items() if value == NOT_INSTALLED)
    note = element("p", f"Not installed: {', '.join(name(engine) for engine in absent)}.") if absent else ""
    table = element("table", element("thead", head), element("tbody", *rows), class_="engines")
    region = element("div", table, class_="scroll", role="region", aria_label="Engines and versions", tabindex="0")
    return join(region, note)
