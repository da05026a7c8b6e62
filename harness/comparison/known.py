"""Differences that are accepted for now: each with its size, its reason, its owner and a day on which it expires."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from math import inf
from pathlib import Path
from typing import Any

from harness.comparison.verdict import Attribution, Comparison, Outcome, Verdict
from harness.errors import CaseError, Problem

KEYS = ("case", "engine", "quantity", "attribution", "at_most", "reason", "owner", "expires")

ACCEPTABLE = tuple(a for a in Attribution if a not in {Attribution.ENGINE, Attribution.LABELS, Attribution.UNEXPLAINED})
"""A failed engine has no numbers to accept, relabelling is agreement, and what is unexplained always blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDifference:
    """An accepted disagreement of one cause; `case` and `quantity` are patterns in which `*` and `?` are wild.

    `at_most` is how large it may be, in limits: a standard error that is ten times too large is no small difference of
    definition, whatever the cause says.
    """

    case: str
    engine: str
    quantity: str
    attribution: Attribution
    at_most: float
    reason: str
    owner: str
    expires: date

    def concerns(self, case: str, engine: str) -> bool:
        """Return whether the entry speaks of this comparison."""
        return engine == self.engine and _matches(self.case, case)

    def covers(self, quantity: str) -> bool:
        """Return whether the entry speaks of this quantity."""
        return _matches(self.quantity, quantity)

    def accepts(self, verdict: Verdict) -> bool:
        """Return whether the entry speaks of this quantity, and of a difference this large.

        What one side does not give, or gives as no number, has no size; it is never accepted.
        """
        if verdict.observed is None or verdict.limit is None or not self.covers(verdict.quantity):
            return False
        return verdict.observed <= self.at_most * verdict.limit  # false for NaN

    def is_expired(self, today: date) -> bool:
        """Return whether the entry's last day has passed."""
        return today > self.expires


def read_known(path: Path, today: date | None = None) -> tuple[KnownDifference, ...]:
    """Read known_differences.toml, a list of `[[difference]]`.

    Raises
    ------
    CaseError
        With all problems at once: not TOML, unknown or missing keys, an attribution that can't be accepted, an
        expiry that is no date or has passed.
    """
    where = path.name
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CaseError(where, [Problem(found=str(error), expected="a readable TOML file")]) from error
    problems = [
        Problem(found=f"unknown key {key!r}", expected="only [[difference]] tables")
        for key in document
        if key != "difference"
    ]
    tables = document.get("difference", [])
    if not (isinstance(tables, list) and all(isinstance(table, dict) for table in tables)):
        problems.append(Problem(found="'difference' is no list of tables", expected="[[difference]] tables"))
        tables = []
    for k, table in enumerate(tables, start=1):
        problems += _problems(f"difference {k}", table, today or _now())
    if problems:
        raise CaseError(where, problems)
    return tuple(KnownDifference(**{**table, "attribution": Attribution(table["attribution"])}) for table in tables)


def in_force(
    known: Iterable[KnownDifference], case: str, engine: str, today: date | None = None
) -> tuple[KnownDifference, ...]:
    """Return the entries that speak of this comparison and have not expired."""
    day = today or _now()
    return tuple(entry for entry in known if entry.concerns(case, engine) and not entry.is_expired(day))


def with_known(
    verdicts: Iterable[Verdict], attribution: Attribution, entries: Iterable[KnownDifference]
) -> tuple[Verdict, ...]:
    """Return the verdicts, with disagreements that an entry accepts, in size and for this cause, turned into KNOWN."""
    fitting = [entry for entry in entries if entry.attribution is attribution]
    return tuple(_accepted(verdict, fitting) for verdict in verdicts)


def unused(known: Iterable[KnownDifference], comparisons: Iterable[Comparison]) -> tuple[KnownDifference, ...]:
    """Return the entries whose case and engine were compared but whose difference is gone.

    A comparison in which an engine failed has no verdicts and tells nothing about an entry.
    """
    told = [c for c in comparisons if c.left.failure is None and c.right.failure is None]
    return tuple(
        entry
        for entry in known
        if (concerned := [c for c in told if entry.concerns(c.case, c.right.engine)])
        and not any(_still_differs(entry, c) for c in concerned)
    )


def _still_differs(entry: KnownDifference, comparison: Comparison) -> bool:
    differing = {Outcome.KNOWN, Outcome.DISAGREE}
    return comparison.attribution is entry.attribution and any(
        verdict.outcome in differing and entry.covers(verdict.quantity) for verdict in comparison.verdicts
    )


def _accepted(verdict: Verdict, entries: Sequence[KnownDifference]) -> Verdict:
    if verdict.outcome is not Outcome.DISAGREE:
        return verdict
    for entry in entries:
        if entry.accepts(verdict):
            reason = f"{entry.reason} (accepted by {entry.owner} until {entry.expires.isoformat()})"
            return replace(verdict, outcome=Outcome.KNOWN, reason=reason)
    return verdict


def _problems(place: str, table: Mapping[str, Any], today: date) -> list[Problem]:
    found = [
        Problem(column=place, found=f"unknown key {key!r}", expected=f"one of {', '.join(KEYS)}")
        for key in table
        if key not in KEYS
    ]
    found += [Problem(column=place, found=f"no {key!r}", expected="a value") for key in KEYS if key not in table]
    texts = {key: table[key] for key in KEYS if key in table and key not in {"at_most", "expires"}}
    found += [
        Problem(column=place, found=f"{key} = {value!r}", expected="a text that is not empty")
        for key, value in texts.items()
        if not (isinstance(value, str) and value.strip())
    ]
    cause = texts.get("attribution")
    if isinstance(cause, str) and cause.strip() and cause not in ACCEPTABLE:
        found.append(
            Problem(column=place, found=f"attribution = {cause!r}", expected=f"one of {', '.join(ACCEPTABLE)}")
        )
    size = table.get("at_most", 1)
    if isinstance(size, bool) or not isinstance(size, int | float) or not 1 <= size < inf:
        found.append(Problem(column=place, found=f"at_most = {size!r:.80}", expected="a number of limits, 1 or more"))
    expires = table.get("expires")
    if "expires" in table and (not isinstance(expires, date) or isinstance(expires, datetime)):
        found.append(Problem(column=place, found=f"expires = {expires!r}", expected="a date such as 2030-12-31"))
    elif isinstance(expires, date) and today > expires:
        advice = "Remove the entry, or look at the difference again and give it a new date."
        found.append(Problem(column=place, found=f"expired on {expires}", expected="a day to come", advice=advice))
    return found


def _matches(pattern: str, text: str) -> bool:
    # Paths hold brackets, which fnmatch would read as sets of characters.
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _now() -> date:
    return datetime.now(UTC).date()
