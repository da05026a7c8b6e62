"""Parts of a section: begun where models are fitted, finished when R has answered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.study.section import Estimate, Picture, Section, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one analysis adds to its section."""

    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    warnings: tuple[str, ...] = ()


Later = Callable[[], Part]
"""An analysis whose models are fitted; called, it waits for R's verdicts and returns the part."""


def section_of(key: str, title: str, parts: Iterable[Part]) -> Section:
    """Return the section that parts make up, in their order."""
    found = list(parts)
    return Section(
        key=key,
        title=title,
        paragraphs=tuple(text for part in found for text in part.paragraphs),
        tables=tuple(table for part in found for table in part.tables),
        pictures=tuple(picture for part in found for picture in part.pictures),
        estimates=tuple(estimate for part in found for estimate in part.estimates),
        warnings=tuple(dict.fromkeys(text for part in found for text in part.warnings)),
    )
