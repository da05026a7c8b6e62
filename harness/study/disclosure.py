"""The last gate before a report: what would show a small count, a date or a part of one is withheld, and said to be.

The sections withhold small counts themselves, with what else is needed so that they can't be worked out
(`harness.suppression`). This gate trusts none of them: it reads what they hand over as a reader would.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.study.section import Cell, Estimate, Picture, Section, Table

_COUNTED = re.compile(
    r"\b(n|N|patients?|subjects?|persons?|counts?|responders?|remitters?|events?|missing|observed|lost|followed|rated)\b"
)
_NO_PATIENTS = re.compile(
    r"(?:\w+ )?\b(?:parameters?|class(?:es)?|starts?|df|visits?|treatments?|infusions?|ratings?|rows?|rank|order|items?"
    r"|estimates?|tests?|points?|samples?|replicates?|searches|halves|models?|rules?|columns?|cells?)\b"
)
_OF = re.compile(r"(?<![\d.,/])(\d+)\s*(?:/|of)\s*(\d+)(?![\d/])(?!\.\d)")
_SHARE = re.compile(r"(?<![\d.,])(\d+)\s*\(\s*[\d.]+\s*%\s*\)")
_NAMED = re.compile(
    r"\bn\s*=\s*(\d+)(?![\d.])|(?<![\d.<])\b(\d+)\s+(?:patients?|subjects?|persons?|responders?|remitters?)\b(?!-)",
    re.IGNORECASE,
)
_NO_COUNT = re.compile(
    r"(?:fewer than|less than|below|<|under|at least|>=|at most|minimum of|class|visit|week|day|order|item)\s*$",
    re.IGNORECASE,
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    r"\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d\b"
    rf"|\b\d{{1,2}}\.?\s+{_MONTH}\.?\s+(?:19|20)\d\d\b|\b{_MONTH}\.?\s+\d{{1,2}},?\s+(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_EXACT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What may pass: `limit` is the smallest count above 0 that may be shown."""

    limit: int

    def passed(self, section: Section) -> Section:
        """Return the section without what may not be shown, and with a warning that names each such part."""
        tables = [table for table in section.tables if self.reason_against_table(table) is None]
        pictures = [picture for picture in section.pictures if self.reason_against_picture(picture) is None]
        estimates = [estimate for estimate in section.estimates if self.reason_against_estimate(estimate) is None]
        texts = {
            field: tuple(text for text in getattr(section, field) if self.reason_against_text(text) is None)
            for field in ("paragraphs", "warnings")
        }
        said = tuple(f"Withheld: {what}, because {why}." for what, why in self.reasons(section))
        return replace(
            section,
            paragraphs=texts["paragraphs"],
            warnings=(*texts["warnings"], *said),
            tables=tuple(tables),
            pictures=tuple(pictures),
            estimates=tuple(estimates),
        )

    def reasons(self, section: Section) -> list[tuple[str, str]]:
        """Return what of a section may not be shown, and why."""
        found = [
            *((f"table {table.name}", self.reason_against_table(table)) for table in section.tables),
            *((f"figure {picture.name}", self.reason_against_picture(picture)) for picture in section.pictures),
            *((f"estimate {each.path}", self.reason_against_estimate(each)) for each in section.estimates),
            *(("a sentence", self.reason_against_text(text)) for text in (*section.paragraphs, *section.warnings)),
        ]
        return [(what, why) for what, why in found if why is not None]

    def reason_against_text(self, text: str) -> str | None:
        """Return why a text may not be shown, None if it may."""
        if _DATE.search(text):
            return "it has a date"
        for found in _OF.finditer(text):
            counts_others = _NO_PATIENTS.match(text[found.end() :].lstrip())
            is_part = self._is_part(int(found[1]), int(found[2]))
            if is_part and not counts_others and not _NO_COUNT.search(text[: found.start()]):
                return self._small
        singles = (found for pattern in (_SHARE, _NAMED) for found in pattern.finditer(text))
        for found in singles:
            count = int(next(part for part in found.groups() if part))
            if self._is_small(count) and not _NO_COUNT.search(text[: found.start()]):
                return self._small
        return None

    def reason_against_table(self, table: Table) -> str | None:
        """Return why a table may not be shown, None if it may."""
        texts = [table.caption, *table.header, *table.notes]
        texts += [cell for row in table.rows for cell in row if isinstance(cell, str)]
        if why := self._first(texts):
            return why
        columns = list(zip(*table.rows, strict=True)) if table.rows else []
        for heading, column in zip(table.header, columns, strict=False):
            if _is_of_patients(heading) and any(self._is_small(cell) for cell in column):
                return self._small
        for row in table.rows:
            if _is_of_patients(str(row[0])) and any(self._is_small(cell) for cell in row[1:]):
                return self._small
        return None

    def reason_against_picture(self, picture: Picture) -> str | None:
        """Return why a figure may not be shown, None if it may; its text counts, too."""
        drawn = re.findall(r">([^<>]+)<", picture.svg)
        return self._first([picture.caption, picture.description, *drawn])

    def reason_against_estimate(self, estimate: Estimate) -> str | None:
        """Return why an estimate may not be shown, None if it may.

        A share of a known number of patients is a count; the others of them are one, too.
        """
        n = estimate.denominator
        if n is not None and self._is_small(n):
            return "it rests on too few patients"
        if n and 0 <= estimate.value <= 1:
            events = estimate.value * n
            if math.isclose(events, round(events), abs_tol=_EXACT) and self._is_part(round(events), n):
                return self._small
        return self._first([estimate.label])

    @property
    def _small(self) -> str:
        return f"a count from 1 to {self.limit - 1} could be read off"

    def _first(self, texts: Iterable[str]) -> str | None:
        return next((why for text in texts if (why := self.reason_against_text(text)) is not None), None)

    def _is_small(self, value: Cell) -> bool:
        whole = isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
        return whole and 0 < float(value or 0) < self.limit

    def _is_part(self, events: int, n: int) -> bool:
        """Tell whether events of n, or the others, are few; n that is smaller than events is no such pair."""
        return events <= n and (self._is_small(events) or self._is_small(n - events))


def _is_of_patients(heading: str) -> bool:
    return bool(_COUNTED.search(heading)) and not _NO_PATIENTS.search(heading)
