"""A rating scale: its items, its range, its bands, and how many items may be missing."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from harness.errors import Problem, ScoringError, nearest
from harness.scoring.bands import BandTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item, scored by whole numbers from `lowest` to `highest`; a `reversed` one counts as lowest + highest - x."""

    name: str
    lowest: int
    highest: int
    reversed: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A scale whose total is the sum of its items, or of which only the total is known; higher totals are worse.

    `total` is the range of the total; with items it is their sum and need not be given. `least_answered` is how many
    items must be answered for a prorated total, `least_ever` how far a caller may lower that; None forbids to prorate.
    `remission` is the highest total in remission and `relapse` the lowest in relapse, as defaults of the outcomes.
    `subscales` name some of the items. `recall_days` is how far back the questions look.

    Raises
    ------
    ScoringError
        Any part that contradicts another; all are listed.
    """

    name: str
    title: str = ""
    items: tuple[Item, ...] = ()
    total: tuple[int, int] = (0, 0)
    bands: BandTable | None = None
    least_answered: int | None = None
    least_ever: int | None = None
    remission: int | None = None
    relapse: int | None = None
    rater: str = ""
    recall_days: int | None = None
    subscales: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = [*_item_problems(self.items)]
        if not problems and self.items and self.total == (0, 0):
            sums = (sum(item.lowest for item in self.items), sum(item.highest for item in self.items))
            object.__setattr__(self, "total", sums)
        if not problems:
            problems = [*_total_problems(self), *_missing_problems(self), *_subscale_problems(self)]
        if problems:
            raise ScoringError(f"scale {self.name!r}", problems)

    @property
    def lowest(self) -> int:
        """The lowest total."""
        return self.total[0]

    @property
    def highest(self) -> int:
        """The highest total."""
        return self.total[1]

    @property
    def item_names(self) -> tuple[str, ...]:
        """The names of the items in their order."""
        return tuple(item.name for item in self.items)

    def subscale(self, name: str) -> "Instrument":
        """Return some of the items as a scale of their own, without bands and cuts; none of them may be missing."""
        if name not in self.subscales:
            found, known = f"subscale {name!r}", ", ".join(self.subscales) or "none, because the scale has none"
            problem = Problem(found=found, expected=known, advice=nearest(name, self.subscales))
            raise ScoringError(f"scale {self.name!r}", [problem])
        items = tuple(item for item in self.items if item.name in self.subscales[name])
        return replace(
            Instrument(name=f"{self.name}.{name}", items=items), rater=self.rater, recall_days=self.recall_days
        )

    def describe(self) -> dict[str, str]:
        """Return what the scale is, in words."""
        items = f"{len(self.items)} items" if self.items else "items unknown"
        said = {"scale": f"{self.title or self.name}, {items}, total {self.lowest} to {self.highest}"}
        if self.rater:
            said["rater"] = self.rater
        if self.recall_days is not None:
            said["recall"] = f"{self.recall_days} days"
        if self.bands is not None:
            said[f"bands ({self.bands.name})"] = "; ".join(f"{k} {v}" for k, v in self.bands.describe().items())
        return said


def _item_problems(items: tuple[Item, ...]) -> Iterator[Problem]:
    for name, count in Counter(item.name for item in items).items():
        if count > 1:
            yield Problem(found=f"{count} items of this name", expected="one", column=name)
    for item in items:
        if not item.name:
            yield Problem(found="an item without a name", expected="a name")
        if not (_is_whole(item.lowest) and _is_whole(item.highest) and item.lowest < item.highest):
            found = f"the range {item.lowest!r} to {item.highest!r}"
            yield Problem(found=found, expected="two whole numbers, the smaller one first", column=item.name)


def _total_problems(scale: Instrument) -> Iterator[Problem]:
    lowest, highest = scale.total
    if not (_is_whole(lowest) and _is_whole(highest) and lowest < highest):
        found = f"total {lowest!r} to {highest!r}"
        yield Problem(found=found, expected="two whole numbers, the smaller one first, or items")
        return
    sums = (sum(item.lowest for item in scale.items), sum(item.highest for item in scale.items))
    if scale.items and scale.total != sums:
        yield Problem(found=f"total {lowest} to {highest}", expected=f"{sums[0]} to {sums[1]}, the sum of the items")
    if scale.bands is not None and (scale.bands.lowest, scale.bands.highest) != scale.total:
        found = f"bands from {scale.bands.lowest} to {scale.bands.highest}"
        yield Problem(found=found, expected=f"bands from {lowest} to {highest}, the range of the total")
    for name, cut in (("remission", scale.remission), ("relapse", scale.relapse)):
        if cut is not None and not (_is_whole(cut) and lowest <= cut <= highest):
            yield Problem(found=f"{name} {cut!r}", expected=f"a whole number from {lowest} to {highest}")


def _missing_problems(scale: Instrument) -> Iterator[Problem]:
    n, least, ever = len(scale.items), scale.least_answered, scale.least_ever
    if least is None:
        if ever is not None:
            yield Problem(found="least_ever without least_answered", expected="both or neither")
        return
    if not (_is_whole(least) and 1 <= least <= n):
        yield Problem(found=f"least_answered {least!r}", expected=f"a whole number from 1 to {n}, the number of items")
    elif ever is not None and not (_is_whole(ever) and 1 <= ever <= least):
        yield Problem(found=f"least_ever {ever!r}", expected=f"a whole number from 1 to {least}, as least_answered")
    if len({(item.lowest, item.highest) for item in scale.items}) > 1:
        found = "least_answered for items with different ranges"
        yield Problem(found=found, expected="none: the mean of such items says nothing about a missing one")


def _subscale_problems(scale: Instrument) -> Iterator[Problem]:
    for name, members in scale.subscales.items():
        unknown = [member for member in members if member not in scale.item_names]
        if not members or len(set(members)) < len(members):
            yield Problem(found=f"subscale {name!r} with no items or one twice", expected="each item once")
        for member in unknown:
            advice = nearest(member, scale.item_names)
            yield Problem(found=f"item {member!r} in subscale {name!r}", expected="one of the items", advice=advice)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
