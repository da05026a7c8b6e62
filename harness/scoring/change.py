"""Changes in points: what counts as reliable, important or worse."""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from harness.errors import Problem, ScoringError
from harness.scoring.exact import exact
from harness.scoring.truth import Truth

Number = int | float | Decimal | Fraction
Direction = Literal["improved", "unchanged", "worsened"]
Meaning = Literal["within a person", "between groups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliableChange:
    """A change of at least z sqrt(2) SD sqrt(1 - r): more than the scale's error of measurement explains.

    `sd` is the standard deviation of the scores and `reliability` the r. Both belong into every report, because
    published values of r give quite different limits.

    Raises
    ------
    ScoringError
        sd or z not above 0, or a reliability that is not from 0 to below 1.
    """

    sd: Number
    reliability: Number
    z: Number = Fraction(49, 25)

    def __post_init__(self) -> None:
        sd, reliability, z = exact(self.sd), exact(self.reliability), exact(self.z)
        problems = [
            Problem(found=f"{name} {given!r:.40}", expected=expected)
            for name, given, fits, expected in (
                ("sd", self.sd, sd is not None and sd > 0, "a number above 0"),
                (
                    "reliability",
                    self.reliability,
                    reliability is not None and 0 <= reliability < 1,
                    "from 0 to below 1",
                ),
                ("z", self.z, z is not None and z > 0, "a number above 0"),
            )
            if not fits
        ]
        if problems:
            raise ScoringError("rule of reliable change", problems)

    @property
    def squared(self) -> Fraction:
        """The square of the limit, a rational number even where the limit is none."""
        sd, r, z = (_number(value) for value in (self.sd, self.reliability, self.z))
        return 2 * (1 - r) * (z * sd) ** 2

    @property
    def points(self) -> float:
        """The limit in points of the scale, rounded to a double for print."""
        return math.sqrt(self.squared)

    def describe(self) -> dict[str, str]:
        """Return the limit and what it is made of."""
        parts = f"SD {float(self.sd):g}, r {float(self.reliability):g}, z {float(self.z):g}"
        return {"reliable change": f"at least {self.points:.2f} points ({parts})"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PointChange:
    """A change of at least so many points; `meaning` says whether people or groups were meant to differ by it.

    Raises
    ------
    ScoringError
        The number of points is not above 0.
    """

    amount: Number
    meaning: Meaning = "within a person"
    source: str = ""

    def __post_init__(self) -> None:
        amount = exact(self.amount)
        if amount is None or amount <= 0:
            problem = Problem(found=f"amount {self.amount!r:.40}", expected="a number above 0")
            raise ScoringError("rule of change", [problem])

    @property
    def squared(self) -> Fraction:
        """The square of the limit, as that of a reliable change."""
        return _number(self.amount) ** 2

    def describe(self) -> dict[str, str]:
        """Return the limit in words."""
        source = f"; {self.source}" if self.source else ""
        return {"change in points": f"at least {float(self.amount):g} points ({self.meaning}{source})"}


ChangeRule = ReliableChange | PointChange


def change_in_points(baseline: object, later: object, rule: ChangeRule) -> Direction | None:
    """Return which way a score changed by at least the rule's limit; None where a score is missing.

    Squares are compared, so that a limit with a root in it is met or missed exactly.
    """
    b, y = exact(baseline), exact(later)
    if b is None or y is None:
        return None
    if (b - y) ** 2 < rule.squared:
        return "unchanged"
    return "improved" if y < b else "worsened"


def deterioration(baseline: object, later: object, rule: ChangeRule | None = None) -> Truth:
    """Tell whether a score rose: at all, or by at least the limit of a rule; None where a score is missing.

    A baseline of 0 is no obstacle: nothing is divided by it.
    """
    if rule is not None:
        direction = change_in_points(baseline, later, rule)
        return None if direction is None else direction == "worsened"
    b, y = exact(baseline), exact(later)
    return None if b is None or y is None else y > b


def _number(value: Number) -> Fraction:
    found = exact(value)
    if found is None:  # the rules refuse it
        raise ValueError(value)
    return found
