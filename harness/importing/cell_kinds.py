"""Say what kind of thing stands in a cell without showing it. Only what can be a score is ever shown."""

import re
import unicodedata

from harness.importing.workbook_cells import NO_VALUE

MISSING_WORDS = frozenset(
    {
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "nil",
        "missing",
        ".",
        "-",
        "--",
        "?",
        "nd",
        "not done",
        "unknown",
        "n.a.",
        "#n/a",
    }
)
TRUTH_VALUES = frozenset({"true", "false", "yes", "no"})
STAND_INS = frozenset(
    {-1.0, -7.0, -8.0, -9.0, -77.0, -88.0, -99.0, -777.0, -888.0, -999.0, -9999.0}
    | {77.0, 88.0, 99.0, 777.0, 888.0, 999.0, 7777.0, 8888.0, 9999.0}
)
"""Numbers that usually stand for a missing value."""

FOOTNOTES = "*\N{DAGGER}\N{DOUBLE DAGGER}"
DATE = re.compile(r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}.*|[0-9]{1,2}[-. ][A-Za-z]{3,9}[-. ][0-9]{2,4}.*")
PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[.,'\N{RIGHT SINGLE QUOTATION MARK} ][0-9]{3})+(?:[.,][0-9]+)?")
SCORE_LIKE = re.compile(rf"[+-]?[0-9]{{1,4}}(?:[.,][0-9]{{1,3}})?[ ]?[{FOOTNOTES}%]{{0,3}}")


def kind_of(text: str) -> str:
    """Return what a cell holds, in words that could describe the cells of many people."""
    bare = text.strip()
    if bare != text:
        return f"{kind_of(bare)} with spaces around it" if bare else "nothing but spaces"
    plain = unicodedata.normalize("NFKC", text)
    if text.startswith("#"):
        return "a formula without a stored value" if text == NO_VALUE else "an error value of a spreadsheet"
    for fits, words in (
        (not text, "nothing"),
        (plain.casefold() in MISSING_WORDS, "a word for a missing value"),
        (plain.casefold() in TRUTH_VALUES, "a truth value"),
        (DATE.fullmatch(plain) is not None, "a date"),
        (plain != text and PLAIN.fullmatch(plain) is not None, "a number in full-width digits"),
        (plain.endswith("%"), "a percentage"),
        (
            plain.rstrip(FOOTNOTES) != plain and PLAIN.fullmatch(plain.rstrip(FOOTNOTES)) is not None,
            "a number with a mark",
        ),
        (THOUSANDS.fullmatch(plain) is not None, "a number with a thousands separator"),
        (COMMA.fullmatch(plain) is not None, "a number with a decimal comma"),
        (PLAIN.fullmatch(text) is not None, "a number"),
        ("\n" in text or "\r" in text, "text of several lines"),
    ):
        if fits:
            return words
    return f"text of {len(text)} characters" if len(text) > 1 else "a single character"


def score_shown(text: str) -> str:
    """Return the kind of a cell that should hold a score, with the cell itself where it can't be anything personal."""
    plain = unicodedata.normalize("NFKC", text).strip()
    known_word = plain.casefold() in MISSING_WORDS | TRUTH_VALUES
    if len(text) <= 12 and (known_word or SCORE_LIKE.fullmatch(plain)):
        return f"{kind_of(text)} ({text!r})"
    return kind_of(text)
