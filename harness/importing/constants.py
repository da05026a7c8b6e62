"""What does not change in a subject: found once, and the same wherever it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import Problem
from harness.importing.fields import PROTOCOL, Field
from harness.importing.mapping import ImportMapping
from harness.importing.records import Record, Value
from harness.importing.rules import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """The values of each subject by field, what is wrong with them, and what they violate."""

    known: Mapping[str, Mapping[str, Value]] = field(repr=False)
    problems: Sequence[Problem]
    hits: Sequence[Hit]


def constants_of(records: Sequence[Record], fields: Sequence[Field], mapping: ImportMapping) -> Constants:
    """Return the constant values of each subject, from whichever rows hold them."""
    names = [rules.name for rules in fields if rules.constant]
    found: dict[str, dict[str, Value]] = {}
    lines: dict[tuple[str, str], int] = {}
    problems, hits = [], []
    unfit: set[tuple[str, str]] = set()
    for record in records:
        own = found.setdefault(record.subject, {})
        unfit |= {(record.subject, name) for name in record.unfit}
        for name in names:
            value = record.known.get(name)
            if value is None:
                continue
            if own.setdefault(name, value) != value:
                problems.append(_contradiction(name, record.line, lines[record.subject, name]))
            lines.setdefault((record.subject, name), record.line)
    first = _first_lines(records)
    if mapping.protocols:
        problems += [
            Problem(found="a subject without a protocol", expected="one protocol", line=first[subject])
            for subject, own in found.items()
            if PROTOCOL not in own and (subject, PROTOCOL) not in unfit
        ]
    for subject, own in found.items():
        age = own.get("age")
        if isinstance(age, float) and age > 89 and not any(c.name == "age" and c.top_code for c in mapping.covariates):
            hits.append(Hit(rule="age_over_89", line=first[subject], found="an age over 89"))
    return Constants(known=found, problems=problems, hits=hits)


def _first_lines(records: Sequence[Record]) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    for record in records:
        lines[record.subject] = min(record.line, lines.get(record.subject, record.line))
    return lines


def _contradiction(name: str, line: int, first: int) -> Problem:
    return Problem(
        found=f"another {name} than in line {first} for the same subject",
        expected=f"one {name} a subject",
        line=line,
    )
