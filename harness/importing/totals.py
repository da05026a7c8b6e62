"""Totals of scales: from items, as given, or both compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import Problem
from harness.importing.fields import item_of, total_of
from harness.importing.mapping import Score
from harness.importing.records import Record
from harness.importing.rules import Hit
from harness.importing.scales import totals_of_items


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreColumn:
    """One scale's totals and items, a row each; None where missing."""

    totals: Sequence[float | None]
    items: Sequence[Sequence[float | None]]
    hits: Sequence[Hit] = ()
    problems: Sequence[Problem] = ()


def score_column(score: Score, records: Sequence[Record]) -> ScoreColumn:
    """Return a scale's totals.

    A given total is used where no item is answered. Where both stand they must agree, or it must be declared which of
    them is right; every disagreement is listed.
    """
    given = [_number(record, total_of(score.name)) for record in records]
    items = [[_number(record, item_of(score.name, k + 1)) for k in range(len(score.items))] for record in records]
    if score.scale is None or not score.items:
        return ScoreColumn(totals=given, items=items)
    rated = [k for k, row in enumerate(items) if any(cell is not None for cell in row)]
    spoilt = {k for k, record in enumerate(records) if any(name.startswith(f"{score.name}.") for name in record.unfit)}
    found = totals_of_items(
        score.scale, [items[k] for k in rated], [given[k] for k in rated], rated, prorate=score.prorate
    )
    conflicts = {disagreement.line: disagreement.conflict for disagreement in found.disagreements}
    totals, hits, problems = list(given), [], []
    for k, total, prorated in zip(rated, found.totals, found.prorated, strict=True):
        if k in spoilt:
            continue
        line = records[k].line
        stated = given[k]
        if k in conflicts and stated is not None:
            hits.append(Hit(rule="items_and_total", line=line, column=score.name))
            if score.differing == "error":
                problems.append(_contradiction(score.name, line, total, stated, conflicts[k]))
        if score.differing != "total" or stated is None:
            totals[k] = total
        if prorated:
            hits.append(Hit(rule="prorated", line=line, column=score.name))
        if totals[k] is None:
            hits.append(Hit(rule="incomplete_items", line=line, column=score.name))
    return ScoreColumn(totals=totals, items=items, hits=hits, problems=problems)


def _contradiction(name: str, line: int, total: float | None, given: float, conflict: str) -> Problem:
    words = {
        "differs": f"items that make {total:g} beside the total {given:g}" if total is not None else "",
        "missing_as_zero": f"the total {given:g}, which counts missing items as zero",
        "items_missing": f"the total {given:g} beside items of which some are missing",
    }
    return Problem(
        found=words[conflict],
        expected="items that make the total",
        line=line,
        column=name,
        advice='Correct it, or declare differing = "items" or "total".',
    )


def _number(record: Record, name: str) -> float | None:
    value = record.known.get(name)
    return value if isinstance(value, float) else None
