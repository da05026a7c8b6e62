"""The evidence behind each requirement on the page: a line for each case and engine."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from harness.certification.requirement import Requirement
from harness.certification.tables import pill, table
from harness.certification.traceability import Row, Standing, Traced, total
from harness.reports.elements import Html, element, join
from harness.reports.words import ABSENT, counted, name, number, sentence, times

_ORDER = (Standing.NOT_SHOWN, Standing.NOT_EXAMINED, Standing.KNOWN, Standing.SHOWN)
_HEAD = (
    "case, engine",
    "verdict",
    "agree",
    "known",
    "disagree",
    "not compared",
    "worst quantity",
    "observed",
    "limit",
    "share",
    "basis",
    "hash of inputs",
)
_GAPS = 50


def evidence(traced: Sequence[Traced]) -> Html:
    """Return a drawer for each requirement, open where it is not shown, and the list of bases of limits."""
    bases = {
        text: k for k, text in enumerate(dict.fromkeys(_basis(row) for one in traced for row in _worst(one)), start=1)
    }
    listed = element("ol", *(element("li", text, id=f"basis-{k}") for text, k in bases.items()), class_="bases")
    return join(*(_drawer(one, bases) for one in traced), element("h3", "Bases of limits"), listed)


def _drawer(one: Traced, bases: Mapping[str, int]) -> Html:
    requirement = one.requirement
    heading = element("h3", name(requirement.identifier), " ", element("span", sentence(requirement.statement)))
    said = [element("p", element("span", "Asks for: ", class_="quiet"), _asked(requirement))]
    said += [element("ul", *(element("li", sentence(gap)) for gap in one.gaps[:_GAPS]))] if one.gaps else []
    body = element("div", *said, _rows(one, bases), class_="body")
    standing = element(
        "span", pill(one.standing), element("span", sentence(one.sentence), class_="quiet"), class_="standing"
    )
    return element(
        "details",
        element("summary", heading, standing),
        body,
        id=requirement.identifier,
        class_="comparison",
        open=not one.standing.is_enough,
    )


def _asked(requirement: Requirement) -> Html:
    if requirement.check:
        return join("the check ", element("code", name(requirement.check)))
    wanted = (requirement.quantities, requirement.cases, requirement.engines)
    words = ("quantities ", " of cases ", " by ")
    return join(*(part for word, patterns in zip(words, wanted, strict=True) for part in (word, _patterns(patterns))))


def _patterns(patterns: Iterable[str]) -> Html:
    parts = [element("code", name(pattern)) for pattern in patterns]
    return join(*(part for k, code in enumerate(parts) for part in ((", " if k else ""), code)))


def _rows(one: Traced, bases: Mapping[str, int]) -> Html:
    if not one.rows:
        return join()
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in one.rows:
        groups[row.case, row.engine, row.source].append(row)
    lines = []
    for (case, engine, source), rows in groups.items():
        counts, worst = total(row.counts for row in rows), _first(rows)
        k = bases[_basis(worst)]
        lines.append(
            [
                join(name(case), element("small", f"{name(engine)}, {source}", class_="quiet")),
                pill(counts.standing),
                *(str(n) if n else ABSENT for n in (counts.agree, counts.known, counts.disagree, counts.not_compared)),
                name(worst.worst),
                number(worst.observed, 3),
                number(worst.limit, 3),
                times(worst.ratio),
                element("a", str(k), href=f"#basis-{k}"),
                element("code", worst.inputs[:12], title=worst.inputs),
            ]
        )
    title = f"Evidence of {one.requirement.identifier}, {counted(len(lines), 'comparison')}"
    return table(_HEAD, lines, label=title, css="evidence", numbers=(2, 3, 4, 5, 7, 8, 9, 10))


def _worst(one: Traced) -> list[Row]:
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in one.rows:
        groups[row.case, row.engine, row.source].append(row)
    return [_first(rows) for rows in groups.values()]


def _first(rows: Iterable[Row]) -> Row:
    """Return the row that a reader should see first: one that was compared, by its standing, then by its limit."""

    def severity(row: Row) -> tuple[bool, int, float]:
        return row.counts.compared == 0, _ORDER.index(row.counts.standing), -(row.ratio or 0.0)

    return min(rows, key=severity)


def _basis(row: Row) -> str:
    return ": ".join(sentence(text, 240) for text in (row.metric, row.basis) if text) or "not measured"
