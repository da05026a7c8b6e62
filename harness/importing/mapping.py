"""How a raw clinical file is to be read: columns, codes, visits and repairs. Nothing happens that is not declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.scoring import Instrument

Shape = Literal["long", "wide", "redcap"]
Repair = Literal["strip", "full_width", "thousands", "footnotes"]
Resolver = Literal["error", "identical", "complement", "first", "last", "earliest", "latest"]
Undated = Literal["error", "nominal"]
Differing = Literal["error", "items", "total"]
Ties = Literal["error", "earlier", "later"]
TimeAxis = Literal["week", "day"]

SHAPES: tuple[Shape, ...] = get_args(Shape)
REPAIRS: tuple[Repair, ...] = get_args(Repair)
RESOLVERS: tuple[Resolver, ...] = get_args(Resolver)
UNDATED: tuple[Undated, ...] = get_args(Undated)
DIFFERING: tuple[Differing, ...] = get_args(Differing)
TIES: tuple[Ties, ...] = get_args(Ties)
TIME_AXES: tuple[TimeAxis, ...] = get_args(TimeAxis)

Place = str | Mapping[str, str]
"""Where a value stands: a column, with `{visit}` for the file's word of a visit, or the column of each visit."""

Codes = tuple[str | float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """How a file is written. What is None is detected, and the detection is part of the result.

    `header` is the line of the column names; lines above it are not read.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    sheet: str | None = None
    header: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit, and the words by which the file names it.

    Words are labels of the visit column (long), what stands for `{visit}` in column names (wide), or events (REDCap),
    where `event#2` is the second instance of a repeated event or form; the first needs no number. `infusion` is the
    number of the infusion that the rating precedes. `follow_up` is (days after the last infusion, tolerance).
    `screening` visits lie before the first infusion. `day` is the nominal day.
    """

    name: str
    named: tuple[str, ...]
    infusion: int | None = None
    follow_up: tuple[float, float] | None = None
    screening: bool = False
    day: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A treatment protocol, the words (or REDCap arms) by which the file names it, and how many infusions it plans."""

    name: str
    named: tuple[str, ...]
    infusions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A scale: where its total and its items stand.

    `differing` says which is used where both stand and disagree. Without a `scale` there is only a total, and `range`
    must be given. `prorate` allows missing items by the scale's own rule.
    """

    name: str
    scale: Instrument | None = None
    total: Place | None = None
    items: tuple[Place, ...] = ()
    range: tuple[float, float] | None = None
    integer: bool = True
    missing: Codes = ()
    differing: Differing = "error"
    prorate: bool = False

    @property
    def total_range(self) -> tuple[float, float] | None:
        """The range of the total: the declared one, else that of the scale."""
        return self.range or (None if self.scale is None else self.scale.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """A further column: a number, or a factor whose `levels` each list the words that stand for it in the file.

    Free text can't be read, because every word of a factor is declared. A covariate has one value a subject unless it
    `changes`. `top_code` replaces larger numbers, as ages over 89 must be in the United States.
    """

    name: str
    source: Place
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    integer: bool = False
    missing: Codes = ()
    changes: bool = False
    top_code: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dating:
    """How a visit gets its day since the first infusion: by a date, by a column of days, or by its nominal day.

    `date_format` is written as in `datetime.strptime`, or is "excel" for serial numbers of days (1900 system).
    `infusion_date` is the date of the infusion itself, where the file has it beside that of the rating. `planned` says
    that dates or days also stand at visits that were missed, so that only a score shows that a visit took place.
    """

    date: Place | None = None
    date_format: str | None = None
    infusion_date: Place | None = None
    day: Place | None = None
    undated: Undated = "error"
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A second file with further scores, joined on the subject and the nearest date within `within_days`."""

    subject: str
    date: str
    within_days: float
    scores: tuple[Score, ...]
    date_format: str | None = None
    ties: Ties = "error"
    file: TableFile = field(default_factory=TableFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportMapping:
    """All that is declared of an import.

    `visits` stand in their order; `other_events` hold only what does not change in a subject, as an enrolment does.
    `missing` are codes that hold in every column, besides blank cells. `accept` names the rules whose violations are
    known and stay in the data. A mapping that was guessed is not `confirmed`.
    """

    name: str
    shape: Shape
    subject: str
    visits: tuple[Visit, ...]
    scores: tuple[Score, ...]
    visit: str = ""
    other_events: tuple[str, ...] = ()
    protocol: str = ""
    protocols: tuple[Protocol, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    dating: Dating = field(default_factory=Dating)
    companion: Companion | None = None
    file: TableFile = field(default_factory=TableFile)
    missing: Codes = ()
    repairs: tuple[Repair, ...] = ()
    duplicates: Resolver = "error"
    accept: tuple[str, ...] = ()
    time: TimeAxis = "week"
    start_year: bool = False
    confirmed: bool = True

    @property
    def infusions(self) -> tuple[Visit, ...]:
        """The visits at which an infusion follows the rating, in the order of the infusions."""
        return tuple(sorted((v for v in self.visits if v.infusion is not None), key=lambda v: v.infusion or 0))

    @property
    def all_scores(self) -> tuple[Score, ...]:
        """The scores of the file and of the one that is joined to it."""
        return (*self.scores, *(self.companion.scores if self.companion else ()))

    @property
    def first(self) -> Visit:
        """The visit from which days are counted: the first infusion, or else the first visit after screening."""
        later = [visit for visit in self.visits if not visit.screening]
        return (self.infusions or later or self.visits)[0]

    @property
    def by_arms(self) -> bool:
        """Whether the protocol is told by the arm of REDCap's event names."""
        return self.shape == "redcap" and bool(self.protocols) and not self.protocol
