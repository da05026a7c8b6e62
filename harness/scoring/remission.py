"""Remission: a score at or below a cut, whatever the baseline was."""

from dataclasses import dataclass

from harness.errors import Problem, ScoringError
from harness.scoring.exact import exact
from harness.scoring.improvement import ImprovementRule, response
from harness.scoring.truth import Truth, all_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RemissionRule:
    """Remission is a score of at most `cut`; some trials ask for a response by the rule `also` too.

    Raises
    ------
    ScoringError
        The cut is no whole number.
    """

    cut: int
    also: ImprovementRule | None = None

    def __post_init__(self) -> None:
        if isinstance(self.cut, bool) or not isinstance(self.cut, int):
            raise ScoringError("rule of remission", [Problem(found=f"cut {self.cut!r:.40}", expected="a whole number")])

    def describe(self) -> dict[str, str]:
        """Return the rule in words."""
        also = f", and {self.also.describe()['response']}" if self.also is not None else ""
        return {"remission": f"a score of at most {self.cut}{also}"}


def remission(later: object, rule: RemissionRule, *, baseline: object = None) -> Truth:
    """Tell whether a score is in remission; None where it is missing.

    The baseline matters only where the rule asks for a response too: then a score above the cut is no remission, and
    one at or below it has no answer if the response has none.
    """
    y = exact(later)
    low = None if y is None else y <= rule.cut
    return low if rule.also is None else all_of((low, response(baseline, later, rule.also)))
