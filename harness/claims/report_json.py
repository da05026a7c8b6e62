"""Verdicts on claims as JSON: everything, unshortened, with the ends of every interval as exact decimals or fractions.

`schema_version` is raised when a field changes its meaning. Keys are sorted, other characters than ASCII are escaped.
"""

import json
from fractions import Fraction

from harness.claims.report_console import headline
from harness.claims.span import Span
from harness.claims.verdict import Answer, Finding, Judged, Verification

SCHEMA_VERSION = "1.0"
_MOST_DECIMALS = 40

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def render(verification: Verification) -> str:
    """Return the verdicts as JSON, the same text for the same verdicts."""
    return json.dumps(document(verification), indent=1, sort_keys=True, allow_nan=False) + "\n"


def document(verification: Verification) -> dict[str, Json]:
    """Return the verdicts as JSON values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "name": verification.name,
        "data": verification.data or None,
        "headline": headline(verification),
        "counts": {answer.value: verification.count(answer) for answer in Answer},
        "notes": list(verification.notes),
        "claims": [_judged(one) for one in verification.judged],
    }


def _judged(one: Judged) -> dict[str, Json]:
    claim = one.claim
    beside: dict[str, Json] = {
        column: "; ".join(part.text for part in parts.values()) for column, parts in claim.companions.items()
    }
    return {
        "id": claim.id,
        "kind": claim.kind,
        "text": claim.text,
        "place": claim.place or None,
        "line": claim.line,
        "of": {**dict(claim.words), **beside},
        "verdict": one.answer.value,
        "findings": [_finding(finding) for finding in one.findings],
    }


def _finding(finding: Finding) -> dict[str, Json]:
    return {
        "check": finding.check,
        "verdict": finding.answer.value,
        "reason": finding.reason,
        "stands_for": _span(finding.stands_for),
        "computed": _span(finding.computed),
        "causes": list(finding.causes),
    }


def _span(span: Span | None) -> Json:
    return None if span is None else {"lower": exact_text(span.lower), "upper": exact_text(span.upper)}


def exact_text(number: Fraction) -> str:
    """Return a number as a decimal where it has one of bearable length, else as a fraction."""
    places = _decimal_places(number.denominator)
    if places is None or places > _MOST_DECIMALS:
        return f"{number.numerator}/{number.denominator}"
    digits = f"{abs(number.numerator) * 10**places // number.denominator:0{places + 1}d}"
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _decimal_places(denominator: int) -> int | None:
    """Return how many decimals a fraction with this denominator has, None if no number of them is enough."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None
