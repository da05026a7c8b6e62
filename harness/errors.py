"""Everything the harness raises on purpose.

::

    HarnessError               anything below; the command line prints its message without a traceback
    ├── InputError             what the user gave can't be used; lists all problems at once
    │   ├── CohortError        a table breaks its schema, or a schema is unusable
    │   ├── FormulaError       a model formula that the grammar rejects
    │   ├── SpecError          a model that can't be fitted to this cohort
    │   ├── ScoringError       a score off its scale; a scale, an outcome's rule or counts that can't be used
    │   ├── CaseError          a case, pin or known-differences file that can't be read
    │   ├── ClaimsError        a table of claims, or what it names of data and models, that can't be used
    │   ├── StudyError         a study file that can't be used, or a question that its data can't answer
    │   ├── HistoryError       a history of runs that is none, is damaged or of another version, or can't be written
    │   └── CampaignError      a campaign's plan, folder or scheduler that can't be used
    ├── EngineError            an engine crashed, hung, is absent or refused; becomes a `Failure` in a `Reading`
    └── NothingToCompareError  a run would end without a single comparison
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

# Longer names are compared by their beginnings: a hostile name must not cost minutes.
_COMPARED = 100
_MOST = 20
_LONGEST = 1000
_LINE_END = "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, where it is wrong, and what to do.

    `line` counts from 1 (for a table, the header is line 1); `column` is a column's name or a character's position.
    """

    found: str
    expected: str
    line: int | None = None
    column: str | None = None
    advice: str = ""

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                f"line {self.line}" if self.line is not None else "",
                f"column {self.column!r}" if self.column is not None else "",
            )
            if part
        )
        sentence = f"{self.found}; expected {self.expected}."
        text = " ".join(part for part in (f"{place}:" if place else "", sentence, self.advice) if part)
        return _harmless(text, _LONGEST)


def _harmless(text: str, length: int, spared: str = "") -> str:
    """Return a text that may hold anything as what a terminal shows and does not obey; of a long one both ends."""
    if len(text) > length:
        half = length // 2
        text = f"{text[:half]} … {text[-half:]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in spared else c.encode("unicode_escape").decode("ascii") for c in text)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the advice that names the known words most like this one, or nothing."""
    folded = {name[:_COMPARED].casefold(): name for name in known}
    close = [folded[match] for match in get_close_matches(word[:_COMPARED].casefold(), folded, n=3)]
    return f"Did you mean {' or '.join(map(repr, close))}?" if close else ""


def listed(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first twenty problems, and how many more there are."""
    left_out = len(problems) - _MOST
    more = [Problem(found=f"{left_out} more problems", expected="none")] if left_out > 0 else []
    return [*problems[:_MOST], *more]


class HarnessError(Exception):
    """Anything the harness raises on purpose."""


class InputError(HarnessError):
    """What the user gave can't be used; `problems` lists all that was found, not only the first."""

    def __init__(self, where: str, problems: Sequence[Problem]) -> None:
        self.where = where
        self.problems = tuple(problems)
        super().__init__(where, self.problems)

    def __str__(self) -> str:
        where = _harmless(self.where, _LONGEST)
        if len(self.problems) == 1:
            return f"{where}: {self.problems[0]}"
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        return f"{where}: {len(self.problems)} problems\n{lines}"


class CohortError(InputError):
    """A table breaks its schema, or a schema is unusable."""


class FormulaError(InputError):
    """A model formula that the grammar rejects."""


class SpecError(InputError):
    """A model that can't be fitted to this cohort."""


class ScoringError(InputError):
    """A score off its scale, or a scale, an outcome's rule or counts that can't be used."""


class CaseError(InputError):
    """A case, pin or known-differences file that can't be read."""


class ClaimsError(InputError):
    """A table of claims that can't be read, or that names what the data and models do not have."""


class HistoryError(InputError):
    """A history of runs that is none, is damaged or of another version, or can't be written."""


class StudyError(InputError):
    """A study file that can't be used, or a question that a study's data can't answer."""


class CampaignError(InputError):
    """A campaign's plan, folder or scheduler that can't be used."""


class EngineError(HarnessError):
    """An engine crashed, hung, is absent or refused.

    `reason` is one of `absent`, `crashed`, `timeout`, `refused`; `evidence` is what it printed last.
    """

    def __init__(self, engine: str, reason: str, evidence: str = "") -> None:
        self.engine = engine
        self.reason = reason
        self.evidence = evidence
        super().__init__(engine, reason, evidence)

    def __str__(self) -> str:
        tail = f": {_harmless(self.evidence, 20 * _LONGEST, spared=_LINE_END)}" if self.evidence else ""
        return f"engine {self.engine} {self.reason}{tail}"


class NothingToCompareError(HarnessError):
    """A run would end without a single comparison."""
