"""The traceability matrix as a table: a line a requirement, then one for each case, engine and family of it."""

import csv
import io
from collections.abc import Iterator

from harness.certification.certify import Certified
from harness.certification.traceability import Counts, Row
from harness.reports.words import name

Line = dict[str, str | int | float | None]

_LONGEST = 2000
COLUMNS = (
    "requirement",
    "statement",
    "case",
    "engine",
    "source",
    "quantities",
    "kind",
    "agree",
    "known",
    "disagree",
    "not_compared",
    "worst",
    "metric",
    "observed",
    "limit",
    "observed_to_limit",
    "basis",
    "verdict",
    "inputs_sha256",
    "evidence_sha256",
)


def render(certified: Certified) -> str:
    """Return the matrix as CSV; no cell of text begins as a formula of a spreadsheet does.

    A requirement has a line with its statement, counts and verdict as a whole, then one a case, engine and family
    of quantities. `basis` is where the limit comes from, or why nothing was compared; in a requirement's own line it
    says what was found. Orphans come last.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_safe, _lines(certified)))
    return text.getvalue()


def _lines(certified: Certified) -> Iterator[Line]:
    for one in certified.traceability.traced:
        check = one.requirement.check
        yield {
            "requirement": one.requirement.identifier,
            "statement": one.requirement.statement,
            "quantities": f"check: {check}" if check else "",
            **({} if check else _counts(one.counts)),
            "basis": one.sentence,
            "verdict": one.standing.value,
        }
        for row in one.rows:
            yield {"requirement": one.requirement.identifier, **_row(row)}
    for orphan in certified.traceability.orphans:
        yield {
            "requirement": orphan.requirement,
            "case": orphan.case,
            "engine": orphan.engine,
            "quantities": orphan.family,
            "basis": orphan.sentence,
            "verdict": "orphan",
        }


def _counts(counts: Counts) -> Line:
    return {
        "agree": counts.agree,
        "known": counts.known,
        "disagree": counts.disagree,
        "not_compared": counts.not_compared,
    }


def _row(row: Row) -> Line:
    return {
        "case": row.case,
        "engine": row.engine,
        "source": row.source,
        "quantities": row.family,
        "kind": row.kind,
        **_counts(row.counts),
        "worst": row.worst,
        "metric": row.metric,
        "observed": row.observed,
        "limit": row.limit,
        "observed_to_limit": row.ratio,
        "basis": row.basis,
        "verdict": row.counts.standing.value,
        "inputs_sha256": row.inputs,
        "evidence_sha256": row.evidence,
    }


def _safe(line: Line) -> list[str]:
    return [_cell(line.get(column)) for column in COLUMNS]


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return name(value, _LONGEST)
    return repr(float(value)) if isinstance(value, float) else repr(value)  # numpy's are shown with their type
