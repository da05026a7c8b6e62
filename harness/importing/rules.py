"""The rules that data are held to, and the table of how often each was hit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.errors import Problem

ACCEPTABLE: Mapping[str, str] = {
    "visit_order": "days increase in the order of the visits",
    "infusion_interval": "infusions lie 1 to 14 days apart",
    "follow_up_window": "follow-up lies in its window after the last infusion",
    "rated_after_infusion": "ratings precede the infusion of the same visit",
    "more_infusions": "no one has more infusions than the protocol plans",
    "never_rated": "every subject has a score (those without are left out)",
    "age_over_89": "ages over 89 are coded as one, by `top_code`",
}
"""Rules whose violations are errors, unless `accept` names the rule; the data then stay as they are."""

COUNTED: Mapping[str, str] = {
    "only_baseline": "subjects with scores at the first visit alone",
    "no_baseline": "subjects without any score at the first visit",
    "fewer_infusions": "subjects with fewer infusions than the protocol plans",
    "skipped_infusion": "subjects with an infusion after one that is missing",
    "same_day_unclear": "ratings on the day of the infusion, without a time of day that tells which came first",
    "items_and_total": "given totals that are not the sum of their items",
    "prorated": "totals of items of which some are missing",
    "incomplete_items": "totals that are missing because an item is",
    "duplicates_resolved": "rows that a declared resolver left out or merged",
    "joined": "visits with scores of the second file",
    "join_without_visit": "rows of the second file without a visit near enough",
    "join_surplus": "rows of the second file whose visit has a nearer one",
    "join_without_row": "visits without a row of the second file near enough",
    "join_tie": "rows or visits equally near, decided by the declared rule",
    "nominal_day": "visits without a date that got their nominal day",
}
"""What is no error in itself but must be known."""

MOST_LINES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule and the lines on which it was hit; for a subject, the first line."""

    rule: str
    meaning: str
    hits: int
    lines: tuple[int, ...] = ()
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One violation: the rule, the line, and for scores what stands there."""

    rule: str
    line: int
    found: str = ""
    column: str | None = None


def checks_of(hits: Sequence[Hit], accept: Sequence[str], counts: Mapping[str, int]) -> list[Check]:
    """Return every rule with its hits, those without any included, and then the counts of repairs and the like."""
    by_rule: dict[str, list[int]] = {rule: [] for rule in (*ACCEPTABLE, *COUNTED)}
    for hit in hits:
        by_rule[hit.rule].append(hit.line)
    meanings = {**ACCEPTABLE, **COUNTED}
    checks = [
        Check(
            rule=rule,
            meaning=meanings[rule],
            hits=len(lines),
            lines=tuple(sorted(lines)[:MOST_LINES]),
            accepted=rule in accept,
        )
        for rule, lines in by_rule.items()
    ]
    return checks + [Check(rule=rule, meaning="", hits=count) for rule, count in counts.items() if count]


def blocking(hits: Sequence[Hit], accept: Sequence[str]) -> list[Problem]:
    """Return the violations of rules that no one accepted."""
    advice = {rule: f'Correct it, or declare accept = ["{rule}"].' for rule in ACCEPTABLE}
    return [
        Problem(
            found=hit.found or f"a violation of {hit.rule}",
            expected=f"that {ACCEPTABLE[hit.rule]}",
            line=hit.line,
            column=hit.column,
            advice=advice[hit.rule],
        )
        for hit in hits
        if hit.rule in ACCEPTABLE and hit.rule not in accept
    ]


def check_table(checks: Sequence[Check]) -> pd.DataFrame:
    """Return the rules and how often each was hit; neither lines nor subjects."""
    return pd.DataFrame(
        {
            "rule": [check.rule for check in checks],
            "hits": [check.hits for check in checks],
            "accepted": [check.accepted for check in checks],
            "meaning": [check.meaning for check in checks],
        }
    )
