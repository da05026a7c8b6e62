"""Columns that are made of a score and its baseline: change, percent change, response."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from harness.claims.condition import Condition
from harness.errors import ClaimsError, Problem
from harness.scoring import ImprovementRule, percent_change, response, why_undefined

Making = Literal["change", "percent_change", "response"]
MAKINGS: tuple[Making, ...] = get_args(Making)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What a derived column is made of.

    Attributes
    ----------
    name, source, baseline
        Of the column, the score's column, and the rows in which its baseline stands: one for each subject.
    making
        "change" is the score less its baseline, "percent_change" is 100 (baseline - score) / baseline, positive where
        the score fell; "response" tells whether it fell by at least `share` of the baseline.
    share
        Of a response.
    """

    name: str
    source: str
    baseline: tuple[Condition, ...]
    making: Making
    share: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedColumn:
    """Its cells by row, None where they are missing; `allowed` tells whether the baseline lets there be any."""

    cells: tuple[Fraction | bool | None, ...]
    allowed: tuple[bool, ...]


def derive(
    rule: Derived, scores: Sequence[Fraction | None], subjects: Sequence[int], is_baseline: Sequence[bool]
) -> DerivedColumn:
    """Return a derived column, one entry a row.

    Raises
    ------
    ClaimsError
        A subject has several baselines.
    """
    baselines: dict[int, Fraction | None] = {}
    for subject, score, own in zip(subjects, scores, is_baseline, strict=True):
        if not own:
            continue
        if baselines.get(subject) not in {None, score} and score is not None:
            found = "several baselines of one subject"
            raise ClaimsError(f"derived column {rule.name!r}", [Problem(found=found, expected="one row a subject")])
        baselines[subject] = score if score is not None else baselines.get(subject)
    cells: list[Fraction | bool | None] = []
    allowed = []
    for subject, score in zip(subjects, scores, strict=True):
        baseline = baselines.get(subject)
        cells.append(_cell(rule, baseline, score))
        allowed.append(baseline is not None if rule.making == "change" else why_undefined(baseline, 0) is None)
    return DerivedColumn(cells=tuple(cells), allowed=tuple(allowed))


def _cell(rule: Derived, baseline: Fraction | None, score: Fraction | None) -> Fraction | bool | None:
    if rule.making == "change":
        return None if baseline is None or score is None else score - baseline
    if rule.making == "percent_change":
        return percent_change(baseline, score)
    return response(baseline, score, ImprovementRule(response=rule.share or Fraction(1, 2), partial=None))


def described(rule: Derived) -> str:
    """Return what a derived column is, in words."""
    where = "; ".join(map(str, rule.baseline))
    words: Mapping[Making, str] = {
        "change": f"{rule.source} less its baseline",
        "percent_change": f"the percentage of the baseline by which {rule.source} fell",
        "response": f"{rule.source} fell by at least {rule.share} of its baseline",
    }
    return f"{rule.name}: {words[rule.making]} (baseline at {where})"
