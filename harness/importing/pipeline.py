"""From a raw file to a cohort: read, lay out, judge each cell, join, date, score, check; then re-key."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.cohorts.cohort import Cohort
from harness.cohorts.violations import refuse
from harness.errors import CohortError, Problem
from harness.importing.assembly import assembled
from harness.importing.column_use import ColumnUse
from harness.importing.constants import constants_of
from harness.importing.course import Attended, course_hits
from harness.importing.duplicates import one_row_a_visit
from harness.importing.fields import fields_of
from harness.importing.file_detection import Detection
from harness.importing.joining import joined
from harness.importing.mapping import ImportMapping
from harness.importing.mapping_checks import mapping_problems
from harness.importing.mapping_file import read_mapping
from harness.importing.records import Record
from harness.importing.rekeying import write_keys
from harness.importing.rules import Check, Hit, blocking, checks_of
from harness.importing.sources import companion_source, source_of
from harness.importing.timeline import timeline_of
from harness.importing.totals import ScoreColumn, score_column


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Imported:
    """What an import gives: the cohort, the same as a tidy long table, items by scale, and an account of all it did.

    `detected` are proposals: what was not declared and found out. `columns` tells of each file which columns were read,
    `source_sha256` are the hashes of the files. Nothing here holds an original label of a subject or a date.
    """

    cohort: Cohort
    table: pd.DataFrame
    items: Mapping[str, pd.DataFrame]
    checks: tuple[Check, ...]
    detected: tuple[Detection, ...]
    columns: tuple[ColumnUse, ...]
    mapping: ImportMapping
    source_sha256: tuple[str, ...]


def import_table(
    path: Path | str,
    mapping: ImportMapping | Path | str,
    *,
    companion: Path | str | None = None,
    keys: Path | None = None,
) -> Imported:
    """Return the cohort in a raw clinical file, read by a declared mapping.

    Nothing is guessed and nothing is changed but by a declared repair, code or rule, each of which is counted in
    `checks`. Subjects get new labels; `keys` names a new file for the old ones, which are kept nowhere else. Dates
    become days since the first infusion.

    Parameters
    ----------
    path
        A CSV file or an Excel workbook.
    mapping
        What its columns mean, or the TOML file that says so.
    companion
        The second file, if the mapping declares one.
    keys
        Where old and new labels of the subjects are to be written.

    Raises
    ------
    CohortError
        Anything does not fit: all problems are listed with lines and columns. They show what stands in a cell only if
        it can be a score, never a subject's label, a date or other text.
    FileExistsError
        There is a file `keys` already.
    """
    path = Path(path)
    rules = mapping if isinstance(mapping, ImportMapping) else read_mapping(mapping)
    _refuse_unusable(rules, companion)
    main = source_of(path, rules)
    hits: list[Hit] = []
    problems = list(main.problems)
    constants = constants_of(main.records, fields_of(rules), rules)
    visits, repeated, resolved = one_row_a_visit(_known_visits(main.records), rules.duplicates)
    problems += [*constants.problems, *repeated]
    hits += [*constants.hits, *resolved]
    sources = [main]
    if rules.companion is not None and companion is not None:
        second = companion_source(Path(companion), rules.companion, rules)
        sources.append(second)
        found = joined(visits, second.records, rules.companion.within_days, rules.companion.ties, Path(companion).name)
        visits = list(found.records)
        problems += [*second.problems, *found.problems]
        hits += found.hits
    timeline = timeline_of(visits, rules)
    scores = {score.name: score_column(score, visits) for score in rules.all_scores}
    problems += [*timeline.problems, *(wrong for column in scores.values() for wrong in column.problems)]
    hits += [*timeline.hits, *(hit for column in scores.values() for hit in column.hits)]
    rated = [_is_rated(record, k, scores) for k, record in enumerate(visits)]
    courses: dict[str, list[Attended]] = {}
    for record, day, has_score in zip(visits, timeline.days, rated, strict=True):
        attended = Attended(line=record.line, visit=record.visit, day=day, has_score=has_score, known=record.known)
        courses.setdefault(record.subject, []).append(attended)
    hits += course_hits(courses, constants.known, rules)
    problems += blocking(hits, rules.accept)
    if not any(rated):
        problems.append(Problem(found="no score at all", expected="at least one"))
    if problems:
        refuse(path, problems)
    accepted = {record.subject for record, has_score in zip(visits, rated, strict=True) if has_score}
    kept = [k for k, record in enumerate(visits) if record.subject in accepted]
    whole = assembled(
        rules,
        records=[visits[k] for k in kept],
        days=[timeline.days[k] or 0.0 for k in kept],
        scores={name: _part(column, kept) for name, column in scores.items()},
        constants=constants.known,
        start_years=timeline.start_years,
    )
    if keys is not None:
        write_keys(keys, whole.labels)
    counts = Counter(dict(main.uses))
    for source in sources[1:]:
        counts.update(source.uses)
    return Imported(
        cohort=whole.cohort,
        table=whole.table,
        items=whole.items,
        checks=tuple(checks_of(hits, rules.accept, counts)),
        detected=tuple(found for source in sources for found in source.detected),
        columns=tuple(source.columns for source in sources),
        mapping=rules,
        source_sha256=tuple(source.sha256 for source in sources),
    )


def _refuse_unusable(mapping: ImportMapping, companion: Path | str | None) -> None:
    problems = mapping_problems(mapping)
    if not mapping.confirmed:
        problems.append(
            Problem(
                found="a guessed mapping that nobody has confirmed",
                expected="confirmed = true, once a person has read it",
            )
        )
    if (companion is None) != (mapping.companion is None):
        found = "no second file" if companion is None else "a second file"
        expected = "one, because [import.companion] is declared" if companion is None else "[import.companion]"
        problems.append(Problem(found=found, expected=expected))
    if problems:
        raise CohortError(f"mapping {mapping.name!r}", problems)


def _known_visits(records: Sequence[Record]) -> list[Record]:
    """Return the visits of which anything is known; where only codes of missing values stand, nothing is."""
    return [record for record in records if record.visit and (record.known or record.unfit)]


def _is_rated(record: Record, place: int, scores: Mapping[str, ScoreColumn]) -> bool:
    """Tell whether a visit has a score, or a cell that should be one and was reported."""
    spoilt = any(name.startswith(f"{score}.") for name in record.unfit for score in scores)
    return spoilt or any(column.totals[place] is not None for column in scores.values())


def _part(column: ScoreColumn, rows: Sequence[int]) -> ScoreColumn:
    return ScoreColumn(totals=[column.totals[k] for k in rows], items=[column.items[k] for k in rows])
