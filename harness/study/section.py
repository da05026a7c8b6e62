"""What every part of a study hands to the report: words, tables, figures, and estimates with their verdicts.

A section is made by a function of the data and the plan. It holds no row of a patient: counts below the plan's limit
are withheld before they get here, and figures show groups.
"""

from dataclasses import dataclass
from typing import Literal

Cell = str | int | float | None
"""Of a table; None is an empty cell, a float is shown with the digits that its column asks for."""

Check = Literal["agrees", "disagrees", "not compared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a header; `digits` of each column's floats, and `notes` below."""

    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    digits: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure as SVG, with a caption and what it shows in words, for those who can't see it."""

    name: str
    caption: str
    description: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """Whether an engine of R says the same: the verdict, the engine with its version, and how far apart they are."""

    verdict: Check
    engine: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number of the study: a path such as ``madrs.response.six``, what it is, and its uncertainty.

    `denominator` is the number of patients it rests on; a number that is not given is None.
    """

    path: str
    label: str
    value: float
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    denominator: int | None = None
    check: CrossCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One step of the plan: `key` such as "S4", its title, and what it found."""

    key: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    warnings: tuple[str, ...] = ()
