"""A requirement: a sentence that a user can check, and what is to show it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Literal

Phase = Literal["IQ", "OQ", "PQ"]

PHASES: dict[Phase, str] = {
    "IQ": "Installation: what runs, and from which files",
    "OQ": "Operation: each capability against reference engines",
    "PQ": "Performance: the intended use, on data such as it meets",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement of a set.

    It is shown by the verdicts on the quantities of the cases and engines that it names, patterns in which `*` and `?`
    are wild; or, if `check` is not empty, by that check alone. Quantities that match `also` count where there are any,
    and need not be there.
    """

    identifier: str
    statement: str
    cases: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    check: str = ""

    @property
    def phase(self) -> Phase:
        """Which part of the bundle it belongs to, by the beginning of its identifier."""
        return next(phase for phase in PHASES if self.identifier.startswith(f"{phase}-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A capability that no requirement of the set shows, and why."""

    statement: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """All requirements, in the order of their file, and what they leave out."""

    requirements: tuple[Requirement, ...]
    outside: tuple[Outside, ...] = ()


@lru_cache(maxsize=4096)
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Return a function that tells whether a text matches one of the patterns at least."""
    # Paths hold brackets, which would be read as sets of characters.
    parts = (translate(pattern.replace("[", "[[]")) for pattern in patterns)
    match = re.compile("|".join(parts) or r"(?!)").match
    return lambda text: match(text) is not None
