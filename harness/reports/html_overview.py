"""The top of the page: the verdict, what was pinned or not compared, the engines, and the matrix of cases."""

from collections import Counter, defaultdict

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.reports.elements import Html, breakable, element, join
from harness.reports.ranking import MARK, READING_ORDER, compared, outcome_of
from harness.reports.summary import MOST_PINS, NOT_INSTALLED, Overall, Summary, engine_text, pinned_in_short, summarise
from harness.reports.words import counted, listed, name, number, sentence

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
_ENGINES = 6
_PAPER = 8


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


def searchable(case: str, engine: str) -> str:
    """Return the text that the search looks at."""
    return f"{name(case)} {name(engine)}".lower()


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
    urgency: dict[str, int] = defaultdict(lambda: len(READING_ORDER))  # of cases and of engines
    for k, comparison in enumerate(run.comparisons, start=1):
        cells[comparison.case][comparison.right.engine].append(_cell(comparison, k))
        for key in (f"case {comparison.case}", f"engine {comparison.right.engine}"):
            urgency[key] = min(urgency[key], READING_ORDER.index(outcome_of(comparison)))
    for skipped in run.skipped:
        reason = element("small", sentence(skipped.reason, 120))
        cells[skipped.case][skipped.reference].append(
            _filterable(join(pill(Outcome.NOT_COMPARED), reason), Outcome.NOT_COMPARED, skipped.case, skipped.reference)
        )
        for key in (f"case {skipped.case}", f"engine {skipped.reference}"):
            urgency[key] = min(urgency[key], READING_ORDER.index(Outcome.NOT_COMPARED))
    if not cells:
        return join()
    used = Counter(engine for row in cells.values() for engine in row)
    engines = sorted(used, key=lambda engine: (urgency[f"engine {engine}"], -used[engine]))
    head = element("tr", *(element("th", name(text), scope="col") for text in ("case", *engines)))
    body = (
        element(
            "tr",
            element("th", breakable(name(case)), scope="row"),
            *(element("td", *cells[case][engine]) if engine in cells[case] else element("td") for engine in engines),
        )
        for case in sorted(cells, key=lambda case: urgency[f"case {case}"])
    )
    table = element("table", element("thead", head), element("tbody", *body), class_="matrix by-reference")
    title = element("h2", "Cases by reference", id="cases")
    is_wide = len(engines) > _PAPER
    size = "scroll tall wide" if is_wide else "scroll tall"
    region = element("div", table, class_=size, role="region", aria_labelledby="cases", tabindex="0")
    paper = "This table is too wide for paper; the next one has a row for each comparison."
    legend = element(
        "p",
        "How many quantities agree, of those that were compared, and how far apart the two optima are (D, in standard"
        " errors). An empty cell: not asked for.",
        class_="legend",
    )
    return element("section", title, legend, element("p", paper, class_="paper") if is_wide else "", region)


def _cell(comparison: Comparison, k: int) -> Html:
    outcome = outcome_of(comparison)
    origin = "" if comparison.right.source == "live" else f", {comparison.right.source}"
    counts = f"{comparison.count(Outcome.AGREE)} of {compared(comparison)}" if compared(comparison) else ""
    distance = f"D {number(comparison.distance, 2)}" if comparison.distance is not None else ""
    cause = comparison.attribution.value.replace("_", " ") if comparison.attribution else ""
    said = (element("small", fact) for fact in (", ".join(filter(None, (counts, distance))), cause) if fact)
    link = element("a", f"{MARK[outcome]} {outcome.value}{origin}", *said, class_=CSS_CLASS[outcome], href=f"#c{k}")
    return _filterable(link, outcome, comparison.case, comparison.right.engine)


def _filterable(content: Html, outcome: Outcome, case: str, engine: str) -> Html:
    words = searchable(case, engine)
    return element("div", content, class_="cell", data_outcome=CSS_CLASS[outcome], data_words=words)


def _cautions(run: Run, summary: Summary) -> Html:
    rest = len(summary.not_compared) - _REASONS
    folded = len(summary.pinned) > MOST_PINS
    lines = [
        *([element("li", element("strong", "Pinned. "), pinned_in_short(run))] if folded else _pins(summary)),
        *(element("li", element("strong", "Not compared. "), text) for text in summary.not_compared[:_REASONS]),
        *([element("li", f"Not compared for {counted(rest, 'more reason')}, listed in run.json.")] if rest > 0 else []),
        *(element("li", element("strong", "Note. "), sentence(note)) for note in run.notes[:_REASONS]),
    ]
    if not lines:
        lines = [element("li", "Every reference was run live, and everything asked for was compared.")]
        if not run.comparisons:
            return join()
    pins = join()
    if folded:
        head = element("summary", "Which recorded results were used")
        pins = element("details", head, element("ul", *_pins(summary)), class_="not-given")
    return join(element("ul", *lines, class_="cautions"), pins, _not_given(summary))


def _pins(summary: Summary) -> list[Html]:
    return [element("li", element("strong", "Pinned. "), text) for text in summary.pinned[:_REASONS]]


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
    common = _in_common(summary)
    head = element("tr", *(element("th", text, scope="col") for text in ("engine and versions", "source", "took part")))
    rows = (
        element(
            "tr",
            element("th", engine_text(use.engine, dict(use.versions.items() - common.items())), scope="row"),
            element("td", use.source),
            element(
                "td",
                counted(use.readings, "comparison") + (f", failed in {use.failures}" if use.failures else ""),
            ),
        )
        for use in summary.engines
    )
    absent = sorted(key for key, value in run.environment.items() if value == NOT_INSTALLED)
    notes = [
        f"All of R ran with {', '.join(f'{name(key)} {name(value)}' for key, value in sorted(common.items()))}."
        if common
        else "",
        f"Not installed: {', '.join(name(engine) for engine in absent)}." if absent else "",
    ]
    table = element("table", element("thead", head), element("tbody", *rows), class_="engines")
    region = element("div", table, class_="scroll", role="region", aria_label="Engines and versions", tabindex="0")
    note = element("p", " ".join(filter(None, notes)), class_="quiet") if any(notes) else join()
    if len(summary.engines) <= _ENGINES:
        return join(region, note)
    named = dict.fromkeys(" ".join(filter(None, (use.engine, use.versions.get(use.engine)))) for use in summary.engines)
    listing = f"Engines: {listed([name(text, 40) for text in named], 40)}"
    return element("details", element("summary", listing), region, note, class_="not-given")


def _in_common(summary: Summary) -> dict[str, str]:
    """Return the versions that all references share, where there are several: they need saying only once."""
    references = [set(use.versions.items()) for use in summary.engines if use.source != "computed"]
    return dict(set.intersection(*references)) if len(references) > 1 else {}
