"""Turn the text of a cell into a number or a level, by the field's rules and the declared repairs alone."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.cohorts.levels import number_label
from harness.errors import Problem
from harness.importing.cell_kinds import FOOTNOTES, MISSING_WORDS, STAND_INS, kind_of, score_shown
from harness.importing.fields import Field
from harness.importing.mapping import Codes, Repair

GROUPS = re.compile(
    r"[+-]?[0-9]{1,3}(?P<mark>[.,'\N{RIGHT SINGLE QUOTATION MARK} ])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?P<rest>[.,][0-9]+)?"
)
DECIMAL = re.compile(r"[+-]?[0-9]+[.,][0-9]+")
LONGEST = 40


class UnfitError(Exception):
    """A cell that does not fit its field; carries what is said of it."""

    def __init__(self, found: str, expected: str, advice: str = "") -> None:
        super().__init__(found)
        self.found, self.expected, self.advice = found, expected, advice

    def problem(self, line: int, column: str) -> Problem:
        """Return what is said of it, with its place."""
        return Problem(found=self.found, expected=self.expected, line=line, column=column, advice=self.advice)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellReader:
    """Reads cells; `uses` counts every repair and every code of a missing value.

    `typed_dates` says that the file itself marks dates, which then need no declared format.
    """

    decimal: str
    repairs: Sequence[Repair]
    typed_dates: bool = False
    uses: Counter[str] = field(default_factory=Counter)

    def repaired(self, text: str) -> str:
        """Return a cell after the repairs that concern any text."""
        return self._counted("strip", text, text.strip()) if "strip" in self.repairs else text

    def number(self, text: str, rules: Field) -> float | None:
        """Return the number in a cell, None if it is missing.

        Raises
        ------
        UnfitError
            It is neither, or the number is not one that the field can have.
        """
        text = self.repaired(text)
        if self.is_missing(text, rules.missing):
            return None
        number = self._parsed(self._plain(text))
        show = score_shown if rules.is_score else kind_of
        if number is None:
            raise UnfitError(show(text), _expected(rules), self._advice(text))
        if number in rules.missing:
            self.uses[f"missing code {number:g}"] += 1
            return None
        stand_in = f"Declare missing = [{number:g}] if it stands for a missing value."
        if rules.range is None and not rules.is_score and number in STAND_INS:
            raise UnfitError(f"{number:g}, which often stands for a missing value", "`range` or `missing`", stand_in)
        if rules.range is not None and not rules.range[0] <= number <= rules.range[1]:
            usual = number in STAND_INS
            found = f"{number:g}, which often stands for a missing value" if usual else f"{show(text)} out of range"
            raise UnfitError(found, _expected(rules), stand_in if usual else "")
        if rules.integer and not number.is_integer():
            raise UnfitError(f"{show(text)} that is not whole", _expected(rules))
        if rules.top_code is not None and number > rules.top_code:
            self.uses[f"{rules.name} above {rules.top_code:g}"] += 1
            return float(rules.top_code)
        return number + 0.0  # -0.0 is 0.0

    def level(self, text: str, rules: Field) -> str | None:
        """Return the level that a word stands for, None if it is missing.

        Raises
        ------
        UnfitError
            No level lists the word.
        """
        text = self.repaired(text)
        if text in rules.levels:
            return rules.levels[text]
        if self.is_missing(text, rules.missing):
            return None
        known = len(set(rules.levels.values()))
        advice = self._advice(text) if text.isascii() else "Is the encoding of the file the right one?"
        raise UnfitError(f"{kind_of(text)} that no level lists", f"a word of the {known} levels", advice)

    def is_missing(self, text: str, codes: Codes) -> bool:
        """Tell whether a text is blank or a code of a missing value, and count the code."""
        if not text:
            return True
        found = any(text == (code if isinstance(code, str) else number_label(code)) for code in codes)
        if found:
            self.uses[f"missing code {text}"] += 1
        return found

    def _plain(self, text: str) -> str:
        """Return a number's text after the repairs that concern numbers."""
        if "full_width" in self.repairs:
            text = self._counted("full_width", text, unicodedata.normalize("NFKC", text))
        if "footnotes" in self.repairs:
            text = self._counted("footnotes", text, text.rstrip(FOOTNOTES))
        if "thousands" in self.repairs and (found := GROUPS.fullmatch(text)) and found["mark"] != self.decimal:
            text = self._counted("thousands", text, text.replace(found["mark"], ""))
        return text

    def _counted(self, repair: Repair, before: str, after: str) -> str:
        self.uses[f"repair {repair}"] += before != after
        return after

    def _parsed(self, text: str) -> float | None:
        if len(text) > LONGEST or not re.fullmatch(rf"[+-]?[0-9]+(?:{re.escape(self.decimal)}[0-9]+)?", text):
            return None
        number = float(text.replace(self.decimal, "."))
        return number if math.isfinite(number) else None

    def _advice(self, text: str) -> str:
        """Return what could be declared so that the cell is read."""
        plain = unicodedata.normalize("NFKC", text)
        unmarked = plain.rstrip(FOOTNOTES)
        for fits, advice in (
            (text != text.strip(), 'Declare repairs = ["strip"] to remove spaces.'),
            (plain.casefold() in MISSING_WORDS, f"Declare missing = [{text!r}] if it stands for a missing value."),
            (
                plain != text and self._parsed(plain) is not None,
                'Declare repairs = ["full_width"] to read such digits.',
            ),
            (
                unmarked != plain and self._parsed(unmarked) is not None,
                'Declare repairs = ["footnotes"] to remove marks after numbers.',
            ),
            (GROUPS.fullmatch(plain), 'Declare repairs = ["thousands"] or, if it is the decimal sign, `decimal`.'),
            (DECIMAL.fullmatch(plain), "Declare `decimal` under [import.file] if that is the decimal sign."),
        ):
            if fits:
                return advice
        return ""


def _expected(rules: Field) -> str:
    what = "a whole number" if rules.integer else "a number"
    return what if rules.range is None else f"{what} from {rules.range[0]:g} to {rules.range[1]:g}"
