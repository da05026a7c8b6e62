"""A cohort as exact columns: numbers as fractions, levels as texts, derived columns; and which rows are selected."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from harness.claims.condition import Condition
from harness.claims.derived import Derived, DerivedColumn, derive
from harness.claims.printed import UnreadableError
from harness.cohorts.cohort import Cohort
from harness.errors import ClaimsError, Problem, nearest
from harness.scoring import exact

Cell = Fraction | str | bool | None


class CohortTable:
    """The rows of a cohort, cell by cell; `derived` columns stand beside its own."""

    def __init__(self, cohort: Cohort, derived: Mapping[str, DerivedColumn] | None = None) -> None:
        self.cohort = cohort
        self.derived = derived or {}
        self.subjects: Sequence[int] = cohort.subjects.codes.tolist()
        self._cells: dict[str, Sequence[Cell]] = {}
        self._truths: dict[Condition, Sequence[bool | None]] = {}
        self._selected: dict[tuple[Condition, ...], Sequence[int]] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, derived ones too."""
        return (*self.cohort.columns, *self.derived)

    def is_level(self, column: str) -> bool:
        """Whether a column holds levels."""
        return column in self.cohort.factors

    def is_truth(self, column: str) -> bool:
        """Whether a column holds truths."""
        return column in self.derived and any(isinstance(cell, bool) for cell in self.derived[column].cells)

    def cells(self, column: str) -> Sequence[Cell]:
        """Return a column, None where it is missing."""
        if column not in self._cells:
            self._cells[column] = self._read(column)
        return self._cells[column]

    def problem_with(self, condition: Condition) -> tuple[str, str, str] | None:
        """Return what a condition asks that the cohort does not have: found, expected, advice; None if nothing."""
        column = condition.column
        if column not in self.columns:
            return f"no column {column!r:.60}", f"one of {', '.join(self.columns)}", nearest(column, self.columns)
        if self.is_truth(column) or condition.is_bare:
            fits = self.is_truth(column) and condition.is_bare
            return None if fits else (f"{str(condition)!r:.60}", "a derived truth alone, or a column compared", "")
        if self.is_level(column):
            return self._problem_with_level(condition)
        try:
            condition.number  # noqa: B018  # it raises if it is none
        except UnreadableError:
            return f"{str(condition)!r:.60}", f"a number, because {column} is numeric", ""
        return None

    def _problem_with_level(self, condition: Condition) -> tuple[str, str, str] | None:
        column = condition.column
        levels = self.cohort.factors[column].levels
        if condition.operator not in {"=", "!="}:
            return f"{str(condition)!r:.60}", f"= or !=, because {column} has levels", ""
        if condition.value in levels:
            return None
        if column == self.cohort.subject:
            return f"{str(condition)!r:.60}", "one of its levels", ""
        expected = f"one of {', '.join(levels)}"
        return f"level {condition.value!r:.60} of {column}", expected, nearest(condition.value, levels)

    def truths(self, condition: Condition) -> Sequence[bool | None]:
        """Return whether each row meets a condition, None where its cell is missing."""
        if condition not in self._truths:
            self._truths[condition] = self._judged(condition)
        return self._truths[condition]

    def _judged(self, condition: Condition) -> Sequence[bool | None]:
        cells = self.cells(condition.column)
        if condition.is_bare:
            return [cell if isinstance(cell, bool) else None for cell in cells]
        if self.is_level(condition.column):
            turned = condition.operator == "!="
            return [None if cell is None else (cell == condition.value) != turned for cell in cells]
        return condition.holds([cell if isinstance(cell, Fraction) else None for cell in cells])

    def selected(self, conditions: tuple[Condition, ...]) -> Sequence[int]:
        """Return the rows that meet all conditions."""
        if conditions not in self._selected:
            rows: Sequence[int] = range(self.cohort.n_rows)
            for condition in conditions:
                truths = self.truths(condition)
                rows = [row for row in rows if truths[row]]
            self._selected[conditions] = rows
        return self._selected[conditions]

    def is_constant(self, column: str) -> bool:
        """Whether no subject has two values in a column."""
        known: dict[int, Cell] = {}
        for subject, cell in zip(self.subjects, self.cells(column), strict=True):
            if cell is not None and known.setdefault(subject, cell) != cell:
                return False
        return True

    def _read(self, column: str) -> Sequence[Cell]:
        if column in self.derived:
            return self.derived[column].cells
        if column in self.cohort.factors:
            factor = self.cohort.factors[column]
            return [factor.levels[code] if code >= 0 else None for code in factor.codes.tolist()]
        return [exact(number) for number in self.cohort.numeric[column].tolist()]


def cohort_table(cohort: Cohort, rules: Iterable[Derived] = ()) -> CohortTable:
    """Return the table of a cohort with its derived columns.

    Raises
    ------
    ClaimsError
        A derived column has the name of another, or is made of what the cohort does not have.
    """
    table = CohortTable(cohort)
    problems = []
    derived = {}
    for rule in rules:
        wrong = _wrong(table, rule)
        problems += wrong
        if not wrong:
            scores = [cell if isinstance(cell, Fraction) else None for cell in table.cells(rule.source)]
            rows = set(table.selected(rule.baseline))
            at_baseline = [row in rows for row in range(cohort.n_rows)]
            derived[rule.name] = derive(rule, scores, table.subjects, at_baseline)
    if problems:
        raise ClaimsError(f"cohort {cohort.name!r}", problems)
    return CohortTable(cohort, derived)


def _wrong(table: CohortTable, rule: Derived) -> list[Problem]:
    place = f"derived.{rule.name}"
    problems = []
    if rule.name in table.cohort.columns:
        problems.append(Problem(column=place, found="the name of a column", expected="a new name"))
    if rule.source not in table.cohort.numeric:
        known = tuple(table.cohort.numeric)
        found, expected = f"from {rule.source!r:.60}", f"a numeric column, one of {', '.join(known)}"
        problems.append(Problem(column=place, found=found, expected=expected, advice=nearest(rule.source, known)))
    found_wrong = filter(None, map(table.problem_with, rule.baseline))
    problems += [
        Problem(column=place, found=found, expected=expected, advice=advice) for found, expected, advice in found_wrong
    ]
    return problems
