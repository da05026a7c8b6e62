"""What each engine says about itself: classes, warnings, conventions, input, convergence, versions."""

from collections.abc import Iterable, Sequence

from harness.comparison.verdict import Comparison, Verdict
from harness.quantities import Reading, Value
from harness.reports.elements import Html, element, join
from harness.reports.objectives import permutation_text
from harness.reports.summary import engine_text
from harness.reports.words import ABSENT, counted, name, number, seconds, sentence

_LINES = 20
_COLUMNS = 30


def permutation(comparison: Comparison) -> Html:
    """Return how the classes were matched, with the shares of both sides where they were judged."""
    if not comparison.permutation:
        return join()
    left, right = name(comparison.left.engine), name(comparison.right.engine)
    shares = {
        verdict.quantity: verdict for verdict in comparison.verdicts if verdict.quantity.endswith(".share.estimate")
    }
    headings = (f"class of {left}", f"of {right}", f"share by {left}", f"by {right}")
    rows = (
        _numbers(str(ours), str(theirs), *_shares(shares.get(f"class[{ours}].share.estimate")))
        for theirs, ours in sorted(comparison.permutation.items(), key=lambda pair: pair[1])
    )
    first, *others = headings
    numbers = (element("th", text, scope="col", class_="number") for text in others)
    head = element("tr", element("th", first, scope="col"), *numbers)
    caption = element("caption", permutation_text(comparison))
    table = element("table", caption, element("thead", head), element("tbody", *rows), class_="classes")
    return element("div", table, class_="scroll", role="region", aria_label="Matched classes", tabindex="0")


def two_sides(comparison: Comparison) -> Html:
    """Return the failures, warnings and conventions of both engines; empty where there are none."""
    return join(_side(comparison.left), _side(comparison.right))


def provenance(comparison: Comparison, commands: Sequence[str], k: int) -> Html:
    """Return what each engine was given, how its search ended, and the commands that repeat it."""
    left, right = comparison.left, comparison.right
    head = element("tr", *(element("th", text, scope="col") for text in ("", name(left.engine), name(right.engine))))
    rows = (
        element("tr", element("th", label, scope="row"), element("td", ours), element("td", theirs))
        for (label, ours), (_, theirs) in zip(_facts(left), _facts(right), strict=True)
        if {ours, theirs} != {ABSENT}
    )
    sums, equal = _sums(left, right)
    table = element("table", element("thead", head), element("tbody", *rows, *sums), class_="provenance")
    typed = (join(" or " if k else "", element("code", sentence(text))) for k, text in enumerate(commands))
    return element(
        "details",
        element("summary", "Provenance: versions, input, convergence"),
        element("div", table, class_="scroll", role="region", aria_label=f"Provenance of comparison {k}", tabindex="0"),
        element("p", equal, class_="quiet") if equal else "",
        element("p", "Reproduce with ", *typed, "."),
        class_="more",
    )


def _side(reading: Reading) -> Html:
    lines = [
        *_listed("Warning", reading.warnings),
        *_listed("Convention", reading.conventions),
        *_listed("Not given", (f"{path}: {why}" for path, why in reading.not_given.items())),
    ]
    failure = reading.failure
    if failure is not None:
        lines.insert(
            0, element("li", element("strong", f"{failure.reason.capitalize()}. "), sentence(failure.sentence))
        )
    if not lines:
        return join()
    printed = [] if failure is None else failure.evidence.splitlines()[-_LINES:]
    evidence = element("pre", *(join(sentence(line, 200), Html("\n")) for line in printed)) if printed else ""
    return element("div", element("h5", f"{name(reading.engine)} says"), element("ul", *lines), evidence)


def _listed(label: str, texts: Iterable[str]) -> list[Html]:
    every = list(texts)
    lines = [element("li", element("strong", f"{label}. "), sentence(text)) for text in every[:_LINES]]
    rest = len(every) - _LINES
    return [*lines, element("li", f"and {counted(rest, 'more line')} in run.json")] if rest > 0 else lines


def _facts(reading: Reading) -> list[tuple[str, str]]:
    evidence, end = reading.evidence, reading.convergence
    return [
        ("versions", engine_text(reading.engine, reading.versions)),
        ("source", reading.source),
        ("seconds", seconds(reading.seconds)),
        ("stopped at", ABSENT if end is None else end.stop.value),
        ("its message", ABSENT if end is None else sentence(end.message, 200) or ABSENT),
        ("what to do", ABSENT if end is None else end.next_step),
        ("iterations", number(None if end is None else end.iterations)),
        ("gradient, in standard errors", number(None if end is None else end.gradient, 2)),
        ("smallest eigenvalue of the information", number(None if end is None else end.smallest_eigenvalue, 2)),
        ("rows used", number(None if evidence is None else evidence.n_observations)),
        ("subjects used", number(None if evidence is None else evidence.n_subjects)),
        ("sum of the outcome", number(None if evidence is None else evidence.outcome_sum, 12)),
    ]


def _sums(left: Reading, right: Reading) -> tuple[list[Html], str]:
    """Return the sums of design columns that differ in twelve digits, and a sentence on those that don't."""
    ours, theirs = ({} if side.evidence is None else side.evidence.design_sums for side in (left, right))
    columns = list(dict.fromkeys((*ours, *theirs)))
    texts = {column: (number(ours.get(column), 12), number(theirs.get(column), 12)) for column in columns}
    differing = [column for column in columns if texts[column][0] != texts[column][1]]
    rows = [
        element(
            "tr",
            element("th", f"sum of {name(column, 40)}", scope="row"),
            *(element("td", text) for text in texts[column]),
        )
        for column in differing[:_COLUMNS]
    ]
    equal, more = len(columns) - len(differing), len(differing) - len(rows)
    said = f"The sums of {counted(equal, 'design column')} are equal in twelve digits." if equal else ""
    return rows, said + (f" {more} more differ." if more > 0 else "")


def _shares(verdict: Verdict | None) -> tuple[str, str]:
    return (ABSENT, ABSENT) if verdict is None else (_percent(verdict.left_value), _percent(verdict.right_value))


def _percent(value: Value | None) -> str:
    return f"{100 * value:.1f} %" if isinstance(value, float) else number(value)


def _numbers(*texts: str) -> Html:
    first, *others = texts
    return element("tr", element("th", first, scope="row"), *(element("td", text, class_="number") for text in others))
