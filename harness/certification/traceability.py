"""What is known of every requirement after a run: its standing, the verdicts behind it, and what was left over."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.certification.requirement import Outside, Requirement
from harness.comparison.known import KnownDifference


class Standing(StrEnum):
    """How a requirement stands. A known difference never counts as shown, and nothing compared is not examined."""

    SHOWN = "shown"
    KNOWN = "shown but for known differences"
    NOT_SHOWN = "not shown"
    NOT_EXAMINED = "not examined"

    @property
    def is_enough(self) -> bool:
        """Whether a requirement may stand so in a bundle that counts as complete."""
        return self in {Standing.SHOWN, Standing.KNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many verdicts have each outcome."""

    agree: int = 0
    known: int = 0
    disagree: int = 0
    not_compared: int = 0

    @property
    def compared(self) -> int:
        """How many quantities were compared, whatever came out."""
        return self.agree + self.known + self.disagree

    @property
    def standing(self) -> Standing:
        """What these verdicts show of what they were asked for; known differences alone show nothing."""
        if self.disagree or (self.known and not self.agree):
            return Standing.NOT_SHOWN
        if not self.agree:
            return Standing.NOT_EXAMINED
        return Standing.KNOWN if self.known else Standing.SHOWN


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sum."""
    found = list(counts)
    return Counts(
        agree=sum(c.agree for c in found),
        known=sum(c.known for c in found),
        disagree=sum(c.disagree for c in found),
        not_compared=sum(c.not_compared for c in found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A family of quantities of one case and engine, as far as a requirement asks for it.

    `worst` is the quantity nearest to its limit or farthest beyond it, with what was `observed`, its
    `limit`, their `ratio` and the limit's `basis`; of what was not compared, `basis` is the reason.
    `inputs` is the hash of what was compared (cohort, model, R source, pin), `evidence` that of the verdicts.
    """

    case: str
    engine: str
    source: str
    family: str
    kind: str
    counts: Counts
    worst: str
    metric: str
    observed: float | None
    limit: float | None
    ratio: float | None
    basis: str
    inputs: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found; `caveats` say what it could not look at."""

    standing: Standing
    detail: str
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A requirement with its standing, a sentence on it, and what shows it: rows, or a check.

    `gaps` are what it names and the run lacks: a pattern that no compared quantity matches, an engine without an
    answer, a comparison that did not take place.
    """

    requirement: Requirement
    standing: Standing
    sentence: str
    counts: Counts = Counts()
    rows: tuple[Row, ...] = ()
    gaps: tuple[str, ...] = ()
    checked: Checked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A requirement that no verdict answers, or verdicts that no requirement asks for."""

    requirement: str
    case: str
    engine: str
    family: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unshown:
    """Quantities that were not compared, for one reason."""

    engine: str
    family: str
    reason: str
    quantities: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An entry of the known differences and what it was used for."""

    entry: KnownDifference
    cases: tuple[str, ...]
    quantities: int
    farthest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traceability:
    """Every requirement traced to its verdicts and back."""

    traced: tuple[Traced, ...]
    orphans: tuple[Orphan, ...]
    unshown: tuple[Unshown, ...]
    accepted: tuple[Accepted, ...]
    outside: tuple[Outside, ...]
    notes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every requirement is shown, at least but for known differences, and nothing is left over."""
        return all(one.standing.is_enough for one in self.traced) and not self.orphans and not self.notes

    def count(self, standing: Standing) -> int:
        """Return how many requirements stand so."""
        return sum(one.standing is standing for one in self.traced)
