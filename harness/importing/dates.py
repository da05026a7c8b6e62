"""Read dates by a declared format, or by the only one that fits them all; then only days are kept."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from harness.errors import Problem
from harness.importing.file_detection import Detection

EXCEL = "excel"
EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no time zones
ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
DAYS = tuple(
    f"{first}{mark}{second}{mark}%Y{clock}"
    for mark in (".", "/", "-")
    for first, second in (("%d", "%m"), ("%m", "%d"))
    for clock in ("", " %H:%M", " %H:%M:%S")
)
KNOWN_FORMATS = (*ISO, *DAYS, "%Y/%m/%d", "%Y%m%d", "%d-%b-%Y", "%d %b %Y", "%d%b%Y", "%b %d, %Y", "%d %B %Y")
DIRECTIVE = re.compile(r"%(.)")
ALLOWED = frozenset("dmYybBHMSfzpI%")
SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?")
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 1, 1)


def format_problem(text: str) -> Problem | None:
    """Return what is wrong with a declared format."""
    if text == EXCEL:
        return None
    used = DIRECTIVE.findall(text)
    if set(used) <= ALLOWED and ("Y" in used or "y" in used) and "d" in used and {"m", "b", "B"} & set(used):
        return None
    expected = "day, month and year as strptime writes them, such as '%d.%m.%Y', or 'excel'"
    return Problem(found="an unusable date_format", expected=expected)


def parsed(text: str, pattern: str) -> datetime | None:
    """Return the date that a text is by one format, without its time zone; None if it is none."""
    if pattern == EXCEL:
        return EXCEL_ZERO + timedelta(days=float(text)) if SERIAL.fullmatch(text) else None
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=None)  # noqa: DTZ007 - the clock of the clinic is meant
    except ValueError:
        return None


def _quickly(text: str, pattern: str) -> datetime | None:
    """Return the same, but look first whether the signs between the parts agree."""
    signs = re.sub(r"[0-9A-Za-z]", "", text)
    return parsed(text, pattern) if signs == re.sub(r"%.|[A-Za-z]", "", pattern) else None


def is_plausible(moment: datetime) -> bool:
    """Tell whether a date can be one of a visit, and not a stand-in such as 1900-01-01 or 9999-12-31."""
    return EARLIEST <= moment.date() < LATEST


def detect_format(
    texts: Sequence[str], lines: Sequence[int], column: str
) -> tuple[str | None, Detection | None, list[Problem]]:
    """Return the only format that fits all dates of a column, or why there is none.

    Problems give lines and formats, never dates.
    """
    moments = {pattern: [_quickly(text, pattern) for text in texts] for pattern in KNOWN_FORMATS}
    fits = {pattern: [moment is not None for moment in found] for pattern, found in moments.items()}
    whole = [pattern for pattern, found in fits.items() if all(found)]
    if whole and all(moments[pattern] == moments[whole[0]] for pattern in whole):
        return whole[0], _detection(whole[0], fits, lines), []
    if len(whole) > 1:
        return None, None, [_ambiguous(whole, column)]
    if all(SERIAL.fullmatch(text) for text in texts):
        problem = Problem(
            found="serial numbers where dates should be",
            expected="dates",
            column=column,
            advice='Declare date_format = "excel" if a spreadsheet wrote them.',
        )
        return None, None, [problem]
    return None, None, _mixed(fits, texts, lines, column)


def _detection(pattern: str, fits: Mapping[str, Sequence[bool]], lines: Sequence[int]) -> Detection:
    rival = _swapped(pattern)
    evidence = "no other known format fits"
    if rival in fits:
        deciding = [line for line, fit in zip(lines, fits[rival], strict=True) if not fit]
        evidence = f"{len(deciding)} dates, the first in line {deciding[0]}, allow no other order of day and month"
    return Detection(setting="date_format", value=pattern, evidence=evidence)


def _ambiguous(patterns: Sequence[str], column: str) -> Problem:
    return Problem(
        found=f"dates that fit {' and '.join(map(repr, patterns[:4]))} alike",
        expected="one order of day and month",
        column=column,
        advice="Set date_format under [import.dating].",
    )


def _mixed(
    fits: Mapping[str, Sequence[bool]], texts: Sequence[str], lines: Sequence[int], column: str
) -> list[Problem]:
    """Return the dates that the most frequent format does not fit."""
    counts = Counter({pattern: sum(found) for pattern, found in fits.items()})
    usual, count = counts.most_common(1)[0]
    if count == 0:
        expected = "dates such as %Y-%m-%d, or a declared date_format"
        return [Problem(found=f"{len(texts)} cells in no known format of dates", expected=expected, column=column)]
    strays = [line for line, fit in zip(lines, fits[usual], strict=True) if not fit]
    advice = "Write all dates in one format."
    if _swapped(usual) in fits and all(a or b for a, b in zip(fits[usual], fits[_swapped(usual)], strict=True)):
        advice = "Some dates have day and month in another order: none of them can be trusted."
    return [
        Problem(
            found="something that does not fit the format of the other dates",
            expected=f"{usual}, as {count} of {len(texts)} dates have",
            line=line,
            column=column,
            advice=advice,
        )
        for line in strays
    ]


def _swapped(pattern: str) -> str:
    return pattern.replace("%d", "%%").replace("%m", "%d").replace("%%", "%m")
