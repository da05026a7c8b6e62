"""Reporting checklists: each item with links to where the report answers it, or the statement that it does not.

An item is answered only by what is there: an item whose table was not made, or whose section was refused, says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from harness.study.anchors import part_anchor, part_label, section_anchor
from harness.study.section import Picture, Section, Table

Standing = Literal["reported", "not in this report", "for the authors"]


ALWAYS = {"methods": "Methods in words", "provenance": "Provenance"}
"""Parts of every report that are no sections, by their anchors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer is looked for: a section, or its tables and figures whose name fits a pattern such as `n_*`.

    A section may also be one of the parts that every report has (`ALWAYS`).
    """

    section: str
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a checklist: its number there, what it asks for, and where the answer is looked for.

    Without a place only the authors can answer; `remark` says what they should.
    """

    number: str
    asks: str
    places: tuple[Place, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place of the report: what it is called, and its anchor."""

    label: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An item, and where the report answers it."""

    item: Item
    standing: Standing
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """A checklist with its answers; `source` says where it comes from."""

    name: str
    source: str
    answers: tuple[Answer, ...]


def filled(name: str, source: str, items: Sequence[Item], sections: Sequence[Section]) -> Checklist:
    """Return a checklist with links to all places of the report where its items are answered."""
    return Checklist(name=name, source=source, answers=tuple(_answer(item, sections) for item in items))


def _answer(item: Item, sections: Sequence[Section]) -> Answer:
    if not item.places:
        return Answer(item=item, standing="for the authors")
    links = dict.fromkeys(link for place in item.places for link in _links(place, sections))
    standing: Standing = "reported" if links else "not in this report"
    return Answer(item=item, standing=standing, links=tuple(links))


def _links(place: Place, sections: Sequence[Section]) -> list[Link]:
    if place.section in ALWAYS:
        return [Link(label=ALWAYS[place.section], anchor=place.section)]
    found = []
    for section in sections:
        if section.key != place.section:
            continue
        everything: tuple[Table | Picture, ...] = (*section.tables, *section.pictures)
        parts = [part for part in everything if fnmatchcase(part.name, place.part)]
        if place.part:
            found += [Link(label=part_label(section, part), anchor=part_anchor(section, part)) for part in parts]
        elif section.paragraphs or section.tables or section.pictures or section.estimates:
            found.append(Link(label=f"Section {section.key}", anchor=section_anchor(section)))
    return found
