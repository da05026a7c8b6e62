"""Read a table of claims: every cell is a text, and all that is wrong with the table is told at once."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.claims.claim import CHOICES, COLUMNS, COMPANION_FORMS, KINDS, LONGEST_CELL, Claim, Kind
from harness.claims.forms import FORMS, Parts, read_form
from harness.claims.printed import UnreadableError
from harness.cohorts.delimited import DELIMITERS, decoded_text, split_rows
from harness.cohorts.tables import shown
from harness.cohorts.violations import MOST_LISTED
from harness.errors import ClaimsError, Problem, nearest

_REQUIRED = ("id", "kind", "text")


def read_claims(path: Path | str) -> tuple[Claim, ...]:
    """Return the claims of a CSV or TSV file in UTF-8, one row a claim, cells as they were printed.

    Spaces around a cell are no part of it. No cell is ever run, looked up or evaluated: one that begins with "=" is
    text like any other.

    Raises
    ------
    ClaimsError
        With everything that is wrong: columns that are unknown, repeated or lacking; ids used twice; kinds unknown;
        numbers that can't be read; columns filled that the kind has no use for. Each with line and column.
    CohortError
        The file can't be decoded or is no CSV.
    """
    path = Path(path)
    delimiter = DELIMITERS.get(path.suffix.lower())
    if delimiter is None:
        raise ClaimsError(
            path.name, [Problem(found=f"suffix {path.suffix!r:.20}", expected=f"one of {', '.join(DELIMITERS)}")]
        )
    try:
        text = decoded_text(path, "utf-8", "the claims file, which is UTF-8 always")
    except OSError as error:
        raise ClaimsError(path.name, [Problem(found=f"{error.strerror}", expected="a table of claims")]) from None
    rows, lines = split_rows(path, text, delimiter)
    return claims_of([[cell.strip() for cell in row] for row in rows], lines, path.name)


def claims_of(rows: Sequence[Sequence[str]], lines: Sequence[int], where: str) -> tuple[Claim, ...]:
    """Return the claims of a header and rows of cells, which stand on `lines`.

    Raises
    ------
    ClaimsError
        As `read_claims` does.
    """
    problems = _header_problems(rows)
    if problems:
        raise ClaimsError(where, problems)
    header = rows[0]
    claims: list[Claim] = []
    first_use: dict[str, int] = {}
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if not any(row):
            continue
        if len(row) != len(header):
            problems.append(Problem(found=f"{len(row)} cells", expected=f"{len(header)}, as in the header", line=line))
            continue
        cells = {column: cell for column, cell in zip(header, row, strict=True) if cell}
        problems += _cell_problems(cells, line)
        claim_id = cells.get("id", "")
        if claim_id in first_use:
            found = f"id {shown(claim_id)}, as in line {first_use[claim_id]}"
            problems.append(Problem(found=found, expected="each id once", line=line, column="id"))
        elif claim_id:
            first_use[claim_id] = line
        claim, wrong = _claim(cells, line)
        problems += wrong
        if claim is not None:
            claims.append(claim)
    if not claims and not problems:
        problems.append(Problem(found="a header without rows", expected="at least one claim"))
    if problems:
        raise ClaimsError(where, _most(problems))
    return tuple(claims)


def _header_problems(rows: Sequence[Sequence[str]]) -> list[Problem]:
    if not rows:
        return [Problem(found="an empty file", expected="a header and at least one claim")]
    header = rows[0]
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|,"):
        return [Problem(found="one column only", expected="cells that are parted by commas (.csv) or tabs", line=1)]
    problems = [
        Problem(
            found=f"a column {shown(name)}",
            expected="a known one, or none",
            line=1,
            column=str(place),
            advice=nearest(name, COLUMNS) or f"Known are {', '.join(COLUMNS)}.",
        )
        for place, name in enumerate(header, start=1)
        if name not in COLUMNS
    ]
    problems += [
        Problem(found=f"{header.count(name)} columns of this name", expected="one", line=1, column=name)
        for name in dict.fromkeys(header)
        if name in COLUMNS and header.count(name) > 1
    ]
    problems += [
        Problem(found="no such column", expected="it in the header", line=1, column=name)
        for name in _REQUIRED
        if name not in header
    ]
    return problems


def _cell_problems(cells: Mapping[str, str], line: int) -> Iterable[Problem]:
    for column, cell in cells.items():
        if len(cell) > LONGEST_CELL:
            expected = f"at most {LONGEST_CELL} characters"
            yield Problem(found=f"a text of {len(cell)} characters", expected=expected, line=line, column=column)
        elif not cell.isprintable() and not cell.replace("\u00a0", " ").replace("\u2009", " ").isprintable():
            yield Problem(found=f"{shown(cell)}", expected="characters that can be seen", line=line, column=column)
    for column in _REQUIRED:
        if column not in cells:
            yield Problem(found="nothing", expected="a text", line=line, column=column)


def _claim(cells: Mapping[str, str], line: int) -> tuple[Claim | None, list[Problem]]:
    """Return a row's claim, None where its kind is unknown or its text unreadable; and what is wrong."""
    name = cells.get("kind", "")
    kind = KINDS.get(name)
    if kind is None:
        if not name:
            return None, []
        advice = nearest(name, KINDS)
        found = f"kind {shown(name)}"
        return None, [Problem(found=found, expected=_one_of(KINDS), line=line, column="kind", advice=advice)]
    problems = list(_useless(cells, name, kind, line))
    parts = _read(cells.get("text", ""), kind.form, "text", line, problems)
    companions = {
        column: _read(cells[column], form, column, line, problems)
        for column, form in COMPANION_FORMS.items()
        if column in cells and column in kind.columns
    }
    for column, known in CHOICES.items():
        if column in cells and column in kind.columns and cells[column] not in known:
            found, advice = f"{column} {shown(cells[column])}", nearest(cells[column], known)
            problems.append(Problem(found=found, expected=_one_of(known), line=line, column=column, advice=advice))
    problems += _contradictions(cells, kind, line)
    if not parts:
        return None, problems
    words = {column: cell for column, cell in cells.items() if column in kind.columns and column not in COMPANION_FORMS}
    claim = Claim(
        id=cells.get("id", ""),
        kind=name,
        text=cells["text"],
        place=cells.get("place", ""),
        parts=parts,
        companions=companions,
        words=words,
        line=line,
    )
    return claim, problems


def _read(cell: str, form: str, column: str, line: int, problems: list[Problem]) -> Parts:
    """Return the numbers in a cell; none, and a problem, where they can't be read."""
    if not cell or len(cell) > LONGEST_CELL:
        return {}
    try:
        return read_form(form, cell)
    except UnreadableError as reason:
        problem = Problem(found=shown(cell), expected=FORMS[form][1], line=line, column=column, advice=reason.advice)
        problems.append(problem)
        return {}


def _useless(cells: Mapping[str, str], name: str, kind: Kind, line: int) -> Iterable[Problem]:
    """Yield a problem for each filled cell of which the kind makes nothing: it would look checked and be none."""
    for column in cells:
        if column not in kind.columns and column not in {*_REQUIRED, "place"}:
            expected = f"nothing, as kind {name!r} has no use for it"
            advice = f"It uses {', '.join(kind.columns)}."
            yield Problem(found=shown(cells[column]), expected=expected, line=line, column=column, advice=advice)


def _contradictions(cells: Mapping[str, str], kind: Kind, line: int) -> Iterable[Problem]:
    """Yield what can't stand together, and what lacks beside a filled cell."""
    used = {column for column in cells if column in kind.columns}
    if "model" in used and used & {"outcome", "at", "event"}:
        found = f"a model and {', '.join(sorted(used & {'outcome', 'at', 'event'}))}"
        yield Problem(found=found, expected="a model, or columns of the data", line=line, column="model")
    for column, other in (("term", "model"), ("df2", "df"), ("adjust", "model")):
        if column in used and other not in used:
            yield Problem(found="nothing", expected=f"one, because {column} is given", line=line, column=other)
    if "statistic" in used and "test" in kind.columns and "test" not in used:
        expected = f"one of {', '.join(CHOICES['test'])}, because a statistic is given"
        yield Problem(found="nothing", expected=expected, line=line, column="test")
    if "rates" in used and cells.get("test") not in {"chi-square", "chi-square corrected", "Fisher"}:
        expected = "chi-square, chi-square corrected or Fisher, because two rates are given"
        yield Problem(found=shown(cells.get("test", "")), expected=expected, line=line, column="test")
    if cells.get("test") == "t" and "statistic" in used and "df" not in used and "df" in kind.columns:
        yield Problem(found="nothing", expected="degrees of freedom of the t statistic", line=line, column="df")


def _one_of(words: Iterable[str]) -> str:
    return f"one of {', '.join(words)}"


def _most(problems: list[Problem]) -> list[Problem]:
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    rest = len(ordered) - MOST_LISTED
    more = [Problem(found=f"{rest} more, which are not listed", expected="no problem")] if rest > 0 else []
    return [*ordered[:MOST_LISTED], *more]
