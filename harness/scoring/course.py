"""The ratings of one subject on one scale, in their order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from harness.errors import Problem, ScoringError
from harness.scoring.exact import Score, exact, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Ratings by day; the baseline is the one that precedes the first treatment.

    `treatments` are the numbers of the treatments (infusions, sessions) that the ratings precede, None after the last
    one; `planned` is how many treatments the protocol has. A rating that did not take place may be absent, or present
    without a score: both mean the same. Made by `courses`, which checks the order.
    """

    days: tuple[Fraction, ...]
    treatments: tuple[int | None, ...]
    scores: tuple[Score, ...]
    planned: int

    @property
    def baseline(self) -> Score:
        """The score before the first treatment."""
        place = self.place_of(1)
        return None if place is None else self.scores[place]

    def place_of(self, treatment: int) -> int | None:
        """Return which rating precedes a treatment, None if none does."""
        return self.treatments.index(treatment) if treatment in self.treatments else None


def courses(
    subjects: Iterable[object],
    days: Iterable[object],
    treatments: Iterable[object],
    scores: Iterable[object],
    planned: Mapping[str, int] | int,
    *,
    lines: Sequence[int] | None = None,
) -> dict[str, Course]:
    """Return the course of every subject, sorted by subject, from rows in any order.

    Parameters
    ----------
    subjects, days, treatments, scores
        One entry a row: the subject (a text or a whole number); the day, counted from the first treatment; the number
        of the treatment that the rating precedes, missing after the last; the score, missing if there is none.
    planned
        How many treatments the protocol has: one number, or one for each subject.
    lines
        The lines of the rows in their file, for messages; they count from 1 if not given.

    Raises
    ------
    ScoringError
        Rows without a subject or day; the same subject with the same day or treatment twice; treatments in another
        order than days, or beyond those planned; ratings after the treatment that lie before others of it; columns of
        different lengths. All are listed by line.
    """
    columns = [list(column) for column in (subjects, days, treatments, scores)]
    lengths = {len(column) for column in columns}
    if len(lengths) > 1 or (lines is not None and lengths != {len(lines)}):
        refuse("ratings", [Problem(found="columns of different lengths", expected="one entry a row in each")])
    places = lines if lines is not None else range(1, len(columns[0]) + 1)
    rows: dict[str, list[_Rating]] = {}
    problems: list[Problem] = []
    for line, cells in zip(places, zip(*columns, strict=True), strict=True):
        subject, rating = _label(cells[0]), _rating(line, cells[1], cells[2], cells[3], problems)
        if subject is None:
            problems.append(Problem(found="no subject", expected="a text or a whole number", line=line))
        elif rating is not None:
            rows.setdefault(subject, []).append(rating)
    found = {}
    for subject in sorted(rows):
        number = planned if isinstance(planned, int) else planned.get(subject, 0)
        ratings = sorted(rows[subject], key=lambda rating: rating.day)
        problems += _order_problems(ratings, number)
        found[subject] = Course(
            days=tuple(rating.day for rating in ratings),
            treatments=tuple(rating.treatment for rating in ratings),
            scores=tuple(rating.score for rating in ratings),
            planned=number,
        )
    refuse("ratings", problems)
    return found


@dataclass(frozen=True, slots=True)
class _Rating:
    line: int
    day: Fraction
    treatment: int | None
    score: Score


def _rating(line: int, day: object, treatment: object, score: object, problems: list[Problem]) -> _Rating | None:
    """Return one row's rating, None and a problem where it can't be read."""
    numbers: list[Score] = []
    for column, cell in (("day", day), ("treatment", treatment), ("score", score)):
        try:
            numbers.append(exact(cell))
        except ScoringError as error:
            problems += [replace(problem, line=line, column=column) for problem in error.problems]
            return None
    when, number, value = numbers
    if when is None:
        problems.append(Problem(found="no day", expected="a number", line=line, column="day"))
    if number is not None and (number.denominator != 1 or number < 1):
        expected = "a whole number from 1 on, or nothing after the treatment"
        problems.append(Problem(found="another number", expected=expected, line=line, column="treatment"))
        return None
    return None if when is None else _Rating(line, when, None if number is None else int(number), value)


def _order_problems(ratings: Sequence[_Rating], planned: int) -> list[Problem]:
    if isinstance(planned, bool) or planned < 1:
        line = ratings[0].line
        return [Problem(found=f"{planned} planned treatments", expected="at least one for each subject", line=line)]
    problems = [
        Problem(found=f"treatment {rating.treatment}", expected=f"at most {planned}, as planned", line=rating.line)
        for rating in ratings
        if rating.treatment is not None and rating.treatment > planned
    ]
    for before, after in pairwise(ratings):
        if before.day == after.day:
            found = f"the same subject and day as in line {before.line}"
            problems.append(Problem(found=found, expected="each day once", line=after.line))
        if after.treatment is None:
            continue
        if before.treatment is None:
            found = f"a treatment after the rating in line {before.line}, which has none"
            problems.append(Problem(found=found, expected="ratings without treatment last", line=after.line))
        elif before.treatment >= after.treatment:
            same = before.treatment == after.treatment
            found = f"{'the same' if same else 'an earlier'} treatment {'as' if same else 'than'} in line {before.line}"
            problems.append(Problem(found=found, expected="later treatments on later days", line=after.line))
    return problems


def _label(subject: object) -> str | None:
    """Return a subject's label; 7, 7.0 and "7" are the same subject, as some files store whole numbers as floats."""
    if isinstance(subject, str):
        return subject or None
    try:
        number = exact(subject)
    except ScoringError:
        return None
    return None if number is None or number.denominator != 1 else str(number.numerator)
