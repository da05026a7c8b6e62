"""The fields that a mapping reads, each with its place in the file and the cells that it accepts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.importing.mapping import Codes, Covariate, Dating, ImportMapping, Place, Score, Visit

Kind = Literal["number", "factor", "date"]

DATE, INFUSION_DATE, DAY, PROTOCOL = "date", "infusion date", "day", "protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a row.

    `is_score` allows its messages to show what stands in the cell; nothing else of a row is ever shown. A `constant`
    field has one value a subject. `levels` maps the file's words to the levels of a factor.
    """

    name: str
    place: Place
    kind: Kind
    range: tuple[float, float] | None = None
    integer: bool = False
    missing: Codes = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    constant: bool = False
    is_score: bool = False
    top_code: float | None = None
    date_format: str | None = None


def total_of(score: str) -> str:
    """Return the name of the field that holds a score's total."""
    return f"{score}.total"


def item_of(score: str, number: int) -> str:
    """Return the name of the field that holds an item, counted from 1."""
    return f"{score}.{number}"


def fields_of(mapping: ImportMapping) -> tuple[Field, ...]:
    """Return all fields of the main file but the subject and the visit.

    The protocol has an empty place where REDCap's arms tell it.
    """
    fields = [*_dates(mapping.dating, mapping.missing)]
    if mapping.protocols:
        words = {word: protocol.name for protocol in mapping.protocols for word in protocol.named}
        fields.append(
            Field(
                name=PROTOCOL,
                place=mapping.protocol,
                kind="factor",
                levels=words,
                missing=mapping.missing,
                constant=True,
            )
        )
    fields += [_covariate(covariate, mapping.missing) for covariate in mapping.covariates]
    return (*fields, *score_fields(mapping.scores, mapping.missing))


def score_fields(scores: Sequence[Score], missing: Codes) -> tuple[Field, ...]:
    """Return the fields of scores: totals and items."""
    return tuple(found for score in scores for found in _of_score(score, missing))


def columns_of(place: Place, visits: Sequence[Visit]) -> Mapping[str, str]:
    """Return the column of each visit that has one, for a wide file; a plain name is that of all visits."""
    if not isinstance(place, str):
        return place
    return {visit.name: place.replace("{visit}", visit.named[0]) for visit in visits}


def date_field(place: Place, date_format: str | None, missing: Codes, name: str = DATE) -> Field:
    """Return the field of a date; without a format that of its column is found out, or refused."""
    return Field(name=name, place=place, kind="date", missing=missing, date_format=date_format)


def _dates(dating: Dating, missing: Codes) -> Iterator[Field]:
    if dating.date is not None:
        yield date_field(dating.date, dating.date_format, missing)
    if dating.infusion_date is not None:
        yield date_field(dating.infusion_date, dating.date_format, missing, INFUSION_DATE)
    if dating.day is not None:
        yield Field(name=DAY, place=dating.day, kind="number", missing=missing)


def _covariate(covariate: Covariate, missing: Codes) -> Field:
    return Field(
        name=covariate.name,
        place=covariate.source,
        kind="factor" if covariate.levels else "number",
        range=covariate.range,
        integer=covariate.integer,
        missing=(*missing, *covariate.missing),
        levels={word: level for level, words in covariate.levels.items() for word in words},
        constant=not covariate.changes,
        top_code=covariate.top_code,
    )


def _of_score(score: Score, missing: Codes) -> Iterator[Field]:
    codes = (*missing, *score.missing)
    items = score.scale.items if score.scale is not None and score.items else ()
    if score.total is not None:
        yield Field(
            name=total_of(score.name),
            place=score.total,
            kind="number",
            range=score.total_range,
            integer=score.integer,
            missing=codes,
            is_score=True,
        )
    for number, (item, place) in enumerate(zip(items, score.items, strict=True), start=1):
        yield Field(
            name=item_of(score.name, number),
            place=place,
            kind="number",
            range=(item.lowest, item.highest),
            integer=True,
            missing=codes,
            is_score=True,
        )
