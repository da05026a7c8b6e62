"""What the name of a column says: the ways in which clinics write MADRS, GAD-7, visits, dates and subjects.

::

    madrs_1  madrs_01  madrs1wk  madrs1wk0  madrs1_apparentsadness  M01_sadness  madrs_01_apparent_sadness
    madrs_total  MADRS_Total  madrstotwk  madrs_totalscore  madrs_score
    gad7_1  gad1_nervous  gad7_1_anxious_float  GAD0201  gad7_total  gad7_score  GAD7tot  GAD02TS  B_GAD7_Total
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from harness.importing.column_use import CHECKBOX, COMPLETE
from harness.importing.layout import EVENT, INSTANCE, INSTRUMENT
from harness.importing.scales import SELF_RATED

Confidence = Literal["high", "medium", "low"]
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)

SEPARATOR = r"[-_. ]?"
WAVE_WORD = r"(?:week|wk|visit|vis|v|day|d|time|tp|t|infusion|inf|session|ses|month|mo|mnth|fu)"
WAVE = re.compile(
    rf"(?P<kept>.*?){SEPARATOR}(?P<wave>(?:fu[-_. ]?)?{WAVE_WORD}[-_. ]?[0-9]+|[0-9]+(?:wk|week|mo|mnth|month|d|day)s?"
    rf"|fu[-_. ]?[0-9]+(?:wk|mo|d)?|fu|pre|post|baseline|base|bl|eot|end|[0-9]+)",
    re.IGNORECASE,
)
PREFIX = re.compile(r"(?P<wave>b|e|pre|post|bl|t[0-9]+|v[0-9]+|wk?[0-9]+|inf[0-9]+)[-_. ](?P<rest>.+)", re.IGNORECASE)
TOTAL = r"(?:total[-_. ]?score|totalscore|total|tot|sum[-_. ]?score|sum|score|ts)"

MADRS = rf"madrs{SEPARATOR}"
GAD7 = rf"gad(?:{SEPARATOR}7|02)?{SEPARATOR}"
ITEM = rf"(?:item|q|i)?{SEPARATOR}0?"
PATTERNS: Sequence[tuple[str, str, Confidence]] = (
    ("madrs", rf"{MADRS}{ITEM}(?P<item>10|[1-9])(?P<rest>(?:[^0-9].*)?)", "high"),
    ("madrs", r"m(?P<item>0[1-9]|10)(?P<rest>[-_. ].+)", "low"),
    ("gad7", r"gad020(?P<item>[1-7])", "high"),
    ("gad7", rf"gad{SEPARATOR}7[-_. ]+{ITEM}(?P<item>[1-8])(?P<rest>(?:[^0-9].*)?)", "high"),
    ("gad7", r"gad(?:item|q)?0?(?P<item>[1-6])(?P<rest>[-_. ][a-z].*)", "high"),
    ("madrs", rf"{MADRS}{TOTAL}(?P<rest>(?:[^a-z].*|wk.*)?)", "high"),
    ("gad7", rf"{GAD7}{TOTAL}(?P<rest>(?:[^a-z0-9].*|wk.*)?)", "high"),
    ("madrs", r"madrs(?P<rest>(?:[-_. ].*)?)", "medium"),
    ("gad7", rf"gad{SEPARATOR}7?(?P<rest>(?:[-_. ].*)?)", "medium"),
    ("gad7", r"gad[-_. ]?(?:item|q)?0?(?P<item>7)(?P<rest>(?:[-_. ][a-z].*)?)", "low"),
)
"""Scale, pattern, and how sure a name is that fits it; the first that says something is taken."""

ROLES = {
    "subject": r"(?:record|study|subject|participant|patient|case)_?(?:id|nr|no|number)?|usubjid|subjid|mrn|p?id",
    "visit": r"visit(?:_?(?:name|num))?|avisit|time_?point|event(?:_?name)?|session|week",
    "date": r"(?:visit|assessment|rating|madrs|gad7?)_?date|(?:date|datum)(?:_?of_?visit)?|adt|completed(?:_?on)?",
    "infusion date": r"(?:infusion|treatment|dose|ketamine)_?(?:date|datetime|time)",
    "day": r"day|study_?day|ady|days?_?since.*",
    "protocol": r"protocol|(?:study_?)?arm|regimen|treatment(?:_?arm)?|trt01[ap]|group|cohort",
    "age": r"age(?:_?(?:years|at.*|yrs))?|alter",
    "sex": r"sex|gender|geschlecht",
}
CHANGING = frozenset({"date", "infusion date", "day"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NameGuess:
    """One reading of a name. `scale` and `item` tell of a score, the total having no item; `wave` is a visit's word.

    `template` is the name with `{visit}` in the place of the wave. `labelled` says that the name goes on in words.
    """

    role: str
    confidence: Confidence
    evidence: str
    scale: str = ""
    item: int | None = None
    wave: str = ""
    template: str = ""
    labelled: bool = False


def name_guesses(column: str) -> list[NameGuess]:
    """Return all readings of a column's name, the likeliest first; nothing if the name says nothing."""
    name = column.strip()
    if (structure := _structure(name)) is not None:
        return [structure]
    if SELF_RATED.search(name):
        return [NameGuess(role="MADRS-S, another scale", confidence="high", evidence="the name says self-rated")]
    found = [guess for body in _bodies(name) for guess in _scores(*body)]
    found += [guess for body in _bodies(name) for guess in _roles(*body)]
    # What a name says with a visit explains more of it than the same without.
    with_visit = {guess.role for guess in found if guess.wave}
    found = [guess for guess in found if guess.wave or not guess.labelled or guess.role not in with_visit]
    return sorted(found, key=lambda guess: CONFIDENCES.index(guess.confidence))


def _structure(name: str) -> NameGuess | None:
    """Return what REDCap itself names so."""
    if name in {EVENT, INSTRUMENT, INSTANCE}:
        return NameGuess(role=name, confidence="high", evidence="a name of REDCap")
    if name == "redcap_data_access_group":
        return NameGuess(role="not read", confidence="high", evidence="a name of REDCap")
    if CHECKBOX.fullmatch(name):
        return NameGuess(role="not read", confidence="high", evidence="a box of a choice in REDCap")
    if COMPLETE.fullmatch(name):
        return NameGuess(role="not read", confidence="high", evidence="the status of a form in REDCap")
    return None


def _bodies(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the name whole, and without a word of a visit before or after it: name, word, template."""
    yield name, "", ""
    if (found := PREFIX.fullmatch(name)) is not None:
        yield found["rest"], found["wave"], "{visit}" + name[len(found["wave"]) :]
    if (found := WAVE.fullmatch(name)) is not None and found["kept"]:
        yield found["kept"], found["wave"], name[: -len(found["wave"])] + "{visit}"


def _scores(body: str, wave: str, template: str) -> Iterator[NameGuess]:
    for scale, pattern, confidence in PATTERNS:
        found = re.fullmatch(pattern, body, re.IGNORECASE)
        if found is None:
            continue
        parts = found.groupdict()
        item, rest = parts.get("item"), (parts.get("rest") or "").strip("-_. ")
        if scale == "gad7" and item == "8":
            evidence = "the eighth question, how difficult, is in no total"
            yield NameGuess(role="not read", confidence="high", evidence=evidence)
        elif item is not None:
            evidence = f"reads as item {int(item)} of {scale}"
            yield NameGuess(
                role=f"{scale} item {int(item)}",
                confidence=confidence,
                evidence=evidence,
                scale=scale,
                item=int(item),
                wave=wave,
                template=template,
                labelled=rest not in {"", "wk"},
            )
        elif rest in {"", "wk"}:
            evidence = f"reads as the total of {scale}" if confidence == "high" else f"names {scale} and nothing else"
            yield NameGuess(
                role=f"{scale} total",
                confidence=confidence,
                evidence=evidence,
                scale=scale,
                wave=wave,
                template=template,
            )


def _roles(body: str, wave: str, template: str) -> Iterator[NameGuess]:
    for role, pattern in ROLES.items():
        if re.fullmatch(pattern, body, re.IGNORECASE) and (not wave or role in CHANGING):
            yield NameGuess(role=role, confidence="medium", evidence="a usual name", wave=wave, template=template)
