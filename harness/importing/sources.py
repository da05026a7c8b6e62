"""One file, from its bytes to records: cells judged one by one, nothing yet compared between rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.cohorts.violations import refuse
from harness.errors import Problem
from harness.importing.cells import CellReader
from harness.importing.column_use import ColumnUse, column_use
from harness.importing.decimals import detect_decimal
from harness.importing.duplicates import one_row_a_visit
from harness.importing.fields import DATE, Field, date_field, fields_of, score_fields
from harness.importing.file_detection import Detection
from harness.importing.layout import (
    EVENT,
    INSTANCE,
    INSTRUMENT,
    Layout,
    header_problems,
    laid_out,
    unplaced,
    wanted_columns,
)
from harness.importing.mapping import Companion, ImportMapping, TableFile
from harness.importing.raw_table import RawTable, read_raw
from harness.importing.records import Record, read_records


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one file says, and what had to be done to read it; `uses` counts repairs, codes and rows left out."""

    records: Sequence[Record] = field(repr=False)
    problems: Sequence[Problem]
    detected: Sequence[Detection]
    uses: Mapping[str, int]
    columns: ColumnUse
    sha256: str


def source_of(path: Path, mapping: ImportMapping) -> Source:
    """Return the records of the main file.

    Raises
    ------
    CohortError
        The file can't be read, or its header lacks what the mapping names.
    """
    fields = fields_of(mapping)
    raw = _opened(path, mapping.file, mapping)
    wanted = wanted_columns(mapping, fields)
    problems = header_problems(raw, mapping.file.header, wanted)
    redcap = mapping.shape == "redcap"
    if redcap and not mapping.visit and not {EVENT, INSTANCE} & set(raw.header):
        found = f"neither {EVENT} nor {INSTANCE}"
        problems.append(Problem(found=found, expected="one of them in a REDCap export", line=mapping.file.header))
    if problems:
        refuse(path, problems)
    use = column_use(raw.header, [*wanted, *([EVENT, INSTRUMENT, INSTANCE] if redcap else [])], redcap=redcap)
    return _judged(raw, laid_out(raw, mapping, fields), fields, mapping, use)


def companion_source(path: Path, companion: Companion, mapping: ImportMapping) -> Source:
    """Return the records of the second file, one for each subject and date.

    Raises
    ------
    CohortError
        The file can't be read, or its header lacks what the mapping names.
    """
    fields = (
        date_field(companion.date, companion.date_format, mapping.missing),
        *score_fields(companion.scores, mapping.missing),
    )
    raw = _opened(path, companion.file, mapping)
    wanted = [companion.subject, *(str(each.place) for each in fields)]
    if problems := header_problems(raw, companion.file.header, wanted):
        refuse(path, problems)
    layout = unplaced(raw, companion.subject, fields, strip="strip" in mapping.repairs)
    source = _judged(raw, layout, fields, mapping, column_use(raw.header, wanted, redcap=False))
    undated = [
        Problem(found="a row without a date", expected="one, to join it by", line=record.line)
        for record in source.records
        if DATE not in record.known and DATE not in record.unfit
    ]
    dated = [replace(record, visit=str(record.known.get(DATE, record.line))) for record in source.records]
    kept, repeated, _ = one_row_a_visit(dated, mapping.duplicates)
    problems = [replace(each, found=f"second file: {each.found}") for each in (*source.problems, *undated, *repeated)]
    uses = {f"second file: {what}": count for what, count in source.uses.items()}
    uses["second file: duplicates resolved"] = len(dated) - len(kept) if not repeated else 0
    detected = [replace(found, evidence=f"second file: {found.evidence}") for found in source.detected]
    return replace(source, records=kept, problems=problems, uses=uses, detected=detected)


def _opened(path: Path, file: TableFile, mapping: ImportMapping) -> RawTable:
    raw = read_raw(path, file)
    return replace(raw, header=[name.strip() for name in raw.header]) if "strip" in mapping.repairs else raw


def _judged(raw: RawTable, layout: Layout, fields: Sequence[Field], mapping: ImportMapping, use: ColumnUse) -> Source:
    """Return the values of all cells."""
    problems, detected, decimal = [*layout.problems], [*raw.detected], raw.file.decimal
    if decimal is None:
        numbers = {rules.name for rules in fields if rules.kind == "number"}
        texts = [cell.text.strip() for row in layout.rows for name, cell in row.cells.items() if name in numbers]
        decimal, found, doubt = detect_decimal(texts)
        detected += [] if found is None else [found]
        problems += [] if doubt is None or "thousands" in mapping.repairs else [doubt]
    cells = CellReader(decimal=decimal, repairs=mapping.repairs, typed_dates=raw.is_workbook)
    reading = read_records(layout.rows, fields, cells)
    return Source(
        records=reading.records,
        problems=[*problems, *reading.problems],
        detected=[*detected, *reading.detected],
        uses=Counter(layout.counts) + cells.uses,
        columns=use,
        sha256=raw.sha256,
    )
