"""Bands of severity: a named table that covers a scale without gaps and overlaps."""

from dataclasses import dataclass
from itertools import pairwise

from harness.errors import Problem, ScoringError
from harness.scoring.exact import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The scores from `lowest` to `highest`, both included, and what they are called."""

    label: str
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BandTable:
    """Bands from the lowest to the highest, each beginning one point above the one before.

    A cut belongs to the band that it opens. A score between two whole numbers belongs to the lower one's band: 6.5 is
    below a cut at 7.

    Raises
    ------
    ScoringError
        No bands, bands with gaps or overlaps or in another order, labels that are missing or repeated.
    """

    name: str
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        problems = [*_label_problems(self.bands), *_cut_problems(self.bands)]
        if problems:
            raise ScoringError(f"bands {self.name!r}", problems)

    @property
    def lowest(self) -> int:
        """The lowest score that has a band."""
        return self.bands[0].lowest

    @property
    def highest(self) -> int:
        """The highest score that has a band."""
        return self.bands[-1].highest

    def label(self, score: Score) -> str | None:
        """Return the label of the score's band, None for a missing score.

        Raises
        ------
        ScoringError
            The score lies outside all bands.
        """
        if score is None:
            return None
        if not self.lowest <= score <= self.highest:
            found, expected = "a score outside all bands", f"one from {self.lowest} to {self.highest}"
            raise ScoringError(f"bands {self.name!r}", [Problem(found=found, expected=expected)])
        return next(band.label for band in reversed(self.bands) if band.lowest <= score)

    def describe(self) -> dict[str, str]:
        """Return each label with its scores, in words."""
        return {band.label: f"{band.lowest} to {band.highest}" for band in self.bands}


def _label_problems(bands: tuple[Band, ...]) -> list[Problem]:
    labels = [band.label for band in bands]
    problems = [Problem(found="a band without a label", expected="one") for label in labels if not label]
    repeated = sorted({label for label in labels if label and labels.count(label) > 1})
    return problems + [
        Problem(found=f"band {label!r} more than once", expected="each label once") for label in repeated
    ]


def _cut_problems(bands: tuple[Band, ...]) -> list[Problem]:
    if not bands:
        return [Problem(found="no bands", expected="at least one")]
    problems = [
        Problem(found=f"{limit!r} as a limit of band {band.label!r}", expected="a whole number")
        for band in bands
        for limit in (band.lowest, band.highest)
        if isinstance(limit, bool) or not isinstance(limit, int)
    ]
    if problems:
        return problems
    problems = [
        Problem(found=f"band {band.label!r} from {band.lowest} to {band.highest}", expected="lowest <= highest")
        for band in bands
        if band.lowest > band.highest
    ]
    for before, after in pairwise(bands):
        if after.lowest > before.highest + 1:
            found = (
                f"a gap between {before.label!r}, which ends at {before.highest}, and {after.label!r} at {after.lowest}"
            )
        elif after.lowest <= before.highest:
            found = f"{after.label!r} from {after.lowest} on, but {before.label!r} ends at {before.highest}"
        else:
            continue
        problems.append(Problem(found=found, expected=f"{after.label!r} from {before.highest + 1} on"))
    return problems
