"""The places of a report that can be linked to: sections, tables, figures and estimates, named alike by all writers."""

import re
import unicodedata

from harness.study.section import Estimate, Picture, Section, Table


def slug(text: str) -> str:
    """Return a text as letters, digits and dashes, as an anchor may be."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "x"


def section_anchor(section: Section) -> str:
    """Return the anchor of a section, such as `s4`."""
    return slug(section.key)


def part_anchor(section: Section, part: Table | Picture) -> str:
    """Return the anchor of a table or figure, such as `s4-table-2`.

    It is its place in the section and not its name, so that two of one name stay apart.
    """
    kind, parts = ("table", section.tables) if isinstance(part, Table) else ("figure", section.pictures)
    return f"{section_anchor(section)}-{kind}-{1 + [id(each) for each in parts].index(id(part))}"


def part_label(section: Section, part: Table | Picture) -> str:
    """Return what a table or figure is called, such as `Table S4.2`."""
    kind, parts = ("Table", section.tables) if isinstance(part, Table) else ("Figure", section.pictures)
    return f"{kind} {section.key}.{1 + [id(each) for each in parts].index(id(part))}"


def estimate_anchor(estimate: Estimate) -> str:
    """Return the anchor of an estimate: its path."""
    return f"estimate-{slug(estimate.path)}"
